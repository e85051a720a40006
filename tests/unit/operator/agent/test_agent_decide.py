"""Every step of a clinic's part, decided on values."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import JobReport, Role
from fedround_api.kinds import ClinicRound, find_condition
from fedround_api.policyfile import read_policy
from fedround_api.reasons import Reason
from fedround_operator.agent.actions import MakeJob, RemoveJob
from fedround_operator.agent.decide import decide
from fedround_operator.agent.progress import Decision
from fedround_operator.agent.seen import PartSeen
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit.jobseen import JobSeen, JobState
from support.builders import BASE_DIGEST, UPDATE_DIGEST, condition, make_clinic_round, make_policy
from support.job_player import input_of

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
DEADLINE = datetime(2026, 11, 24, 20, 0, 0, tzinfo=UTC)
SETTINGS = AgentSettings(clinic="north", namespace="north", image="fedround/clinic@sha256:0")

ACCEPTED = condition("Accepted", reason="Accepted")
FETCHED = condition("Fetched")
TRAINED = condition("Trained")
RESULT = {"updateDigest": UPDATE_DIGEST, "updateBytes": 770_100, "locked": ["Files", "Network"]}
REPORT = {"digest": UPDATE_DIGEST, "bytes": 770_100, "steps": 24, "cases": 384, "locked": ["Files", "Network"]}
AFTER_FETCH = {"conditions": [ACCEPTED, FETCHED], "attempts": {"fetch": 1}}
AFTER_TRAIN = {
    "conditions": [ACCEPTED, FETCHED, TRAINED],
    "attempts": {"fetch": 1, "train": 1},
    "result": RESULT,
}


def see(
    *jobs: JobSeen,
    status: dict[str, Any] | None = None,
    spec: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    now: datetime = NOON,
    busy: frozenset[Role] = frozenset(),
) -> PartSeen:
    """A part with its Jobs at noon, in a clinic that allows the round."""
    return PartSeen(
        part=ClinicRound.model_validate(make_clinic_round(spec=spec, status=status)),
        jobs=jobs,
        owner={"apiVersion": "v1", "kind": "ServiceAccount", "name": "fedround-agent", "uid": "acc0c0de"},
        policy=read_policy(policy or make_policy()),
        busy=busy,
        keep=(),
        now=now,
    )


def running(role: Role, attempt: int = 1) -> JobSeen:
    return JobSeen(f"job-{role}-{attempt}", role, attempt, JobState.RUNNING)


def succeeded(role: Role, **report: Any) -> JobSeen:
    return JobSeen(f"job-{role}-1", role, 1, JobState.SUCCEEDED, ExitCode.OK, JobReport(role=role, **report))


def failed(role: Role, code: ExitCode, attempt: int = 1, at: datetime = NOON) -> JobSeen:
    report = JobReport(role=role, exit_code=code, message="/images/ISIC_0024306.jpg is broken")
    return JobSeen(f"job-{role}-{attempt}", role, attempt, JobState.FAILED, code, report, code.reason, at)


def made(decision: Decision) -> list[str]:
    """The names of the Jobs that a decision makes."""
    return [action.manifest["metadata"]["name"] for action in decision.actions if isinstance(action, MakeJob)]


def outcome(decision: Decision) -> tuple[str, str]:
    """Status and reason of Succeeded."""
    found = find_condition(decision.status.conditions, "Succeeded")
    assert found is not None
    return found.status, found.reason


def true_conditions(decision: Decision) -> list[str]:
    return [one.type for one in decision.status.conditions if one.status == "True"]


class TestTheWayOfAPart:
    def test_a_new_part_is_accepted_and_its_checkpoint_fetched(self) -> None:
        decision = decide(see(), SETTINGS)

        assert made(decision) == ["skin-2026-w48-fetch-c1d2e3f4-a1"]
        assert true_conditions(decision) == ["Accepted"]
        assert outcome(decision) == ("Unknown", "Working")
        assert (decision.status.phase, decision.status.attempts.fetch) == ("Fetching", 1)
        assert decision.status.observed_generation == 1

    def test_a_job_that_was_made_and_not_yet_recorded_is_only_recorded(self) -> None:
        decision = decide(see(running(Role.FETCH)), SETTINGS)

        assert made(decision) == []
        assert decision.status.attempts.fetch == 1

    def test_a_running_job_is_waited_for_without_a_change_of_the_status(self) -> None:
        first = decide(see(), SETTINGS).status

        decision = decide(see(running(Role.FETCH), status=first.dump()), SETTINGS)

        assert decision.status == first
        assert decision.actions == ()
        assert decision.again_seconds == 28_800.0

    def test_a_fetched_checkpoint_is_recorded_before_anything_else(self) -> None:
        seen = see(succeeded(Role.FETCH, digest=BASE_DIGEST, bytes=770_000), status={"conditions": [ACCEPTED]})

        decision = decide(seen, SETTINGS)

        assert decision.actions == ()
        assert true_conditions(decision) == ["Accepted", "Fetched"]
        assert decision.again_seconds == 0.0

    def test_after_the_checkpoint_comes_the_training(self) -> None:
        decision = decide(see(status=AFTER_FETCH), SETTINGS)

        assert made(decision) == ["skin-2026-w48-train-c1d2e3f4-a1"]
        assert decision.status.phase == "Training"

    def test_a_training_is_recorded_with_its_result_before_it_is_submitted(self) -> None:
        decision = decide(see(succeeded(Role.TRAIN, **REPORT), status=AFTER_FETCH), SETTINGS)

        assert decision.actions == ()
        assert true_conditions(decision) == ["Accepted", "Fetched", "Trained"]
        assert decision.status.result is not None
        assert decision.status.result.dump() == RESULT

    def test_case_counts_are_told_only_where_the_policy_says_so(self) -> None:
        seen = see(succeeded(Role.TRAIN, **REPORT), status=AFTER_FETCH, policy=make_policy(report_case_counts=True))

        decision = decide(seen, SETTINGS)

        assert decision.status.result is not None
        assert decision.status.result.cases == 384

    def test_after_the_training_its_update_is_submitted_with_the_url_of_now(self) -> None:
        urls = {
            "checkpoint": "https://gateway/base?new",
            "update": "https://gateway/update?new",
            "signedAt": "2026-11-24T12:40:00Z",
            "expiresAt": "2026-11-24T13:40:00Z",
        }

        decision = decide(see(status=AFTER_TRAIN, spec={"urls": urls}), SETTINGS)

        (action,) = decision.actions
        assert isinstance(action, MakeJob)
        assert action.manifest["metadata"]["name"] == "skin-2026-w48-submit-c1d2e3f4-a1"
        assert input_of(action.manifest) == {
            "folder": "c1d2e3f4-0000-4000-8000-000000000001",
            "url": "https://gateway/update?new",
            "digest": UPDATE_DIGEST,
            "bytes": 770_100,
        }

    def test_a_submitted_update_ends_the_part_well(self) -> None:
        decision = decide(see(succeeded(Role.SUBMIT, digest=UPDATE_DIGEST), status=AFTER_TRAIN), SETTINGS)

        assert outcome(decision) == ("True", "Submitted")
        assert true_conditions(decision) == ["Accepted", "Fetched", "Trained", "Submitted", "Succeeded"]
        assert decision.again_seconds is None

    def test_what_has_been_trained_is_never_trained_again(self) -> None:
        without_conditions = {"result": RESULT, "attempts": {"fetch": 1, "train": 1}}

        decision = decide(see(status=without_conditions), SETTINGS)

        assert made(decision) == ["skin-2026-w48-submit-c1d2e3f4-a1"]

    @pytest.mark.parametrize("settled", ["True", "False"])
    def test_a_part_that_has_ended_needs_nothing(self, settled: str) -> None:
        status = {"conditions": [condition("Succeeded", settled, "Submitted")]}

        decision = decide(see(status=status, spec={"closed": True}, now=DEADLINE), SETTINGS)

        assert decision.actions == ()
        assert decision.status.dump() == see(status=status).part.status.dump()
        assert decision.again_seconds is None


class TestFailures:
    def test_a_store_that_does_not_answer_is_tried_again_after_a_pause(self) -> None:
        seen = see(failed(Role.FETCH, ExitCode.STORE_UNAVAILABLE), status={"conditions": [ACCEPTED]})

        waiting = decide(seen, SETTINGS)
        later = decide(replace(seen, now=datetime(2026, 11, 24, 12, 0, 1, tzinfo=UTC)), SETTINGS)

        assert (made(waiting), waiting.again_seconds) == ([], 1.0)
        assert outcome(waiting) == ("Unknown", "StoreUnavailable")
        assert made(later) == ["skin-2026-w48-fetch-c1d2e3f4-a2"]

    def test_a_killed_training_is_made_again(self) -> None:
        an_hour_ago = datetime(2026, 11, 24, 11, 0, 0, tzinfo=UTC)

        decision = decide(see(failed(Role.TRAIN, ExitCode.KILLED, at=an_hour_ago), status=AFTER_FETCH), SETTINGS)

        assert made(decision) == ["skin-2026-w48-train-c1d2e3f4-a2"]
        assert decision.status.attempts.train == 2

    def test_a_job_that_vanished_is_made_again_under_the_next_name(self) -> None:
        status = {"conditions": [ACCEPTED, FETCHED], "attempts": {"fetch": 1, "train": 2}}

        assert made(decide(see(status=status), SETTINGS)) == ["skin-2026-w48-train-c1d2e3f4-a3"]

    def test_the_number_of_attempts_is_limited(self) -> None:
        an_hour_ago = datetime(2026, 11, 24, 11, 0, 0, tzinfo=UTC)
        last = failed(Role.FETCH, ExitCode.STORE_UNAVAILABLE, attempt=12, at=an_hour_ago)

        decision = decide(see(last, status={"conditions": [ACCEPTED]}), SETTINGS)

        assert outcome(decision) == ("False", "StoreUnavailable")
        assert (decision.status.exit_code, decision.status.phase) == (75, "Failed")

    @pytest.mark.parametrize(
        ("code", "want_reason"),
        [
            (ExitCode.BAD_DATA, "BadData"),
            (ExitCode.NO_CASES, "NoRecentCases"),
            (ExitCode.DIGEST_MISMATCH, "DigestMismatch"),
            (ExitCode.NOT_FINITE, "NotFinite"),
            (ExitCode.INTERNAL, "InternalError"),
        ],
    )
    def test_a_failure_that_repeats_itself_ends_the_part_with_its_reason(
        self, code: ExitCode, want_reason: str
    ) -> None:
        decision = decide(see(failed(Role.TRAIN, code), status=AFTER_FETCH), SETTINGS)

        assert outcome(decision) == ("False", want_reason)
        assert decision.status.exit_code == int(code)
        found = find_condition(decision.status.conditions, "Succeeded")
        assert found is not None
        assert found.message == Reason(want_reason).advice

    def test_a_checkpoint_of_another_digest_is_not_taken(self) -> None:
        decision = decide(see(succeeded(Role.FETCH, digest="f" * 64), status={"conditions": [ACCEPTED]}), SETTINGS)

        assert outcome(decision) == ("False", "DigestMismatch")
        assert decision.status.exit_code == 78
        assert "Fetched" not in true_conditions(decision)

    def test_an_update_of_another_digest_does_not_count_as_submitted(self) -> None:
        decision = decide(see(succeeded(Role.SUBMIT, digest="f" * 64), status=AFTER_TRAIN), SETTINGS)

        assert outcome(decision) == ("False", "DigestMismatch")
        assert "Submitted" not in true_conditions(decision)

    @pytest.mark.parametrize(
        "report",
        [
            {"bytes": 1, "steps": 1},
            {"digest": UPDATE_DIGEST, "steps": 1},
            {"digest": UPDATE_DIGEST, "bytes": 1},
        ],
    )
    def test_a_training_report_that_lacks_what_it_owes_is_none(self, report: dict[str, Any]) -> None:
        decision = decide(see(succeeded(Role.TRAIN, **report), status=AFTER_FETCH), SETTINGS)

        assert outcome(decision) == ("False", "ReportMissing")
        assert decision.status.result is None


class TestPolicy:
    def test_a_policy_that_forbids_unprotected_rounds_ends_the_part_before_any_job(self) -> None:
        decision = decide(see(policy=make_policy(allow_none=False)), SETTINGS)

        assert decision.actions == ()
        accepted = find_condition(decision.status.conditions, "Accepted")
        assert accepted is not None
        assert (accepted.status, accepted.reason) == ("False", "PolicyForbidsUnprotected")
        assert outcome(decision) == ("False", "PolicyForbidsUnprotected")

    def test_a_policy_that_comes_to_forbid_it_stops_a_running_training(self) -> None:
        seen = see(running(Role.TRAIN), status=AFTER_FETCH, policy=make_policy(allow_none=False))

        decision = decide(seen, SETTINGS)

        assert decision.actions == (RemoveJob("job-train-1"),)
        assert outcome(decision) == ("False", "PolicyForbidsUnprotected")

    @pytest.mark.parametrize("status", [None, AFTER_FETCH, AFTER_TRAIN])
    def test_without_a_policy_no_job_is_made(self, status: dict[str, Any] | None) -> None:
        decision = decide(replace(see(status=status), policy=None), SETTINGS)

        assert decision.actions == ()
        assert (decision.status.phase, outcome(decision)) == ("Waiting", ("Unknown", "PolicyUnreadable"))

    def test_without_a_policy_no_case_count_is_told(self) -> None:
        seen = replace(see(succeeded(Role.TRAIN, **REPORT), status=AFTER_FETCH), policy=None)

        decision = decide(seen, SETTINGS)

        assert decision.status.result is not None
        assert decision.status.result.cases is None

    @pytest.mark.parametrize(("allowed", "told"), [(False, False), (True, True)])
    def test_the_trainer_is_told_whether_it_may_go_on_without_a_lock(self, allowed: bool, told: bool) -> None:
        seen = see(status=AFTER_FETCH, policy=make_policy(allow_unlocked=allowed))

        (action,) = decide(seen, SETTINGS).actions

        assert isinstance(action, MakeJob)
        assert input_of(action.manifest)["allowUnlocked"] is told

    @pytest.mark.parametrize("locked", [["Network"], ["Files"], [], None])
    def test_an_update_that_was_trained_without_the_whole_lock_stays_in_the_clinic(
        self, locked: list[str] | None
    ) -> None:
        seen = see(succeeded(Role.TRAIN, **{**REPORT, "locked": locked}), status=AFTER_FETCH)

        decision = decide(seen, SETTINGS)

        assert outcome(decision) == ("False", "NotLockedIn")
        assert decision.status.exit_code == 84
        assert decision.status.result is None

    def test_a_policy_that_cannot_be_read_allows_no_training_without_a_lock(self) -> None:
        seen = see(succeeded(Role.TRAIN, **{**REPORT, "locked": []}), status=AFTER_FETCH)

        assert outcome(decide(replace(seen, policy=None), SETTINGS)) == ("False", "NotLockedIn")

    @pytest.mark.parametrize(
        ("locked", "want"), [(["Network"], ["Network"]), (["Files", "Files"], ["Files"]), (None, [])]
    )
    def test_where_the_policy_allows_it_the_hub_is_told_what_of_the_lock_there_was(
        self, locked: list[str] | None, want: list[str]
    ) -> None:
        trained = succeeded(Role.TRAIN, **{**REPORT, "locked": locked})
        seen = see(trained, status=AFTER_FETCH, policy=make_policy(allow_unlocked=True))

        decision = decide(seen, SETTINGS)

        assert decision.status.result is not None
        assert decision.status.result.dump()["locked"] == want


class TestTimeAndTurns:
    def test_a_job_may_run_until_the_deadline_of_the_part(self) -> None:
        decision = decide(see(now=datetime(2026, 11, 24, 19, 58, 30, tzinfo=UTC)), SETTINGS)

        (action,) = decision.actions
        assert isinstance(action, MakeJob)
        assert action.manifest["spec"]["activeDeadlineSeconds"] == 90

    def test_the_deadline_is_looked_at_when_it_comes(self) -> None:
        seen = see(running(Role.TRAIN), status=AFTER_FETCH, now=datetime(2026, 11, 24, 19, 59, 50, tzinfo=UTC))

        assert decide(seen, SETTINGS).again_seconds == 10.0

    def test_after_the_deadline_the_part_ends_and_what_runs_is_removed(self) -> None:
        decision = decide(see(running(Role.TRAIN), status=AFTER_FETCH, now=DEADLINE), SETTINGS)

        assert decision.actions == (RemoveJob("job-train-1"),)
        assert outcome(decision) == ("False", "DeadlinePassed")

    def test_what_was_submitted_in_time_counts_when_it_is_seen_later(self) -> None:
        seen = see(succeeded(Role.SUBMIT, digest=UPDATE_DIGEST), status=AFTER_TRAIN, now=DEADLINE)

        assert outcome(decide(seen, SETTINGS)) == ("True", "Submitted")

    @pytest.mark.parametrize("status", [None, AFTER_FETCH, AFTER_TRAIN])
    def test_a_suspended_part_starts_no_job_even_after_its_deadline(self, status: dict[str, Any] | None) -> None:
        decision = decide(see(status=status, spec={"suspended": True}, now=DEADLINE), SETTINGS)

        assert decision.actions == ()
        assert (decision.status.phase, outcome(decision)) == ("Suspended", ("Unknown", "Suspended"))
        assert decision.again_seconds is None

    def test_a_job_that_runs_goes_on_while_its_part_is_suspended(self) -> None:
        seen = see(running(Role.TRAIN), status=AFTER_FETCH, spec={"suspended": True}, now=DEADLINE)

        decision = decide(seen, SETTINGS)

        assert decision.actions == ()
        assert (decision.status.phase, decision.again_seconds) == ("Training", None)

    def test_a_job_that_its_old_deadline_stopped_is_made_again_after_a_suspension(self) -> None:
        stopped = JobSeen(
            "job-train-1", Role.TRAIN, 1, JobState.FAILED, reason=Reason.DEADLINE_PASSED, finished_at=NOON
        )

        decision = decide(see(stopped, status=AFTER_FETCH), SETTINGS)

        assert made(decision) == ["skin-2026-w48-train-c1d2e3f4-a2"]

    def test_a_closed_round_ends_the_part_and_what_runs_is_removed(self) -> None:
        decision = decide(see(running(Role.TRAIN), status=AFTER_FETCH, spec={"closed": True}), SETTINGS)

        assert decision.actions == (RemoveJob("job-train-1"),)
        assert outcome(decision) == ("False", "RoundClosed")

    @pytest.mark.parametrize(("status", "role"), [(None, Role.FETCH), (AFTER_FETCH, Role.TRAIN)])
    def test_a_part_waits_while_another_is_at_the_same_step(self, status: dict[str, Any] | None, role: Role) -> None:
        decision = decide(see(status=status, busy=frozenset({role})), SETTINGS)

        assert decision.actions == ()
        assert decision.status.phase == "Waiting"

    def test_a_training_elsewhere_does_not_hold_up_a_submission(self) -> None:
        decision = decide(see(status=AFTER_TRAIN, busy=frozenset({Role.TRAIN})), SETTINGS)

        assert made(decision) == ["skin-2026-w48-submit-c1d2e3f4-a1"]


def test_no_word_of_a_job_gets_into_the_status() -> None:
    planted = "patient IP_7279968 Jane Roe /images/ISIC_0024306.jpg"
    report = JobReport(role=Role.TRAIN, exit_code=ExitCode.BAD_DATA, message=planted, clinic="isic-0024306")
    job = JobSeen("job", Role.TRAIN, 1, JobState.FAILED, ExitCode.BAD_DATA, report, Reason.BAD_DATA, NOON)
    good = succeeded(Role.TRAIN, **REPORT, message=planted, clinic="isic-0024306")

    told = json.dumps([decide(see(one, status=AFTER_FETCH), SETTINGS).status.dump() for one in (job, good)])

    assert [word for word in planted.split() if word in told] == []
    assert "isic" not in told.lower()
