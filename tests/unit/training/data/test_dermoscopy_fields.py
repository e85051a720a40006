"""Fields and blobs are what their definitions say, wherever the camera stands."""

from collections.abc import Callable

import numpy as np
import pytest

from fedround_training.data.dermoscopy.fields import Blobs, Field, Frame, Waves, band, clouds, ridges, sigmoid


def peak(image: Field) -> list[int]:
    """Row and column of the highest value."""
    return [int(place) for place in np.unravel_index(image.argmax(), image.shape)]


def test_a_field_is_the_sum_of_its_waves_at_every_pixel() -> None:
    waves = Waves(np.array(((3.0, 0.0), (0.0, -5.0))), np.array((0.5, 1.0)), np.array((1.0, 0.25)))
    frame = Frame(8, 6)
    x, y = np.meshgrid((np.arange(8) - 3.5) / 3, (np.arange(6) - 2.5) / 3)
    expected = np.cos(3 * x + 0.5) + 0.25 * np.cos(-5 * y + 1)
    assert frame.waves(waves) == pytest.approx(expected, abs=1e-5)


def test_a_camera_that_is_turned_moved_and_nearer_sees_the_field_at_the_same_places() -> None:
    waves = clouds(np.random.default_rng(1), 0.5, 4.0)
    frame = Frame(20, 16, angle=0.7, zoom=1.3, shift=(0.2, -0.1))
    x, y = frame.plane
    places = np.stack((x, y), axis=-1).astype(np.float64)
    expected = np.cos(places @ waves.vectors.T + waves.phases) @ waves.amplitudes
    assert frame.waves(waves) == pytest.approx(expected, abs=1e-4)


def test_a_quarter_turn_of_the_camera_turns_the_image() -> None:
    waves = band(np.random.default_rng(2), 1.0, 2.0)
    turned = Frame(16, 16, angle=np.pi / 2).waves(waves)
    assert turned == pytest.approx(np.rot90(Frame(16, 16).waves(waves), -1), abs=1e-4)


@pytest.mark.parametrize("draw", [band, clouds])
def test_fields_have_mean_zero_and_deviation_one(draw: Callable[[np.random.Generator, float, float], Waves]) -> None:
    rng = np.random.default_rng(3)
    values = np.stack([Frame(24, 24).waves(draw(rng, 1.0, 6.0)) for _ in range(200)])
    assert values.mean() == pytest.approx(0.0, abs=0.05)
    assert values.std() == pytest.approx(1.0, abs=0.05)


def test_clouds_have_more_of_the_large_than_of_the_small() -> None:
    waves = clouds(np.random.default_rng(4), 0.5, 8.0, count=200)
    frequency = np.linalg.norm(waves.vectors, axis=1) / (2 * np.pi)
    assert waves.amplitudes[frequency < 1].mean() > 2 * waves.amplitudes[frequency > 4].mean()
    assert 0.5 <= frequency.min() < frequency.max() <= 8.0


def test_a_blob_is_highest_in_its_middle_and_falls_as_a_gaussian() -> None:
    blob = Blobs(np.array(((20 / 41, 0.0),)), np.array((0.1,)), np.array((2.0,)))
    image = Frame(41, 41).blobs(blob)
    assert peak(image) == [20, 30]
    # One standard deviation is 0.1 units, 2.05 pixels: at 2 pixels exp(-0.5 * (2 / 2.05)^2) = 0.621 of the height.
    assert image[20, 30] == pytest.approx(2.0, abs=0.02)
    assert image[20, 32] == pytest.approx(2.0 * 0.621, abs=0.03)


def test_a_blob_moves_and_grows_with_the_camera() -> None:
    blob = Blobs(np.array(((0.25, 0.0),)), np.array((0.05,)), np.array((1.0,)))
    seen = Frame(41, 41, angle=np.pi / 2, zoom=2.0).blobs(blob)
    assert peak(seen) == [30, 20]
    assert seen.sum() == pytest.approx(4 * Frame(41, 41).blobs(blob).sum(), rel=0.02)


def test_ridges_are_lines_at_zero_and_the_sigmoid_does_not_overflow() -> None:
    values = np.array((-500.0, -0.5, 0.0, 500.0), np.float32)
    assert ridges(values, 0.5) == pytest.approx((0.0, 0.3679, 1.0, 0.0), abs=1e-4)
    assert sigmoid(values) == pytest.approx((0.0, 0.3775, 0.5, 1.0), abs=1e-4)
