"""A contact sheet: every class on every skin type, and a row of photos from each clinic."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from fedround_training.data.dermoscopy.looks import LABELS
from fedround_training.data.dermoscopy.patients import SKIN_TYPES, Patient, Stream, draw_patient
from fedround_training.data.dermoscopy.photos import draw_photo
from fedround_training.data.dermoscopy.profiles import ClinicProfile

_CELL, _MARGIN, _HEADING, _GAP = 104, 84, 22, 2
_EACH = 2
_COLUMNS = _EACH * len(SKIN_TYPES)
_PAPER, _TEXT = (255, 255, 255), (30, 30, 30)

Photo = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Row:
    title: str
    photos: Sequence[Photo]


def contact_sheet(profiles: Sequence[ClinicProfile], seed: int) -> Image.Image:
    """Classes by skin types as the first clinic's camera sees them, then each clinic's first patients."""
    classes = [_Row(label, _class_photos(profiles[0], label, seed)) for label in LABELS]
    clinics = [_Row(profile.name, _clinic_photos(profile, seed)) for profile in profiles]
    width = _MARGIN + _COLUMNS * _CELL
    sheet = Image.new("RGB", (width, 2 * _HEADING + (len(classes) + len(clinics)) * _CELL), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, skin_type in enumerate(SKIN_TYPES):
        _write(pen, (_MARGIN + (column + 0.5) * _EACH * _CELL, _HEADING / 2), f"skin type {skin_type}")
    _paste(sheet, classes, _HEADING)
    below = _HEADING + len(classes) * _CELL
    _write(
        pen, (_MARGIN + _COLUMNS * _CELL / 2, below + _HEADING / 2), "the first patients of each clinic, by its camera"
    )
    _paste(sheet, clinics, below + _HEADING)
    return sheet


def _class_photos(profile: ClinicProfile, label: str, seed: int) -> list[Photo]:
    """Lesions of one class on skin types I to VI; in each row the same lesions, so that only the skin differs."""
    patients = [draw_patient(profile, Stream(seed, f"sheet/{label}", index), label) for index in range(_EACH)]
    return [
        _photo(replace(patient, fitzpatrick=skin_type), profile)
        for skin_type in range(1, len(SKIN_TYPES) + 1)
        for patient in patients
    ]


def _clinic_photos(profile: ClinicProfile, seed: int) -> list[Photo]:
    patients = (draw_patient(profile, Stream(seed, profile.name, index)) for index in range(_COLUMNS))
    return [_photo(patient, profile) for patient in patients]


def _photo(patient: Patient, profile: ClinicProfile) -> Photo:
    return draw_photo(patient, profile, 0, _CELL - _GAP, _CELL - _GAP)


def _paste(sheet: Image.Image, rows: Sequence[_Row], top: int) -> None:
    pen = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        y = top + number * _CELL
        _write(pen, (_MARGIN / 2, y + _CELL / 2), row.title)
        for column, photo in enumerate(row.photos):
            sheet.paste(Image.fromarray(photo), (_MARGIN + column * _CELL, y))


def _write(pen: ImageDraw.ImageDraw, middle: tuple[float, float], text: str) -> None:
    pen.text(middle, text, fill=_TEXT, font=ImageFont.load_default(14), anchor="mm")
