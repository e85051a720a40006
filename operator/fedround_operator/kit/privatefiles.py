"""Files that only their owner can read: keys, tokens, and what holds one of them."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, in one step: a half-written key is never seen."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        # The mode above holds for a new file only; a part that was left behind may have another.
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
    part.replace(path)
