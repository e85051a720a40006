"""ROC curve and score histogram as numbers. Pure; called for the report.

Scores are probabilities; a sum of them may leave [0, 1] by a last digit.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fedround_training.evaluation.figures import Flags, Scores

Counted = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Roc:
    """Points of the curve from (0, 0) to (1, 1): shares of the other cases and of the high-risk cases flagged."""

    false_positive_rate: tuple[float, ...]
    true_positive_rate: tuple[float, ...]


def roc(scores: Scores, high_risk: Flags, limit: int) -> Roc:
    """Every corner of the curve, or about `limit` of them, never more, spread along it.

    Each is a point that a threshold really gives.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, sick = scores[order], high_risk[order]
    # Cases of one score are flagged together: a point after the last of each.
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    caught = np.concatenate([[0], np.cumsum(sick, dtype=np.int64)[last]])
    alarmed = np.concatenate([[0], np.cumsum(~sick, dtype=np.int64)[last]])
    corners = _corners(alarmed, caught)
    x, y = alarmed[corners] / alarmed[-1], caught[corners] / caught[-1]
    kept = _spread(x + y, limit)
    return Roc(tuple(x[kept].tolist()), tuple(y[kept].tolist()))


def histogram(scores: Scores, bins: int) -> tuple[int, ...]:
    """Cases in each of equal bins from 0 to 1; an edge belongs to the bin above it, and 1 to the last."""
    index = np.minimum(np.floor(np.clip(scores, 0, 1) * bins).astype(np.int64), bins - 1)
    return tuple(np.bincount(index, minlength=bins).tolist())


def _corners(x: Counted, y: Counted) -> npt.NDArray[np.intp]:
    """Where the line turns, with both ends."""
    dx, dy = np.diff(x), np.diff(y)
    turns = dx[:-1] * dy[1:] != dx[1:] * dy[:-1]
    return np.flatnonzero(np.concatenate([[True], turns, [True]]))


def _spread(along: npt.NDArray[np.float64], limit: int) -> npt.NDArray[np.intp]:
    """All, or for each of `limit` even steps along the curve (x + y, from 0 to 2) the first point that reaches it."""
    if len(along) <= limit:
        return np.arange(len(along))
    return np.unique(np.searchsorted(along, np.linspace(0, along[-1], limit)))
