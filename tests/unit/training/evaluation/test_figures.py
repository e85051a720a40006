"""Counts and AUROC, by hand and against an oracle that compares every pair."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedround_training.evaluation.figures import Counts, auroc, count, decimal

SCORES = np.array([0.9, 0.5, 0.5, 0.2])
HIGH_RISK = np.array([True, True, False, False])


def test_a_score_at_the_threshold_is_flagged() -> None:
    assert count(SCORES, HIGH_RISK, 0.5) == Counts(caught=2, missed=0, cleared=1, alarmed=1)


def test_a_score_below_the_threshold_is_cleared() -> None:
    assert count(SCORES, HIGH_RISK, 0.51) == Counts(caught=1, missed=1, cleared=2, alarmed=0)


def test_sensitivity_and_specificity_are_shares_of_their_own_kind() -> None:
    counts = Counts(caught=3, missed=1, cleared=4, alarmed=6)

    assert counts.sensitivity == Fraction(3, 4)
    assert counts.specificity == Fraction(2, 5)


def test_a_tie_between_a_high_risk_case_and_another_counts_half() -> None:
    assert auroc(SCORES, HIGH_RISK) == Fraction(7, 8)


def test_equal_scores_have_an_auroc_of_exactly_one_half() -> None:
    assert auroc(np.full(5, 0.3), np.array([True, False, True, False, False])) == Fraction(1, 2)


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (Fraction(0), "0.000000"),
        (Fraction(1), "1.000000"),
        (Fraction(2, 3), "0.666667"),
        (Fraction(1, 3), "0.333333"),
        (Fraction(1, 2_000_000), "0.000001"),
    ],
)
def test_a_share_is_shown_with_six_digits(value: Fraction, want: str) -> None:
    assert decimal(value) == want


CASES = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.500001, 1.0]), st.booleans()), min_size=2).filter(
    lambda cases: len({high_risk for _, high_risk in cases}) == 2
)


@given(CASES)
def test_auroc_is_the_share_of_pairs_in_the_right_order(cases: list[tuple[float, bool]]) -> None:
    pairs = [(p, n) for p, high in cases if high for n, other in cases if not other]
    points = sum(2 if p > n else 1 if p == n else 0 for p, n in pairs)

    scores, high_risk = np.array([s for s, _ in cases]), np.array([h for _, h in cases])
    assert auroc(scores, high_risk) == Fraction(points, 2 * len(pairs))
