"""Starts the trainer: one thread, a prepared environment, then exec. Called by `__main__` for the role `train`.

It imports nothing that starts a thread (no numpy, no torch), because a lock binds the thread that takes it and those
that come after: the process locks itself in between `prepare` and `exec`, before torch starts its threads and before
the first image is opened.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from fedround_api.jobs import WORKSPACE_VARIABLE
from fedround_training.errors import InputWrong, JobError
from fedround_training.jobs.environment import volume
from fedround_training.jobs.workspace import SCRATCH

TRAINER = "fedround_training.jobs.train"

# One thread each: the result must not depend on how many cores a clinic has, and threads that wait for a shared core
# spin.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class NotSingleThreaded(JobError):
    """Something started a thread before the launcher: a defect of this image."""


def start(environ: Mapping[str, str]) -> NoReturn:
    """Become the trainer. Raises InputWrong or NotSingleThreaded where that cannot be done safely."""
    prepared = prepare(environ)
    require_single_thread()
    os.execve(sys.executable, [sys.executable, "-m", TRAINER], prepared)  # noqa: S606 - to become it, not to start it


def prepare(environ: Mapping[str, str]) -> dict[str, str]:
    """The trainer's environment: thread counts fixed, temporary files in the workspace (torch asks at import)."""
    scratch = volume(environ, WORKSPACE_VARIABLE) / SCRATCH
    try:
        scratch.mkdir(exist_ok=True)
    except OSError as error:
        raise InputWrong("the workspace cannot be written") from error
    fixed = dict.fromkeys(_ONE_THREAD, "1")
    return {**environ, **fixed, "TMPDIR": str(scratch), "PYTHONHASHSEED": "0"}


def require_single_thread(tasks: Path = Path("/proc/self/task")) -> None:
    """Raises NotSingleThreaded if the kernel knows of more than one thread of this process."""
    threads = len(list(tasks.iterdir()))
    if threads != 1:
        raise NotSingleThreaded(f"{threads} threads before the trainer was started")
