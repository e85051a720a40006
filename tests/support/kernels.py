"""Kernels that can less than this one: real processes to which a filter of calls says what an older kernel would."""

import errno
import os
import struct
from collections.abc import Sequence

import pytest

from fedround_training.confinement.kernel import Kernel

_LANDLOCK_CREATE_RULESET = 444
_PRCTL = {"x86_64": 157, "aarch64": 167}
_SET_SECCOMP = 22
_ALLOW, _ERRNO = 0x7FFF_0000, 0x0005_0000


def _has_landlock() -> bool:
    try:
        return Kernel().landlock_version() >= 1
    except OSError:
        return False


needs_landlock = pytest.mark.skipif(not _has_landlock(), reason="this kernel has no Landlock: nothing can be locked in")


def without_landlock() -> None:
    """From now on this process, and what it becomes, sees a kernel that was built without Landlock."""
    _refuse([(0x15, 0, 1, _LANDLOCK_CREATE_RULESET), (0x06, 0, 0, _ERRNO | errno.ENOSYS)])


def without_seccomp() -> None:
    """From now on this process, and what it becomes, sees a kernel without filters of calls."""
    number = _PRCTL[os.uname().machine]
    _refuse(
        [
            (0x15, 0, 3, number),
            (0x20, 0, 0, 16),  # the first argument
            (0x15, 0, 1, _SET_SECCOMP),
            (0x06, 0, 0, _ERRNO | errno.EINVAL),
        ]
    )


def _refuse(instructions: Sequence[tuple[int, int, int, int]]) -> None:
    program = [(0x20, 0, 0, 0), *instructions, (0x06, 0, 0, _ALLOW)]
    kernel = Kernel()
    kernel.forbid_new_privileges()
    kernel.refuse_calls(b"".join(struct.pack("<HBBI", *one) for one in program))
