"""While clinics train: parts handed out, updates counted, training closed in time."""

import pytest

from fedround_api.kinds import RoundPhase
from fedround_operator.hub.actions import ChangePart, MakePart
from support.builders import BASE_DIGEST
from support.hub_builders import FAILED, NOT_ASKED, SUBMITTED, WORKING, make_round, need_condition, outcome

OLD_URLS = {
    "checkpoint": "https://gateway/a",
    "update": "https://gateway/b",
    "signedAt": "2026-11-24T12:00:00Z",
    "expiresAt": "2026-11-24T13:00:00Z",
}


def test_every_clinic_without_a_part_gets_one() -> None:
    decision = make_round(clinics=3).training().clinic("east", NOT_ASKED).clinic("south", NOT_ASKED).decide()

    assert decision.actions == (MakePart("east"), MakePart("south"))
    assert [one.state for one in decision.status.participants] == ["Invited", "Training", "Invited"]


def test_what_clinics_have_submitted_is_counted_and_kept() -> None:
    decision = make_round(clinics=3).training().clinic("north", SUBMITTED, cases=384).decide()

    status = decision.status
    assert status.participation == "1/3"
    assert status.phase is RoundPhase.TRAINING
    north = status.participants[1]
    assert (north.state, north.cases, north.update_digest, north.update_bytes) == (
        "Submitted",
        384,
        "0dd5" * 16,
        770_100,
    )


def test_training_waits_for_all_while_there_is_time() -> None:
    decision = make_round(clinics=3, minimum=2).training().clinic("north", SUBMITTED).clinic("east", SUBMITTED).decide()

    assert decision.status.training_closed_at is None


def test_training_closes_when_all_have_submitted() -> None:
    built = make_round(clinics=2).training().clinic("north", SUBMITTED).clinic("east", SUBMITTED)

    decision = built.at(hours=1).decide()

    assert decision.status.training_closed_at == "2026-11-24T13:00:00Z"
    assert decision.status.session_deadline_at == "2026-11-24T13:15:00Z"
    assert outcome(decision, "QuorumReached") == ("True", "QuorumMet")
    assert decision.status.phase is RoundPhase.AGGREGATING
    assert decision.again_seconds == 0.0


def test_a_failed_clinic_is_not_waited_for() -> None:
    built = make_round(clinics=3).training().clinic("north", FAILED)

    decision = built.clinic("east", SUBMITTED).clinic("south", SUBMITTED).decide()

    assert decision.status.training_closed_at is not None
    assert [(one.state, one.reason) for one in decision.status.participants] == [
        ("Submitted", None),
        ("Failed", "NoRecentCases"),
        ("Submitted", None),
    ]


def test_a_round_fails_as_soon_as_the_minimum_is_out_of_reach() -> None:
    decision = make_round(clinics=3, minimum=2).training().clinic("north", FAILED).clinic("south", FAILED).decide()

    assert outcome(decision) == ("False", "QuorumNotMet")
    assert need_condition(decision).message == (
        "0 of at least 2 clinics submitted an update; missing: "
        "east (not done in time), north (NoRecentCases), south (NoRecentCases)"
    )
    assert [one.state for one in decision.status.participants] == ["Training", "Failed", "Failed"]


def test_at_the_deadline_training_closes_with_a_quorum_and_the_others_are_late() -> None:
    built = make_round(clinics=4, minimum=2).training().clinic("north", SUBMITTED).clinic("east", SUBMITTED)

    decision = built.clinic("west", NOT_ASKED).at(hours=8).decide()

    assert decision.status.training_closed_at == "2026-11-24T20:00:00Z"
    assert [one.state for one in decision.status.participants] == ["Submitted", "Submitted", "Late", "Late"]


def test_at_the_deadline_a_round_without_a_quorum_fails() -> None:
    built = make_round(clinics=3, minimum=2).training().clinic("north", SUBMITTED)

    assert built.at(hours=7, minutes=59).decide().status.completed_at is None
    assert outcome(built.at(hours=8).decide()) == ("False", "QuorumNotMet")


def test_an_update_that_is_larger_than_the_model_can_be_is_refused() -> None:
    built = make_round(clinics=3).training().clinic("north", SUBMITTED, updateBytes=770_000 + 65_537)

    north = built.decide().status.participants[1]

    assert (north.state, north.reason, north.update_digest) == ("Failed", "TooLarge", None)
    built.clinic("north", SUBMITTED, updateBytes=770_000 + 65_536)
    assert built.decide().status.participants[1].state == "Submitted"


def test_a_success_without_a_result_is_none() -> None:
    built = make_round(clinics=2).training().clinic("north", SUBMITTED)
    del built.parts["north"]["status"]["result"]

    assert built.decide().status.participants[1].state == "Failed"


