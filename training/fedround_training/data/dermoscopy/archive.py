"""A folder like a published archive: JPEGs and one table."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fedround_training.data.dermoscopy.patients import SKIN_TYPES, Patient, Stream, draw_patient
from fedround_training.data.dermoscopy.photos import draw_photo
from fedround_training.data.dermoscopy.profiles import DEMO, ClinicProfile
from fedround_training.data.folders import TABLE_NAME

IMAGES = "images"
WIDTH = 128
COLUMNS = (
    "image_id", "patient_id", "lesion_id", "diagnosis", "age_approx", "sex", "anatom_site_general",
    "fitzpatrick_skin_type", "camera", "clinic",
)  # fmt: skip

_DIAGNOSES = {
    "nv": "nevus",
    "mel": "melanoma",
    "bcc": "basal cell carcinoma",
    "bkl": "seborrheic keratosis",
    "scc": "squamous cell carcinoma",
    "vasc": "vascular lesion",
}


def write_synthetic_folder(
    folder: Path, images: int, seed: int, profiles: Sequence[ClinicProfile] = DEMO, width: int = WIDTH
) -> Path:
    """`images` JPEGs of `width` by three quarters of it, and a table in ISIC's columns; returns the table's path.

    A smaller folder of the same seed is the beginning of a larger one.
    """
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    with (folder / TABLE_NAME).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for number, (profile, patient, photo) in enumerate(_photos(images, seed, profiles)):
            image_id = f"SYN_{number:07d}"
            pixels = draw_photo(patient, profile, photo, width, width * 3 // 4)
            Image.fromarray(pixels).save(folder / IMAGES / f"{image_id}.jpg", quality=profile.camera.quality)
            writer.writerow((image_id, *_cells(patient, profile)))
    return folder / TABLE_NAME


def _cells(patient: Patient, profile: ClinicProfile) -> tuple[str, ...]:
    number = patient.stream.index
    return (
        f"SYN_P{number:07d}",
        f"SYN_L{number:07d}",
        _DIAGNOSES[patient.label],
        str(5 * round(patient.age / 5)),
        patient.sex,
        patient.anatom_site,
        SKIN_TYPES[patient.fitzpatrick - 1],
        profile.camera.name,
        profile.name,
    )


def _photos(images: int, seed: int, profiles: Sequence[ClinicProfile]) -> Iterator[tuple[ClinicProfile, Patient, int]]:
    """(clinic, patient, photo) of each image; patients come to the clinics by their sizes."""
    shares = np.array([profile.size for profile in profiles])
    patient_index = made = 0
    while made < images:
        arrival = Stream(seed, "arrivals", patient_index).generator("clinic")
        profile = profiles[int(arrival.choice(len(profiles), p=shares / shares.sum()))]
        patient = draw_patient(profile, Stream(seed, profile.name, patient_index))
        for photo in range(min(patient.photos, images - made)):
            yield profile, patient, photo
        made, patient_index = made + patient.photos, patient_index + 1
