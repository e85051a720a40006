"""What is seen of a Job, and what to do next about it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import Role
from fedround_api.reasons import Reason
from fedround_operator.kit.jobseen import JobSeen, JobState, jobs_seen, latest
from fedround_operator.kit.jobsteps import Done, GaveUp, Make, Wait, next_step
from fedround_operator.kit.resources import Object
from support.builders import make_job, make_job_condition, make_pod
from support.hub_builders import RUNNING, make_job_seen

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
DIGEST = "ca4d" * 16
COMPLETE, KILLED = make_job_condition("Complete"), make_job_condition("Failed", "BackoffLimitExceeded")
TIMED_OUT = make_job_condition("Failed", "DeadlineExceeded")


def seen(*conditions: Object, code: int | None = None, **report: Any) -> JobSeen:
    """What is seen of a train Job with these conditions and a pod that ended with the code and report."""
    job = make_job("train", conditions=conditions)
    message = json.dumps(report) if report else ""
    pods = [] if code is None else [make_pod(job, exit_code=code, message=message)]
    (found,) = jobs_seen([job], pods)
    return found


def test_a_job_without_an_end_is_running() -> None:
    job = make_job("train")

    (found,) = jobs_seen([job], [make_pod(job)])

    assert (found.state, found.attempt, found.role) == (JobState.RUNNING, 1, Role.TRAIN)
    assert found.finished_at is None


def test_a_job_is_seen_as_succeeded_when_its_pod_has_ended_before_the_job_says_so() -> None:
    found = seen(code=0, role="train", digest=DIGEST, bytes=7, steps=24)

    assert found.state is JobState.SUCCEEDED
    assert found.report is not None
    assert (found.report.digest, found.report.steps) == (DIGEST, 24)
    assert found.finished_at == datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def test_a_job_fails_with_the_reason_of_its_exit_code_and_the_words_of_its_report() -> None:
    found = seen(code=66, role="train", exitCode=66, message="no case since 2026-08-26")

    assert (found.state, found.exit_code, found.reason) == (JobState.FAILED, ExitCode.NO_CASES, Reason.NO_RECENT_CASES)
    assert found.message == "no case since 2026-08-26"
    assert not found.retryable


def test_a_job_without_a_report_of_its_failure_is_explained_by_the_reason() -> None:
    assert seen(code=75).message == Reason.STORE_UNAVAILABLE.advice


def test_a_number_that_no_job_uses_is_a_defect() -> None:
    assert seen(code=1).reason is Reason.INTERNAL_ERROR


@pytest.mark.parametrize("report", [{}, {"role": "submit"}, {"role": "train", "exitCode": 66}, {"role": "mine"}])
def test_a_success_without_a_report_of_its_own_is_a_failure_that_may_be_repeated(report: dict[str, Any]) -> None:
    found = seen(COMPLETE, code=0, **report)

    assert (found.state, found.reason, found.report) == (JobState.FAILED, Reason.REPORT_MISSING, None)
    assert found.retryable


def test_a_failure_is_not_explained_by_the_report_of_another_exit_code() -> None:
    found = seen(code=70, role="train", exitCode=0, message="all is well", digest=DIGEST)

    assert (found.state, found.report) == (JobState.FAILED, None)
    assert found.message == Reason.INTERNAL_ERROR.advice


@pytest.mark.parametrize(
    ("condition", "reason", "retryable"),
    [
        (KILLED, Reason.JOB_KILLED, True),
        (TIMED_OUT, Reason.DEADLINE_PASSED, False),
        (COMPLETE, Reason.REPORT_MISSING, True),
    ],
)
def test_a_job_whose_pod_is_gone_is_judged_by_its_condition(condition: Object, reason: Reason, retryable: bool) -> None:
    found = seen(condition)

    assert (found.state, found.reason, found.retryable) == (JobState.FAILED, reason, retryable)
    assert found.finished_at == datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def test_a_condition_that_is_not_true_is_no_end() -> None:
    assert seen({**KILLED, "status": "False"}).state is JobState.RUNNING
    assert seen(make_job_condition("Suspended")).state is JobState.RUNNING


def test_the_end_of_another_container_is_not_the_end_of_the_job() -> None:
    job = make_job("train")
    pod = make_pod(job, exit_code=0)
    pod["status"]["containerStatuses"][0]["name"] = "istio-proxy"

    (found,) = jobs_seen([job], [pod])

    assert found.state is JobState.RUNNING


def test_a_pod_of_another_job_says_nothing() -> None:
    first, second = make_job("train", 1), make_job("train", 2)

    found = jobs_seen([first, second], [make_pod(second, exit_code=66)])

    assert [(job.attempt, job.state) for job in found] == [(1, JobState.RUNNING), (2, JobState.FAILED)]


def test_jobs_of_no_known_role_are_passed_over() -> None:
    stranger = make_job("train")
    stranger["metadata"]["labels"]["fedround.dev/role"] = "mine"
    nameless = make_job("train")
    del nameless["metadata"]["labels"]

    assert jobs_seen([stranger, nameless], []) == ()


def test_the_newest_attempt_counts_by_number_and_not_by_name() -> None:
    found = latest(jobs_seen([make_job("train", number) for number in (2, 10, 9)], []), Role.TRAIN)

    assert found is not None
    assert found.attempt == 10
    assert latest([], Role.TRAIN) is None


def step(*jobs: JobSeen, attempts: int = 0, **passed: float) -> Any:
    """The next step for aggregate at a time after noon, when the attempts ended."""
    return next_step(jobs, Role.AGGREGATE, attempts, NOON + timedelta(**passed))


def job(attempt: int, state: Any) -> JobSeen:
    return make_job_seen(Role.AGGREGATE, attempt, state)


def test_first_a_job_is_made() -> None:
    assert step() == Make(1)


def test_a_running_job_is_waited_for_and_an_unrecorded_one_is_counted() -> None:
    assert step(job(1, RUNNING), attempts=1) == Wait(1)
    assert step(job(2, RUNNING), attempts=0) == Wait(2)


def test_the_report_of_a_success_is_taken() -> None:
    found = step(job(1, {"digest": DIGEST, "bytes": 7}), attempts=1)

    assert isinstance(found, Done)
    assert (found.attempts, found.report.digest) == (1, DIGEST)


def test_a_job_of_another_role_is_none_of_it() -> None:
    assert step(make_job_seen(Role.VALIDATE, 1, RUNNING)) == Make(1)


@pytest.mark.parametrize("code", [ExitCode.DIGEST_MISMATCH, ExitCode.INTERNAL, ExitCode.BAD_INPUT, ExitCode.TOO_LARGE])
def test_a_failure_that_stays_is_given_up_at_once(code: ExitCode) -> None:
    found = step(job(1, code), attempts=1, hours=1)

    assert isinstance(found, GaveUp)
    assert (found.attempts, found.reason) == (1, code.reason)


@pytest.mark.parametrize("state", [ExitCode.STORE_UNAVAILABLE, ExitCode.KILLED, Reason.REPORT_MISSING])
def test_a_failure_that_may_pass_is_repeated_after_a_pause(state: Any) -> None:
    assert step(job(1, state), attempts=1) == Wait(1, 1.0)
    assert step(job(1, state), attempts=1, seconds=0.4) == Wait(1, 0.6)
    assert step(job(1, state), attempts=1, seconds=1.0) == Make(2)


@pytest.mark.parametrize(("attempt", "pause"), [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0)])
def test_pauses_double_up_to_a_minute(attempt: int, pause: float) -> None:
    assert step(job(attempt, ExitCode.KILLED)) == Wait(attempt, pause)
    assert step(job(attempt, ExitCode.KILLED), seconds=pause) == Make(attempt + 1)


def test_the_eighth_attempt_is_the_last() -> None:
    found = step(job(8, ExitCode.STORE_UNAVAILABLE), hours=1)

    assert found == GaveUp(8, job(8, ExitCode.STORE_UNAVAILABLE), Reason.STORE_UNAVAILABLE)


def test_a_job_that_was_asked_to_stop_is_made_again_however_often_that_was() -> None:
    assert step(job(8, ExitCode.TERMINATED), hours=1) == Make(9)


def test_a_recorded_attempt_whose_job_is_gone_is_followed_by_another() -> None:
    assert step(attempts=1) == Make(2)
    assert step(job(1, ExitCode.KILLED), attempts=2) == Make(3)


def test_jobs_that_vanish_again_and_again_are_given_up() -> None:
    assert step(attempts=8) == GaveUp(8, None, Reason.REPORT_MISSING)


def test_an_attempt_without_the_time_of_its_end_is_repeated_at_once() -> None:
    ended = JobSeen("x", Role.AGGREGATE, 1, JobState.FAILED, ExitCode.KILLED, None, Reason.JOB_KILLED)

    assert step(ended, attempts=1) == Make(2)
