"""From a candidate to a verdict: drive the validate Job and take its report. Pure."""

from fedround_api.jobs import JobReport, Role
from fedround_api.kinds import FederatedRound
from fedround_api.kinds.federated_round import Candidate
from fedround_api.reasons import Reason
from fedround_operator.hub.actions import MakeJob
from fedround_operator.hub.aggregation import refused, report_of
from fedround_operator.hub.decision import Decision, closing, condition, soonest, until
from fedround_operator.hub.manifests import validate_job
from fedround_operator.hub.seen import RoundSeen, StartedRound
from fedround_operator.hub.settings import HubSettings
from fedround_operator.kit.jobseen import last_cause
from fedround_operator.kit.jobsteps import Done, GaveUp, Make, Wait, next_step

VALIDATED = "Validated"


def validate(seen: RoundSeen, started: StartedRound, candidate: Candidate, settings: HubSettings) -> Decision:
    """Have the candidate judged, wait for the verdict, or give up."""
    round_, now = seen.round, seen.now
    closed = closing(seen.parts.values())
    left = until(round_.status.validation_deadline_at, now)
    match next_step(seen.jobs, Role.VALIDATE, round_.status.attempts.validate_, now):
        case Done(_, report):
            return _taken(round_, report, seen)
        case GaveUp(count, job, reason):
            last = last_cause(seen.jobs, Role.VALIDATE) if reason is Reason.DEADLINE_PASSED else report_of(job)
            return refused(_counted(round_, count), VALIDATED, reason, last, seen)
        case _ if left == 0.0:
            return refused(round_, VALIDATED, Reason.DEADLINE_PASSED, last_cause(seen.jobs, Role.VALIDATE), seen)
        case Make(attempt):
            made = MakeJob(validate_job(started, candidate, attempt, settings))
            return Decision(_counted(round_, attempt).status, (*closed, made), left)
        case Wait(count, pause):
            return Decision(_counted(round_, count).status, closed, soonest(left, pause))


def _taken(round_: FederatedRound, report: JobReport, seen: RoundSeen) -> Decision:
    if report.verdict is None:
        return refused(round_, VALIDATED, Reason.REPORT_MISSING, None, seen)
    verdict = report.verdict
    message = f"{verdict.result}: {verdict.message or Reason(verdict.reason).advice}"
    status = condition(
        round_,
        round_.status,
        VALIDATED,
        "True",
        Reason.COMPLETED,
        message=message,
        now=seen.now,
        verdict=verdict,
        report=report.report,
    )
    return Decision(status, again_seconds=0.0)


def _counted(round_: FederatedRound, count: int) -> FederatedRound:
    attempts = round_.status.attempts.model_copy(update={"validate_": count})
    return round_.model_copy(update={"status": round_.status.model_copy(update={"attempts": attempts})})
