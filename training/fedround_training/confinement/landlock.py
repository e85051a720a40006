"""Rights to files in the kernel's terms, for each version of its interface (ABI). Pure.

Source: include/uapi/linux/landlock.h and Documentation/userspace-api/landlock.rst of the kernel.
"""

import struct
from enum import Flag, auto

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_DIR, _MAKE_REGULAR, _REFER, _TRUNCATE = 1 << 7, 1 << 8, 1 << 13, 1 << 14
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE

# How many rights to files each version has, from the first: REFER came with 2, TRUNCATE with 3, IOCTL_DEV with 5.
_RIGHTS_BY_VERSION = (13, 14, 15, 15, 16)
_TCP_SINCE, _ALL_TCP = 4, 0b11
_SCOPES_SINCE, _ALL_SCOPES = 6, 0b11  # abstract UNIX sockets, signals


class Access(Flag):
    """What may be done with a file, or with all below a folder."""

    READ = auto()
    EXECUTE = auto()
    WRITE = auto()
    """Change the content of a file that is there; below a folder, make, rename and remove files and folders too."""


_RIGHTS = {
    Access.READ: _READ_FILE | _READ_DIR,
    Access.EXECUTE: _EXECUTE,
    # No devices, sockets, pipes or links: training makes none.
    Access.WRITE: _WRITE_FILE | _TRUNCATE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REGULAR | _REFER,
}


def ruleset(version: int) -> bytes:
    """struct landlock_ruleset_attr that takes everything which this version can take; rules then give some back."""
    values = [_handled(version)]
    if version >= _TCP_SINCE:
        values.append(_ALL_TCP)
    if version >= _SCOPES_SINCE:
        values.append(_ALL_SCOPES)
    return struct.pack(f"<{len(values)}Q", *values)


def rights(access: Access, version: int, *, folder: bool) -> int:
    """The rights that a rule for a folder, or for a single file, may name."""
    wanted = 0
    for one in access:
        wanted |= _RIGHTS[one]
    return wanted & _handled(version) & (~0 if folder else _OF_FILES)


def rule(allowed: int, descriptor: int) -> bytes:
    """struct landlock_path_beneath_attr, which is packed."""
    return struct.pack("<Qi", allowed, descriptor)


def _handled(version: int) -> int:
    count = _RIGHTS_BY_VERSION[min(version, len(_RIGHTS_BY_VERSION)) - 1]
    return (1 << count) - 1
