"""Before a round starts: possible? free? enough clinics? and by when."""

from typing import Any

import pytest

from fedround_api.kinds import RoundPhase
from fedround_operator.hub.actions import WriteModel
from support.hub_builders import RoundBuilder, kinds_of, make_round, need_condition, outcome


def with_busy_model(**spec: Any) -> RoundBuilder:
    other = {"name": "skin-2026-w47", "uid": "0a0b0c0d-0000-4000-8000-000000000000"}
    return make_round(**spec).model_status(activeRound=other)


def with_one_clinic_there(**spec: Any) -> RoundBuilder:
    return make_round(**spec).clinic_is("north", available=False).clinic_is("south", available=False)


def test_an_unknown_model_is_not_accepted() -> None:
    decision = make_round().without_model().decide()

    assert outcome(decision, "Accepted") == ("False", "ModelNotFound")
    assert "'skin-lesion'" in need_condition(decision, "Accepted").message
    assert decision.status.phase is RoundPhase.PENDING
    assert decision.actions == ()


@pytest.mark.parametrize(("clinics", "words"), [(1, "1 clinic matches"), (2, "2 clinics match")])
def test_a_minimum_above_the_number_of_clinics_is_not_accepted(clinics: int, words: str) -> None:
    decision = make_round(clinics=clinics, minimum=3).decide()

    assert outcome(decision, "Accepted") == ("False", "TooFewClinics")
    message = need_condition(decision, "Accepted").message
    assert message == f"spec.clinics.minimum is 3, and {words} the selector without being suspended"


def test_a_suspended_clinic_is_not_asked() -> None:
    decision = make_round(clinics=3, minimum=3).clinic_is("north", suspended=True).decide()

    assert outcome(decision, "Accepted") == ("False", "TooFewClinics")


def test_only_clinics_with_all_labels_of_the_selector_are_asked() -> None:
    selector = {"minimum": 2, "selector": {"matchLabels": {"region": "ontario", "tier": "1"}}}
    built = make_round(clinics=3).spec(clinics=selector)
    for name in ("east", "south"):
        built.clinic_is(name, labels={"region": "ontario", "tier": "1", "more": "x"})
    built.clinic_is("north", labels={"region": "ontario", "tier": "2"})

    decision = built.claimed().decide()

    assert [participant.name for participant in decision.status.participants] == ["east", "south"]


def test_a_model_without_a_checkpoint_is_waited_for() -> None:
    decision = make_round().model_status(current=None).decide()

    assert outcome(decision) == ("Unknown", "ModelNotReady")
    assert outcome(decision, "Accepted") == ("True", "Accepted")


def test_a_busy_model_is_waited_for_without_a_deadline() -> None:
    decision = with_busy_model().decide()

    assert outcome(decision) == ("Unknown", "ModelBusy")
    assert "skin-2026-w47" in need_condition(decision).message
    assert decision.status.start_deadline_at is None
    assert with_busy_model().at(days=30).decide().status.completed_at is None


def test_the_deadline_to_start_begins_when_the_model_is_free() -> None:
    built = with_busy_model().then().model_status(activeRound=None).clinic_is("north", available=False)
    built.clinic_is("south", available=False)

    decision = built.at(hours=5).decide()

    assert outcome(decision) == ("Unknown", "WaitingForClinics")
    assert decision.status.start_deadline_at == "2026-11-24T17:30:00Z"


def test_clinics_that_are_silent_are_waited_for_by_name() -> None:
    decision = with_one_clinic_there().decide()

    assert outcome(decision) == ("Unknown", "WaitingForClinics")
    assert need_condition(decision).message == ("1 of at least 2 clinics are available; not available: north, south")
    assert decision.status.start_deadline_at == "2026-11-24T12:30:00Z"


def test_a_clinic_that_has_declared_no_case_volume_is_not_available() -> None:
    decision = make_round(clinics=2).clinic_is("north", case_volume=None).decide()

    assert outcome(decision) == ("Unknown", "WaitingForClinics")


