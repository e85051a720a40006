"""Reading files that other people put into a folder: only regular ones, and never more than was expected.

The door of this package to such files, called by `tables`, `images` and `testset`. A device, a pipe or a file that
grows must not stop a Job: the kind is asked of the opened file, so that nothing can be exchanged in between.
"""

import os
import stat
from pathlib import Path


class NotRegular(OSError):
    """A folder, device, pipe or socket."""


class TooManyBytes(OSError):
    """More than the limit."""


def read_regular(path: Path, limit_bytes: int) -> bytes:
    """The content. Links are followed. Raises OSError, NotRegular or TooManyBytes."""
    # Without O_NONBLOCK, opening a pipe waits for a writer; for a regular file the flag means nothing.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise NotRegular(f"{path} is not a regular file")
        if status.st_size > limit_bytes:
            raise TooManyBytes(f"{path} has {status.st_size} bytes")
        return file.read(status.st_size)


def is_regular(path: Path) -> bool:
    """Whether a path, links followed, leads to a regular file; False where that cannot be found out."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False
