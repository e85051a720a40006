"""The next step of a clinic's part in a round. Pure: the same view of the world gives the same decision.

    Accepted -> `fetch` Job -> Fetched -> `train` Job -> Trained, result -> `submit` Job -> Submitted, Succeeded

Where a part stands follows from the conditions that its status has recorded; a stage ends when its Job is *seen* to
have ended, and is recorded before the next Job is made. A part that is settled (Succeeded True or False) stays so.
"""

from dataclasses import dataclass
from datetime import datetime

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import JobReport, Role
from fedround_api.kinds import is_true
from fedround_api.reasons import Reason
from fedround_operator.agent.actions import MakeJob, RemoveJob
from fedround_operator.agent.manifests import fetch_job, submit_job, train_job
from fedround_operator.agent.progress import (
    ACCEPTED,
    Decision,
    PartPhase,
    Progress,
    has_ended,
    may_submit,
    result_of,
)
from fedround_operator.agent.seen import PartSeen
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit.instants import parse
from fedround_operator.kit.jobseen import JobState
from fedround_operator.kit.jobsteps import Done, GaveUp, Make, Step, Wait, next_step, patience
from fedround_operator.kit.resources import Object


@dataclass(frozen=True)
class Stage:
    """A step of a part's way: its Job, and the condition that records its end."""

    role: Role
    condition: str
    phase: PartPhase


FETCH = Stage(Role.FETCH, "Fetched", PartPhase.FETCHING)
TRAIN = Stage(Role.TRAIN, "Trained", PartPhase.TRAINING)
SUBMIT = Stage(Role.SUBMIT, "Submitted", PartPhase.SUBMITTING)


def decide(seen: PartSeen, settings: AgentSettings) -> Decision:
    """What to do for a part now, and its new status."""
    if has_ended(seen.part):
        return Decision(seen.part.status)
    progress = Progress(seen.part, seen.part.status, seen.now)
    stage = _stage(seen)
    if seen.policy is not None and not is_true(progress.status.conditions, ACCEPTED):
        progress = _judged(progress, allowed=seen.policy.spec.privacy.allow_none)
    match step := _step(seen, stage):
        case Done(attempts, report):
            return _taken(progress.counted(stage.role, attempts), stage, report, seen)
        case _ if seen.policy is not None and not seen.policy.spec.privacy.allow_none:
            return _ended(_judged(progress, allowed=False), seen, Reason.POLICY_FORBIDS_UNPROTECTED)
        case GaveUp(attempts, job, reason):
            return _ended(progress.counted(stage.role, attempts), seen, reason, job.exit_code if job else None)
        case _ if seen.part.spec.closed:
            return _ended(progress, seen, Reason.ROUND_CLOSED)
        case _ if _has_passed(seen) and not seen.part.spec.suspended:
            return _ended(progress, seen, Reason.DEADLINE_PASSED)
        case Wait(attempts, pause):
            return _waiting(progress.counted(stage.role, attempts), seen, stage, pause)
        case Make():
            return _next_job(progress, seen, stage, step.attempt, settings)


def _stage(seen: PartSeen) -> Stage:
    """The first stage whose end is not recorded. What was trained once is never trained again."""
    status = seen.part.status
    if status.result is not None:
        return SUBMIT
    return TRAIN if is_true(status.conditions, FETCH.condition) else FETCH


def _step(seen: PartSeen, stage: Stage) -> Step:
    step = next_step(seen.jobs, stage.role, getattr(seen.part.status.attempts, stage.role.value), seen.now)
    match step:
        # A suspended round moves its deadline, but not that of a Job which was made before: such a Job is made again.
        case GaveUp(attempts, _, Reason.DEADLINE_PASSED) if attempts < patience(stage.role).attempts:
            return Make(attempts + 1)
        case _:
            return step


def _judged(progress: Progress, *, allowed: bool) -> Progress:
    if allowed:
        return progress.condition(ACCEPTED, "True", Reason.ACCEPTED, "The clinic's policy allows this round.")
    return progress.condition(ACCEPTED, "False", Reason.POLICY_FORBIDS_UNPROTECTED)


