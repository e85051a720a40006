"""From cases to a hub's test set: which classes there are, and who gives what to which part. Pure.

Called by whoever writes a test set (`testset.write_test_set`): the embedded federation and `fedround data testset`.
"""

from collections.abc import Mapping, Sequence

from fedround_training.data.cases import Case
from fedround_training.data.catalogue import Catalogue
from fedround_training.data.errors import SplitImpossible, shown
from fedround_training.data.splits import halve
from fedround_training.data.testset import Contribution, Part
from fedround_training.data.vocabulary import CLASSES, HIGH_RISK, OUTCOMES


def classes_of(catalogue: Catalogue) -> tuple[str, ...]:
    """The classes that the folder has, in the canonical order. Raises SplitImpossible where nothing is to be told."""
    present = tuple(name for name in (*CLASSES, *OUTCOMES) if name in catalogue.labels)
    risky = [name for name in present if name in HIGH_RISK]
    if not risky or len(risky) == len(present):
        raise SplitImpossible(
            f"{shown(catalogue.table)} has the classes {', '.join(present)}: a classifier needs high-risk cases "
            f"({', '.join(sorted(HIGH_RISK))}) and others"
        )
    return present


def contributions(by_clinic: Mapping[str, Sequence[Case]], seed: int) -> list[Contribution]:
    """What each clinic gives to the calibration part and to the gate part; no patient is in both."""
    gate, calibration = halve([case for cases in by_clinic.values() for case in cases], seed)
    parts = ((Part.CALIBRATION, {case.image_id for case in calibration}), (Part.GATE, {case.image_id for case in gate}))
    return [
        Contribution(name, part, [case for case in cases if case.image_id in ids])
        for name, cases in by_clinic.items()
        for part, ids in parts
    ]


def require_both_kinds(given: Sequence[Contribution]) -> None:
    """Passes where each part has high-risk cases and others. Raises SplitImpossible: no candidate could be judged."""
    for part in Part:
        labels = [case.label for one in given if one.part is part for case in one.cases]
        risky = sum(label in HIGH_RISK for label in labels)
        if not risky or risky == len(labels):
            raise SplitImpossible(
                f"the {part} part would have {risky} high-risk cases and {len(labels) - risky} others, and needs both: "
                "give images of more patients"
            )
