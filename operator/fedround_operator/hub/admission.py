"""Before a round starts: is the request possible, is the model free, are enough clinics there? Pure."""

from fedround_api.fields import seconds
from fedround_api.kinds import FederatedModel, Participant
from fedround_api.kinds.federated_model import ActiveRound
from fedround_api.kinds.federated_round import PARTICIPANT_LIMIT, Base
from fedround_api.reasons import Reason
from fedround_operator.hub.actions import WriteModel
from fedround_operator.hub.decision import SUCCEEDED, Decision, condition, failed, in_seconds, until
from fedround_operator.hub.seen import RoundSeen
from fedround_operator.kit.instants import text_of

ACCEPTED = "Accepted"
STARTED = "Started"


def admit(seen: RoundSeen) -> Decision:
    """Start the round, or say what it waits for."""
    refusal = _refusal(seen)
    if refusal is not None:
        return _wait(seen, *refusal, accepted=False)
    model = seen.model
    assert model is not None  # noqa: S101 - a round without its model was refused above
    obstacle = _obstacle(seen, model)
    if obstacle is not None:
        return _wait(seen, *obstacle, accepted=True)
    if not seen.holds_model:
        return _claim(seen, model)
    return _start(seen, model)


def _refusal(seen: RoundSeen) -> tuple[Reason, str] | None:
    """Why the request cannot be met as things stand."""
    spec = seen.round.spec
    if seen.model is None:
        return Reason.MODEL_NOT_FOUND, f"there is no FederatedModel {spec.model_ref.name!r} in this namespace"
    if len(seen.invited) < spec.clinics.minimum:
        return (
            Reason.TOO_FEW_CLINICS,
            f"spec.clinics.minimum is {spec.clinics.minimum}, and {_count(len(seen.invited))} the selector "
            "without being suspended",
        )
    return None


def _count(number: int) -> str:
    return "1 clinic matches" if number == 1 else f"{number} clinics match"


def _obstacle(seen: RoundSeen, model: FederatedModel) -> tuple[Reason, str] | None:
    """What the round has to wait for."""
    active = model.status.active_round
    if model.status.current is None:
        return Reason.MODEL_NOT_READY, f"model {model.metadata.name!r} has no checkpoint yet"
    if active is not None and not seen.holds_model:
        return Reason.MODEL_BUSY, f"round {active.name!r} of the same model is running"
    minimum = seen.round.spec.clinics.minimum
    if len(seen.available) < minimum:
        there = {clinic.metadata.name for clinic in seen.available}
        missing = [clinic.metadata.name for clinic in seen.invited if clinic.metadata.name not in there]
        return (
            Reason.WAITING_FOR_CLINICS,
            f"{len(there)} of at least {minimum} clinics are available; not available: {', '.join(missing[:20])}",
        )
    return None


def _wait(seen: RoundSeen, reason: Reason, message: str, *, accepted: bool) -> Decision:
    round_, now = seen.round, seen.now
    # Another round of the model may take hours, which is no fault of the clinics: the clock starts after it.
    deadline = None
    if reason is not Reason.MODEL_BUSY:
        deadline = round_.status.start_deadline_at or in_seconds(now, seconds(round_.spec.deadlines.start))
    if accepted:
        status = condition(round_, round_.status, ACCEPTED, "True", Reason.ACCEPTED, now=now)
    else:
        status = condition(round_, round_.status, ACCEPTED, "False", reason, message=message, now=now)
    round_ = round_.model_copy(update={"status": status})
    if deadline is not None and until(deadline, now) == 0.0:
        return failed(round_, Reason.START_DEADLINE_PASSED, f"{Reason.START_DEADLINE_PASSED.advice} {message}", now=now)
    status = condition(
        round_, status, SUCCEEDED, "Unknown", reason, message=message, now=now, start_deadline_at=deadline
    )
    return Decision(status, again_seconds=until(deadline, now))


def _claim(seen: RoundSeen, model: FederatedModel) -> Decision:
    """Take the model; whether that worked is seen in the next step."""
    meta = seen.round.metadata
    claim = model.status.model_copy(update={"active_round": ActiveRound(name=meta.name, uid=meta.uid)})
    status = condition(seen.round, seen.round.status, ACCEPTED, "True", Reason.ACCEPTED, now=seen.now)
    return Decision(status, (WriteModel(model, claim),), again_seconds=0.0)


def _start(seen: RoundSeen, model: FederatedModel) -> Decision:
    """Fix the participants and the checkpoint to start from."""
    round_, now, current = seen.round, seen.now, model.status.current
    assert current is not None  # noqa: S101 - a model without a checkpoint is an obstacle
    participants = [
        Participant(name=clinic.metadata.name, case_volume=clinic.status.case_volume or 0)
        for clinic in seen.available[:PARTICIPANT_LIMIT]  # more would be a status that the API server refuses
    ]
    status = condition(round_, round_.status, ACCEPTED, "True", Reason.ACCEPTED, now=now)
    status = condition(round_, status, STARTED, "True", Reason.STARTED, now=now)
    status = condition(
        round_,
        status,
        SUCCEEDED,
        "Unknown",
        Reason.TRAINING,
        now=now,
        started_at=text_of(now),
        start_deadline_at=None,
        training_deadline_at=in_seconds(now, seconds(round_.spec.deadlines.training)),
        base=Base(version=current.version, digest=current.digest, bytes=current.bytes),
        participants=participants,
        participation=f"0/{len(participants)}",
    )
    return Decision(status, again_seconds=0.0)