def test_urls_are_signed_anew_at_two_thirds_of_their_life() -> None:
    built = make_round(clinics=1, minimum=1).training().clinic("east", WORKING, spec={"urls": OLD_URLS})

    assert built.at(minutes=39, seconds=50).decide().actions == ()
    assert built.at(minutes=39, seconds=50).decide().again_seconds == 10.0
    assert built.at(minutes=40).decide().actions == (ChangePart("east", {}, fresh_urls=True),)


def test_urls_that_were_signed_with_other_keys_are_signed_anew_at_once() -> None:
    built = make_round(clinics=2).training().clinic("north", SUBMITTED)
    built.outdated = {"east", "north"}

    assert built.at(minutes=1).decide().actions == (ChangePart("east", {}, fresh_urls=True),)


def test_the_urls_of_a_clinic_that_has_ended_are_left_alone() -> None:
    built = make_round(clinics=2, minimum=1).training().clinic("north", SUBMITTED, spec={"urls": OLD_URLS})

    assert all(action != ChangePart("north", {}, fresh_urls=True) for action in built.at(minutes=50).decide().actions)


def test_a_suspended_round_tells_the_clinics_and_makes_no_new_part_start() -> None:
    built = make_round(clinics=2).training().spec(suspend=True)

    decision = built.decide()

    assert decision.status.phase is RoundPhase.SUSPENDED
    assert decision.actions == (ChangePart("east", {"suspended": True}), ChangePart("north", {"suspended": True}))


def test_a_resumed_round_moves_its_deadline_and_tells_the_clinics() -> None:
    built = make_round(clinics=1, minimum=1).training().spec(suspend=True).at(hours=1).then()
    built.clinic("east", WORKING, spec={"suspended": True}).spec(suspend=False).at(hours=10).then()

    assert built.round["status"]["trainingDeadlineAt"] == "2026-11-25T05:00:00Z"
    (action,) = built.decide().actions
    assert isinstance(action, ChangePart)
    assert (action.clinic, action.spec) == (
        "east",
        {"suspended": False, "deadlineAt": "2026-11-25T05:00:00Z"},
    )


def test_a_round_that_is_suspended_past_its_deadline_does_not_fail_and_its_clinics_are_told() -> None:
    built = make_round(clinics=1, minimum=1).training().spec(suspend=True).at(hours=1).then()

    decision = built.at(hours=20).decide()

    assert decision.status.completed_at is None
    assert decision.actions != ()


@pytest.mark.parametrize("state", [WORKING, SUBMITTED, FAILED])
def test_a_cancelled_round_ends_and_then_closes_the_clinics_that_work(state: str) -> None:
    built = make_round(clinics=1, minimum=1).training().clinic("east", state).spec(cancel=True)

    assert outcome(built.decide()) == ("False", "Cancelled")
    closing = [action for action in built.then().decide().actions if isinstance(action, ChangePart)]
    assert closing == ([ChangePart("east", {"closed": True})] if state == WORKING else [])


def test_a_model_that_was_deleted_ends_the_round() -> None:
    assert outcome(make_round().training().without_model().decide()) == ("False", "ModelNotFound")


def test_a_round_trains_on_from_its_base_when_the_model_has_moved() -> None:
    newer = {"version": 4, "digest": "4444" * 16, "bytes": 1, "promotedAt": "2026-11-24T12:00:00Z"}

    decision = make_round().training().model_status(current=newer).decide()

    assert decision.status.base is not None
    assert decision.status.base.digest == BASE_DIGEST


def test_a_quorum_is_the_minimum_and_no_more() -> None:
    built = make_round(clinics=3, minimum=2).training().clinic("north", FAILED)

    decision = built.clinic("east", SUBMITTED).clinic("south", SUBMITTED).at(hours=8).decide()

    assert outcome(decision, "QuorumReached") == ("True", "QuorumMet")
    assert need_condition(decision, "QuorumReached").message == ("2 of 3 clinics submitted an update; at least 2 must")


REVOKED = {
    "sha256": "ce" * 32,
    "keySha256": "ab" * 32,
    "issuedAt": "2026-01-01T00:00:00Z",
    "expiresAt": "2027-01-01T00:00:00Z",
    "revoked": True,
    "pem": "PEM",
}


@pytest.mark.parametrize("state", [NOT_ASKED, WORKING, SUBMITTED])
def test_a_clinic_that_is_revoked_while_it_trains_counts_for_nothing_and_is_asked_for_nothing(state: str) -> None:
    built = make_round(clinics=3, minimum=2).training().clinic("north", state, spec={"urls": OLD_URLS})
    built.clinics["north"]["spec"] = {"suspended": True, "certificates": [REVOKED]}

    decision = built.clinic("east", SUBMITTED).clinic("south", WORKING).at(minutes=50).decide()

    north = decision.status.participants[1]
    assert (north.state, north.reason) == ("Failed", "CertificateRevoked")
    assert decision.status.participation == "1/3"
    assert all(getattr(action, "clinic", None) != "north" for action in decision.actions)
    assert outcome(built.clinic("south", SUBMITTED).decide(), "QuorumReached") == ("True", "QuorumMet")
