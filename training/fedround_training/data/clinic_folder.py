"""A clinic's cases as a folder of its own, which `catalogue` reads back as the same cases.

Called by the demo, which deals one folder out to several clinics. Images are hard links where the file system allows
it: nothing in this project ever writes to an image.
"""

import csv
import io
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from fedround_training.data import columns as meaning
from fedround_training.data.cases import Case
from fedround_training.data.durable import save_durably
from fedround_training.data.folders import TABLE_NAME
from fedround_training.data.regular import is_regular
from fedround_training.data.vocabulary import OUTCOMES

IMAGES = "images"


def write_clinic_folder(folder: Path, cases: Sequence[Case]) -> Path:
    """Images and `metadata.csv` below `folder`; returns the table's path. Images of an earlier call stay."""
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    for case in cases:
        _link(case.path, folder / IMAGES / f"{case.image_id}{case.path.suffix.lower()}")
    save_durably(folder / TABLE_NAME, _table(cases))
    return folder / TABLE_NAME


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    if not is_regular(source):
        # A row without an image, in the clinic as it was here: a device would be copied without end.
        return
    try:
        os.link(source.resolve(), target)
    except OSError:
        # Another file system, or files of another owner (protected_hardlinks).
        shutil.copyfile(source, target)


def _table(cases: Sequence[Case]) -> bytes:
    """The canonical columns first, then all others of the source; the canonical ones win when the table is read."""
    label = "benign_malignant" if all(case.label in OUTCOMES for case in cases) else "dx"
    canonical = ("image_id", "patient_id", "lesion_id", label, "visit_date", "date_added")
    replaced = {*canonical, *meaning.IMAGE, *meaning.PATIENT, *meaning.LESION, *meaning.VISIT, *meaning.ADDED}
    attributes = [name for name in _headers(cases) if meaning.normal(name) not in replaced]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*canonical, *attributes))
    for case in sorted(cases, key=lambda case: case.image_id):
        dates = [instant.isoformat() if instant else "" for instant in (case.visit_date, case.added_date)]
        known = (case.image_id, case.patient or "", case.lesion or "", case.label, *dates)
        writer.writerow((*known, *(case.attributes.get(name, "") for name in attributes)))
    return text.getvalue().encode()


def _headers(cases: Sequence[Case]) -> list[str]:
    return list(dict.fromkeys(name for case in cases for name in case.attributes))
