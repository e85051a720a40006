"""Confidence intervals: values of the literature, ends, and that they hold what they promise."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedround_training.evaluation.figures import auroc
from fedround_training.evaluation.intervals import auroc_interval, wilson


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 1998;17:857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_published_one(hits: int, total: int, low: float, high: float) -> None:
    found = wilson(hits, total)

    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_all_of_few_cases_leave_room_below() -> None:
    assert wilson(5, 5).high == 1.0
    assert round(wilson(5, 5).low, 3) == 0.566


@given(st.integers(1, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_wilsons_interval_holds_the_share_and_mirrors(counts: tuple[int, int]) -> None:
    hits, total = counts
    found, mirrored = wilson(hits, total), wilson(total - hits, total)

    assert 0 <= found.low <= hits / total <= found.high <= 1
    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-12)


def test_a_perfect_auroc_of_few_cases_is_not_certain() -> None:
    found = auroc_interval(Fraction(1), 10, 10)

    assert found.high == 1.0
    assert 0.7 < found.low < 0.9


def test_more_cases_narrow_the_interval_of_an_auroc() -> None:
    few, many = auroc_interval(Fraction(9, 10), 20, 40), auroc_interval(Fraction(9, 10), 200, 400)

    assert few.low < many.low < 0.9 < many.high < few.high
    assert many.high - many.low < 0.06


@given(st.integers(1, 60), st.integers(1, 60), st.fractions(0, 1, max_denominator=400))
def test_the_interval_of_an_auroc_holds_it_and_mirrors(high_risk: int, other: int, found: Fraction) -> None:
    interval, mirrored = auroc_interval(found, high_risk, other), auroc_interval(1 - found, high_risk, other)

    assert 0 <= interval.low <= float(found) <= interval.high <= 1
    assert interval.low == pytest.approx(1 - mirrored.high, abs=1e-9)


def test_ninety_five_intervals_in_a_hundred_hold_the_true_auroc() -> None:
    """Scores from two normal distributions a distance of 1.5 apart: the true AUROC is Phi(1.5 / sqrt 2) = 0.85556."""
    generator, held, trials = np.random.default_rng(7), 0, 1000
    high_risk = np.arange(90) < 30
    for _ in range(trials):
        scores = generator.normal(0, 1, 90) + 1.5 * high_risk
        interval = auroc_interval(auroc(scores, high_risk), 30, 60)
        held += interval.low <= 0.85556 <= interval.high

    assert 0.93 <= held / trials <= 0.98
