"""From updates to a candidate, from a candidate to a verdict, from a verdict to the end of the round."""

from typing import Any

import pytest

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import Role
from fedround_api.kinds import FederatedModelStatus, RoundPhase
from fedround_api.reasons import Reason
from fedround_operator.hub.actions import ChangePart, MakeJob, RemoveJob, WriteModel
from fedround_operator.hub.decision import Decision
from support.builders import BASE_DIGEST
from support.hub_builders import (
    CANDIDATE_DIGEST,
    ROLL_BACK,
    ROUND_UID,
    RUNNING,
    WORKING,
    RoundBuilder,
    kinds_of,
    make_round,
    need_condition,
    outcome,
    released,
    verdict,
)

CANDIDATE = {"digest": CANDIDATE_DIGEST, "bytes": 770_000}
OURS = {
    "version": 4,
    "round": "skin-2026-w48",
    "roundUid": ROUND_UID,
    "promotedAt": "2026-11-24T12:00:00Z",
    **CANDIDATE,
}


def made_jobs(decision: Decision) -> list[str]:
    return [action.manifest["metadata"]["name"] for action in decision.actions if isinstance(action, MakeJob)]


def written(decision: Decision) -> FederatedModelStatus:
    (action,) = decision.actions
    assert isinstance(action, WriteModel)
    return action.status


def stage(role: Role) -> RoundBuilder:
    return make_round().aggregating() if role is Role.AGGREGATE else make_round().validating()


STAGES = pytest.mark.parametrize(("role", "condition"), [(Role.AGGREGATE, "Aggregated"), (Role.VALIDATE, "Validated")])


@STAGES
def test_a_stage_begins_with_its_job_and_counts_it(role: Role, condition: str) -> None:
    decision = stage(role).decide()

    assert made_jobs(decision) == [f"skin-2026-w48-{role}-5a6b7c8d-a1"]
    assert getattr(decision.status.attempts, "aggregate" if role is Role.AGGREGATE else "validate_") == 1


@STAGES
def test_a_running_job_is_waited_for(role: Role, condition: str) -> None:
    decision = stage(role).job(role, 1, RUNNING).decide()

    assert decision.actions == ()
    assert decision.again_seconds == 30.0


@STAGES
def test_a_store_that_was_away_is_tried_again_after_a_pause(role: Role, condition: str) -> None:
    built = stage(role).job(role, 1, ExitCode.STORE_UNAVAILABLE)

    assert built.at(seconds=0.25).decide().again_seconds == 0.75
    assert made_jobs(built.at(seconds=0.25).decide()) == []
    assert made_jobs(built.at(seconds=1).decide()) == [f"skin-2026-w48-{role}-5a6b7c8d-a2"]


@STAGES
@pytest.mark.parametrize(
    "code", [ExitCode.DIGEST_MISMATCH, ExitCode.NOT_SAFETENSORS, ExitCode.WRONG_SHAPE, ExitCode.NOT_FINITE]
)
def test_a_bad_update_ends_the_round_with_clinic_and_cause(role: Role, condition: str, code: ExitCode) -> None:
    report = {"exitCode": int(code), "clinic": "north", "message": "layer1.weight"}

    decision = stage(role).job(role, 1, report).decide()

    assert outcome(decision, condition) == ("False", code.reason)
    assert outcome(decision) == ("False", code.reason)
    assert (
        need_condition(decision).message
        == need_condition(decision, condition).message
        == ("clinic north: layer1.weight")
    )
    assert decision.status.phase is RoundPhase.FAILED
    assert decision.actions == ()


@STAGES
def test_a_bad_update_without_words_is_explained_by_its_reason(role: Role, condition: str) -> None:
    decision = stage(role).job(role, 1, {"exitCode": 81, "clinic": "north"}).decide()

    assert need_condition(decision, condition).message == (
        "clinic north: A tensor holds NaN or infinity. "
        "Train with a lower learning rate; a checkpoint of your own may be broken: make it anew."
    )


@STAGES
def test_after_eight_attempts_the_round_is_given_up(role: Role, condition: str) -> None:
    decision = stage(role).job(role, 8, ExitCode.KILLED).at(minutes=5).decide()

    assert outcome(decision) == ("False", "JobKilled")


@STAGES
def test_a_stage_that_is_not_done_by_its_deadline_fails(role: Role, condition: str) -> None:
    minutes = 15 if role is Role.AGGREGATE else 30
    built = stage(role).job(role, 1, RUNNING)

    assert built.at(minutes=minutes - 0.1).decide().status.completed_at is None
    decision = built.at(minutes=minutes).decide()
    assert outcome(decision) == ("False", "DeadlinePassed")
    assert outcome(decision, condition) == ("False", "DeadlinePassed")
    assert made_jobs(stage(role).at(minutes=minutes).decide()) == []