def test_the_deadline_to_start_is_kept_in_every_later_step() -> None:
    built = with_one_clinic_there().then()

    for minutes in (1, 10, 29):
        built.at(minutes=minutes).then()

    assert built.round["status"]["startDeadlineAt"] == "2026-11-24T12:30:00Z"


@pytest.mark.parametrize("built", [with_one_clinic_there(), make_round().without_model(), make_round(minimum=9)])
def test_a_round_that_cannot_start_by_its_deadline_fails_and_says_why(built: RoundBuilder) -> None:
    cause = need_condition(built.decide()).message

    decision = built.then().at(minutes=30).decide()

    assert outcome(decision) == ("False", "StartDeadlinePassed")
    assert decision.status.completed_at == "2026-11-24T12:30:00Z"
    assert decision.status.phase is RoundPhase.FAILED
    assert need_condition(decision).message.endswith(cause)


def test_a_round_is_looked_at_again_when_its_deadline_is_near_and_at_the_latest_after_half_a_minute() -> None:
    built = with_one_clinic_there().then()

    assert built.at(minutes=29, seconds=50).decide().again_seconds == 10.0
    assert built.at(minutes=1).decide().again_seconds == 30.0


def test_first_the_model_is_taken_and_nothing_starts() -> None:
    decision = make_round().decide()

    (action,) = decision.actions
    assert isinstance(action, WriteModel)
    assert action.status.active_round is not None
    assert action.status.active_round.name == "skin-2026-w48"
    assert decision.status.started_at is None
    assert decision.again_seconds == 0.0


def test_a_round_that_holds_the_model_starts_with_the_clinics_that_are_there() -> None:
    decision = make_round(clinics=4).clinic_is("south", available=False, case_volume=7).claimed().decide()

    status = decision.status
    assert [(one.name, one.state, one.case_volume) for one in status.participants] == [
        ("east", "Invited", 1000),
        ("north", "Invited", 1000),
        ("west", "Invited", 1000),
    ]
    assert status.base is not None
    assert (status.base.version, status.base.digest) == (3, "ba5e" * 16)
    assert (status.started_at, status.training_deadline_at) == ("2026-11-24T12:00:00Z", "2026-11-24T20:00:00Z")
    assert status.start_deadline_at is None
    assert (status.phase, status.participation) == (RoundPhase.TRAINING, "0/3")
    assert outcome(decision, "Started") == ("True", "Started")
    assert decision.actions == ()


def test_a_round_with_more_clinics_than_its_status_can_hold_starts_with_the_first_hundred() -> None:
    built = make_round(clinics=0).claimed()
    for number in range(130):
        built.clinic_is(f"clinic-{number:03d}")

    participants = built.decide().status.participants

    assert len(participants) == 100
    assert participants[-1].name == "clinic-099"


def test_a_round_says_that_its_updates_are_not_protected() -> None:
    decision = make_round().decide()

    assert outcome(decision, "UpdatesProtected") == ("False", "NeitherNoisedNorMasked")
    assert "the hub can read each clinic's update" in need_condition(decision, "UpdatesProtected").message


def test_a_cancelled_round_fails_before_it_starts() -> None:
    decision = make_round(cancel=True).decide()

    assert outcome(decision) == ("False", "Cancelled")
    assert kinds_of(decision.actions) == []


def test_a_suspended_round_does_not_start_and_its_deadline_waits() -> None:
    built = with_one_clinic_there().then().spec(suspend=True).at(minutes=10).then()

    suspended = built.at(hours=5).decide()
    assert (suspended.status.phase, outcome(suspended)) == (RoundPhase.SUSPENDED, ("Unknown", "Suspended"))
    assert suspended.status.suspended_at == "2026-11-24T12:10:00Z"

    resumed = built.then().spec(suspend=False).decide()
    assert resumed.status.suspended_at is None
    assert resumed.status.start_deadline_at == "2026-11-24T17:20:00Z"
    assert resumed.again_seconds == 0.0
