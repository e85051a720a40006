"""What to do next about a Job that must succeed once: make it, wait, take its report, try again, or give up. Pure.

A failed attempt is repeated only where its exit code says that it helps, after a pause that is counted from the
persisted end of the attempt, so that a restart of the operator changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fedround_api.jobs import JobReport, Role
from fedround_api.reasons import Reason
from fedround_operator.kit.jobseen import JobSeen, JobState, latest

# Pauses double from a second: eight attempts ride out about two minutes without a store, gateway or node.
ATTEMPT_LIMIT = 8
LONGEST_PAUSE_SECONDS = 60.0


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
        return Make(attempts + 1) if attempts < ATTEMPT_LIMIT else GaveUp(attempts, None, Reason.REPORT_MISSING)
    match job.state:
        case JobState.RUNNING:
            return Wait(attempts)
        case JobState.SUCCEEDED if job.report is not None:
            return Done(attempts, job.report)
        case _:
            return _after_failure(job, now)


def _after_failure(job: JobSeen, now: datetime) -> Step:
    if not job.retryable or job.attempt >= ATTEMPT_LIMIT:
        return GaveUp(job.attempt, job, job.reason or Reason.INTERNAL_ERROR)
    pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** (job.attempt - 1))
    waited = (now - job.finished_at).total_seconds() if job.finished_at else pause
    return Make(job.attempt + 1) if waited >= pause else Wait(job.attempt, pause - waited)
