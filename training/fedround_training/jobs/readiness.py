"""What the checks of `train` try on the workspace, and how they judge what was found. No torch.

Called by `preflight`. Messages have counts and fixed words only: they go to the clinic's API server.
"""

import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from fedround_api.checks import CheckFailed, Noted, PreflightInput
from fedround_api.kinds.federated_round import Training
from fedround_api.locking import LockPart, missing_parts, possible_without
from fedround_training.confinement.kernel import Kernel
from fedround_training.data.image_cache import RESERVE_BYTES
from fedround_training.store.files import save_whole

_PROBE = ".preflight"
# Some updates and checkpoints of the models that exist (tiny-gn: 0.8 MB each), and a ledger.
LEAST_FREE_BYTES = 64 * 2**20
_BLOCK_BYTES = 4096
_GIB = 2**30


@dataclass(frozen=True)
class Trial:
    """What a short training took: seconds for an image, and the most memory that the process has held."""

    seconds_per_image: float
    peak_bytes: int


def judge_lock(locked: Collection[LockPart], *, allow_unlocked: bool) -> str | Noted:
    """What it means that these parts of the lock hold. Raises CheckFailed where no training may be started so."""
    missing = missing_parts(list(locked))
    if not missing:
        return f"training has no network and no file but its own ({_landlock()})"
    text = f"{_landlock()}; a trainer here could {possible_without(missing)}"
    if allow_unlocked:
        return Noted(f"{text}. The clinic's policy allows that, and each round says so")
    raise CheckFailed(
        f"{text}: train on nodes with Linux 5.13 or newer, Landlock switched on, and the container runtime's default "
        "seccomp profile; or allow it in the policy (training.allowUnlocked)"
    )


def probe_workspace(workspace: Path) -> str:
    """That a file can be made, brought to the disk, replaced as one, and removed. Raises CheckFailed."""
    probe = workspace / _PROBE
    try:
        save_whole(probe / "file", b"before")
        save_whole(probe / "file", b"after")
        kept = (probe / "file").read_bytes()
    except OSError as error:
        raise CheckFailed(
            f"the workspace volume cannot be written ({error.strerror}): it must be mounted to be written, with room, "
            f"and let group {os.getgid()} write; look at the claim of the workspace and its storage class"
        ) from error
    finally:
        shutil.rmtree(probe, ignore_errors=True)
    if kept != b"after":
        raise CheckFailed("the workspace volume keeps the old file when it is replaced: use another storage class")
    return "files can be written, brought to the disk and replaced as one"


def free_bytes(workspace: Path) -> int:
    """Free for this user on the workspace volume."""
    return shutil.disk_usage(workspace).free


def judge_room(free: int, cases: int, image_size: int) -> str | Noted:
    """Whether a round has room, and the cache of so many decoded images too. Raises CheckFailed."""
    cache = cases * (image_bytes(image_size) + _BLOCK_BYTES)
    if free < LEAST_FREE_BYTES:
        raise CheckFailed(
            f"the workspace volume has {free // 2**20} MiB free, and a round needs {LEAST_FREE_BYTES // 2**20} MiB: "
            f"make it larger, best by {_gib(cache + RESERVE_BYTES)} for decoded images too"
        )
    if free < cache + RESERVE_BYTES:
        return Noted(
            f"{_gib(free)} free: a round has room, but {cases} decoded images of {image_size} px would take "
            f"{_gib(cache)}, and {_gib(RESERVE_BYTES)} are left free: some are decoded anew in each round"
        )
    return f"{_gib(free)} free; {cases} decoded images of {image_size} px take {_gib(cache)}"


def judge_speed(trial: Trial, cases: int) -> str:
    """How long a training takes here."""
    epochs = Training().epochs
    minutes = trial.seconds_per_image * cases * epochs / 60
    return (
        f"an image takes {trial.seconds_per_image * 1000:.1f} ms: {epochs} epochs over all {cases} cases take "
        f"{minutes:.1f} minutes"
    )


def judge_memory(trial: Trial, cases: int, given: PreflightInput) -> str | Noted:
    """Whether a training fits into its Job, and for how many recent cases. Raises CheckFailed."""
    took = f"training at {given.image_size} px in batches of {given.batch_size} takes {_gib(trial.peak_bytes)} of "
    took += f"the {_gib(given.memory_bytes)} of its Job"
    fit = (given.memory_bytes - trial.peak_bytes) // image_bytes(given.image_size)
    if fit < 1:
        raise CheckFailed(f"{took}: ask the network for smaller batches or images")
    if fit < cases:
        return Noted(
            f"{took}, so that {fit} recent cases fit, and there are {cases} in all: a round whose window holds more "
            "would be killed; ask the network for a shorter window or smaller images"
        )
    return f"{took}; {fit} recent cases fit, and there are {cases} in all"


def image_bytes(image_size: int) -> int:
    """Of a decoded image: three channels of 8 bits."""
    return 3 * image_size * image_size


def _landlock() -> str:
    try:
        return f"Landlock version {Kernel().landlock_version()}"
    except OSError as error:
        return f"no Landlock ({error.strerror})"


def _gib(number: int) -> str:
    return f"{number / _GIB:.1f} GiB"
