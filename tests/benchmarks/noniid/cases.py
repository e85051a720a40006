"""Drawn cases of the clinics and of the test set, kept in the temporary folder: a run that was stopped does not draw
them again.
"""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.noniid.setting import Setting
from fedround_training.data import dermoscopy
from fedround_training.data.dermoscopy import NON_IID, ClinicProfile, DrawnCases, draw_balanced, draw_cases
from fedround_training.evaluation.figures import Flags

HIGH_RISK = ["mel", "bcc", "scc"]
TEST = "test"
#: Far from the seeds of the clinics' cases: no patient is in both.
_TEST_SEED = 1_000_000


@dataclass(frozen=True)
class Cases:
    """(N, S, S, 3) pixels, (N,) class indices, skin types 1 to 6 and clinics' names."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    skin_types: npt.NDArray[np.int64]
    clinics: npt.NDArray[np.str_]
    classes: npt.NDArray[np.str_]

    @property
    def high_risk(self) -> Flags:
        return np.isin(self.classes[self.labels], HIGH_RISK)


def read_cases(name: str, seed: int, setting: Setting) -> Cases:
    """The cases of a clinic, or of the test set; drawn at the first call."""
    path = _kept(setting) / f"{seed}-{name}.npz"
    if not path.exists():
        drawn = _draw(name, seed, setting)
        part = path.with_suffix(".part.npz")
        np.savez(
            part,
            pixels=drawn.pixels,
            labels=drawn.labels,
            skin_types=drawn.fitzpatrick,
            clinics=np.array(drawn.clinics),
            classes=np.array(drawn.classes),
        )
        part.replace(path)
    with np.load(path) as kept:
        return Cases(**{field: kept[field] for field in Cases.__dataclass_fields__})


def size_of(profile: ClinicProfile, setting: Setting) -> int:
    """How many cases the clinic has."""
    return max(8, round(setting.scale * profile.size))


def _draw(name: str, seed: int, setting: Setting) -> DrawnCases:
    if name == TEST:
        return draw_balanced(NON_IID, setting.test_cases, _TEST_SEED + seed, setting.image_size)
    profile = next(profile for profile in NON_IID if profile.name == name)
    return draw_cases(profile, size_of(profile, setting), seed, setting.image_size)


def _kept(setting: Setting) -> Path:
    """A folder for this generator and this setting: other sources draw other cases."""
    key = hashlib.sha256(repr((setting.scale, setting.test_cases, setting.image_size)).encode())
    for source in sorted(Path(dermoscopy.__file__).parent.glob("*.py")):
        key.update(source.read_bytes())
    folder = Path(tempfile.gettempdir(), f"fedround-noniid-{key.hexdigest()[:16]}")
    folder.mkdir(exist_ok=True)
    return folder
