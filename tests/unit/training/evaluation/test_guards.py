"""Which guards apply, what each demands and finds, and that the verdict follows from them alone."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedround_api.kinds.federated_model import Floors, Gate, MaxDrop
from fedround_api.kinds.federated_round import VerdictResult
from fedround_api.report import Decides, GuardName, Unit
from fedround_training.evaluation.comparison import Comparison, PartOfTestSet, Standing
from fedround_training.evaluation.figures import Counts
from fedround_training.evaluation.gate import Judged, judge
from fedround_training.evaluation.guards import Frozen, Guard, guards_of

GATE = Gate(
    floors=Floors(sensitivity="0.80", specificity="0.70", auroc="0.85"),
    max_drop=MaxDrop(specificity="0.05", auroc="0.02"),
    anchor="0.03",
)
# Of 100 high-risk cases the incumbent catches 90 and the candidate 84, of 200 others they clear 160 and 150.
COMPARED = Comparison(
    candidate=Standing(Counts(caught=84, missed=16, cleared=150, alarmed=50), Fraction(88, 100)),
    incumbent=Standing(Counts(caught=90, missed=10, cleared=160, alarmed=40), Fraction(91, 100)),
    lost=8,
    gained=2,
)
BEST = Frozen("0.5", Fraction("0.92"))


def told(guard: Guard) -> tuple[str, float, float, bool]:
    return guard.name, float(guard.limit), float(guard.found), guard.holds


def test_after_a_release_all_guards_decide_the_promotion_the_gravest_first() -> None:
    guards = guards_of(COMPARED, GATE, BEST)

    assert [told(guard) for guard in guards] == [
        (GuardName.HIGH_RISK_CASES, 2.0, 8.0, False),
        (GuardName.ANCHOR, 3.0, 8.0, False),
        (GuardName.SENSITIVITY_FLOOR, 0.8, 0.84, True),
        (GuardName.SPECIFICITY_FLOOR, 0.7, 0.75, True),
        (GuardName.AUROC_FLOOR, 0.85, 0.88, True),
        (GuardName.SPECIFICITY_DROP, 0.05, 0.05, True),
        (GuardName.AUROC_DROP, 0.02, 0.03, False),
    ]
    assert {guard.decides for guard in guards} == {Decides.PROMOTION}
    assert [guard.unit for guard in guards] == [Unit.CASES, Unit.CASES, *[Unit.SHARE] * 5]


def test_before_a_release_only_ranking_decides_the_promotion_and_floors_the_release() -> None:
    guards = guards_of(COMPARED, GATE, None)

    assert [(*told(guard), guard.decides) for guard in guards] == [
        (GuardName.WARM_UP_AUROC, 0.91, 0.88, False, Decides.PROMOTION),
        (GuardName.SENSITIVITY_FLOOR, 0.8, 0.84, True, Decides.RELEASE),
        (GuardName.SPECIFICITY_FLOOR, 0.7, 0.75, True, Decides.RELEASE),
        (GuardName.AUROC_FLOOR, 0.85, 0.88, True, Decides.RELEASE),
    ]


@pytest.mark.parametrize(("anchor", "limit"), [("0", 2.0), ("0.02", 2.0), ("0.025", 2.5), ("0.1", 10.0)])
def test_the_anchor_allows_two_cases_at_least(anchor: str, limit: float) -> None:
    guards = guards_of(COMPARED, GATE.model_copy(update={"anchor": anchor}), BEST)

    assert float(guards[1].limit) == limit


def test_a_candidate_better_than_the_best_version_is_a_negative_distance_from_it() -> None:
    guards = guards_of(COMPARED, GATE, Frozen("0.5", Fraction("0.80")))

    assert (float(guards[1].found), guards[1].holds) == (-4.0, True)


ROWS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.1, 0.4, 0.5, 0.9]), st.sampled_from([0.1, 0.4, 0.5, 0.9])),
    min_size=2,
    max_size=24,
).filter(lambda rows: len({high_risk for high_risk, _, _ in rows}) == 2)


def judged(rows: list[tuple[bool, float, float]], released: Frozen | None) -> Judged:
    high_risk, incumbent, candidate = (np.array(column) for column in zip(*rows, strict=True))
    part = PartOfTestSet(high_risk, candidate, incumbent)
    return judge(part, part, GATE, released, "ab" * 32)


@given(ROWS, st.booleans())
def test_a_promotion_means_that_every_guard_that_decides_it_holds(
    rows: list[tuple[bool, float, float]], warm_up: bool
) -> None:
    found = judged(rows, None if warm_up else Frozen("0.5", Fraction(1, 2)))

    decisive = [guard for guard in found.guards if guard.decides is Decides.PROMOTION]
    assert (found.verdict.result is VerdictResult.PROMOTE) == all(guard.holds for guard in decisive)
    assert found.verdict.release == all(guard.holds for guard in found.guards)


@given(ROWS, st.booleans())
def test_a_roll_back_names_the_first_guard_that_does_not_hold(
    rows: list[tuple[bool, float, float]], warm_up: bool
) -> None:
    found = judged(rows, None if warm_up else Frozen("0.5", Fraction(1, 2)))

    broken = [guard.reason for guard in found.guards if not guard.holds and guard.decides is Decides.PROMOTION]
    if broken:
        assert (found.verdict.result, found.verdict.reason) == (VerdictResult.ROLL_BACK, broken[0])
