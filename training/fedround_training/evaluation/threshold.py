"""The operating point: which score counts as high-risk.

Pure; called by `gate` during warm-up, on the calibration part only. Once a version is released its threshold stays as
it is.
"""

from fractions import Fraction
from math import ceil

import numpy as np

from fedround_training.evaluation.figures import Flags, Scores

# The threshold is kept as a decimal string in status, so it is chosen among these: nine digits tell apart the scores of
# a model that is sure of most cases, and stay readable.
_DIGITS = 9


def choose_threshold(scores: Scores, high_risk: Flags, target_specificity: Fraction) -> str:
    """The lowest threshold, as a decimal string, that clears at least the target share of the cases that are not
    high-risk.

    It lies above every tied score that has to be cleared: ties are cleared together, so the target is never undershot.
    A model that scores all cases alike flags none, and so cannot be released. At least one case is cleared even where
    the target is 0.
    """
    others = np.sort(scores[~high_risk])
    cleared = max(1, ceil(target_specificity * len(others)))
    return _just_above(float(others[cleared - 1]))


def _just_above(score: float) -> str:
    """The next decimal of nine digits whose float is above the score."""
    step = int(Fraction(score) * 10**_DIGITS) + 1
    while float(text := f"{step // 10**_DIGITS}.{step % 10**_DIGITS:0{_DIGITS}d}") <= score:
        step += 1
    return text
