"""How a model does on the test set, and the mean over several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import mean

import numpy as np
import numpy.typing as npt

from benchmarks.noniid.cases import HIGH_RISK, Cases
from fedround_training.evaluation.figures import Counts, Flags, auroc, count
from fedround_training.evaluation.threshold import choose_threshold

SPECIFICITY = Fraction(4, 5)
TONES = {"I-II": (1, 2), "III-IV": (3, 4), "V-VI": (5, 6)}


@dataclass(frozen=True)
class AtThreshold:
    """Shares of the cases at the threshold that clears 80 % of the others of the whole test set."""

    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class Figures:
    """Of a model, or means over models. `clinics` are the balanced accuracies on each clinic's cases."""

    balanced_accuracy: float
    auroc: float
    overall: AtThreshold
    tones: Mapping[str, AtThreshold]
    clinics: Mapping[str, float]

    @property
    def worst_clinic(self) -> tuple[str, float]:
        return min(self.clinics.items(), key=lambda one: one[1])


def figures_of(found: npt.NDArray[np.float64], test: Cases) -> Figures:
    """The figures of a model that gives the test cases these (N, classes) probabilities."""
    scores = found[:, np.isin(test.classes, HIGH_RISK)].sum(axis=1)
    threshold = float(choose_threshold(scores, test.high_risk, SPECIFICITY))
    right = found.argmax(axis=1) == test.labels
    tones = {name: np.isin(test.skin_types, types) for name, types in TONES.items()}
    return Figures(
        balanced_accuracy=_balanced(right, test.labels),
        auroc=float(auroc(scores, test.high_risk)),
        overall=_shares(count(scores, test.high_risk, threshold)),
        tones={name: _shares(count(scores[those], test.high_risk[those], threshold)) for name, those in tones.items()},
        clinics={
            str(name): _balanced(right[those := test.clinics == name], test.labels[those])
            for name in np.unique(test.clinics)
        },
    )


def mean_of(several: Sequence[Figures]) -> Figures:
    """Every figure by itself."""
    return Figures(
        balanced_accuracy=mean(one.balanced_accuracy for one in several),
        auroc=mean(one.auroc for one in several),
        overall=_mean_shares([one.overall for one in several]),
        tones={name: _mean_shares([one.tones[name] for one in several]) for name in several[0].tones},
        clinics={name: mean(one.clinics[name] for one in several) for name in several[0].clinics},
    )


def _shares(counts: Counts) -> AtThreshold:
    return AtThreshold(float(counts.sensitivity), float(counts.specificity))


def _mean_shares(several: Sequence[AtThreshold]) -> AtThreshold:
    return AtThreshold(mean(one.sensitivity for one in several), mean(one.specificity for one in several))


def _balanced(right: Flags, labels: npt.NDArray[np.int64]) -> float:
    """The mean over classes of the share that is called right."""
    return mean(float(right[labels == label].mean()) for label in np.unique(labels))
