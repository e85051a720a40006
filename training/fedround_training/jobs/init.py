"""`init` publishes a model's first checkpoint: as the seed makes it, or a file that the network has already.

A hub Job; repeating it changes nothing. Such a file is published as it is, byte for byte, under the digest that the
model object gives: what an administrator computes with sha256sum is what the rounds name.
"""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from fedround_api import keys
from fedround_api.jobs import INITIAL_VARIABLE, STORE_VARIABLE, InitialFile, InitInput, JobReport, Role
from fedround_api.kinds.clinic_round import ModelShape
from fedround_training.errors import ContentRefused, InputWrong
from fedround_training.jobs.environment import file_below, read_input, volume
from fedround_training.models.checkpoint import open_checkpoint, save_checkpoint, size_limit
from fedround_training.models.registry import build, tensors_of
from fedround_training.models.shapes import shapes_of
from fedround_training.store.files import Content, save_stream
from fedround_training.store.minio_store import open_store
from fedround_training.store.objects import ObjectStore

_CHUNK_BYTES = 1 << 20

log = logging.getLogger(__name__)


def start(environ: Mapping[str, str]) -> JobReport:
    given = read_input(environ, InitInput)
    store = open_store(given.store, volume(environ, STORE_VARIABLE))
    if given.initial is None:
        return publish_first(given, store)
    return publish_own(given.model, given.initial, volume(environ, INITIAL_VARIABLE), store)


def publish_first(given: InitInput, store: ObjectStore) -> JobReport:
    """The first checkpoint, as the seed makes it, in the store."""
    with tempfile.TemporaryDirectory(prefix="init-") as scratch:
        path = Path(scratch, "checkpoint.safetensors")
        content = save_checkpoint(path, tensors_of(build(given.model, given.seed)))
        return _published(given.model, content, path, store)


def publish_own(model: ModelShape, initial: InitialFile, folder: Path, store: ObjectStore) -> JobReport:
    """The file below the folder, in the store. Raises InputWrong or ContentRefused for one that cannot be used."""
    with tempfile.TemporaryDirectory(prefix="init-") as scratch:
        path = Path(scratch, "checkpoint.safetensors")
        try:
            content = _checked_copy(model, initial, folder, path)
        except (InputWrong, ContentRefused) as error:
            raise type(error)(f"the initial checkpoint: {error}") from error
        return _published(model, content, path, store)


def _checked_copy(model: ModelShape, initial: InitialFile, folder: Path, path: Path) -> Content:
    """The file in `path`. Copied before it is checked: what is published is what was looked at."""
    shapes = shapes_of(model)
    limit_bytes = size_limit(shapes)
    content = save_stream(path, _chunks(folder, initial.path), limit_bytes)
    open_checkpoint(path, initial.digest, limit_bytes, shapes).require_finite()
    return content


def _chunks(folder: Path, file: str) -> Iterator[bytes]:
    try:
        with file_below(folder, file).open("rb") as opened:
            while chunk := opened.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise InputWrong(f"{file} cannot be read: {error.strerror}") from error


def _published(model: ModelShape, content: Content, path: Path, store: ObjectStore) -> JobReport:
    store.put(keys.published_checkpoint(model.name, content.digest), path)
    log.info("published digest=%s bytes=%d", content.digest, content.bytes)
    return JobReport(role=Role.INIT, digest=content.digest, bytes=content.bytes)
