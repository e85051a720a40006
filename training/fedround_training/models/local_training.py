"""A clinic's own training: stochastic gradient descent with momentum, tied to where it starts if FedProx is asked for.

Called by `train`. Every random choice comes from the generator that is passed in.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from fedround_training.models.descent import Descent
from fedround_training.models.pixels import normalised


@dataclass(frozen=True)
class Recipe:
    """How to train; `proximal_mu` is FedProx's, nothing is FedAvg. Nothing in `max_batch_grad_norm` bounds no batch."""

    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float
    proximal_mu: float | None = None
    max_batch_grad_norm: float | None = None


def clinic_generator(seed: int, clinic: str) -> torch.Generator:
    """The generator of a clinic in a round: unlike any other clinic's, the same whenever the round is repeated."""
    digest = hashlib.sha256(f"{seed}/{clinic}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def train_in_place(
    network: nn.Module,
    pixels: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    recipe: Recipe,
    generator: torch.Generator,
) -> int:
    """Train on (N, S, S, 3) images with (N,) class indices, from the weights that the network has; the number of steps.

    The loss of a batch is the sum over its images divided by the constant batch size, so a last, smaller batch counts
    for less, and no image's weight depends on what other images there are.
    """
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    descent = Descent(parameters, recipe.learning_rate, recipe.momentum, recipe.proximal_mu, recipe.max_batch_grad_norm)
    targets = torch.from_numpy(labels)
    steps = 0
    network.train()
    for _ in range(recipe.epochs):
        for chosen in _batches(len(labels), recipe.batch_size, generator):
            images = _turned(normalised(pixels[chosen.numpy()]), generator)
            loss = functional.cross_entropy(network(images), targets[chosen], reduction="sum") / recipe.batch_size
            descent.step(torch.autograd.grad(loss, parameters))
            steps += 1
    return steps


def _batches(cases: int, batch_size: int, generator: torch.Generator) -> Iterator[torch.Tensor]:
    yield from torch.split(torch.randperm(cases, generator=generator), batch_size)


def _turned(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each image in one of its eight orientations: a lesion has no upside."""
    flip, swap, mirror = (torch.rand((3, len(images), 1, 1, 1), generator=generator) < 0.5).unbind(0)
    images = torch.where(flip, images.flip(3), images)
    images = torch.where(mirror, images.flip(2), images)
    return torch.where(swap, images.transpose(2, 3), images)
