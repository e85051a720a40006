"""Starts the trainer: one thread, a prepared environment, locked in, then exec. Called by `__main__` for `train`.

The checks that a clinic makes before its first round start the same way, and so meet what a training will meet.

It imports nothing that starts a thread (no numpy, no torch), because a lock binds the thread that takes it and those
that come after. So the network and all files but the trainer's own are given up before torch starts its threads and
before the first image is opened. Whether that has come about is for the trainer to find out.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from fedround_api.jobs import IMAGES_VARIABLE, REPORT_VARIABLE, WORKSPACE_VARIABLE
from fedround_training.confinement.grants import Grant, program_grants
from fedround_training.confinement.kernel import Kernel
from fedround_training.confinement.landlock import Access
from fedround_training.confinement.lock import lock_in
from fedround_training.errors import InputWrong, JobError
from fedround_training.jobs.environment import volume
from fedround_training.jobs.workspace import SCRATCH

TRAINER = "fedround_training.jobs.train"
CHECKER = "fedround_training.jobs.preflight"

# One thread each: the result must not depend on how many cores a clinic has, and threads that wait for a shared core
# spin.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# Debian's torch carries a communication library that tells of every socket it is refused.
_QUIET = {"UCX_VFS_ENABLE": "n", "UCX_LOG_LEVEL": "fatal"}


class NotSingleThreaded(JobError):
    """Something started a thread before the launcher: a defect of this image."""


def start(environ: Mapping[str, str]) -> NoReturn:
    """Become the trainer. Raises InputWrong or NotSingleThreaded where that cannot be done safely."""
    _become(TRAINER, prepare(environ), environ)


def start_checks(environ: Mapping[str, str]) -> NoReturn:
    """Become what makes the checks; that the workspace cannot be written is for them to tell."""
    try:
        prepared = prepare(environ)
    except InputWrong:
        prepared = dict(environ)
    _become(CHECKER, prepared, environ)


def _become(module: str, prepared: Mapping[str, str], environ: Mapping[str, str]) -> NoReturn:
    require_single_thread()
    machine = os.uname().machine
    grants = volume_grants(environ) + program_grants(machine, Path.cwd())
    close_inherited_files()
    lock_in(grants, Kernel(), machine)
    # -P: not the working folder, which is no part of the program and shut by now.
    os.execve(sys.executable, [sys.executable, "-P", "-m", module], prepared)  # noqa: S606 - to become it


def prepare(environ: Mapping[str, str]) -> dict[str, str]:
    """The trainer's environment: thread counts fixed, temporary files in the workspace (torch asks at import)."""
    scratch = volume(environ, WORKSPACE_VARIABLE) / SCRATCH
    try:
        scratch.mkdir(exist_ok=True)
    except OSError as error:
        raise InputWrong("the workspace cannot be written") from error
    fixed = dict.fromkeys(_ONE_THREAD, "1")
    return {**environ, **fixed, **_QUIET, "TMPDIR": str(scratch), "PYTHONHASHSEED": "0"}


def volume_grants(environ: Mapping[str, str]) -> tuple[Grant, ...]:
    """What the trainer may open of its pod: the images, the workspace, and the file that its report goes to."""
    use = Access.READ | Access.WRITE
    images = Grant(volume(environ, IMAGES_VARIABLE), Access.READ)
    workspace = Grant(volume(environ, WORKSPACE_VARIABLE), use)
    report = environ.get(REPORT_VARIABLE)
    if report is None:
        return images, workspace
    # Kubernetes has made it. A file that is made later could not be granted.
    Path(report).touch()
    return images, workspace, Grant(Path(report), use)


def close_inherited_files(opened: Path = Path("/proc/self/fd")) -> None:
    """Close all but the standard streams: a lock does not take away what is open already."""
    for descriptor in [int(name.name) for name in opened.iterdir()]:
        if descriptor > 2:
            # The listing itself had one, which is gone.
            with suppress(OSError):
                os.close(descriptor)


def require_single_thread(tasks: Path = Path("/proc/self/task")) -> None:
    """Raises NotSingleThreaded if the kernel knows of more than one thread of this process."""
    threads = len(list(tasks.iterdir()))
    if threads != 1:
        raise NotSingleThreaded(f"{threads} threads before the trainer was started")
