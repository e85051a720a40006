"""`train` trains on the clinic's recent cases and leaves an update in the outbox. It sees images and has no network.

Started by `launcher`, as `python -m fedround_training.jobs.train`. It opens no image before it has seen that it is
locked in, unless the clinic's policy allows that, and reports what it has seen. A finished outbox of an earlier attempt
with the same input is reported again and nothing is trained: the update of a round is the same bytes for ever.
"""

import hashlib
import json
import logging
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from fedround_api.jobs import IMAGES_VARIABLE, WORKSPACE_VARIABLE, JobReport, Role, TrainInput
from fedround_api.kinds.federated_round import Training
from fedround_api.locking import LockPart
from fedround_training.confinement.seen import require, seen_parts
from fedround_training.errors import ContentRefused, InputWrong, NotFinite
from fedround_training.jobs.environment import read_input, volume
from fedround_training.jobs.recent_images import RecentImages, load_recent_images
from fedround_training.jobs.running import report_defect, run
from fedround_training.jobs.workspace import FIRST_SEEN, IMAGE_CACHE, PartFolder, part_folder
from fedround_training.models.checkpoint import Tensors, read_checkpoint, save_checkpoint, size_limit
from fedround_training.models.local_training import Recipe, clinic_generator, train_in_place
from fedround_training.models.registry import build_with, run_reproducibly, tensors_of
from fedround_training.models.shapes import shapes_of
from fedround_training.store.files import content_of, save_whole

log = logging.getLogger(__name__)


def start(environ: Mapping[str, str]) -> JobReport:
    given = read_input(environ, TrainInput)
    locked = seen_parts()
    log.info("locked in parts=%s", ",".join(sorted(locked)) or "none")
    require(locked, allow_unlocked=given.allow_unlocked)
    return train(given, volume(environ, WORKSPACE_VARIABLE), volume(environ, IMAGES_VARIABLE), locked)


def train(given: TrainInput, workspace: Path, images: Path, locked: Iterable[LockPart] = ()) -> JobReport:
    """The update in the outbox: what training adds to the base, float32."""
    part = part_folder(workspace, given.folder)
    earlier = _earlier(part, given)
    if earlier is not None:
        log.info("found the update of an earlier attempt digest=%s", earlier.digest)
        return earlier
    run_reproducibly()
    base = _base(part, given)
    recent = load_recent_images(given, images, workspace / FIRST_SEEN, workspace / IMAGE_CACHE)
    update, steps = model_delta(given, base, recent)
    content = save_checkpoint(part.update, update)
    report = JobReport(
        role=Role.TRAIN,
        digest=content.digest,
        bytes=content.bytes,
        steps=steps,
        cases=len(recent.labels),
        quarantined=dict(recent.quarantined),
        locked=sorted(locked),
    )
    # Written last: a record vouches for a whole update.
    save_whole(part.record, json.dumps({"input": _digest(given), "report": report.dump()}).encode())
    log.info("trained cases=%d steps=%d digest=%s", len(recent.labels), steps, content.digest)
    return report


def model_delta(given: TrainInput, base: Tensors, recent: RecentImages) -> tuple[Tensors, int]:
    """What training on the images adds to the base, and in how many steps. The same inputs give the same values.

    Raises NotFinite where the training diverges.
    """
    network = build_with(given.model, base)
    generator = clinic_generator(given.training.seed, given.clinic)
    steps = train_in_place(network, recent.pixels, recent.labels, _recipe(given.training), generator)
    trained = tensors_of(network)
    update = {name: trained[name] - values for name, values in base.items()}
    if not all(np.isfinite(values).all() for values in update.values()):
        raise NotFinite("training diverged: a smaller learning rate is needed")
    return update, steps


def _recipe(training: Training) -> Recipe:
    def number(text: str | None) -> float | None:
        return None if text is None else float(text)

    return Recipe(
        epochs=training.epochs,
        batch_size=training.batch_size,
        learning_rate=float(training.learning_rate),
        momentum=float(training.momentum),
        proximal_mu=number(training.proximal_mu),
        max_batch_grad_norm=number(training.max_batch_grad_norm),
    )


def _base(part: PartFolder, given: TrainInput) -> Tensors:
    shapes = shapes_of(given.model)
    try:
        return read_checkpoint(part.checkpoint, given.base.digest, size_limit(shapes), shapes)
    except FileNotFoundError as error:
        raise InputWrong("there is no checkpoint in the workspace: `fetch` has to run first") from error
    except ContentRefused as error:
        raise type(error)(f"the checkpoint to start from: {error}") from error


def _earlier(part: PartFolder, given: TrainInput) -> JobReport | None:
    """The report of an earlier attempt with this input, if its update is still there, whole."""
    try:
        record = json.loads(part.record.read_bytes())
        report = JobReport.model_validate(record["report"])
        if record["input"] == _digest(given) and content_of(part.update).digest == report.digest:
            return report
    except (OSError, ValueError, KeyError, TypeError):
        log.info("no finished update of an earlier attempt")
    return None


def _digest(given: TrainInput) -> str:
    return hashlib.sha256(given.model_dump_json().encode()).hexdigest()


if __name__ == "__main__":
    try:
        sys.exit(run(Role.TRAIN, start, os.environ))
    except Exception as defect:
        log.exception("job failed by a defect")
        sys.exit(report_defect(Role.TRAIN, defect, os.environ))
