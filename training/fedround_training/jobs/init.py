"""`init` makes a model's first checkpoint and publishes it. A hub Job; repeating it changes nothing."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from fedround_api import keys
from fedround_api.jobs import STORE_VARIABLE, InitInput, JobReport, Role
from fedround_training.jobs.environment import read_input, volume
from fedround_training.models.checkpoint import save_checkpoint
from fedround_training.models.registry import build, tensors_of
from fedround_training.store.minio_store import open_store
from fedround_training.store.objects import ObjectStore


def start(environ: Mapping[str, str]) -> JobReport:
    given = read_input(environ, InitInput)
    return publish_first(given, open_store(given.store, volume(environ, STORE_VARIABLE)))


def publish_first(given: InitInput, store: ObjectStore) -> JobReport:
    """The first checkpoint, as the seed makes it, in the store."""
    with tempfile.TemporaryDirectory(prefix="init-") as scratch:
        path = Path(scratch, "checkpoint.safetensors")
        content = save_checkpoint(path, tensors_of(build(given.model, given.seed)))
        store.put(keys.published_checkpoint(given.model.name, content.digest), path)
    return JobReport(role=Role.INIT, digest=content.digest, bytes=content.bytes)
