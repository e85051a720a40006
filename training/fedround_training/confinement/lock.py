"""Takes the lock: asks the kernel for each part, and logs why one could not be had.

Whether a training without a part may go on is not decided here, and not on what was asked for: see `seen`.
"""

import errno
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from fedround_api.locking import LockPart
from fedround_training.confinement.architectures import ARCHITECTURES
from fedround_training.confinement.grants import Grant
from fedround_training.confinement.seccomp import program

log = logging.getLogger(__name__)


class Locks(Protocol):
    """A kernel that can lock the calling process in."""

    def forbid_new_privileges(self) -> None: ...

    def restrict_files(self, grants: Iterable[Grant]) -> None: ...

    def refuse_calls(self, program: bytes) -> None: ...


def lock_in(grants: Iterable[Grant], kernel: Locks, machine: str) -> frozenset[LockPart]:
    """Give up files, then network; the parts that the kernel has taken. There is no way back."""
    kernel.forbid_new_privileges()
    steps: dict[LockPart, Callable[[], None]] = {
        LockPart.FILES: lambda: kernel.restrict_files(grants),
        LockPart.NETWORK: lambda: kernel.refuse_calls(_filter(machine)),
    }
    return frozenset(part for part, step in steps.items() if _taken(part, step))


def _taken(part: LockPart, step: Callable[[], None]) -> bool:
    try:
        step()
    except OSError as error:
        log.warning("not locked in part=%s: the kernel, or the container's profile, says: %s", part, error.strerror)
        return False
    return True


def _filter(machine: str) -> bytes:
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOTSUP, f"no system call numbers are known for {machine}")
    return program(ARCHITECTURES[machine])
