"""The next step of a round. Pure: the same view of the world gives the same decision.

The stage of a round follows from what its status has recorded (started_at, training_closed_at, candidate, verdict,
completed_at), never from its phase, which is a summary for people. A stage ends when its end is *seen*.
"""

from datetime import datetime, timedelta

from fedround_api.kinds import FederatedRound, FederatedRoundStatus, RoundPhase, find_condition
from fedround_api.kinds.federated_round import VerdictResult
from fedround_api.reasons import Reason
from fedround_operator.hub.actions import Action, RemoveJob, WriteModel
from fedround_operator.hub.admission import admit
from fedround_operator.hub.aggregation import aggregate
from fedround_operator.hub.decision import SUCCEEDED, Decision, closing, failed, waiting
from fedround_operator.hub.protection import with_protection
from fedround_operator.hub.seen import RoundSeen, StartedRound
from fedround_operator.hub.settings import HubSettings
from fedround_operator.hub.settlement import settle
from fedround_operator.hub.training import hand_out, train
from fedround_operator.hub.validation import validate
from fedround_operator.kit.instants import parse, text_of
from fedround_operator.kit.jobseen import JobState

# Some things that a round waits for give no event of their own (a deadline that a paused clock moved, an event lost
# on the way): every unfinished round is looked at again after this time, which costs a handful of reads.
RESYNC_SECONDS = 30.0


def decide(seen: RoundSeen, settings: HubSettings) -> Decision:
    """What to do for a round now, and its new status."""
    decision = _stage(seen, settings)
    status = _summarised(seen.round, decision.status)
    if status.completed_at is None:
        status = with_protection(seen.round, status, seen.now)
    again = decision.again_seconds
    if status.completed_at is None:
        again = min(again, RESYNC_SECONDS) if again is not None else RESYNC_SECONDS
    return Decision(status, decision.actions, again)


def _stage(seen: RoundSeen, settings: HubSettings) -> Decision:
    round_, now = seen.round, seen.now
    status = round_.status
    if status.completed_at is not None:
        return finished(seen)
    if round_.spec.cancel and not _is_settled(seen):
        return failed(round_, Reason.CANCELLED, now=now)
    if round_.spec.suspend:
        return _suspended(seen)
    if status.suspended_at is not None:
        return Decision(_resumed(status, now), again_seconds=0.0)
    if status.started_at is None:
        return admit(seen)
    if seen.model is None or status.base is None:
        return failed(round_, Reason.MODEL_NOT_FOUND, now=now)
    started = StartedRound(round_, seen.model, status.base, now)
    if status.training_closed_at is None:
        return train(seen)
    if status.candidate is None:
        return aggregate(seen, started, settings)
    if status.verdict is None:
        return validate(seen, started, status.candidate, settings)
    return settle(seen, started, status.candidate, status.verdict)


def _is_settled(seen: RoundSeen) -> bool:
    """Whether the verdict is in the model already: then it is too late to cancel."""
    return seen.round.status.verdict is not None and seen.model is not None and not seen.holds_model


def finished(seen: RoundSeen) -> Decision:
    """A round that has ended gives back what it holds: the model, clinics that still work, Jobs that still run."""
    actions: list[Action] = list(closing(seen.parts.values()))
    actions += [
        RemoveJob(seen.round.metadata.namespace, job.name) for job in seen.jobs if job.state is JobState.RUNNING
    ]
    if seen.model is not None and seen.holds_model:
        actions.append(WriteModel(seen.model, seen.model.status.model_copy(update={"active_round": None})))
    return Decision(seen.round.status, tuple(actions))


def _suspended(seen: RoundSeen) -> Decision:
    since = seen.round.status.suspended_at or text_of(seen.now)
    decision = waiting(seen.round, Reason.SUSPENDED, now=seen.now, suspended_at=since)
    if seen.round.status.started_at is None or seen.round.status.training_closed_at is not None:
        return decision
    return Decision(decision.status, hand_out(seen)[0])


def _resumed(status: FederatedRoundStatus, now: datetime) -> FederatedRoundStatus:
    """The deadlines move by as long as the round was suspended."""
    pause = now - parse(status.suspended_at) if status.suspended_at else timedelta()
    moved = {
        name: text_of(parse(deadline) + pause)
        for name in ("start_deadline_at", "training_deadline_at", "session_deadline_at", "validation_deadline_at")
        if (deadline := getattr(status, name)) is not None
    }
    return status.model_copy(update={**moved, "suspended_at": None})


def _summarised(round_: FederatedRound, status: FederatedRoundStatus) -> FederatedRoundStatus:
    """The status with the fields for people filled in."""
    outcome = find_condition(status.conditions, SUCCEEDED)
    return status.model_copy(
        update={
            "observed_generation": round_.metadata.generation,
            "phase": _phase(round_, status),
            "reason": outcome.reason if outcome else None,
        }
    )


def _phase(round_: FederatedRound, status: FederatedRoundStatus) -> RoundPhase:
    outcome = find_condition(status.conditions, SUCCEEDED)
    if status.completed_at is not None:
        if outcome is None or outcome.status != "True" or status.verdict is None:
            return RoundPhase.FAILED
        return RoundPhase.PROMOTED if status.verdict.result is VerdictResult.PROMOTE else RoundPhase.ROLLED_BACK
    if round_.spec.suspend:
        return RoundPhase.SUSPENDED
    if status.started_at is None:
        return RoundPhase.PENDING
    if status.training_closed_at is None:
        return RoundPhase.TRAINING
    return RoundPhase.AGGREGATING if status.candidate is None else RoundPhase.VALIDATING
