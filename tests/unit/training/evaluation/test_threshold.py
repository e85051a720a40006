"""The operating point: what it clears, where it lies between scores, and what ties and constant scores do to it."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedround_training.evaluation.threshold import choose_threshold

FOUR_FIFTHS = Fraction("0.80")


def threshold(others: list[float], target: Fraction = FOUR_FIFTHS, high_risk: tuple[float, ...] = (0.7,)) -> str:
    scores = np.array([*others, *high_risk])
    return choose_threshold(scores, np.array([False] * len(others) + [True] * len(high_risk)), target)


def test_four_of_five_cases_are_cleared_for_a_target_of_four_fifths() -> None:
    assert threshold([0.1, 0.2, 0.3, 0.4, 0.5]) == "0.400000001"


def test_the_number_to_clear_is_rounded_up() -> None:
    assert threshold([0.1, 0.2, 0.3]) == "0.300000001"


def test_tied_scores_are_cleared_together() -> None:
    assert threshold([0.1, 0.4, 0.4, 0.4, 0.4]) == "0.400000001"


def test_a_model_that_scores_all_cases_alike_flags_none() -> None:
    assert float(threshold([0.5] * 5, high_risk=(0.5,))) > 0.5


def test_a_target_of_zero_still_clears_a_case() -> None:
    assert threshold([0.1, 0.2], target=Fraction(0)) == "0.100000001"


def test_high_risk_cases_have_no_say() -> None:
    assert threshold([0.1, 0.2], high_risk=(0.0,)) == threshold([0.1, 0.2], high_risk=(0.99, 0.98))


def test_a_threshold_above_all_scores_is_a_decimal_all_the_same() -> None:
    assert threshold([1.0]) == "1.000000001"


@pytest.mark.parametrize("score", [0.123456789, 0.1, 1e-9, 0.3, float(np.nextafter(0.123456789, 0))])
def test_a_score_on_the_grid_of_decimals_is_cleared(score: float) -> None:
    assert float(threshold([score])) > score


SCORES = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=40)


@given(SCORES, st.fractions(0, 1, max_denominator=1000))
def test_the_target_is_reached_by_the_lowest_threshold_that_can(others: list[float], target: Fraction) -> None:
    text = threshold(others, target)

    def cleared(at: float) -> Fraction:
        return Fraction(sum(score < at for score in others), len(others))

    assert cleared(float(text)) >= target
    lower = cleared(float(Decimal(text) - Decimal("0.000000001")))
    assert lower < target or lower == 0
