"""Patients of a clinic, drawn by (seed, clinic, index) alone: patient 7 is the same however many are drawn."""

import hashlib
from dataclasses import dataclass

import numpy as np

from fedround_training.data.dermoscopy.looks import CHILDHOOD, LABELS
from fedround_training.data.dermoscopy.profiles import ClinicProfile

ANATOM_SITES = ("anterior torso", "posterior torso", "head/neck", "upper extremity", "lower extremity")
SKIN_TYPES = ("I", "II", "III", "IV", "V", "VI")

_PHOTOS, _PHOTO_SHARES = (1, 2, 3), (0.72, 0.19, 0.09)
_OLDER = {"nv": 0.0, "mel": 14.0, "bcc": 20.0, "bkl": 17.0, "scc": 23.0, "vasc": 6.0}


@dataclass(frozen=True)
class Stream:
    """Where the random numbers of one patient come from: a generator for each purpose, none affecting another."""

    seed: int
    clinic: str
    index: int

    def generator(self, purpose: str, photo: int = 0) -> np.random.Generator:
        """Always the same for the same purpose and photo, and unlike any other."""
        key = f"{self.seed}/{self.clinic}/{self.index}/{purpose}/{photo}"
        digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


@dataclass(frozen=True)
class Patient:
    """One patient with one lesion and one to three photos of it. `fitzpatrick` is 1 to 6."""

    stream: Stream
    label: str
    age: int
    sex: str
    anatom_site: str
    fitzpatrick: int
    photos: int

    @property
    def is_child(self) -> bool:
        return self.age < 18


def draw_patient(profile: ClinicProfile, stream: Stream, label: str | None = None) -> Patient:
    """A patient of the clinic; with a `label`, one who has that lesion there."""
    rng = stream.generator("patient")
    drawn = str(rng.choice(LABELS, p=[profile.classes[name] for name in LABELS]))
    label = label or drawn
    child = rng.random() < profile.children and label in CHILDHOOD
    adult_age = float(np.clip(rng.normal(profile.age + _OLDER[label], 13), 18, 90))
    child_age = float(rng.uniform(1, 18))
    return Patient(
        stream=stream,
        label=label,
        age=int(child_age if child else adult_age),
        sex=str(rng.choice(("female", "male"))),
        anatom_site=str(rng.choice(ANATOM_SITES)),
        fitzpatrick=1 + int(rng.choice(len(SKIN_TYPES), p=profile.skin_types)),
        photos=int(rng.choice(_PHOTOS, p=_PHOTO_SHARES)),
    )
