"""The next step of a model: its first checkpoint, and no claim of a round that is gone. Pure."""

from dataclasses import dataclass
from typing import Literal

from fedround_api.jobs import JobReport, Role
from fedround_api.kinds import FederatedModelStatus, ModelVersion
from fedround_api.reasons import Reason
from fedround_operator.hub.actions import MakeJob
from fedround_operator.hub.manifests import init_job
from fedround_operator.hub.seen import ModelSeen
from fedround_operator.hub.settings import HubSettings
from fedround_operator.kit.conditions import with_condition
from fedround_operator.kit.instants import text_of
from fedround_operator.kit.jobsteps import Done, GaveUp, Make, Wait, next_step

READY = "Ready"


@dataclass(frozen=True)
class ModelDecision:
    """The model's new status, the Job to make first, and when to look again."""

    status: FederatedModelStatus
    actions: tuple[MakeJob, ...] = ()
    again_seconds: float | None = None


def decide_model(seen: ModelSeen, settings: HubSettings) -> ModelDecision:
    """What to do for a model now, and its new status."""
    status = _without_stale_claim(seen)
    if status.current is not None:
        return ModelDecision(_ready(seen, status, "True", Reason.INITIALIZED))
    match next_step(seen.jobs, Role.INIT, status.init_attempts, seen.now):
        case Make(attempt):
            waiting = _ready(seen, status, "False", Reason.INITIALIZING, attempts=attempt)
            return ModelDecision(waiting, (MakeJob(init_job(seen.model, attempt, settings)),))
        case Wait(count, pause):
            return ModelDecision(_ready(seen, status, "False", Reason.INITIALIZING, attempts=count), (), pause)
        case GaveUp(count, job, reason):
            message = f"{reason}: {job.message if job else reason.advice}"
            return ModelDecision(_ready(seen, status, "False", Reason.INIT_FAILED, message, attempts=count))
        case Done(count, report):
            return _initialized(seen, status, count, report)


def _initialized(seen: ModelSeen, status: FederatedModelStatus, attempts: int, report: JobReport) -> ModelDecision:
    if report.digest is None or report.bytes is None:
        message = Reason.REPORT_MISSING.advice
        return ModelDecision(_ready(seen, status, "False", Reason.INIT_FAILED, message, attempts=attempts))
    first = ModelVersion(version=0, digest=report.digest, bytes=report.bytes, promoted_at=text_of(seen.now))
    ready = _ready(seen, status, "True", Reason.INITIALIZED, attempts=attempts)
    return ModelDecision(ready.model_copy(update={"current": first, "history": [first]}))


def _without_stale_claim(seen: ModelSeen) -> FederatedModelStatus:
    """A round that was deleted while it ran must not block the model for ever."""
    status = seen.model.status
    active = status.active_round
    if active is None or any(round_.metadata.uid == active.uid for round_ in seen.rounds):
        return status
    return status.model_copy(update={"active_round": None})


def _ready(
    seen: ModelSeen,
    status: FederatedModelStatus,
    value: Literal["True", "False"],
    reason: Reason,
    message: str = "",
    *,
    attempts: int | None = None,
) -> FederatedModelStatus:
    generation = seen.model.metadata.generation
    conditions = with_condition(
        status.conditions, READY, value, reason, message or reason.advice, generation=generation, now=seen.now
    )
    counted = status.init_attempts if attempts is None else attempts
    return status.model_copy(
        update={"conditions": conditions, "observed_generation": generation, "init_attempts": counted}
    )
