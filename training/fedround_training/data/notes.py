"""What a person should know of a set of cases that can be trained on all the same.

Pure. Called by `train`, which logs it in the clinic, and by `inspection`.
"""

from collections import Counter
from collections.abc import Collection, Sequence

from fedround_training.data.cases import Case


def notes(cases: Sequence[Case], classes: Sequence[str], high_risk: Collection[str]) -> tuple[str, ...]:
    """Sentences without a name of a patient or file. `classes` are those that a model of the network may have."""
    counts = Counter(case.label for case in cases)
    risky = sum(counts[name] for name in high_risk)
    found = []
    if not risky:
        found.append("no high-risk case: the clinic takes part, but teaches nothing of what must not be missed")
    elif risky == len(cases):
        found.append("high-risk cases only: the clinic takes part, but teaches nothing of what is harmless")
    if len(counts) == 1:
        found.append(f"one class only: {next(iter(counts))}")
    lacking = [name for name in classes if name not in counts]
    if lacking:
        found.append(f"no case of {', '.join(lacking)}: other clinics may have some")
    if len(cases) > 1 and len({case.group for case in cases}) == 1:
        found.append(f"all cases are of one {cases[0].unit}")
    return tuple(found)
