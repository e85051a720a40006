"""One image with what the table says of it. A value: made by `catalogue`, handed on by all else in this package."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class GroupUnit(StrEnum):
    """What is never divided between clinics or between training and test: the best known of these, in this order."""

    PATIENT = "patient"
    LESION = "lesion"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Case:
    """`group` is the key of what must stay together; `attributes` has every column of the row by its header."""

    image_id: str
    path: Path
    label: str
    group: str
    unit: GroupUnit
    patient: str | None = None
    lesion: str | None = None
    visit_date: datetime | None = None
    added_date: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
