"""95 % confidence intervals of the figures. Pure; called for the report, never by the gate, which decides on counts.

Cases are taken as independent; where a patient has several, the true intervals are somewhat wider.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

_Z = 1.959963984540054
# Halving (0, 1) fifty times leaves less than 1e-15.
_HALVINGS = 50


@dataclass(frozen=True)
class Interval:
    """Lower and upper bound, within [0, 1]."""

    low: float
    high: float


def wilson(hits: int, total: int) -> Interval:
    """Wilson's score interval of a share (JASA 1927;22:209-212). `total` is at least 1."""
    share, spread = hits / total, _Z * _Z / total
    centre = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * sqrt(share * (1 - share) / total + spread / (4 * total))
    # At the ends the bound is the end itself; in floating point it is off by a last digit.
    return Interval(0.0 if hits == 0 else max(0.0, centre - half), 1.0 if hits == total else min(1.0, centre + half))


def auroc_interval(auroc: Fraction, high_risk: int, other: int) -> Interval:
    """Newcombe's method 5 for an AUROC of that many high-risk and other cases (Statistics in Medicine
    2006;25:559-573): like Wilson's interval it asks which true values could have given the one that was found, and so
    has a width even where every pair is in order.
    """
    found = float(auroc)

    def plausible(true: float) -> bool:
        return (found - true) ** 2 <= _Z * _Z * _variance(true, high_risk, other)

    return Interval(_edge(plausible(0.0), 0.0, found, plausible), _edge(plausible(1.0), 1.0, found, plausible))


def _variance(true: float, high_risk: int, other: int) -> float:
    mean = (high_risk + other) / 2 - 1
    return true * (1 - true) / (high_risk * other) * (1 + mean * ((1 - true) / (2 - true) + true / (1 + true)))


def _edge(end_is_in: bool, end: float, inside: float, plausible: Callable[[float], bool]) -> float:
    if end_is_in:
        return end
    outside = end
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        outside, inside = (outside, middle) if plausible(middle) else (middle, inside)
    return inside