@STAGES
def test_a_success_that_comes_just_after_the_deadline_is_taken(role: Role, condition: str) -> None:
    report = CANDIDATE if role is Role.AGGREGATE else {"verdict": verdict()}

    decision = stage(role).job(role, 1, report).at(hours=1).decide()

    assert outcome(decision, condition) == ("True", "Completed")


@STAGES
def test_a_success_that_does_not_say_what_it_owes_ends_the_round(role: Role, condition: str) -> None:
    decision = stage(role).job(role, 1, {"message": "done"}).decide()

    assert outcome(decision, condition) == ("False", "ReportMissing")


@STAGES
def test_clinics_that_still_work_are_closed_before_the_job_is_made(role: Role, condition: str) -> None:
    decision = stage(role).clinic("north", WORKING).decide()

    assert kinds_of(decision.actions) == ["ChangePart", "MakeJob"]
    assert decision.actions[0] == ChangePart("north", {"closed": True})
    closed = stage(role).clinic("north", WORKING, spec={"closed": True}).decide()
    assert kinds_of(closed.actions) == ["MakeJob"]


@STAGES
def test_a_suspended_stage_makes_no_job_and_its_deadline_waits(role: Role, condition: str) -> None:
    built = stage(role).at(minutes=5).spec(suspend=True).then()
    assert built.at(hours=3).decide().actions == ()

    resumed = built.spec(suspend=False).then().decide()

    assert made_jobs(resumed) == [f"skin-2026-w48-{role}-5a6b7c8d-a1"]
    name = "sessionDeadlineAt" if role is Role.AGGREGATE else "validationDeadlineAt"
    end = "2026-11-24T15:10:00Z" if role is Role.AGGREGATE else "2026-11-24T15:25:00Z"
    assert built.round["status"][name] == end


def test_the_candidate_is_taken_and_validation_begins() -> None:
    decision = make_round().aggregating().job(Role.AGGREGATE, 1, CANDIDATE).at(minutes=1).decide()

    status = decision.status
    assert status.candidate is not None
    assert (status.candidate.digest, status.candidate.bytes) == (CANDIDATE_DIGEST, 770_000)
    assert status.validation_deadline_at == "2026-11-24T12:31:00Z"
    assert (status.phase, outcome(decision)) == (RoundPhase.VALIDATING, ("Unknown", "Validating"))


def test_the_verdict_is_taken_and_nothing_is_promoted_yet() -> None:
    decision = make_round().validating().job(Role.VALIDATE, 1, {"verdict": verdict(message="b=1 c=3")}).decide()

    assert decision.status.verdict is not None
    assert decision.status.completed_at is None
    assert decision.actions == ()
    assert need_condition(decision, "Validated").message == "Promote: b=1 c=3"


def test_a_promotion_moves_the_pointer_and_frees_the_model_in_one_write() -> None:
    decision = make_round().judged().decide()

    status = written(decision)
    assert status.current is not None
    assert (status.current.version, status.current.digest, status.current.round_uid) == (4, CANDIDATE_DIGEST, ROUND_UID)
    assert [version.version for version in status.history] == [4, 3]
    assert (status.evaluations, status.active_round, status.released) == (6, None, None)
    assert decision.status.completed_at is None


def test_a_promotion_is_written_on_the_model_as_it_was_seen() -> None:
    built = make_round().judged()
    built.model["metadata"]["resourceVersion"] = "17"

    (action,) = built.decide().actions

    assert isinstance(action, WriteModel)
    assert action.seen.metadata.resource_version == "17"


def test_a_round_is_promoted_when_its_version_is_seen_in_the_model() -> None:
    decision = make_round().judged().model_status(activeRound=None, current=OURS, history=[OURS]).decide()

    assert (decision.status.phase, outcome(decision)) == (RoundPhase.PROMOTED, ("True", "GatePassed"))
    assert decision.status.completed_at == "2026-11-24T12:00:00Z"
    assert decision.actions == ()


def test_a_round_whose_version_was_followed_by_others_is_promoted_all_the_same() -> None:
    later = {**OURS, "version": 5, "round": "skin-2026-w49", "roundUid": "other"}

    decision = make_round().judged().model_status(activeRound=None, current=later, history=[later, OURS]).decide()

    assert decision.status.phase is RoundPhase.PROMOTED


def test_a_round_that_lost_the_model_without_a_promotion_fails() -> None:
    decision = make_round().judged().model_status(activeRound=None).decide()

    assert outcome(decision) == ("False", "BaseMoved")


@pytest.mark.parametrize("current", [None, {**OURS, "digest": "9999" * 16}])
def test_a_promotion_over_another_base_is_refused(current: Any) -> None:
    decision = make_round().judged().model_status(current=current).decide()

    assert outcome(decision) == ("False", "BaseMoved")
    assert decision.actions == ()


