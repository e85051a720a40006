"""The one door to the kernel's calls for locking in. Every failure is an OSError with the kernel's number.

The calls bind the thread that makes them and what it starts later. Used by `lock` and the launcher, by the preflight,
which asks what the kernel can do, and by tests that take its abilities away.
"""

import ctypes
import os
from collections.abc import Iterable

from fedround_training.confinement import landlock
from fedround_training.confinement.grants import Grant

# The same on all architectures.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1
# linux/prctl.h
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_INSTRUCTION_BYTES = 8

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class _Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


class Kernel:
    """The running kernel."""

    def landlock_version(self) -> int:
        """The version of Landlock's interface. Raises OSError where there is none, or it is switched off."""
        return _call(_CREATE_RULESET, None, 0, _ASK_VERSION)

    def forbid_new_privileges(self) -> None:
        """No program that is started from now on gains rights; without this the kernel takes no lock."""
        _checked(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))

    def restrict_files(self, grants: Iterable[Grant]) -> None:
        """Give up every file but those granted, and what else this version of Landlock can take."""
        version = self.landlock_version()
        given_up = landlock.ruleset(version)
        ruleset = _call(_CREATE_RULESET, given_up, len(given_up), 0)
        try:
            for grant in grants:
                _allow(ruleset, grant, version)
            _call(_RESTRICT_SELF, ruleset, 0)
        finally:
            os.close(ruleset)

    def refuse_calls(self, program: bytes) -> None:
        """Have every system call judged by the program."""
        argument = _Program(len(program) // _INSTRUCTION_BYTES, program)
        _checked(_libc.prctl(_SECCOMP, _FILTER, ctypes.byref(argument), 0, 0))


def _allow(ruleset: int, grant: Grant, version: int) -> None:
    descriptor = os.open(grant.path, os.O_PATH | os.O_CLOEXEC)
    try:
        allowed = landlock.rights(grant.access, version, folder=grant.path.is_dir())
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, landlock.rule(allowed, descriptor), 0)
    finally:
        os.close(descriptor)


def _call(number: int, *arguments: int | bytes | None) -> int:
    return _checked(_libc.syscall(number, *arguments))


def _checked(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
