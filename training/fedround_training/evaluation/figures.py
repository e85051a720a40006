"""Sensitivity, specificity and AUROC as exact fractions of counts.

Pure; called by `gate`. Fractions, because the gate compares: 0.8 - 0.75 is more than 0.05 in floating point, and a
candidate would be refused for a drop that is allowed.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_DIGITS = 6


@dataclass(frozen=True)
class Counts:
    """The four cells at a threshold."""

    caught: int
    missed: int
    cleared: int
    alarmed: int

    @property
    def high_risk(self) -> int:
        return self.caught + self.missed

    @property
    def other(self) -> int:
        return self.cleared + self.alarmed

    @property
    def sensitivity(self) -> Fraction:
        return Fraction(self.caught, self.high_risk)

    @property
    def specificity(self) -> Fraction:
        return Fraction(self.cleared, self.other)


def flagged(scores: Scores, threshold: float) -> Flags:
    """The cases that a model calls high-risk: a score at the threshold counts."""
    return scores >= threshold


def count(scores: Scores, high_risk: Flags, threshold: float) -> Counts:
    """The four cells."""
    called = flagged(scores, threshold)
    return Counts(
        caught=int(np.sum(called & high_risk)),
        missed=int(np.sum(~called & high_risk)),
        cleared=int(np.sum(~called & ~high_risk)),
        alarmed=int(np.sum(called & ~high_risk)),
    )


def auroc(scores: Scores, high_risk: Flags) -> Fraction:
    """The share of (high-risk, other) pairs in which the high-risk case scores higher, a tie counting half."""
    others = np.sort(scores[~high_risk])
    positives = scores[high_risk]
    lower = np.searchsorted(others, positives, side="left").sum(dtype=np.int64)
    lower_or_equal = np.searchsorted(others, positives, side="right").sum(dtype=np.int64)
    return Fraction(int(lower + lower_or_equal), 2 * len(positives) * len(others))


def decimal(value: Fraction) -> str:
    """A share as a decimal string with six digits, a half rounded up."""
    scaled = (value * 10**_DIGITS * 2 + 1) // 2
    return f"{scaled // 10**_DIGITS}.{scaled % 10**_DIGITS:0{_DIGITS}d}"
