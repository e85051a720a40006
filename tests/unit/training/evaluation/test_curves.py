"""ROC curve and histogram, by hand and against oracles that go through every threshold."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedround_training.evaluation.curves import histogram, roc
from fedround_training.evaluation.figures import auroc, count


def test_the_curve_of_four_cases_has_these_corners() -> None:
    curve = roc(np.array([0.9, 0.7, 0.6, 0.2]), np.array([True, False, True, False]), 200)

    assert curve.false_positive_rate == (0.0, 0.0, 0.5, 0.5, 1.0)
    assert curve.true_positive_rate == (0.0, 0.5, 0.5, 1.0, 1.0)


def test_equal_scores_are_flagged_together() -> None:
    curve = roc(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False]), 200)

    assert list(zip(curve.false_positive_rate, curve.true_positive_rate, strict=True)) == [
        (0.0, 0.0),
        (0.0, 0.5),
        (0.5, 1.0),
        (1.0, 1.0),
    ]


def test_a_model_that_scores_all_alike_has_the_diagonal() -> None:
    curve = roc(np.full(6, 0.3), np.array([True, False] * 3), 200)

    assert (curve.false_positive_rate, curve.true_positive_rate) == ((0.0, 1.0), (0.0, 1.0))


def test_points_on_a_straight_line_are_left_out() -> None:
    curve = roc(np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.1]), np.array([True] * 3 + [False] * 3), 200)

    assert list(zip(curve.false_positive_rate, curve.true_positive_rate, strict=True)) == [
        (0.0, 0.0),
        (0.0, 1.0),
        (1.0, 1.0),
    ]


CASES = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), st.booleans()), min_size=2).filter(
    lambda cases: len({high_risk for _, high_risk in cases}) == 2
)


@given(CASES)
def test_every_point_is_one_of_a_threshold_and_the_area_below_is_the_auroc(cases: list[tuple[float, bool]]) -> None:
    scores, high_risk = np.array([score for score, _ in cases]), np.array([sick for _, sick in cases])
    possible = {(0.0, 0.0)}
    for threshold in set(scores.tolist()):
        cells = count(scores, high_risk, threshold)
        possible.add((cells.alarmed / cells.other, cells.caught / cells.high_risk))

    curve = roc(scores, high_risk, 200)

    points = list(zip(curve.false_positive_rate, curve.true_positive_rate, strict=True))
    assert points[0] == (0.0, 0.0)
    assert points[-1] == (1.0, 1.0)
    assert set(points) <= possible
    area = sum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in pairwise(points))
    assert area == pytest.approx(float(auroc(scores, high_risk)))


def test_a_curve_of_many_corners_keeps_at_most_the_limit_and_its_course() -> None:
    generator = np.random.default_rng(3)
    high_risk = generator.random(5000) < 0.3
    scores = generator.normal(0, 1, 5000) + high_risk

    whole, curve = roc(scores, high_risk, 10_000), roc(scores, high_risk, 200)

    x, y = np.array(curve.false_positive_rate), np.array(curve.true_positive_rate)
    assert len(whole.true_positive_rate) > 1000
    assert 150 < len(x) <= 200
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    # Along the curve, where x + y goes from 0 to 2, no corner that was left out lies far from the line.
    along = np.array(whole.false_positive_rate) + np.array(whole.true_positive_rate)
    assert np.abs(np.interp(along, x + y, y) - whole.true_positive_rate).max() < 0.01


def test_an_edge_belongs_to_the_bin_above_it_and_one_to_the_last() -> None:
    assert histogram(np.array([0.0, 0.249, 0.25, 0.5, 0.999, 1.0]), 4) == (2, 1, 1, 2)


def test_a_last_digit_beyond_one_or_below_zero_stays_in_the_outer_bins() -> None:
    assert histogram(np.array([1.0000000000000002, -1e-17]), 4) == (1, 0, 0, 1)


@given(st.lists(st.floats(0, 1), max_size=50))
def test_each_score_is_in_one_bin(scores: list[float]) -> None:
    counts = histogram(np.array(scores, np.float64), 20)

    assert (len(counts), sum(counts)) == (20, len(scores))
