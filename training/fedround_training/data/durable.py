"""Writing a file so that a crash leaves either the old bytes or the new ones, never a part of them.

Called by the modules of this package that write; knows nothing of what is written.
"""

import os
from pathlib import Path


def save_durably(path: Path, content: bytes) -> None:
    """Replace `path` in one step, on the disk when this returns. The temporary name is fixed: one writer a folder."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # The new name is durable only with its folder.
        os.fsync(folder)
    finally:
        os.close(folder)