def test_a_roll_back_keeps_the_incumbent_and_counts_the_evaluation() -> None:
    status = written(make_round().judged(ROLL_BACK).decide())

    assert status.current is not None
    assert (status.current.version, status.current.digest) == (3, BASE_DIGEST)
    assert (status.evaluations, status.active_round) == (6, None)
    assert [version.version for version in status.history] == [3]


def test_a_round_is_rolled_back_when_the_model_is_free() -> None:
    decision = make_round().judged(ROLL_BACK).model_status(activeRound=None).decide()

    assert (decision.status.phase, outcome(decision)) == (RoundPhase.ROLLED_BACK, ("True", "HighRiskCasesLost"))


def test_the_first_release_freezes_the_threshold_of_its_verdict() -> None:
    status = written(make_round().judged(verdict(reason="Released", release=True)).decide())

    assert status.released is not None
    assert (status.released.version, status.released.threshold, status.released.best_sensitivity) == (4, "0.52", "0.88")
    assert status.released.digest == CANDIDATE_DIGEST


def test_a_later_release_keeps_the_frozen_threshold_and_the_best_sensitivity_so_far() -> None:
    built = make_round().judged(verdict(release=True)).model_status(released=released())

    status = written(built.decide())

    assert status.released is not None
    assert (status.released.version, status.released.threshold, status.released.best_sensitivity) == (4, "0.41", "0.90")


def test_a_better_sensitivity_becomes_the_anchor_by_value_and_not_by_text() -> None:
    better = {"sensitivity": "0.9000001", "specificity": "0.8", "auroc": "0.9"}
    built = make_round().judged(verdict(release=True, candidate=better))

    status = written(built.model_status(released=released(bestSensitivity="0.90")).decide())

    assert status.released is not None
    assert status.released.best_sensitivity == "0.9000001"
    small = {"sensitivity": "9e-1", "specificity": "0.8", "auroc": "0.9"}
    built = make_round().judged(verdict(release=True, candidate=small))
    other = written(built.model_status(released=released(bestSensitivity="0.95")).decide())
    assert other.released is not None
    assert other.released.best_sensitivity == "0.95"


def test_a_warm_up_promotion_releases_nothing() -> None:
    status = written(make_round().judged(verdict(reason="WarmUpPassed")).decide())

    assert status.released is None


def test_the_history_keeps_the_newest_twenty() -> None:
    history = [{**OURS, "version": number, "roundUid": "other"} for number in range(30, 10, -1)]

    status = written(make_round().judged().model_status(history=history).decide())

    assert len(status.history) == 20
    assert [status.history[0].version, status.history[-1].version] == [4, 12]


def test_a_cancel_that_comes_before_the_promotion_prevents_it() -> None:
    decision = make_round(cancel=True).judged().decide()

    assert outcome(decision) == ("False", "Cancelled")
    assert decision.actions == ()


@pytest.mark.parametrize(("given", "phase"), [(verdict(), "Promoted"), (ROLL_BACK, "RolledBack")])
def test_a_cancel_that_comes_after_the_settlement_does_not_deny_it(given: Any, phase: str) -> None:
    """The model has moved already: a round that says "nothing was promoted" would be a lie."""
    history = [OURS] if phase == "Promoted" else []

    decision = make_round(cancel=True).judged(given).model_status(activeRound=None, history=history).decide()

    assert decision.status.phase == phase


def test_an_ended_round_gives_back_what_it_holds() -> None:
    built = make_round().aggregating().ended().clinic("north", WORKING)
    built.job(Role.AGGREGATE, 1, ExitCode.KILLED).job(Role.AGGREGATE, 2, RUNNING)

    decision = built.decide()

    closing, removal, freeing = decision.actions
    assert closing == ChangePart("north", {"closed": True})
    assert removal == RemoveJob("skin-network", "skin-2026-w48-aggregate-5a6b7c8d-a2")
    assert isinstance(freeing, WriteModel)
    assert freeing.status.active_round is None
    assert decision.status.phase is RoundPhase.FAILED


def test_an_ended_round_leaves_the_model_of_another_alone() -> None:
    built = make_round().aggregating().ended()
    built.model_status(activeRound={"name": "skin-2026-w49", "uid": "0a0b0c0d-0000-4000-8000-000000000000"})

    assert built.decide().actions == ()


@pytest.mark.parametrize("change", [{"suspend": True}, {"cancel": True}, {"suspend": True, "cancel": True}])
def test_an_ended_round_stays_as_it_ended(change: dict[str, bool]) -> None:
    built = make_round().aggregating().ended().model_status(activeRound=None)
    before = built.decide().status

    assert built.spec(**change).at(days=2).decide().status == before
    assert built.decide().again_seconds is None


@pytest.mark.parametrize("reason", list(Reason))
def test_any_reason_of_a_verdict_can_end_a_round(reason: Reason) -> None:
    decision = make_round().judged(verdict("RollBack", reason)).model_status(activeRound=None).decide()

    assert outcome(decision) == ("True", reason)
    assert need_condition(decision).message == reason.advice
