"""The network: its size, its first scores, and that no global generator decides its weights."""

import numpy as np
import pytest
import torch

from fedround_api.kinds.clinic_round import ModelShape
from fedround_training.models.local_training import Recipe, clinic_generator, train_in_place
from fedround_training.models.registry import build, build_with, tensors_of
from fedround_training.models.scoring import probabilities
from fedround_training.models.shapes import shapes_of
from support.job_inputs import SHAPE

SEVEN = ModelShape.model_validate({**SHAPE.model_dump(), "classes": list("abcdefg"), "high_risk_classes": ["a"]})
RECIPE = Recipe(epochs=2, batch_size=4, learning_rate=0.05, momentum=0.9)
PIXELS = np.random.default_rng(3).integers(0, 256, (10, 32, 32, 3), np.uint8)
LABELS = np.array([0, 1] * 5)


def test_it_has_187_thousand_parameters_for_seven_classes() -> None:
    assert sum(values.size for values in tensors_of(build(SEVEN, seed=0)).values()) == 186_727


def test_a_fresh_network_scores_every_image_alike() -> None:
    found = probabilities(build(SEVEN, seed=5), PIXELS)

    assert np.array_equal(found, np.full((10, 7), 1 / 7))


def test_the_seed_alone_decides_the_first_weights() -> None:
    before = torch.random.get_rng_state()
    one, other, third = (tensors_of(build(SHAPE, seed)) for seed in (1, 1, 2))

    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert not np.array_equal(one["stages.0.0.weight"], third["stages.0.0.weight"])
    assert torch.equal(before, torch.random.get_rng_state())


def test_weights_survive_the_way_through_arrays() -> None:
    tensors = tensors_of(build(SHAPE, seed=1))

    assert all(np.array_equal(tensors[name], values) for name, values in tensors_of(build_with(SHAPE, tensors)).items())


@pytest.mark.parametrize("shape", [SHAPE, SEVEN])
def test_the_shapes_that_are_told_without_building_it_are_those_of_the_network(shape: ModelShape) -> None:
    found = {name: values.shape for name, values in tensors_of(build(shape, seed=0)).items()}

    assert list(found.items()) == list(shapes_of(shape).items())


def trained(clinic: str, pixels: np.ndarray = PIXELS, seed: int = 7) -> dict[str, np.ndarray]:
    network = build(SHAPE, seed=0)
    assert train_in_place(network, pixels, LABELS, RECIPE, clinic_generator(seed, clinic)) == 6
    return tensors_of(network)


def test_training_again_gives_the_same_bytes_and_touches_no_global_generator() -> None:
    before = torch.random.get_rng_state()

    assert all(np.array_equal(values, trained("north")[name]) for name, values in trained("north").items())
    assert torch.equal(before, torch.random.get_rng_state())


def test_clinics_and_seeds_shuffle_differently() -> None:
    north = trained("north")["stages.3.0.weight"]

    assert not np.array_equal(north, trained("south")["stages.3.0.weight"])
    assert not np.array_equal(north, trained("north", seed=8)["stages.3.0.weight"])


def test_training_tells_dark_from_light() -> None:
    dark, light = np.full((5, 32, 32, 3), 60, np.uint8), np.full((5, 32, 32, 3), 220, np.uint8)
    pixels = np.stack([image for pair in zip(dark, light, strict=True) for image in pair])
    network = build(SHAPE, seed=0)

    train_in_place(network, pixels, LABELS, Recipe(20, 5, 0.05, 0.9), clinic_generator(1, "north"))

    assert probabilities(network, pixels).argmax(axis=1).tolist() == LABELS.tolist()


def test_one_step_is_the_gradient_times_the_learning_rate() -> None:
    """The loss is divided by the constant batch size, so half a batch moves half as far as a whole one."""
    moved = []
    for repeats in (1, 2):
        network = build(SHAPE, seed=0)
        pixels, labels = np.repeat(PIXELS[:1], repeats, 0), np.zeros(repeats, np.int64)
        train_in_place(network, pixels * 0, labels, Recipe(1, 2, 0.1, 0.0), clinic_generator(1, "north"))
        moved.append(tensors_of(network)["head.bias"])

    # Two classes, equal probabilities: the gradient of the first class's logit is -1/2 for each image.
    assert np.allclose(moved[0], [0.025, -0.025])
    assert np.allclose(moved[1], [0.05, -0.05])


def test_momentum_carries_the_last_step_on() -> None:
    biases = []
    for epochs in (1, 2):
        network = build(SHAPE, seed=0)
        pixels = np.zeros((1, 32, 32, 3), np.uint8)
        train_in_place(network, pixels, np.array([0]), Recipe(epochs, 1, 1e-4, 0.5), clinic_generator(1, "north"))
        biases.append(float(tensors_of(network)["head.bias"][0]))

    assert np.allclose(biases, [0.5e-4, 0.5e-4 + 0.75e-4], rtol=1e-2)


def test_probabilities_do_not_depend_on_the_batch() -> None:
    network = build_with(SHAPE, trained("north"))
    many = np.concatenate([PIXELS] * 7)

    assert np.allclose(probabilities(network, many)[60:], probabilities(network, PIXELS), atol=1e-6)
