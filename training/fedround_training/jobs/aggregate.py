"""`aggregate` makes the candidate of a round from the base and the clinics' updates. A hub Job, without torch.

Every file is checked before the sum begins, so a report names the first clinic, in the order of names, whose update is
wrong, and nothing is uploaded. Repeating the Job uploads the same bytes.
"""

import json
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path

from fedround_api.jobs import STORE_VARIABLE, AggregateInput, Contribution, JobReport, Role
from fedround_training.aggregation.weighted_mean import WeightedUpdate, save_weighted_mean
from fedround_training.errors import ContentRefused, InputWrong, JobError
from fedround_training.jobs.environment import read_input, volume
from fedround_training.models.checkpoint import HEADER_SLACK_BYTES, StoredCheckpoint, open_checkpoint
from fedround_training.store.files import Content, content_of
from fedround_training.store.minio_store import open_store
from fedround_training.store.objects import ObjectStore

log = logging.getLogger(__name__)


def start(environ: Mapping[str, str]) -> JobReport:
    given = read_input(environ, AggregateInput)
    return aggregate(given, open_store(given.store, volume(environ, STORE_VARIABLE)))


def aggregate(given: AggregateInput, store: ObjectStore) -> JobReport:
    """The candidate and its record in the store."""
    contributions = sorted(given.contributions, key=lambda one: one.clinic)
    if len({one.clinic for one in contributions}) < len(contributions):
        raise InputWrong("a clinic contributes twice")
    with tempfile.TemporaryDirectory(prefix="aggregate-") as scratch:
        folder = Path(scratch)
        base = _base(given, store, folder)
        updates = [_update(one, base, store, folder) for one in contributions]
        candidate = folder / "candidate.safetensors"
        save_weighted_mean(base, updates, candidate)
        content = content_of(candidate)
        store.put(given.candidate_key, candidate)
    store.put_text(given.record_key, _record(given, contributions, content))
    log.info("aggregated clinics=%d digest=%s", len(contributions), content.digest)
    return JobReport(role=Role.AGGREGATE, digest=content.digest, bytes=content.bytes)


def _base(given: AggregateInput, store: ObjectStore, folder: Path) -> StoredCheckpoint:
    path = folder / "base.safetensors"
    try:
        store.get(given.base_key, path, given.base.bytes)
        base = open_checkpoint(path, given.base.digest, given.base.bytes)
        base.require_finite()
    except ContentRefused as error:
        raise type(error)(f"the checkpoint that the round starts from: {error}") from error
    return base


def _update(given: Contribution, base: StoredCheckpoint, store: ObjectStore, folder: Path) -> WeightedUpdate:
    path = folder / f"{given.clinic}.update"
    # What a clinic says of its update's size bounds nothing: the base does.
    limit_bytes = base.path.stat().st_size + HEADER_SLACK_BYTES
    try:
        store.get(given.key, path, limit_bytes)
        update = open_checkpoint(path, given.digest, limit_bytes, base.shapes)
        update.require_finite()
    except JobError as error:
        raise error.of_clinic(given.clinic) from error
    return WeightedUpdate(given.clinic, update, given.weight)


def _record(given: AggregateInput, contributions: list[Contribution], candidate: Content) -> str:
    """What was summed, for whoever computes it again."""
    record = {
        "base": {"key": given.base_key, **given.base.dump()},
        "candidate": {"key": given.candidate_key, "digest": candidate.digest, "bytes": candidate.bytes},
        "contributions": [one.dump() for one in contributions],
        "rule": "base + sum(weight * update) / sum(weight), clinics by name, float64",
    }
    return json.dumps(record, indent=1, sort_keys=True) + "\n"
