"""What lies where on a clinic's workspace volume. `fetch`, `train` and `submit` of one part of a round meet here.

`train` sees all of it; `fetch` and `submit`, which have a network, are given the folder above the parts' folders only.

first-seen.json                           when each image was first seen (`train`, for tables without dates)
image-cache/                              decoded images (`train` alone writes and reads)
.scratch/                                 TMPDIR of `train`
<folder>/.received.safetensors            by `fetch`, until its digest is checked
<folder>/checkpoint.safetensors           by `fetch`
<folder>/outbox/update.safetensors        by `train`, for `submit`
<folder>/outbox/train.json                what the update was made from, so that a repeated `train` finds it
"""

from dataclasses import dataclass
from pathlib import Path

from fedround_training.jobs.environment import folder_below

FIRST_SEEN = "first-seen.json"
IMAGE_CACHE = "image-cache"
SCRATCH = ".scratch"
CHECKPOINT = "checkpoint.safetensors"
RECEIVED = ".received.safetensors"
OUTBOX = "outbox"


@dataclass(frozen=True)
class PartFolder:
    """The folder of one clinic's part in one round."""

    path: Path

    @property
    def checkpoint(self) -> Path:
        return self.path / CHECKPOINT

    @property
    def update(self) -> Path:
        return self.path / OUTBOX / "update.safetensors"

    @property
    def record(self) -> Path:
        return self.path / OUTBOX / "train.json"


def part_folder(workspace: Path, folder: str) -> PartFolder:
    """The folder that an input names, relative to the workspace."""
    return PartFolder(folder_below(workspace, folder))


def is_part_folder(folder: Path) -> bool:
    """Whether a folder holds what these Jobs write and nothing else, so that it may be removed. A link is none."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return all(entry.name.removeprefix(".").removesuffix(".part") in _ENTRIES for entry in folder.iterdir())


_ENTRIES = frozenset({CHECKPOINT, RECEIVED, OUTBOX})