def _taken(progress: Progress, stage: Stage, report: JobReport, seen: PartSeen) -> Decision:
    """A Job has succeeded: record what it reports, if it is what the part asked for."""
    spec, result = seen.part.spec, progress.status.result
    match stage.role:
        case Role.FETCH if report.digest != spec.base.digest:
            return _ended(progress, seen, Reason.DIGEST_MISMATCH, ExitCode.DIGEST_MISMATCH)
        case Role.TRAIN:
            result = result_of(report, seen.policy)
            if result is None:
                return _ended(progress, seen, Reason.REPORT_MISSING)
            if not may_submit(result, seen.policy):
                return _ended(progress, seen, Reason.NOT_LOCKED_IN, ExitCode.NOT_LOCKED_IN)
            progress = progress.trained(result)
        case Role.SUBMIT:
            if result is None or report.digest != result.update_digest:
                return _ended(progress, seen, Reason.DIGEST_MISMATCH, ExitCode.DIGEST_MISMATCH)
            return Decision(progress.condition(stage.condition, "True", Reason.SUBMITTED).submitted().status)
    recorded = progress.condition(stage.condition, "True", Reason.COMPLETED).working(stage.phase)
    return Decision(recorded.status, again_seconds=0.0)


def _ended(progress: Progress, seen: PartSeen, reason: Reason, code: ExitCode | None = None) -> Decision:
    """The part ends without an update; what still runs for it is removed."""
    running = tuple(RemoveJob(job.name) for job in seen.jobs if job.state is JobState.RUNNING)
    return Decision(progress.failed(reason, code).status, running)


def _waiting(progress: Progress, seen: PartSeen, stage: Stage, pause: float | None) -> Decision:
    """A Job runs, or failed and is repeated after a pause; then the reason says why it failed."""
    failure = next((job.reason for job in reversed(seen.jobs) if job.role is stage.role), None)
    reason = Reason.WORKING if pause is None or failure is None else failure
    return Decision(progress.working(stage.phase, reason).status, again_seconds=_again(seen, pause))


def _next_job(progress: Progress, seen: PartSeen, stage: Stage, attempt: int, settings: AgentSettings) -> Decision:
    """Make the Job of a stage, unless something says to wait."""
    if seen.part.spec.suspended:
        held = progress.working(PartPhase.SUSPENDED, Reason.SUSPENDED)
        return Decision(held.status, again_seconds=_again(seen, None))
    if seen.policy is None:
        held = progress.working(PartPhase.WAITING, Reason.POLICY_UNREADABLE)
        return Decision(held.status, again_seconds=_again(seen, None))
    if stage.role in seen.busy:
        # Two trainings at a time would take twice the memory; and `fetch` removes folders that it is not told of.
        held = progress.working(PartPhase.WAITING, message="Another round is at this step in the clinic.")
        return Decision(held.status, again_seconds=_again(seen, None))
    manifest = _manifest(seen, stage, attempt, settings)
    made = progress.counted(stage.role, attempt).working(stage.phase)
    return Decision(made.status, (MakeJob(manifest),), _again(seen, None))


def _manifest(seen: PartSeen, stage: Stage, attempt: int, settings: AgentSettings) -> Object:
    result = seen.part.status.result
    if result is not None:
        return submit_job(seen, result, attempt, settings)
    return fetch_job(seen, attempt, settings) if stage is FETCH else train_job(seen, attempt, settings)


def _has_passed(seen: PartSeen) -> bool:
    return _until(seen.part.spec.deadline_at, seen.now) <= 0


def _until(deadline: str, now: datetime) -> float:
    return (parse(deadline) - now).total_seconds()


def _again(seen: PartSeen, pause: float | None) -> float | None:
    """When the passing of time alone asks for a look: after a pause, or at the deadline."""
    deadline = None if seen.part.spec.suspended else _until(seen.part.spec.deadline_at, seen.now)
    return min((seconds for seconds in (pause, deadline) if seconds is not None), default=None)
