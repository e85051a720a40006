"""Files on a Job's volume: written whole or not at all, and their sha256 on the way.

Called by every module that keeps bytes. A crash at any moment leaves the old file or the new one.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fedround_training.errors import TooLarge


@dataclass(frozen=True)
class Content:
    """What is in a file."""

    digest: str
    bytes: int


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary file beside `path`, which takes its place, on the disk, when the block ends without an error.

    One Job writes to a folder at a time, so the temporary name is fixed, and what a killed Job left is overwritten.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def save_whole(path: Path, content: bytes) -> None:
    """`content` in `path`, durable when this returns."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def save_stream(path: Path, chunks: Iterable[bytes], limit_bytes: int) -> Content:
    """The chunks in `path`, durable when this returns. Raises TooLarge, with nothing in place, beyond the limit."""
    digest, received = hashlib.sha256(), 0
    with whole_file(path) as temporary, temporary.open("wb") as file:
        for chunk in chunks:
            received += len(chunk)
            if received > limit_bytes:
                raise TooLarge(f"more than the {limit_bytes} bytes that it may have")
            digest.update(chunk)
            file.write(chunk)
        file.flush()
    return Content(digest.hexdigest(), received)


def content_of(path: Path) -> Content:
    """Digest and size of a file."""
    with path.open("rb") as file:
        return Content(hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
