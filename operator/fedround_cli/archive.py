"""The file of a hub's backup: what is in it, and that it is whole. Written by `backup`, read by `restore`.

    backup.json     what the API server had: models, rounds that had ended, clinics, revoked certificates
    store/<key>     what these name of the object store, each with its sha256 in backup.json

A tar archive that any `tar` unpacks. There is no key and no token in it.
"""

import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from fedround_api.fields import ClosedPart, Digest, Instant
from fedround_cli.outputs import replacing
from fedround_local.errors import LocalError
from fedround_training.store.files import content_of

_INDEX = "backup.json"
_FOLDER = "store/"
# Of a network with thousands of rounds; more is no index.
_LARGEST_INDEX_BYTES = 256 << 20
_CHUNK_BYTES = 1 << 20


class BackupUnusable(LocalError):
    """Says why a file cannot be restored."""


class Index(ClosedPart):
    """What a backup holds; the objects are as the API server gave them, without what it sets itself."""

    format: Literal[1] = 1
    version: Annotated[str, Field(max_length=64, description="of fedround")]
    made_at: Instant
    models: list[dict[str, Any]]
    rounds: list[dict[str, Any]]
    clinics: list[dict[str, Any]]
    revoked: list[Digest]
    stored: Annotated[dict[str, Digest], Field(description="key of the object store to sha256")]


@dataclass(frozen=True)
class Unpacked:
    """A backup that was found whole; `files` are the objects of the store by key."""

    index: Index
    files: Mapping[str, Path]


def write(path: Path, index: Index, files: Mapping[str, Path]) -> None:
    """Write the backup, all or nothing, for its owner only."""
    # An older backup that others could read must not make this one so.
    with (
        replacing(path, mode=0o600) as part,
        part.open("wb") as file,
        tarfile.open(fileobj=file, mode="w") as archive,
        _written(index) as document,
    ):
        archive.add(document, _INDEX, filter=_nobodys)
        for key in index.stored:
            archive.add(files[key], _FOLDER + key, filter=_nobodys)


@contextmanager
def unpacked(path: Path) -> Iterator[Unpacked]:
    """The backup in a folder of its own, for as long as the block lasts.

    Raises:
        BackupUnusable: it is no backup, or not the whole of it.
    """
    with tempfile.TemporaryDirectory(prefix="fedround-backup-") as folder:
        try:
            with tarfile.open(path, "r:") as archive:
                index = _index(archive, path)
                files = {key: Path(folder, str(number)) for number, key in enumerate(index.stored)}
                for key, file in files.items():
                    _extract(archive, key, file, path)
        except tarfile.TarError as error:
            raise BackupUnusable(
                f"{path} is no backup of a hub, or was cut off ({error}): take another copy"
            ) from error
        changed = [key for key, file in files.items() if content_of(file).digest != index.stored[key]]
        if changed:
            raise BackupUnusable(f"{path} was changed or damaged, at {changed[0]}: take another copy")
        yield Unpacked(index, files)


@contextmanager
def _written(index: Index) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile("w", prefix="fedround-backup-") as file:
        file.write(index.text())
        file.flush()
        yield Path(file.name)


def _index(archive: tarfile.TarFile, path: Path) -> Index:
    try:
        return Index.model_validate_json(b"".join(_content(archive, _INDEX, _LARGEST_INDEX_BYTES)))
    except (ValidationError, KeyError) as error:
        raise BackupUnusable(
            f"{path} is no backup of a hub that this version can read: make and restore it with the same version"
        ) from error


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Who made the backup, and when to the nanosecond, is of no use to who unpacks it elsewhere."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = int(member.mtime)
    return member


def _extract(archive: tarfile.TarFile, key: str, file: Path, path: Path) -> None:
    try:
        with file.open("wb") as target:
            target.writelines(_content(archive, _FOLDER + key))
    except KeyError as error:
        raise BackupUnusable(f"{path} lacks {key}: take another copy") from error


def _content(archive: tarfile.TarFile, name: str, limit_bytes: int | None = None) -> Iterator[bytes]:
    """The bytes of a regular file of the archive. Raises KeyError where there is none of that name."""
    member = archive.getmember(name)
    source = archive.extractfile(member) if member.isreg() else None
    if source is None or (limit_bytes is not None and member.size > limit_bytes):
        raise KeyError(name)
    return iter(lambda: source.read(_CHUNK_BYTES), b"")
