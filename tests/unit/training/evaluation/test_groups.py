"""What is told of classes and of the clinics that gave cases."""

import numpy as np

from fedround_training.evaluation.comparison import Exchange, PartOfTestSet
from fedround_training.evaluation.figures import Counts
from fedround_training.evaluation.groups import OfClass, by_class, by_clinic

# north: a melanoma that is lost and one that both catch; south: a new false alarm, and a carcinoma gained.
PART = PartOfTestSet(
    high_risk=np.array([True, True, False, True]),
    candidate=np.array([0.4, 0.9, 0.5, 0.8]),
    incumbent=np.array([0.6, 0.9, 0.1, 0.2]),
)
LABELS, CLINICS = ["mel", "mel", "nv", "bcc"], ["north", "north", "south", "south"]


def test_each_class_says_how_many_of_its_cases_are_flagged_be_there_cases_or_not() -> None:
    assert by_class(PART, LABELS, ["mel", "nv", "bcc", "df"], 0.5) == (
        OfClass("mel", cases=2, candidate_flagged=1, incumbent_flagged=2),
        OfClass("nv", cases=1, candidate_flagged=1, incumbent_flagged=0),
        OfClass("bcc", cases=1, candidate_flagged=1, incumbent_flagged=0),
        OfClass("df", cases=0, candidate_flagged=0, incumbent_flagged=0),
    )


def test_each_clinic_has_its_own_cells_and_its_own_losses() -> None:
    north, south = by_clinic(PART, CLINICS, 0.5)

    assert (north.clinic, north.exchanged) == ("north", Exchange(lost=1, gained=0))
    assert (north.candidate, north.incumbent) == (Counts(1, 1, 0, 0), Counts(2, 0, 0, 0))
    assert (south.clinic, south.exchanged) == ("south", Exchange(lost=0, gained=1))
    assert (south.candidate, south.incumbent) == (Counts(1, 0, 0, 1), Counts(0, 1, 1, 0))
