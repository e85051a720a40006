"""The evaluation by class and by clinic of the test set. Pure; called for the report, never by the gate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fedround_training.evaluation.comparison import Exchange, PartOfTestSet, exchange
from fedround_training.evaluation.figures import Counts, Flags, count, flagged


@dataclass(frozen=True)
class OfClass:
    """How many cases of a class each model flags."""

    name: str
    cases: int
    candidate_flagged: int
    incumbent_flagged: int


@dataclass(frozen=True)
class OfClinic:
    """What a clinic's cases say of both models."""

    clinic: str
    candidate: Counts
    incumbent: Counts
    exchanged: Exchange


def by_class(
    part: PartOfTestSet, labels: Sequence[str], classes: Sequence[str], threshold: float
) -> tuple[OfClass, ...]:
    """Each class of the model, in its order, be there cases or not. `labels` are those of the part's cases."""
    named = np.array(labels)
    by_candidate, by_incumbent = flagged(part.candidate, threshold), flagged(part.incumbent, threshold)
    return tuple(
        OfClass(
            name,
            cases=int(np.sum(named == name)),
            candidate_flagged=int(np.sum(by_candidate & (named == name))),
            incumbent_flagged=int(np.sum(by_incumbent & (named == name))),
        )
        for name in classes
    )


def by_clinic(part: PartOfTestSet, clinics: Sequence[str], threshold: float) -> tuple[OfClinic, ...]:
    """Each clinic that gave cases to the part, by name. `clinics` are those of the part's cases."""
    named = np.array(clinics)
    return tuple(_of_clinic(name, _only(part, named == name), threshold) for name in sorted(set(clinics)))


def _of_clinic(name: str, part: PartOfTestSet, threshold: float) -> OfClinic:
    return OfClinic(
        name,
        count(part.candidate, part.high_risk, threshold),
        count(part.incumbent, part.high_risk, threshold),
        exchange(part, threshold),
    )


def _only(part: PartOfTestSet, chosen: Flags) -> PartOfTestSet:
    return PartOfTestSet(part.high_risk[chosen], part.candidate[chosen], part.incumbent[chosen])
