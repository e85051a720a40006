"""From submitted updates to a candidate: drive the aggregate Job and take its report. Pure."""

from fedround_api.fields import seconds
from fedround_api.jobs import JobReport, Role
from fedround_api.kinds import FederatedRound
from fedround_api.kinds.federated_round import Attempts, Candidate
from fedround_api.reasons import Reason
from fedround_operator.hub.actions import MakeJob
from fedround_operator.hub.decision import SUCCEEDED, Decision, closing, condition, failed, in_seconds, soonest, until
from fedround_operator.hub.manifests import aggregate_job
from fedround_operator.hub.seen import RoundSeen, StartedRound
from fedround_operator.hub.settings import HubSettings
from fedround_operator.kit.jobseen import JobSeen, last_cause
from fedround_operator.kit.jobsteps import Done, GaveUp, Make, Wait, next_step

AGGREGATED = "Aggregated"


def aggregate(seen: RoundSeen, started: StartedRound, settings: HubSettings) -> Decision:
    """Make the candidate, wait for it, or give up; clinics that still work are told to stop."""
    round_, now = seen.round, seen.now
    closed = closing(seen.parts.values())
    attempts = round_.status.attempts
    left = until(round_.status.session_deadline_at, now)
    match next_step(seen.jobs, Role.AGGREGATE, attempts.aggregate, now):
        case Done(_, report):
            return _taken(round_, report, seen)
        case GaveUp(count, job, reason):
            counted = _counted(round_, attempts, count)
            last = last_cause(seen.jobs, Role.AGGREGATE) if reason is Reason.DEADLINE_PASSED else report_of(job)
            return refused(counted, AGGREGATED, reason, last, seen)
        case _ if left == 0.0:
            return refused(round_, AGGREGATED, Reason.DEADLINE_PASSED, last_cause(seen.jobs, Role.AGGREGATE), seen)
        case Make(attempt):
            return Decision(
                _counted(round_, attempts, attempt).status,
                (*closed, MakeJob(aggregate_job(started, attempt, settings))),
                left,
            )
        case Wait(count, pause):
            return Decision(_counted(round_, attempts, count).status, closed, soonest(left, pause))


def report_of(job: JobSeen | None) -> JobReport | None:
    """What the Job itself said."""
    return job.report if job else None


def refused(round_: FederatedRound, type_: str, reason: Reason, report: JobReport | None, seen: RoundSeen) -> Decision:
    """The stage failed for good: the condition names the clinic and the cause, and the incumbent stays."""
    cause = report.message if report and report.message else reason.advice
    unnamed = report is not None and report.clinic is not None and f"clinic {report.clinic}" not in cause
    message = f"clinic {report.clinic}: {cause}" if report and unnamed else cause
    status = condition(round_, round_.status, type_, "False", reason, message=message, now=seen.now)
    return failed(round_.model_copy(update={"status": status}), reason, message=message, now=seen.now)


def _taken(round_: FederatedRound, report: JobReport, seen: RoundSeen) -> Decision:
    if report.digest is None or report.bytes is None:
        return refused(round_, AGGREGATED, Reason.REPORT_MISSING, None, seen)
    status = condition(round_, round_.status, AGGREGATED, "True", Reason.COMPLETED, now=seen.now)
    status = condition(
        round_,
        status,
        SUCCEEDED,
        "Unknown",
        Reason.VALIDATING,
        now=seen.now,
        candidate=Candidate(digest=report.digest, bytes=report.bytes),
        validation_deadline_at=in_seconds(seen.now, seconds(round_.spec.deadlines.validation)),
    )
    return Decision(status, again_seconds=0.0)


def _counted(round_: FederatedRound, attempts: Attempts, count: int) -> FederatedRound:
    counted = attempts.model_copy(update={"aggregate": count})
    return round_.model_copy(update={"status": round_.status.model_copy(update={"attempts": counted})})
