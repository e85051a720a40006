"""Every reason of the gate, spelled out, and its decision against an oracle that counts case by case."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedround_api.kinds.federated_model import Floors, Gate, MaxDrop
from fedround_api.kinds.federated_round import Verdict, VerdictResult
from fedround_api.reasons import Reason
from fedround_training.evaluation.comparison import PartOfTestSet
from fedround_training.evaluation.errors import CasesUnusable, ScoresNotFinite
from fedround_training.evaluation.gate import judge
from fedround_training.evaluation.guards import Frozen

MANIFEST = "ab" * 32
PROMOTE, ROLL_BACK = VerdictResult.PROMOTE, VerdictResult.ROLL_BACK
NO_FLOORS = Floors(sensitivity="0", specificity="0", auroc="0")
ANY_DROP = MaxDrop(specificity="1", auroc="1")
LENIENT = Gate(floors=NO_FLOORS, max_drop=ANY_DROP, anchor="1")
# Two high-risk cases above six others: any threshold above 0.45 and below 0.9 is perfect on it.
CALIBRATION = PartOfTestSet(
    high_risk=np.array([True, True, False, False, False, False, False]),
    candidate=np.array([0.9, 0.9, 0.45, 0.3, 0.2, 0.1, 0.1]),
    incumbent=np.array([0.9, 0.9, 0.45, 0.3, 0.2, 0.1, 0.1]),
)


def part(high_risk: list[tuple[float, float]], others: list[tuple[float, float]]) -> PartOfTestSet:
    """A part from (incumbent, candidate) scores of the high-risk cases and of the others."""
    pairs = np.array([*high_risk, *others])
    return PartOfTestSet(np.array([True] * len(high_risk) + [False] * len(others)), pairs[:, 1], pairs[:, 0])


def released(best_sensitivity: str = "0", threshold: str = "0.5") -> Frozen:
    return Frozen(threshold, Fraction(best_sensitivity))


def verdict(gate_part: PartOfTestSet, gate: Gate = LENIENT, frozen: Frozen | None = None) -> Verdict:
    return judge(CALIBRATION, gate_part, gate, frozen, MANIFEST).verdict


CAUGHT, LOST, GAINED, MISSED = (0.8, 0.8), (0.8, 0.4), (0.4, 0.8), (0.4, 0.4)
CLEARED, NEW_ALARM, ALARM_GONE, ALARM = (0.2, 0.2), (0.2, 0.6), (0.6, 0.2), (0.6, 0.6)


class TestWarmUp:
    def test_a_lower_auroc_is_rolled_back(self) -> None:
        found = verdict(part([(0.8, 0.8), (0.7, 0.1)], [(0.2, 0.2), (0.3, 0.3)]))

        assert (found.result, found.reason, found.release) == (ROLL_BACK, Reason.WARM_UP_AUROC_LOWER, False)
        assert (found.incumbent.auroc, found.candidate.auroc) == ("1.000000", "0.500000")
        assert found.message == "The candidate's AUROC is 0.500, below the incumbent's 1.000."

    def test_the_same_auroc_is_promoted(self) -> None:
        gate = Gate(floors=Floors(auroc="0.90"))

        found = verdict(part([(0.5, 0.5)], [(0.5, 0.5)]), gate)

        assert (found.result, found.reason, found.release) == (PROMOTE, Reason.WARM_UP_PASSED, False)

    @pytest.mark.parametrize(
        "floors",
        [
            Floors(sensitivity="0.76", specificity="0", auroc="0"),
            Floors(sensitivity="0", specificity="0.81", auroc="0"),
            Floors(sensitivity="0", specificity="0", auroc="0.96"),
        ],
    )
    def test_one_missed_floor_is_enough_to_release_nothing(self, floors: Floors) -> None:
        cases = part([CAUGHT, CAUGHT, CAUGHT, MISSED], [CLEARED] * 4 + [ALARM])

        found = verdict(cases, Gate(floors=floors, target_specificity="1"))

        assert (found.result, found.reason, found.release) == (PROMOTE, Reason.WARM_UP_PASSED, False)

    def test_the_first_that_just_meets_all_floors_is_released(self) -> None:
        cases = part([CAUGHT, CAUGHT, CAUGHT, MISSED], [CLEARED] * 4 + [ALARM])
        gate = Gate(floors=Floors(sensitivity="0.75", specificity="0.80", auroc="0.95"), target_specificity="1")

        found = verdict(cases, gate)

        assert (found.result, found.reason, found.release) == (PROMOTE, Reason.RELEASED, True)
        assert (found.candidate.sensitivity, found.candidate.specificity) == ("0.750000", "0.800000")
        assert found.message == (
            "The candidate catches 3 of 4 high-risk cases and meets all floors: sensitivity 0.750 (floor 0.75), "
            "specificity 0.800 (floor 0.80), AUROC 0.950 (floor 0.95)."
        )

    def test_the_threshold_is_the_candidates_own_on_the_calibration_part(self) -> None:
        found = verdict(part([CAUGHT], [CLEARED]), LENIENT.model_copy(update={"target_specificity": "1"}))

        assert found.threshold == "0.450000001"

    def test_floors_do_not_stop_training_and_neither_do_lost_cases(self) -> None:
        found = verdict(part([(0.8, 0.3), (0.8, 0.3)], [(0.2, 0.2)]), Gate())

        assert (found.lost, found.gained) == (2, 0)
        assert (found.result, found.reason) == (PROMOTE, Reason.WARM_UP_PASSED)

    def test_a_model_that_scores_all_alike_is_not_released(self) -> None:
        alike = PartOfTestSet(np.array([True, False, False]), np.full(3, 0.5), np.full(3, 0.5))

        found = judge(alike, alike, Gate(floors=Floors(auroc="0.50")), None, MANIFEST).verdict

        assert (found.result, found.reason, found.candidate.sensitivity) == (PROMOTE, Reason.WARM_UP_PASSED, "0.000000")


class TestReleased:
    def test_as_many_gained_as_lost_is_promoted_and_released(self) -> None:
        found = verdict(part([CAUGHT, LOST, GAINED], [CLEARED]), frozen=released())

        assert (found.result, found.reason, found.release) == (PROMOTE, Reason.GATE_PASSED, True)
        assert (found.lost, found.gained, found.high_risk_cases, found.cases) == (1, 1, 3, 4)

    def test_the_frozen_threshold_stays(self) -> None:
        assert verdict(part([CAUGHT], [CLEARED]), frozen=released(threshold="0.512345678")).threshold == "0.512345678"

    def test_one_case_more_lost_than_gained_is_rolled_back(self) -> None:
        found = verdict(part([CAUGHT, LOST, LOST, GAINED], [CLEARED]), frozen=released())

        assert (found.result, found.reason, found.release) == (ROLL_BACK, Reason.HIGH_RISK_CASES_LOST, False)
        assert found.message == (
            "The candidate catches 2 of 4 high-risk cases, losing 2 that the incumbent catches and gaining 1 that "
            "the incumbent misses."
        )

    def test_a_lost_case_counts_even_where_the_candidate_is_better_on_all_else(self) -> None:
        found = verdict(part([LOST, CAUGHT], [ALARM_GONE] * 10), frozen=released())

        assert found.reason == Reason.HIGH_RISK_CASES_LOST

    def test_two_cases_below_the_best_version_are_allowed(self) -> None:
        gate = LENIENT.model_copy(update={"anchor": "0"})
        cases = part([CAUGHT] * 7 + [MISSED] * 3, [CLEARED])

        assert verdict(cases, gate, released(best_sensitivity="0.900000")).reason == Reason.GATE_PASSED
        found = verdict(cases, gate, released(best_sensitivity="1.000000"))
        assert (found.result, found.reason) == (ROLL_BACK, Reason.BELOW_ANCHOR)

    def test_the_anchor_decides_where_it_is_wider_than_two_cases(self) -> None:
        gate = LENIENT.model_copy(update={"anchor": "0.03"})
        cases = part([CAUGHT] * 87 + [MISSED] * 13, [CLEARED])

        assert verdict(cases, gate, released(best_sensitivity="0.900000")).reason == Reason.GATE_PASSED
        assert verdict(cases, gate, released(best_sensitivity="0.910000")).reason == Reason.BELOW_ANCHOR

    def test_the_best_sensitivity_is_not_spoiled_by_its_six_digits(self) -> None:
        gate = LENIENT.model_copy(update={"anchor": "0"})
        cases = part([CAUGHT] * 3 + [MISSED] * 3, [CLEARED])

        assert verdict(cases, gate, released(best_sensitivity="0.833334")).reason == Reason.GATE_PASSED

    @pytest.mark.parametrize(
        ("floors", "reason"),
        [
            (Floors(sensitivity="0.51", specificity="0", auroc="0"), Reason.SENSITIVITY_BELOW_FLOOR),
            (Floors(sensitivity="0", specificity="0.76", auroc="0"), Reason.SPECIFICITY_BELOW_FLOOR),
            (Floors(sensitivity="0", specificity="0", auroc="0.88"), Reason.AUROC_BELOW_FLOOR),
            (Floors(sensitivity="0.51", specificity="0.76", auroc="0.88"), Reason.SENSITIVITY_BELOW_FLOOR),
        ],
    )
    def test_floors_hold_although_the_incumbent_is_below_them_too(self, floors: Floors, reason: Reason) -> None:
        cases = part([CAUGHT, MISSED], [CLEARED, CLEARED, CLEARED, ALARM])

        found = verdict(cases, LENIENT.model_copy(update={"floors": floors}), released())

        assert (found.result, found.reason) == (ROLL_BACK, reason)

    def test_a_floor_that_is_just_met_holds(self) -> None:
        floors = Floors(sensitivity="0.5", specificity="0.75", auroc="0.875")
        cases = part([CAUGHT, MISSED], [CLEARED, CLEARED, CLEARED, ALARM])

        assert verdict(cases, LENIENT.model_copy(update={"floors": floors}), released()).reason == Reason.GATE_PASSED

    def test_a_drop_of_specificity_that_is_just_allowed_is_promoted(self) -> None:
        gate = LENIENT.model_copy(update={"max_drop": MaxDrop(specificity="0.05", auroc="1")})

        assert verdict(part([CAUGHT], [CLEARED] * 19 + [NEW_ALARM]), gate, released()).reason == Reason.GATE_PASSED
        found = verdict(part([CAUGHT], [CLEARED] * 18 + [NEW_ALARM] * 2), gate, released())
        assert (found.result, found.reason) == (ROLL_BACK, Reason.SPECIFICITY_DROPPED)
        assert found.message == (
            "Specificity falls from 1.000 to 0.900 (2 more false alarms in 20 cases); a drop of 0.05 is allowed."
        )

    def test_a_drop_from_four_fifths_to_three_quarters_is_exactly_the_allowed_one(self) -> None:
        """In floating point it is more: 0.8 - 0.75 > 0.05."""
        gate = LENIENT.model_copy(update={"max_drop": MaxDrop(specificity="0.05", auroc="1")})
        others = [CLEARED] * 15 + [ALARM] * 4 + [NEW_ALARM]

        assert verdict(part([CAUGHT], others), gate, released()).reason == Reason.GATE_PASSED

    def test_a_drop_of_auroc_beyond_the_allowed_one_is_rolled_back(self) -> None:
        gate = LENIENT.model_copy(update={"max_drop": MaxDrop(specificity="1", auroc="0.02")})

        assert verdict(part([CAUGHT], [CLEARED] * 49 + [(0.2, 0.9)]), gate, released()).reason == Reason.GATE_PASSED
        found = verdict(part([CAUGHT], [CLEARED] * 48 + [(0.2, 0.9)] * 2), gate, released())
        assert (found.result, found.reason) == (ROLL_BACK, Reason.AUROC_DROPPED)
        assert found.message == "AUROC falls from 1.000 to 0.960; a drop of 0.02 is allowed."

    def test_missed_cases_are_named_before_anything_else(self) -> None:
        gate = Gate(floors=Floors(sensitivity="1", specificity="1", auroc="1"))

        found = verdict(part([LOST] * 5, [NEW_ALARM]), gate, released(best_sensitivity="1"))

        assert found.reason == Reason.HIGH_RISK_CASES_LOST


class TestWhatCannotBeJudged:
    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    @pytest.mark.parametrize("model", ["candidate", "incumbent"])
    @pytest.mark.parametrize("where", ["calibration", "gate"])
    def test_a_score_that_is_no_number_is_refused(self, value: float, model: str, where: str) -> None:
        scores = {"candidate": np.array([0.9, 0.1]), "incumbent": np.array([0.9, 0.1])}
        sound = PartOfTestSet(np.array([True, False]), **scores)
        spoiled = PartOfTestSet(np.array([True, False]), **{**scores, model: np.array([value, 0.1])})
        parts = (spoiled, sound) if where == "calibration" else (sound, spoiled)

        with pytest.raises(ScoresNotFinite, match=model):
            judge(*parts, LENIENT, None, MANIFEST)

    @pytest.mark.parametrize("high_risk", [[True, True], [False, False]])
    def test_a_part_with_one_kind_of_case_is_refused(self, high_risk: list[bool]) -> None:
        scores = np.array([0.9, 0.1])

        with pytest.raises(CasesUnusable, match="gate part"):
            judge(CALIBRATION, PartOfTestSet(np.array(high_risk), scores, scores), LENIENT, None, MANIFEST)

    def test_missing_scores_are_refused(self) -> None:
        cases = PartOfTestSet(np.array([True, False]), np.array([0.9]), np.array([0.9, 0.1]))

        with pytest.raises(CasesUnusable, match="candidate has 1 scores for 2 cases"):
            judge(CALIBRATION, cases, LENIENT, None, MANIFEST)

    def test_a_threshold_that_is_no_number_is_refused(self) -> None:
        with pytest.raises(CasesUnusable, match="threshold"):
            verdict(part([CAUGHT], [CLEARED]), frozen=released(threshold="nan"))


GRID = st.sampled_from([0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0])
ROWS = st.lists(st.tuples(st.booleans(), GRID, GRID), min_size=2, max_size=30).filter(
    lambda rows: len({high_risk for high_risk, _, _ in rows}) == 2
)
PERCENT = st.integers(0, 100).map(lambda n: f"{n / 100:.2f}")
GATES = st.builds(
    Gate,
    floors=st.builds(Floors, sensitivity=PERCENT, specificity=PERCENT, auroc=PERCENT),
    max_drop=st.builds(MaxDrop, specificity=PERCENT, auroc=PERCENT),
    anchor=PERCENT,
)


def oracle(rows: list[tuple[bool, float, float]], gate: Gate, best: Decimal) -> bool:
    """Whether a candidate may follow a released version at a threshold of 0.5, in whole numbers."""
    sick = [(old >= 0.5, new >= 0.5) for high_risk, old, new in rows if high_risk]
    well = [(old < 0.5, new < 0.5) for high_risk, old, new in rows if not high_risk]
    caught = sum(new for _, new in sick)
    cleared_old, cleared_new = sum(old for old, _ in well), sum(new for _, new in well)
    pairs = [(p, n) for p in rows if p[0] for n in rows if not n[0]]
    rank_old = sum(2 * (p[1] > n[1]) + (p[1] == n[1]) for p, n in pairs)
    rank_new = sum(2 * (p[2] > n[2]) + (p[2] == n[2]) for p, n in pairs)

    def hundredths(text: str) -> int:
        return int(Decimal(text) * 100)

    best_caught = int((best * len(sick)).to_integral_value())
    return (
        sum(old and not new for old, new in sick) <= sum(new and not old for old, new in sick)
        and (best_caught - caught <= 2 or 100 * (best_caught - caught) <= hundredths(gate.anchor) * len(sick))
        and 100 * caught >= hundredths(gate.floors.sensitivity) * len(sick)
        and 100 * cleared_new >= hundredths(gate.floors.specificity) * len(well)
        and 100 * rank_new >= hundredths(gate.floors.auroc) * 2 * len(pairs)
        and 100 * (cleared_old - cleared_new) <= hundredths(gate.max_drop.specificity) * len(well)
        and 100 * (rank_old - rank_new) <= hundredths(gate.max_drop.auroc) * 2 * len(pairs)
    )


@settings(max_examples=400)
@given(ROWS, GATES, st.data())
def test_the_gate_promotes_exactly_what_the_oracle_promotes(
    rows: list[tuple[bool, float, float]], gate: Gate, data: st.DataObject
) -> None:
    high_risk_cases = sum(high_risk for high_risk, _, _ in rows)
    best = round(Decimal(data.draw(st.integers(0, high_risk_cases))) / high_risk_cases, 6)
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    cases = PartOfTestSet(high_risk=columns[0], incumbent=columns[1], candidate=columns[2])

    found = judge(CALIBRATION, cases, gate, Frozen("0.5", Fraction(best)), MANIFEST).verdict

    assert (found.result is PROMOTE) == oracle(rows, gate, best)
    assert found.release == (found.result is PROMOTE)
    assert len(found.message) <= 512


@given(ROWS, GATES)
def test_a_candidate_equal_to_the_incumbent_is_never_called_worse(
    rows: list[tuple[bool, float, float]], gate: Gate
) -> None:
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    same = PartOfTestSet(high_risk=columns[0], incumbent=columns[1], candidate=columns[1])

    found = judge(CALIBRATION, same, gate, Frozen("0.5", Fraction(0)), MANIFEST).verdict

    assert found.reason not in (Reason.HIGH_RISK_CASES_LOST, Reason.SPECIFICITY_DROPPED, Reason.AUROC_DROPPED)
    assert (found.lost, found.gained) == (0, 0)


@given(ROWS, GATES)
def test_without_a_release_only_a_lower_auroc_is_rolled_back(rows: list[tuple[bool, float, float]], gate: Gate) -> None:
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    cases = PartOfTestSet(high_risk=columns[0], incumbent=columns[1], candidate=columns[2])

    found = judge(CALIBRATION, cases, gate, None, MANIFEST).verdict

    lower = Decimal(found.candidate.auroc) < Decimal(found.incumbent.auroc)
    assert (found.result is ROLL_BACK) == lower
    floors, candidate = gate.floors, found.candidate
    meets = all(
        Fraction(getattr(candidate, name)) >= Fraction(getattr(floors, name)) - Fraction(1, 10**6)
        for name in ("sensitivity", "specificity", "auroc")
    )
    assert found.release <= meets
