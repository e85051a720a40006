"""A clinic's own training: stochastic gradient descent with momentum, written out.

Called by `train`. Not torch.optim: its first optimizer imports torch._dynamo, 4-6 s for what three lines do. Every
random choice comes from the generator that is passed in.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from fedround_training.models.pixels import normalised


@dataclass(frozen=True)
class Recipe:
    """How to train."""

    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float


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
    """Train on (N, S, S, 3) images with (N,) class indices; the number of steps taken.

    The loss of a batch is the sum over its images divided by the constant batch size, so a last, smaller batch counts
    for less, and no image's weight depends on what other images there are.
    """
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    velocities = [torch.zeros_like(parameter) for parameter in parameters]
    targets = torch.from_numpy(labels)
    steps = 0
    network.train()
    for _ in range(recipe.epochs):
        for chosen in _batches(len(labels), recipe.batch_size, generator):
            images = _turned(normalised(pixels[chosen.numpy()]), generator)
            loss = functional.cross_entropy(network(images), targets[chosen], reduction="sum") / recipe.batch_size
            gradients = torch.autograd.grad(loss, parameters)
            _step(parameters, velocities, gradients, recipe)
            steps += 1
    return steps


@torch.no_grad()
def _step(
    parameters: list[nn.Parameter],
    velocities: list[torch.Tensor],
    gradients: tuple[torch.Tensor, ...],
    recipe: Recipe,
) -> None:
    for parameter, velocity, gradient in zip(parameters, velocities, gradients, strict=True):
        velocity.mul_(recipe.momentum).add_(gradient)
        parameter.sub_(velocity, alpha=recipe.learning_rate)


def _batches(cases: int, batch_size: int, generator: torch.Generator) -> Iterator[torch.Tensor]:
    yield from torch.split(torch.randperm(cases, generator=generator), batch_size)


def _turned(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each image in one of its eight orientations: a lesion has no upside."""
    flip, swap, mirror = (torch.rand((3, len(images), 1, 1, 1), generator=generator) < 0.5).unbind(0)
    images = torch.where(flip, images.flip(3), images)
    images = torch.where(mirror, images.flip(2), images)
    return torch.where(swap, images.transpose(2, 3), images)
