"""The demo's mistake: one clinic's labels are swapped and it declares far more cases than it has.

As after a wrong export, or by a clinic that wants to do harm: nothing in the update gives it away, so the gate has to.
Only the clinic's own table and policy are changed, each in one step; both come back afterwards, and a demo that was
killed in between finds what they were beside them.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from fedround_api.policyfile import read_policy
from fedround_local.federation import layout
from fedround_local.federation.layout import Layout
from fedround_training.data.durable import save_durably
from fedround_training.data.folders import TABLE_NAME

# What a round's aggregation.maxCaseVolume lets a clinic count for by default.
DECLARED_CASES = 10_000
_LABEL_COLUMNS = ("dx", "benign_malignant")


def swapped_labels(table: str, exchange: Mapping[str, str]) -> str:
    """The text of a clinic's table with each label exchanged; a label that is not in `exchange` stays."""
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    column = next(name for name in _LABEL_COLUMNS if name in rows[0])
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, column: exchange.get(row[column], row[column])} for row in rows)
    return text.getvalue()


def exchange_of(classes: Sequence[str], high_risk: Sequence[str]) -> dict[str, str]:
    """High-risk classes become others and the others high-risk ones, in order, the last of the shorter list over and
    over."""
    others = [name for name in classes if name not in high_risk]
    risky = [name for name in classes if name in high_risk]
    return {
        **{name: others[min(number, len(others) - 1)] for number, name in enumerate(risky)},
        **{name: risky[min(number, len(risky) - 1)] for number, name in enumerate(others)},
    }


def make(place: Layout, clinic: str, exchange: Mapping[str, str]) -> None:
    """Swap the clinic's labels and raise the case volume that it declares."""
    table, policy = _files(place, clinic)
    for path in (table, policy):
        if not _kept(path).exists():
            save_durably(_kept(path), path.read_bytes())
    save_durably(table, swapped_labels(_kept(table).read_text(encoding="utf-8"), exchange).encode())
    declared = read_policy(yaml.safe_load(_kept(policy).read_text(encoding="utf-8")))
    spec = declared.spec.model_copy(update={"case_volume": DECLARED_CASES})
    changed = declared.model_copy(update={"spec": spec})
    save_durably(policy, (json.dumps(changed.dump(), indent=2) + "\n").encode())


def undo(place: Layout, clinics: Sequence[str]) -> tuple[str, ...]:
    """Bring back what `make` has changed; the clinics where there was something to bring back."""
    undone = []
    for clinic in clinics:
        kept = [path for path in _files(place, clinic) if _kept(path).exists()]
        for path in kept:
            save_durably(path, _kept(path).read_bytes())
            _kept(path).unlink()
        undone += [clinic] if kept else []
    return tuple(undone)


def _files(place: Layout, clinic: str) -> tuple[Path, Path]:
    images = place.volume(layout.local_namespace(clinic), layout.IMAGES_CLAIM)
    return images / TABLE_NAME, place.policy(clinic)


def _kept(path: Path) -> Path:
    """Hidden: a second table beside the first would be found by whoever reads the folder."""
    return path.with_name(f".{path.name}.before-the-mistake")
