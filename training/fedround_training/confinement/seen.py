"""Finds out what this process can no longer do, by trying it. Called by the trainer before it opens an image.

A launcher that left the lock out, a kernel that took it without effect, a trainer that was started by hand: all are
seen alike.
"""

import os
import socket
from collections.abc import Iterable

from fedround_api.locking import LockPart, missing_parts, possible_without
from fedround_training.errors import NotLockedIn

_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
# Every user may list it, unless the process is locked in.
_OUTSIDE = "/"


def seen_parts() -> frozenset[LockPart]:
    """The parts of the lock that hold for this thread."""
    found = {LockPart.NETWORK: all(map(_is_refused, _FAMILIES)), LockPart.FILES: _is_shut(_OUTSIDE)}
    return frozenset(part for part, holds in found.items() if holds)


def require(locked: Iterable[LockPart], *, allow_unlocked: bool) -> None:
    """Raises NotLockedIn if a part is missing and the clinic's policy does not allow that."""
    missing = missing_parts(list(locked))
    if missing and not allow_unlocked:
        raise NotLockedIn(f"no image was opened, as the trainer could {possible_without(missing)}")


def _is_refused(family: socket.AddressFamily) -> bool:
    try:
        socket.socket(family, socket.SOCK_DGRAM).close()
    except PermissionError:
        return True
    except OSError:
        # Not for want of a right: the kernel lacks the family, which says nothing about the lock.
        return False
    return False


def _is_shut(folder: str) -> bool:
    """Whether a folder cannot be opened although its permission bits, which the first call asks, allow it."""
    if not os.access(folder, os.R_OK):
        return False
    try:
        os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
    except PermissionError:
        return True
    return False
