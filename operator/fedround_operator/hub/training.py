"""While clinics train: hand out their parts, keep the URLs fresh, count what comes in, close in time. Pure."""

from datetime import datetime
from typing import Any

from fedround_api.fields import seconds
from fedround_api.kinds import ClinicRound, FederatedRound, Participant, ParticipantState, find_condition
from fedround_api.kinds.federated_round import Base
from fedround_api.reasons import Reason
from fedround_operator.hub.actions import Action, ChangePart, MakePart
from fedround_operator.hub.decision import (
    SUCCEEDED,
    Decision,
    condition,
    failed,
    in_seconds,
    part_ended,
    part_submitted,
    soonest,
    until,
)
from fedround_operator.hub.seen import RoundSeen
from fedround_operator.kit.instants import parse, text_of

QUORUM_REACHED = "QuorumReached"
# An update has the tensors of its checkpoint in float32; only the header of the file may differ a little.
UPDATE_MARGIN_BYTES = 65_536


def train(seen: RoundSeen) -> Decision:
    """Go on with training, or close it."""
    base = seen.round.status.base
    participants = [_seen(known, seen, base) for known in seen.round.status.participants]
    submitted = sum(participant.state is ParticipantState.SUBMITTED for participant in participants)
    round_ = _with_participants(seen.round, participants, submitted)
    working = [
        participant
        for participant in participants
        if participant.state in (ParticipantState.INVITED, ParticipantState.TRAINING)
    ]
    left = until(round_.status.training_deadline_at, seen.now)
    minimum = round_.spec.clinics.minimum
    if submitted >= minimum and (not working or left == 0.0):
        return _close(round_, participants, submitted, seen.now)
    if submitted + len(working) < minimum or left == 0.0:
        return failed(round_, Reason.QUORUM_NOT_MET, _missing(participants, submitted, minimum), now=seen.now)
    actions, refresh = hand_out(seen)
    status = condition(round_, round_.status, SUCCEEDED, "Unknown", Reason.TRAINING, now=seen.now)
    return Decision(status, actions, soonest(left, refresh))


def _seen(known: Participant, seen: RoundSeen, base: Base | None) -> Participant:
    if known.name in seen.revoked:
        # Whatever it has submitted: its part was removed with its rights, and who it was is in doubt.
        return known.model_copy(update={"state": ParticipantState.FAILED, "reason": str(Reason.CERTIFICATE_REVOKED)})
    return _participant(known, seen.parts.get(known.name), base)


def _participant(known: Participant, part: ClinicRound | None, base: Base | None) -> Participant:
    """Where a clinic stands, from its part."""
    if part is None:
        return known.model_copy(update={"state": ParticipantState.INVITED})
    result, outcome = part.status.result, find_condition(part.status.conditions, SUCCEEDED)
    if part_submitted(part) and result is not None:
        if base is not None and result.update_bytes > base.bytes + UPDATE_MARGIN_BYTES:
            return known.model_copy(update={"state": ParticipantState.FAILED, "reason": str(Reason.TOO_LARGE)})
        return known.model_copy(
            update={
                "state": ParticipantState.SUBMITTED,
                "cases": result.cases,
                "update_digest": result.update_digest,
                "update_bytes": result.update_bytes,
                "locked": result.locked,
                "reason": None,
            }
        )
    if outcome is not None and part_ended(part):
        return known.model_copy(update={"state": ParticipantState.FAILED, "reason": outcome.reason})
    return known.model_copy(update={"state": ParticipantState.TRAINING})


def _with_participants(round_: FederatedRound, participants: list[Participant], submitted: int) -> FederatedRound:
    changes = {"participants": participants, "participation": f"{submitted}/{len(participants)}"}
    return round_.model_copy(update={"status": round_.status.model_copy(update=changes)})


def hand_out(seen: RoundSeen) -> tuple[tuple[Action, ...], float | None]:
    """The parts to make or to bring up to date, and the seconds until the next URLs grow old."""
    actions: list[Action] = []
    refreshes: list[float] = []
    for participant in seen.round.status.participants:
        if participant.name in seen.revoked:
            continue
        part = seen.parts.get(participant.name)
        if part is None:
            actions.append(MakePart(participant.name))
            continue
        if part_ended(part):
            continue
        fresh_for = 0.0 if participant.name in seen.outdated else _seconds_to_refresh(part, seen.now)
        refreshes.append(fresh_for)
        changes = _changes(part, seen.round)
        if changes or fresh_for == 0.0:
            actions.append(ChangePart(participant.name, changes, fresh_urls=fresh_for == 0.0))
    return tuple(actions), min(refreshes, default=None)


def _changes(part: ClinicRound, round_: FederatedRound) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if part.spec.suspended != round_.spec.suspend:
        changes["suspended"] = round_.spec.suspend
    if part.spec.deadline_at != round_.status.training_deadline_at:
        changes["deadlineAt"] = round_.status.training_deadline_at
    return changes


def _seconds_to_refresh(part: ClinicRound, now: datetime) -> float:
    """URLs are signed anew at two thirds of their life."""
    signed, expires = parse(part.spec.urls.signed_at), parse(part.spec.urls.expires_at)
    return max(0.0, (signed + (expires - signed) * 2 / 3 - now).total_seconds())


def _close(round_: FederatedRound, participants: list[Participant], submitted: int, now: datetime) -> Decision:
    """Fix whose updates are summed."""
    final = [
        participant.model_copy(update={"state": ParticipantState.LATE})
        if participant.state in (ParticipantState.INVITED, ParticipantState.TRAINING)
        else participant
        for participant in participants
    ]
    message = (
        f"{submitted} of {len(participants)} clinics submitted an update; at least {round_.spec.clinics.minimum} must"
    )
    status = condition(round_, round_.status, QUORUM_REACHED, "True", Reason.QUORUM_MET, message=message, now=now)
    status = condition(
        round_,
        status,
        SUCCEEDED,
        "Unknown",
        Reason.AGGREGATING,
        now=now,
        participants=final,
        training_closed_at=text_of(now),
        session_deadline_at=in_seconds(now, seconds(round_.spec.deadlines.session)),
    )
    return Decision(status, again_seconds=0.0)


def _missing(participants: list[Participant], submitted: int, minimum: int) -> str:
    causes = [
        f"{participant.name} ({participant.reason or 'not done in time'})"
        for participant in participants
        if participant.state is not ParticipantState.SUBMITTED
    ]
    return f"{submitted} of at least {minimum} clinics submitted an update; missing: {', '.join(causes[:20])}"
