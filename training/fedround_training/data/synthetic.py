"""Plain procedural lesions, so that the demo has images of its own: seen from afar like dermoscopy, no more.

Called by the demo. Deterministic by (seed, patient, photo). Four classes that overlap, so that a perfect score is not
to be had: nv small, round and even; mel larger, irregular and of several colours; bcc pale red with dark blots; bkl
brown, rough and sharp-edged. Three origins differ in brightness and in their share of each class, as clinics do.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from fedround_training.data.catalogue import TABLE_NAME

WIDTH, HEIGHT = 128, 96
IMAGES = "images"
LABELS = ("nv", "mel", "bcc", "bkl")
_HEADER = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "patient_id", "dataset")
_SITES = ("back", "trunk", "face", "lower extremity", "upper extremity")

Field = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Origin:
    name: str
    share: float
    brightness: float
    labels: tuple[float, float, float, float]


@dataclass(frozen=True)
class _Look:
    """Means of one class: radius in half heights, the outline's irregularity, the edge's softness, colours."""

    radius: float
    irregular: float
    softness: float
    pigment: float
    redness: float
    mottling: float


_ORIGINS = (
    _Origin("urban", 0.45, 1.0, (0.50, 0.20, 0.12, 0.18)),
    _Origin("rural", 0.35, 0.82, (0.35, 0.25, 0.25, 0.15)),
    _Origin("coastal", 0.20, 1.15, (0.40, 0.30, 0.10, 0.20)),
)
_LOOKS = {
    "nv": _Look(0.21, 0.05, 0.10, 0.65, 0.10, 0.15),
    "mel": _Look(0.36, 0.15, 0.08, 1.50, 0.30, 0.55),
    "bcc": _Look(0.30, 0.12, 0.16, 0.25, 0.70, 0.35),
    "bkl": _Look(0.28, 0.10, 0.03, 0.40, 0.05, 0.40),
}
# Light that melanin and blood take away from red, green and blue: darker skin lowers the contrast of a lesion, as it
# does in truth.
_MELANIN, _BLOOD = np.array((0.45, 1.0, 1.6)), np.array((0.10, 0.95, 0.80))
_BASE = np.array((0.95, 0.84, 0.76))


def write_synthetic_folder(folder: Path, images: int, seed: int) -> Path:
    """`images` JPEGs and a table in HAM10000's columns (and patient_id) below `folder`; returns the table's path."""
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    with (folder / TABLE_NAME).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        for number, (patient, photo) in enumerate(_photos(images, seed)):
            image_id = f"SYN_{number:07d}"
            label, origin, person = _person(seed, patient)
            Image.fromarray(draw_lesion(seed, patient, photo)).save(folder / IMAGES / f"{image_id}.jpg", quality=90)
            writer.writerow(
                (f"SYN_L{patient:07d}", image_id, label, "synthetic", *person, f"SYN_P{patient:07d}", origin.name)
            )
    return folder / TABLE_NAME


def draw_lesion(seed: int, patient: int, photo: int) -> npt.NDArray[np.uint8]:
    """(HEIGHT, WIDTH, 3) uint8. Photos of one patient show one lesion, turned, moved and lit anew."""
    label, origin, _ = _person(seed, patient)
    lesion, view = np.random.default_rng((seed, patient, 1)), np.random.default_rng((seed, patient, 2, photo))
    look = _LOOKS[label]
    radius, irregular, pigment, redness, mottling = (
        mean * lesion.lognormal(0, 0.25)
        for mean in (look.radius, look.irregular, look.pigment, look.redness, look.mottling)
    )
    skin = lesion.lognormal(-2.0, 0.5)
    across, down = np.meshgrid(np.linspace(-WIDTH / HEIGHT, WIDTH / HEIGHT, WIDTH), np.linspace(-1, 1, HEIGHT))
    across, down = across - view.normal(0, 0.12), down - view.normal(0, 0.08)
    distance = np.hypot(across, down * lesion.uniform(1.0, 1.4))
    angle = np.arctan2(down, across) + view.uniform(0, 2 * np.pi)
    outline = (
        2
        * radius
        * (
            1
            + sum(
                irregular / k**0.6 * lesion.normal() * np.cos(k * angle + lesion.uniform(0, 6.3)) for k in range(1, 7)
            )
        )
    )
    inside = 1 / (1 + np.exp(np.clip((distance - outline) / look.softness, -30, 30)))
    blots = np.clip(1 + mottling * _clouds(lesion, 7), 0.05, None)
    melanin = skin * (1 + 0.1 * _clouds(view, 24)) + inside * pigment * blots
    blood = 0.2 + inside * redness * np.clip(1 + 0.5 * _clouds(lesion, 5), 0, None)
    light = origin.brightness * view.lognormal(0, 0.06) * (1 - 0.12 * (across**2 + down**2))
    image = _BASE * light[..., None] * np.exp(-(melanin[..., None] * _MELANIN + blood[..., None] * _BLOOD))
    return np.asarray(np.clip(image * 255 + view.normal(0, 3, image.shape), 0, 255), np.uint8)


def _clouds(rng: np.random.Generator, cells: int) -> Field:
    """Smooth noise, mean 0 and deviation about 1, with so many cells across."""
    coarse = Image.fromarray(rng.normal(0, 1.5, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), np.float64)


def _person(seed: int, patient: int) -> tuple[str, _Origin, tuple[str, str, str]]:
    rng = np.random.default_rng((seed, patient, 0))
    origin = _ORIGINS[rng.choice(len(_ORIGINS), p=[origin.share for origin in _ORIGINS])]
    label = LABELS[rng.choice(len(LABELS), p=origin.labels)]
    age = float(np.clip(5 * round(rng.normal(45 if label == "nv" else 62, 14) / 5), 5, 85))
    return label, origin, (str(age), str(rng.choice(("female", "male"))), str(rng.choice(_SITES)))


def _photos(images: int, seed: int) -> Iterator[tuple[int, int]]:
    """(patient, photo) of each image: three patients in ten have two or three photos."""
    patient = made = 0
    while made < images:
        photos = int(np.random.default_rng((seed, patient, 3)).choice((1, 2, 3), p=(0.7, 0.2, 0.1)))
        for photo in range(min(photos, images - made)):
            yield patient, photo
        made, patient = made + photos, patient + 1
