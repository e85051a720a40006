"""Files that only their owner can read: keys, tokens, and what holds one of them."""

import errno
import os
import secrets
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, in one step: a half-written key is never seen, nor lost again."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    # A new file, with this mode from the start, and no link that somebody has put there.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, as far as its file system knows how."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Network shares and the like sync files only: the file is there, and nothing more can be done for its name.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)
