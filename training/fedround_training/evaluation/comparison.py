"""Both models on the same cases: what the guards, the sentences and the report rest on.

Pure; called by `gate` and, for groups of cases, by `groups`.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fedround_training.evaluation.errors import CasesUnusable
from fedround_training.evaluation.figures import Counts, Flags, Scores, auroc, count, flagged


@dataclass(frozen=True)
class PartOfTestSet:
    """One part: which cases are high-risk, and what each model gives them; (N,) each, in the same order."""

    high_risk: Flags
    candidate: Scores
    incumbent: Scores


@dataclass(frozen=True)
class Standing:
    """How one model does on the gate part."""

    counts: Counts
    auroc: Fraction


@dataclass(frozen=True)
class Comparison:
    """Both models on the same cases; `lost` are the high-risk cases that only the incumbent catches."""

    candidate: Standing
    incumbent: Standing
    lost: int
    gained: int


@dataclass(frozen=True)
class Exchange:
    """High-risk cases that changed sides."""

    lost: int
    gained: int


def compare(part: PartOfTestSet, threshold: str) -> Comparison:
    """Both models at one threshold."""
    tau = float(threshold)
    if not np.isfinite(tau):
        raise CasesUnusable("the threshold is no number")
    exchanged = exchange(part, tau)
    return Comparison(
        candidate=Standing(count(part.candidate, part.high_risk, tau), auroc(part.candidate, part.high_risk)),
        incumbent=Standing(count(part.incumbent, part.high_risk, tau), auroc(part.incumbent, part.high_risk)),
        lost=exchanged.lost,
        gained=exchanged.gained,
    )


def exchange(part: PartOfTestSet, threshold: float) -> Exchange:
    """The high-risk cases that only one of the two models flags."""
    by_candidate, by_incumbent = flagged(part.candidate, threshold), flagged(part.incumbent, threshold)
    return Exchange(
        lost=int(np.sum(part.high_risk & by_incumbent & ~by_candidate)),
        gained=int(np.sum(part.high_risk & by_candidate & ~by_incumbent)),
    )
