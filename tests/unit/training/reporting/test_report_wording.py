"""Numbers and words of the page."""

import pytest

from fedround_api.kinds.federated_round import ParticipantState
from fedround_api.report import Bound, Decides, Figure, Guard, GuardName, ParticipantRow, Unit
from fedround_training.reporting import wording
from support.report_inputs import make_report

REPORT = make_report()


def guard(name: GuardName, limit: float, found: float, bound: Bound = Bound.AT_LEAST, **changes: object) -> Guard:
    holds = found >= limit if bound is Bound.AT_LEAST else found <= limit
    unit = Unit.CASES if name in (GuardName.ANCHOR, GuardName.HIGH_RISK_CASES) else Unit.SHARE
    made = Guard(name=name, decides=Decides.PROMOTION, bound=bound, unit=unit, limit=limit, found=found, holds=holds)
    return made.model_copy(update=changes)


def told(one: Guard) -> tuple[str, str, str]:
    words = wording.guard_words(one)
    return words.demand, words.found, words.result


@pytest.mark.parametrize(
    ("found", "want"),
    [
        (0.85, ("at least 0.800", "0.850", "holds")),
        (0.8, ("at least 0.800", "0.800", "holds")),
        (0.7999, ("at least 0.800", "0.799", "fails: prevents the promotion")),
        (0.799999999, ("at least 0.800", "0.799", "fails: prevents the promotion")),
    ],
)
def test_a_floor_that_is_missed_by_a_hair_is_not_shown_as_met(found: float, want: tuple[str, str, str]) -> None:
    assert told(guard(GuardName.SENSITIVITY_FLOOR, 0.8, found)) == want


def test_as_many_digits_are_shown_as_it_takes_to_see_that_an_auroc_is_lower() -> None:
    assert told(guard(GuardName.WARM_UP_AUROC, 0.71238, 0.71234)) == (
        "AUROC at least 0.71238, as the incumbent has",
        "0.71234",
        "fails: prevents the promotion",
    )


@pytest.mark.parametrize(
    ("found", "want"),
    [
        (0.0500001, ("at most 0.050", "0.051", "fails: prevents the promotion")),
        (0.05, ("at most 0.050", "0.050", "holds")),
        (0.0, ("at most 0.050", "no fall", "holds")),
        (-0.0009, ("at most 0.050", "no fall", "holds")),
        (-0.012, ("at most 0.050", "no fall (rises by 0.012)", "holds")),
    ],
)
def test_a_fall_is_told_and_a_rise_is_no_fall(found: float, want: tuple[str, str, str]) -> None:
    assert told(guard(GuardName.SPECIFICITY_DROP, 0.05, found, Bound.AT_MOST)) == want


@pytest.mark.parametrize(
    ("limit", "found", "want"),
    [
        (2.0, 3.0, ("at most 2 fewer", "3 fewer", "fails: prevents the promotion")),
        (2.4, 2.0, ("at most 2.4 fewer", "2 fewer", "holds")),
        (2.0, 0.0, ("at most 2 fewer", "none fewer", "holds")),
        (2.0, -4.0, ("at most 2 fewer", "none fewer (4 more)", "holds")),
    ],
)
def test_the_distance_to_the_best_version_is_told_in_cases(limit: float, found: float, want: tuple[str, ...]) -> None:
    assert told(guard(GuardName.ANCHOR, limit, found, Bound.AT_MOST)) == want


def test_a_guard_of_the_release_says_that_it_prevents_only_that() -> None:
    one = guard(GuardName.AUROC_FLOOR, 0.85, 0.8, decides=Decides.RELEASE)

    assert told(one) == ("at least 0.850", "0.800", "fails: prevents the release for use")


@pytest.mark.parametrize("name", GuardName)
def test_every_guard_has_words(name: GuardName) -> None:
    assert all(told(guard(name, 1.0, 1.0)))


@pytest.mark.parametrize(
    ("seconds", "want"),
    [
        (0.04, "0.0 s"),
        (9.9, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (134.0, "2 min 14 s"),
        (3599.6, "1 h 0 min"),
        (7260.0, "2 h 1 min"),
        (None, "not known: the clocks of hub and Job disagree"),
    ],
)
def test_durations_are_told_as_people_say_them(seconds: float | None, want: str) -> None:
    assert wording.duration(seconds) == want


def test_a_figure_is_cut_off_and_never_rounded_up_to_a_floor() -> None:
    assert wording.shown(0.6999) == "0.699"


@pytest.mark.parametrize(("old", "new", "want"), [(0.9, 0.764705, "−0.136"), (0.7, 0.91, "+0.210"), (0.8, 0.8, "none")])
def test_a_change_has_its_sign(old: float, new: float, want: str) -> None:
    assert wording.change(Figure(value=old, low=0, high=1), Figure(value=new, low=0, high=1)) == want


def test_one_case_is_a_case() -> None:
    assert (wording.cases(1), wording.cases(0), wording.cases(1200)) == ("1 case", "0 cases", "1,200 cases")


@pytest.mark.parametrize("state", ParticipantState)
def test_every_state_of_a_clinic_has_words(state: ParticipantState) -> None:
    row = ParticipantRow(name="north", state=state)

    assert wording.participant_words(row, REPORT).state


def test_a_reason_that_this_version_does_not_know_stands_for_itself() -> None:
    row = ParticipantRow(name="north", state=ParticipantState.FAILED, reason="SunSpots")

    assert wording.participant_words(row, REPORT).state == "failed: SunSpots"
