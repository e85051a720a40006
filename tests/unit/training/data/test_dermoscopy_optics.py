"""Skin of every type has a plausible colour, and a lesion's contrast falls on dark skin by the optics alone."""

import numpy as np
import numpy.typing as npt
import pytest

from fedround_training.data.dermoscopy.optics import SKIN_BLOOD, SKIN_MELANIN, Layers, reflect


def colour(
    melanin: float, blood: float = SKIN_BLOOD, deep: float = 0.0, keratin: float = 0.0
) -> npt.NDArray[np.float32]:
    """Of a single pixel, in grey levels."""
    layers = Layers(*(np.full((1, 1), amount, np.float32) for amount in (melanin, blood, deep, keratin)))
    light: npt.NDArray[np.float32] = reflect(layers)[0, 0] * 255
    return light


def test_skin_gets_darker_from_type_to_type() -> None:
    brightness = [float(colour(melanin).mean()) for melanin in SKIN_MELANIN]
    assert brightness == sorted(brightness, reverse=True)
    assert brightness[0] > 180
    assert brightness[5] < 90


@pytest.mark.parametrize(
    ("skin_type", "rgb"),
    [(1, (234, 178, 163)), (3, (205, 151, 132)), (5, (143, 96, 76)), (6, (106, 67, 49))],
)
def test_skin_has_the_colours_of_skin(skin_type: int, rgb: tuple[int, int, int]) -> None:
    assert colour(SKIN_MELANIN[skin_type - 1]) == pytest.approx(rgb, abs=1)


@pytest.mark.parametrize("melanin", SKIN_MELANIN[4:])
def test_dark_skin_is_brown_and_not_orange(melanin: float) -> None:
    red, green, blue = colour(melanin)
    assert red / green < 1.65
    assert red / blue < 2.4


@pytest.mark.parametrize(("added", "what"), [((0.6, 0.0), "a mole"), ((0.0, 0.4), "blood")])
def test_the_same_lesion_shows_less_the_darker_the_skin(added: tuple[float, float], what: str) -> None:
    contrasts = [
        float((colour(melanin) - colour(melanin + added[0], SKIN_BLOOD + added[1])).mean()) for melanin in SKIN_MELANIN
    ]
    assert contrasts == sorted(contrasts, reverse=True), what
    assert contrasts[5] < contrasts[0] / 2, what


def test_deep_melanin_is_blue_grey_where_that_of_a_mole_is_brown() -> None:
    mole, veil = colour(1.0), colour(0.1, deep=1.5)
    assert mole[0] > mole[2] + 30
    assert veil[2] >= veil[0] - 5


def test_scales_hide_what_is_below_them() -> None:
    bare, covered = colour(1.5, keratin=0.0), colour(1.5, keratin=0.85)
    assert bare.mean() < 90
    assert covered.mean() > 180
