"""Builders for the tests of the data rooms: a case, a folder with images and a table."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from PIL import Image

from fedround_training.data.cases import Case, GroupUnit


def make_case(
    image_id: str,
    label: str = "nv",
    patient: str | None = None,
    *,
    visit_date: datetime | None = None,
    added_date: datetime | None = None,
    path: Path = Path("nowhere.jpg"),
    **attributes: str,
) -> Case:
    unit = GroupUnit.PATIENT if patient else GroupUnit.IMAGE
    group = f"{unit}:{patient or image_id}"
    return Case(image_id, path, label, group, unit, patient, None, visit_date, added_date, attributes)


def make_folder(folder: Path, table: str, images: Sequence[str], table_name: str = "metadata.csv") -> Path:
    """A folder with the table as written and a small plain image at each of the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / table_name).write_bytes(table.encode())
    for number, image in enumerate(images):
        path = folder / image
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 9), (200, 150, number % 250)).save(path)
    return folder
