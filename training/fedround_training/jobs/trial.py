"""A training of a few batches of noise: how long an image takes, and how much memory the process has taken by then."""

import resource
import time

import numpy as np
import torch

from fedround_api.checks import PreflightInput
from fedround_api.kinds.clinic_round import ModelShape
from fedround_api.kinds.federated_model import Architecture
from fedround_training.data.vocabulary import CLASSES, HIGH_RISK
from fedround_training.jobs.readiness import Trial
from fedround_training.models.local_training import Recipe, train_in_place
from fedround_training.models.registry import build, run_reproducibly

# The first batch also loads and compiles; the others tell the time.
_TIMED_BATCHES = 2


def try_training(given: PreflightInput) -> Trial:
    """Train on noise of the given size, as `train` does it. What the process read before counts in its memory."""
    run_reproducibly()
    shape = ModelShape(
        name="preflight",
        architecture=Architecture.TINY_GN,
        classes=list(CLASSES),
        high_risk_classes=sorted(HIGH_RISK & set(CLASSES)),
        image_size=given.image_size,
    )
    network, generator = build(shape, seed=0), torch.Generator().manual_seed(0)
    recipe = Recipe(epochs=1, batch_size=given.batch_size, learning_rate=0.01, momentum=0.9)

    def train(batches: int) -> float:
        size = (batches * given.batch_size, given.image_size, given.image_size, 3)
        pixels = torch.randint(0, 256, size, dtype=torch.uint8, generator=generator).numpy()
        began = time.perf_counter()
        train_in_place(network, pixels, np.zeros(len(pixels), np.int64), recipe, generator)
        return time.perf_counter() - began

    train(1)
    seconds = train(_TIMED_BATCHES)
    peak_kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Trial(seconds / (_TIMED_BATCHES * given.batch_size), peak_kibibytes * 1024)
