"""Decoded images on the clinic's workspace volume, so that a round decodes only what is new.

Written and read by `train` alone, one at a time. An entry is named by the sha256 of the image's bytes, the size and the
pipeline, never by a patient or a file, and begins with a checksum: one that is torn, altered or renamed is not used but
made anew. So nothing has to be synced to the disk, and a crash at any point costs a few milliseconds an image.

The cache holds what the newest training used. `keep_used` removes all else, so the pixels of an image that was taken
out of the folder, or has become too old for the window, go with the next training.
"""

import errno
import hashlib
import logging
import os
import shutil
from pathlib import Path

import numpy as np

from fedround_training.data.images import PIPELINE, Pixels
from fedround_training.data.regular import is_regular, read_regular

log = logging.getLogger(__name__)

#: Left free on the volume: updates and checkpoints need their place more than a cache does.
RESERVE_BYTES = 2**30

_CHECKSUM_BYTES = 32
_SUFFIX = ".pixels"


class ImageCache:
    """A folder of decoded images. One that cannot be used costs time only: nothing is found in it and nothing kept."""

    def __init__(self, folder: Path, pipeline: str = PIPELINE, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._folder, self._pipeline, self._reserve_bytes = folder, pipeline, reserve_bytes
        self._used: set[str] = set()
        self._writes = True
        try:
            if folder.is_symlink():
                # What lies behind it may be somebody else's, and `keep_used` removes what it does not know.
                raise OSError(errno.ELOOP, "it is a link")
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)
        except OSError as error:
            self._stop_writing(error.strerror)

    def read(self, digest: str, size: int) -> Pixels | None:
        """(size, size, 3) pixels of the image whose file has this sha256, or None."""
        self._used.add(digest)
        name = self._name(digest, size)
        length = _CHECKSUM_BYTES + size * size * 3
        try:
            entry = read_regular(self._folder / name, length)
        except OSError:
            return None
        if len(entry) != length or entry[:_CHECKSUM_BYTES] != _checksum(name, entry[_CHECKSUM_BYTES:]):
            return None
        return np.frombuffer(entry, np.uint8, offset=_CHECKSUM_BYTES).reshape(size, size, 3)

    def save(self, digest: str, pixels: Pixels) -> None:
        """Keep the pixels of an image, readable by this user only."""
        if not self._writes:
            return
        name = self._name(digest, len(pixels))
        content = pixels.tobytes()
        try:
            if shutil.disk_usage(self._folder).free - len(content) < self._reserve_bytes:
                self._stop_writing("the volume is nearly full")
            else:
                self._replace(name, _checksum(name, content) + content)
        except OSError as error:
            self._stop_writing(error.strerror)

    def keep_used(self) -> None:
        """Remove every entry but those of images that were asked for since this object was made."""
        removed = 0
        for entry in self._entries():
            digest, _, kind = entry.name.partition("-")
            current = digest in self._used and kind.endswith(f"-{self._pipeline}{_SUFFIX}")
            if not current or not is_regular(entry):
                removed += _removed(entry)
        if removed:
            log.info("removed from the image cache entries=%d", removed)

    def _name(self, digest: str, size: int) -> str:
        return f"{digest}-{size}-{self._pipeline}{_SUFFIX}"

    def _replace(self, name: str, entry: bytes) -> None:
        # What a crash leaves under this name is written over by the next one, or removed by `keep_used`.
        temporary = self._folder / f".{name}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(entry)
        temporary.replace(self._folder / name)

    def _entries(self) -> list[Path]:
        if self._folder.is_symlink():
            return []
        try:
            return sorted(self._folder.iterdir())
        except OSError:
            return []

    def _stop_writing(self, why: str | None) -> None:
        log.warning("images are not cached: %s", why)
        self._writes = False


def _checksum(name: str, content: bytes) -> bytes:
    return hashlib.sha256(name.encode() + content).digest()


def _removed(entry: Path) -> bool:
    try:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    except OSError as error:
        log.warning("an entry of the image cache cannot be removed: %s", error.strerror)
        return False
    return True
