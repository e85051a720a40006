"""One photo of a patient's lesion, and arrays of many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fedround_training.data.dermoscopy.artefacts import add_artefacts
from fedround_training.data.dermoscopy.cameras import expose
from fedround_training.data.dermoscopy.fields import Frame
from fedround_training.data.dermoscopy.lesions import draw_skin, paint
from fedround_training.data.dermoscopy.looks import LABELS, draw_look
from fedround_training.data.dermoscopy.optics import reflect
from fedround_training.data.dermoscopy.patients import Patient, Stream, draw_patient
from fedround_training.data.dermoscopy.profiles import ClinicProfile

#: Below this height a photo is drawn at twice its size: hairs and nets would be finer than its pixels.
_FINE_ENOUGH = 96


@dataclass(frozen=True)
class DrawnCases:
    """One photo each of N patients, in order. `labels` are indices into `classes`, `fitzpatrick` is 1 to 6."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    fitzpatrick: npt.NDArray[np.int64]
    ages: npt.NDArray[np.int64]
    clinics: tuple[str, ...]
    classes: tuple[str, ...] = LABELS


def draw_cases(profile: ClinicProfile, count: int, seed: int, size: int) -> DrawnCases:
    """The first `count` patients of a clinic as (count, size, size, 3) pixels; JPEG is left out."""
    patients = [draw_patient(profile, Stream(seed, profile.name, index)) for index in range(count)]
    return _drawn(patients, [profile] * count, size)


def draw_balanced(profiles: Sequence[ClinicProfile], count: int, seed: int, size: int) -> DrawnCases:
    """A test set in which every class and every clinic has the same share: each class in each clinic in turn."""
    turns = [divmod(index, len(LABELS)) for index in range(count)]
    clinics = [profiles[turn % len(profiles)] for turn, _ in turns]
    patients = [
        draw_patient(profile, Stream(seed, f"balanced/{profile.name}", index), LABELS[label])
        for index, (profile, (_, label)) in enumerate(zip(clinics, turns, strict=True))
    ]
    return _drawn(patients, clinics, size)


def _drawn(patients: Sequence[Patient], profiles: Sequence[ClinicProfile], size: int) -> DrawnCases:
    pixels = np.empty((len(patients), size, size, 3), np.uint8)
    for place, (patient, profile) in enumerate(zip(patients, profiles, strict=True)):
        pixels[place] = draw_photo(patient, profile, 0, size, size)
    return DrawnCases(
        pixels=pixels,
        labels=np.array([LABELS.index(patient.label) for patient in patients], np.int64),
        fitzpatrick=np.array([patient.fitzpatrick for patient in patients], np.int64),
        ages=np.array([patient.age for patient in patients], np.int64),
        clinics=tuple(profile.name for profile in profiles),
    )


def draw_photo(patient: Patient, profile: ClinicProfile, photo: int, width: int, height: int) -> npt.NDArray[np.uint8]:
    """(height, width, 3) sRGB: the same lesion in every photo, seen from elsewhere, under other hairs."""
    view = patient.stream.generator("view", photo)
    fold = 2 if height < _FINE_ENOUGH else 1
    frame = Frame(
        width * fold,
        height * fold,
        angle=float(view.uniform(0, 2 * np.pi)),
        zoom=float(np.exp(view.normal(0, 0.08))),
        shift=(float(view.normal(0, 0.09)), float(view.normal(0, 0.07))),
    )
    look = draw_look(patient.stream.generator("look"), patient.label, child=patient.is_child)
    skin = draw_skin(patient.stream.generator("skin"), patient.fitzpatrick)
    light = reflect(paint(patient.stream.generator("lesion"), look, skin, frame))
    add_artefacts(view, light, frame, profile.hairiness, skin.melanin)
    return expose(view, profile.camera, _halved(light) if fold == 2 else light, Frame(width, height))


def _halved(light: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean of every four pixels. Slices, because `mean` over two axes takes five times as long."""
    rows = light[0::2] + light[1::2]
    return (rows[:, 0::2] + rows[:, 1::2]) * np.float32(0.25)
