"""Training: rounds of the Jobs' own functions, without Jobs. Deterministic."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.noniid.cases import HIGH_RISK, Cases, read_cases
from benchmarks.noniid.setting import ALL, POOLED, Arm, Setting
from fedround_api.jobs import TrainInput
from fedround_api.kinds.clinic_round import ModelShape
from fedround_api.kinds.federated_model import Architecture
from fedround_api.kinds.federated_round import Algorithm, Base, Training
from fedround_training.aggregation.weighted_mean import WeightedUpdate, save_weighted_mean
from fedround_training.data.dermoscopy import NON_IID
from fedround_training.jobs.recent_images import RecentImages
from fedround_training.jobs.train import model_delta
from fedround_training.models.checkpoint import (
    StoredCheckpoint,
    Tensors,
    open_checkpoint,
    read_checkpoint,
    save_checkpoint,
    size_limit,
)
from fedround_training.models.registry import build, tensors_of
from fedround_training.models.shapes import shapes_of
from fedround_training.store.files import content_of


def train(arm: Arm, seed: int, setting: Setting) -> Iterator[Tensors]:
    """The weights after each round. All arms of a seed start from the same."""
    clinics = {profile.name: read_cases(profile.name, seed, setting) for profile in NON_IID}
    shape = shape_of(clinics[NON_IID[0].name], setting)
    images = _images(arm, clinics)
    weights = tensors_of(build(shape, seed))
    for number in range(arm.rounds):
        weights = run_round(shape, weights, images, _training(arm, setting, 1000 * seed + 500 * arm.order + number))
        yield weights


def shape_of(cases: Cases, setting: Setting) -> ModelShape:
    """The model that is trained."""
    return ModelShape(
        name="non-iid",
        architecture=Architecture.TINY_GN,
        classes=list(map(str, cases.classes)),
        high_risk_classes=HIGH_RISK,
        image_size=setting.image_size,
    )


def run_round(shape: ModelShape, base: Tensors, images: Mapping[str, RecentImages], training: Training) -> Tensors:
    """What `train` in each clinic and `aggregate` on the hub make of a checkpoint; a clinic weighs what it has."""
    shapes = shapes_of(shape)
    with tempfile.TemporaryDirectory(prefix="non-iid-") as scratch:
        folder, candidate = Path(scratch), Path(scratch, "candidate")

        def stored(name: str, tensors: Tensors) -> StoredCheckpoint:
            content = save_checkpoint(folder / name, tensors)
            return open_checkpoint(folder / name, content.digest, size_limit(shapes))

        updates = []
        for clinic, own in images.items():
            update, _ = model_delta(_given(clinic, shape, training), base, own)
            updates.append(WeightedUpdate(clinic, stored(f"{clinic}.update", update), len(own.labels)))
        save_weighted_mean(stored("base", base), updates, candidate)
        return read_checkpoint(candidate, content_of(candidate).digest, size_limit(shapes), shapes)


def _training(arm: Arm, setting: Setting, seed: int) -> Training:
    return Training(
        algorithm=Algorithm.FED_AVG if arm.proximal_mu is None else Algorithm.FED_PROX,
        proximal_mu=arm.proximal_mu,
        epochs=arm.epochs,
        batch_size=setting.batch_size,
        learning_rate=arm.learning_rate,
        max_batch_grad_norm=arm.max_batch_grad_norm,
        seed=seed,
    )


def _images(arm: Arm, clinics: Mapping[str, Cases]) -> Mapping[str, RecentImages]:
    images = {name: RecentImages(cases.pixels, cases.labels) for name, cases in clinics.items()}
    if arm.on == POOLED:
        pixels = np.concatenate([one.pixels for one in images.values()])
        return {POOLED: RecentImages(pixels, np.concatenate([one.labels for one in images.values()]))}
    return images if arm.on == ALL else {arm.on: images[arm.on]}


def _given(clinic: str, shape: ModelShape, training: Training) -> TrainInput:
    """The part of a Job's input that training depends on; no file is read by it."""
    base = Base(version=0, digest="0" * 64, bytes=0)
    return TrainInput(
        folder="none", clinic=clinic, model=shape, base=base, training=training, cases_until="2026-11-24T12:00:00Z"
    )
