"""What is seen of a Job: running, succeeded with its report, or failed with a reason. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fedround_api.exitcodes import ExitCode, exit_code
from fedround_api.jobs import JobReport, Role, read_report
from fedround_api.names import ATTEMPT_LABEL, ROLE_LABEL
from fedround_api.reasons import Reason
from fedround_operator.kit.instants import parse
from fedround_operator.kit.jobmanifests import CONTAINER
from fedround_operator.kit.resources import Object


class JobState(StrEnum):
    """Where a Job stands."""

    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True)
class JobSeen:
    """One attempt of a Job."""

    name: str
    role: Role
    attempt: int
    state: JobState
    exit_code: ExitCode | None = None
    report: JobReport | None = None
    reason: Reason | None = None
    finished_at: datetime | None = None
    began_at: datetime | None = None

    @property
    def retryable(self) -> bool:
        """Whether a failed Job is worth another attempt."""
        if self.reason in (Reason.JOB_KILLED, Reason.REPORT_MISSING):
            return True
        return self.exit_code is not None and self.exit_code.retryable

    @property
    def message(self) -> str:
        """What the report says, or the advice for the reason."""
        if self.report and self.report.message:
            return self.report.message
        return self.reason.advice if self.reason else ""


def jobs_seen(jobs: Iterable[Object], pods: Iterable[Object]) -> tuple[JobSeen, ...]:
    """The Jobs with what their pods say, ordered by role and attempt; Jobs of no known role are passed over."""
    by_job: dict[str, list[Object]] = {}
    for pod in pods:
        by_job.setdefault(pod["metadata"].get("labels", {}).get("batch.kubernetes.io/job-name", ""), []).append(pod)
    known = {role.value for role in Role}
    seen = (
        _seen(found, by_job.get(found["metadata"]["name"], []))
        for found in jobs
        if found["metadata"].get("labels", {}).get(ROLE_LABEL) in known
    )
    return tuple(sorted(seen, key=lambda job: (job.role, job.attempt)))


def latest(jobs: Iterable[JobSeen], role: Role) -> JobSeen | None:
    """The newest attempt of a role."""
    return max((job for job in jobs if job.role is role), key=lambda job: job.attempt, default=None)


def last_cause(jobs: Iterable[JobSeen], role: Role) -> JobReport | None:
    """The report of the newest attempt that says why it failed; one that was ended from outside knows no cause."""
    told = [job for job in jobs if job.role is role and job.report and job.exit_code is not ExitCode.TERMINATED]
    newest = latest((job for job in told if job.state is JobState.FAILED), role)
    return newest.report if newest else None


def _seen(found: Object, pods: list[Object]) -> JobSeen:
    begun = found.get("status", {}).get("startTime")
    # The pod's end is known about a second before the Job controller writes it into the Job.
    ended = _ended(pods)
    seen = _unreported(found) if ended is None else _from_container(found, ended)
    return replace(seen, began_at=parse(begun) if begun else None)


def _unreported(found: Object) -> JobSeen:
    """A Job that runs, or whose pod cannot be asked any more."""
    name, role, attempt = _identity(found)
    finished = _finished(found)
    if finished is None:
        return JobSeen(name, role, attempt, JobState.RUNNING)
    if finished.get("reason") == "DeadlineExceeded":
        reason = Reason.DEADLINE_PASSED
    elif finished["type"] == "Complete":
        reason = Reason.REPORT_MISSING
    else:
        reason = Reason.JOB_KILLED
    finished_at = parse(finished["lastTransitionTime"]) if finished.get("lastTransitionTime") else None
    return JobSeen(name, role, attempt, JobState.FAILED, reason=reason, finished_at=finished_at)


def _identity(found: Object) -> tuple[str, Role, int]:
    meta = found["metadata"]
    return meta["name"], Role(meta["labels"][ROLE_LABEL]), int(meta["labels"].get(ATTEMPT_LABEL, "1"))


def _from_container(found: Object, ended: Object) -> JobSeen:
    name, role, attempt = _identity(found)
    finished_at = parse(ended["finishedAt"]) if ended.get("finishedAt") else None
    code = exit_code(int(ended["exitCode"]))
    report = read_report(ended.get("message"))
    if report is not None and (report.role is not role or report.exit_code is not code):
        report = None
    if code is not ExitCode.OK:
        return JobSeen(name, role, attempt, JobState.FAILED, code, report, code.reason, finished_at)
    if report is None:
        return JobSeen(name, role, attempt, JobState.FAILED, code, None, Reason.REPORT_MISSING, finished_at)
    return JobSeen(name, role, attempt, JobState.SUCCEEDED, code, report, None, finished_at)


def _ended(pods: list[Object]) -> Object | None:
    for pod in pods:
        for status in pod.get("status", {}).get("containerStatuses", []):
            terminated: Object | None = status.get("state", {}).get("terminated")
            if status.get("name") == CONTAINER and terminated:
                return terminated
    return None


def _finished(found: Object) -> Object | None:
    for condition in found.get("status", {}).get("conditions", []):
        if condition.get("type") in ("Complete", "Failed") and condition.get("status") == "True":
            return dict(condition)
    return None
