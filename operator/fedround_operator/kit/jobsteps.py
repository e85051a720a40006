"""What to do next about a Job that must succeed once: make it, wait, take its report, try again, or give up. Pure.

A failed attempt is repeated only where its exit code says that it helps, after a pause that is counted from the
persisted end of the attempt, so that a restart of the operator changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import JobReport, Role
from fedround_api.reasons import Reason
from fedround_operator.kit.jobseen import JobSeen, JobState, latest


@dataclass(frozen=True)
class Patience:
    """How often a Job is made, and the longest pause before it is made again; pauses double from a second."""

    attempts: int
    longest_pause_seconds: float


# Eight attempts ride out two minutes without a store or a node. A clinic's line to the hub may be down for longer, and
# what waits is small. A training that was killed, most likely by its memory limit, costs hours and rarely gets better.
_DEFAULT = Patience(attempts=8, longest_pause_seconds=60.0)
_TRANSFER = Patience(attempts=12, longest_pause_seconds=900.0)
PATIENCE = {Role.FETCH: _TRANSFER, Role.SUBMIT: _TRANSFER, Role.TRAIN: Patience(attempts=4, longest_pause_seconds=60.0)}


def patience(role: Role) -> Patience:
    """How long a role's Job is tried."""
    return PATIENCE.get(role, _DEFAULT)


@dataclass(frozen=True)
class Make:
    """Make this attempt now."""

    attempt: int


@dataclass(frozen=True)
class Wait:
    """Nothing to do before something is seen, or the time has passed."""

    attempts: int
    seconds: float | None = None


@dataclass(frozen=True)
class Done:
    """The Job has succeeded."""

    attempts: int
    report: JobReport


@dataclass(frozen=True)
class GaveUp:
    """No further attempt helps."""

    attempts: int
    job: JobSeen | None
    reason: Reason


Step = Make | Wait | Done | GaveUp


def next_step(jobs: Iterable[JobSeen], role: Role, attempts: int, now: datetime) -> Step:
    """The next step for a role of which so many attempts are recorded."""
    job = latest(jobs, role)
    attempts = max(attempts, job.attempt if job else 0)
    if job is None or job.attempt < attempts:
        # Nothing was made yet, or the attempt was removed before its report was taken.
        return (
            Make(attempts + 1) if attempts < patience(role).attempts else GaveUp(attempts, None, Reason.REPORT_MISSING)
        )
    match job.state:
        case JobState.RUNNING:
            return Wait(attempts)
        case JobState.SUCCEEDED if job.report is not None:
            return Done(attempts, job.report)
        case _:
            return _after_failure(job, now)


def _after_failure(job: JobSeen, now: datetime) -> Step:
    # A Job that was asked to stop (a node that is drained, a federation that is shut down) has not failed by itself.
    spent = job.attempt >= patience(job.role).attempts and job.exit_code is not ExitCode.TERMINATED
    if not job.retryable or spent:
        return GaveUp(job.attempt, job, job.reason or Reason.INTERNAL_ERROR)
    pause = min(patience(job.role).longest_pause_seconds, 2.0 ** (job.attempt - 1))
    waited = (now - job.finished_at).total_seconds() if job.finished_at else pause
    return Make(job.attempt + 1) if waited >= pause else Wait(job.attempt, pause - waited)
