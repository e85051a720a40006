"""Steps of momentum, the bound of a batch and FedProx's pull: by hand, on a quadratic with a known solution, and on the
real network.
"""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from fedround_training.models.descent import Descent
from fedround_training.models.local_training import Recipe, clinic_generator, train_in_place
from fedround_training.models.pixels import normalised
from fedround_training.models.registry import build, tensors_of
from support.job_inputs import SHAPE

PIXELS = np.random.default_rng(3).integers(0, 256, (10, 32, 32, 3), np.uint8)
LABELS = np.array([0, 1] * 5)


def parameter(*values: float) -> nn.Parameter:
    return nn.Parameter(torch.tensor(values, dtype=torch.float64))


def test_two_steps_by_hand() -> None:
    weights = parameter(1.0)
    descent = Descent([weights], learning_rate=0.5, momentum=0.5, proximal_mu=0.25)

    descent.step([torch.tensor([2.0])])
    # v = 2; w = 1 - 0.5 * 2: nothing pulls at the start.
    assert weights.tolist() == [0.0]
    descent.step([torch.tensor([2.0])])
    # v = 0.5 * 2 + 2 + 0.25 * (0 - 1) = 2.75; w = 0 - 0.5 * 2.75
    assert weights.tolist() == [-1.375]


def test_a_longer_gradient_is_shortened_as_one_vector_and_keeps_its_direction() -> None:
    first, second = parameter(0.0), parameter(0.0)
    descent = Descent([first, second], learning_rate=1.0, momentum=0.0, proximal_mu=None, max_batch_grad_norm=2.0)

    descent.step([torch.tensor([3.0]), torch.tensor([-4.0])])

    # Of length 5, so each part is multiplied by 2/5.
    assert first.tolist() == [pytest.approx(-1.2)]
    assert second.tolist() == [pytest.approx(1.6)]


def test_a_gradient_within_the_bound_is_taken_as_it_is() -> None:
    first, second = parameter(0.0), parameter(0.0)
    descent = Descent([first, second], learning_rate=1.0, momentum=0.0, proximal_mu=None, max_batch_grad_norm=5.0)

    descent.step([torch.tensor([3.0]), torch.tensor([-4.0])])

    assert (first.tolist(), second.tolist()) == ([-3.0], [4.0])


def test_the_bound_is_of_the_batch_alone_not_of_momentum_and_pull() -> None:
    weights = parameter(0.0)
    descent = Descent([weights], learning_rate=1.0, momentum=0.5, proximal_mu=0.25, max_batch_grad_norm=2.0)

    descent.step([torch.tensor([8.0])])
    # v = 2; w = -2
    assert weights.tolist() == [-2.0]
    descent.step([torch.tensor([-8.0])])
    # v = 0.5 * 2 - 2 + 0.25 * (-2 - 0) = -1.5; w = -2 + 1.5
    assert weights.tolist() == [-0.5]


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_stays_so_under_a_bound(broken: float) -> None:
    weights = parameter(0.0)
    descent = Descent([weights], learning_rate=1.0, momentum=0.0, proximal_mu=None, max_batch_grad_norm=2.0)

    descent.step([torch.tensor([broken])])

    assert not torch.isfinite(weights).any()


def settled(proximal_mu: float | None) -> list[float]:
    """Where descent on (w - 3)^2 + 2 (u + 1)^2 ends that starts at w = 1, u = 1."""
    weights = parameter(1.0, 1.0)
    descent = Descent([weights], learning_rate=0.05, momentum=0.5, proximal_mu=proximal_mu)
    for _ in range(500):
        w, u = weights.detach()
        descent.step([torch.stack((2 * (w - 3), 4 * (u + 1)))])
    return [round(value, 6) for value in weights.tolist()]


@pytest.mark.parametrize(
    ("proximal_mu", "solution"),
    [
        (None, [3.0, -1.0]),
        # 2 (w - 3) + mu (w - 1) = 0 and 4 (u + 1) + mu (u - 1) = 0
        (2.0, [2.0, -0.333333]),
        (6.0, [1.5, 0.2]),
    ],
)
def test_a_quadratic_is_minimised_between_its_own_minimum_and_the_start(
    proximal_mu: float | None, solution: list[float]
) -> None:
    assert settled(proximal_mu) == solution


def trained(proximal_mu: float | None, clinic: str = "north") -> dict[str, np.ndarray]:
    network = build(SHAPE, seed=0)
    recipe = Recipe(epochs=4, batch_size=4, learning_rate=0.05, momentum=0.9, proximal_mu=proximal_mu)
    train_in_place(network, PIXELS, LABELS, recipe, clinic_generator(7, clinic))
    return tensors_of(network)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(one[name].tobytes() == other[name].tobytes() for name in one)


def moved(trained_: dict[str, np.ndarray]) -> float:
    """The distance from the weights at the start."""
    start = tensors_of(build(SHAPE, seed=0))
    return float(np.sqrt(sum(np.sum((trained_[name] - start[name]) ** 2) for name in start)))


def test_the_same_seed_gives_the_same_bytes_with_the_pull_too() -> None:
    assert same(trained(0.1), trained(0.1))
    assert not same(trained(0.1), trained(0.1, "south"))


def test_a_stronger_pull_keeps_the_weights_nearer_to_the_start() -> None:
    free, weak, strong = moved(trained(None)), moved(trained(0.1)), moved(trained(10.0))

    assert strong < 0.25 * free < free
    assert strong < weak < free


def test_without_a_pull_training_is_plain_momentum_to_the_last_bit() -> None:
    """FedAvg as it is written down, beside the code under test: both give the same bytes."""
    network = build(SHAPE, seed=0)
    generator = clinic_generator(7, "north")
    velocities = [torch.zeros_like(values) for values in network.parameters()]
    for _ in range(4):
        for chosen in torch.split(torch.randperm(10, generator=generator), 4):
            images = normalised(PIXELS[chosen.numpy()])
            flip, swap, mirror = (torch.rand((3, len(images), 1, 1, 1), generator=generator) < 0.5).unbind(0)
            images = torch.where(flip, images.flip(3), images)
            images = torch.where(mirror, images.flip(2), images)
            images = torch.where(swap, images.transpose(2, 3), images)
            loss = functional.cross_entropy(network(images), torch.from_numpy(LABELS)[chosen], reduction="sum") / 4
            gradients = torch.autograd.grad(loss, list(network.parameters()))
            with torch.no_grad():
                for values, velocity, gradient in zip(network.parameters(), velocities, gradients, strict=True):
                    velocity.mul_(0.9).add_(gradient)
                    values.sub_(velocity, alpha=0.05)

    assert same(trained(None), tensors_of(network))
