"""Files that a person asks for: written beside and put in place at once, so that what was there is kept until then."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path, mode: int | None = None) -> Iterator[Path]:
    """A path to write to, with the ending of `path`, whose place it takes when the block is over.

    With `mode` it has these rights from its first byte on, else those of the file that it replaces. Whatever is raised,
    an interrupt too, leaves `path` as it was and nothing beside it. What is no file (a pipe, `/dev/stdout`) is written
    to directly. An OSError names `path`, which is the one that the caller knows.
    """
    # A link stays one: what it leads to is replaced.
    target = Path(os.path.realpath(path))
    part = path if _is_special(target) else target.with_name(f".fedround-{secrets.token_hex(8)}{target.suffix}")
    try:
        if mode is not None and part != path:
            part.touch(mode)
        yield part
        if part != path:
            _put_in_place(part, target, keep_mode=mode is None)
    except OSError as error:
        if error.filename in (part, str(part)):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        if part != path:
            part.unlink(missing_ok=True)


def save(path: Path, content: bytes) -> None:
    """Write the content, all or nothing."""
    with replacing(path) as part:
        part.write_bytes(content)


def _is_special(target: Path) -> bool:
    return target.exists() and not target.is_file() and not target.is_dir()


def _put_in_place(part: Path, target: Path, *, keep_mode: bool) -> None:
    if keep_mode and target.exists():
        shutil.copymode(target, part)
    with part.open("rb") as file:
        # Else a power cut could leave the new name with no bytes.
        os.fsync(file.fileno())
    part.replace(target)
