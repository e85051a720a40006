"""What the hub's metrics tell of rounds, models and clinics: set by the reconcilers from what they have seen.

Everything but the counters follows from the objects, so that it is the same after a restart.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from fedround_api.fields import seconds
from fedround_api.kinds import (
    ClinicStatus,
    FederatedModelStatus,
    FederatedRound,
    FederatedRoundStatus,
    RoundPhase,
    find_condition,
    is_true,
)
from fedround_api.kinds.clinic import AVAILABLE
from fedround_api.kinds.federated_model import Metrics
from fedround_api.kinds.federated_round import ParticipantState, Verdict, VerdictResult
from fedround_operator.hub.aggregation import AGGREGATED
from fedround_operator.hub.seen import ClinicSeen, ModelSeen, RoundSeen
from fedround_operator.kit import metrics
from fedround_operator.kit.instants import parse

OUTCOMES = (RoundPhase.PROMOTED, RoundPhase.ROLLED_BACK, RoundPhase.FAILED)
_ASKED, _AVAILABLE = "Asked", "Available"


class ClinicState(StrEnum):
    """What a member can be counted on for."""

    AVAILABLE = "Available"
    UNAVAILABLE = "Unavailable"
    SUSPENDED = "Suspended"
    REVOKED = "Revoked"


# --- rounds


def tell_round(seen: RoundSeen, status: FederatedRoundStatus) -> None:
    """Where a round stands; nothing once it has ended."""
    meta, model = seen.round.metadata, seen.round.spec.model_ref.name
    place = (meta.namespace, model, meta.name)
    if status.completed_at is not None:
        forget_round(meta.namespace, meta.name)
        return
    for phase in RoundPhase:
        if phase is status.phase:
            metrics.ROUND_PHASE.labels(*place, phase.value).set(1)
        else:
            metrics.ROUND_PHASE.remove(*place, phase.value)
    if window := _window(seen.round, status):
        metrics.PHASE_BEGAN.labels(*place).set(window[0].timestamp())
        metrics.ROUND_DEADLINE.labels(*place).set(window[1].timestamp())
    if status.started_at is not None:
        _tell_participants(seen.round, status)
    elif seen.model is not None and seen.model.status.active_round is None:
        _tell_waiting(seen)


def tell_phases(seen: RoundSeen, after: FederatedRoundStatus) -> None:
    """How long the phases lasted that end with this status; called once for each status that was written."""
    before, begun = _begun(seen.round, seen.round.status), [*_begun(seen.round, after).items()]
    if seen.round.status.verdict is None and after.verdict is not None:
        begun.append((RoundPhase.PROMOTED, seen.now))
    for (phase, began), (next_, ended) in pairwise(begun):
        if next_ not in before:
            labels = (seen.round.metadata.namespace, seen.round.spec.model_ref.name, phase.value)
            metrics.PHASE_SECONDS.labels(*labels).observe(max(0.0, (ended - began).total_seconds()))


def count_round(round_: FederatedRound, outcome: RoundPhase) -> None:
    """A round has ended."""
    metrics.ROUNDS.labels(round_.metadata.namespace, round_.spec.model_ref.name, outcome.value).inc()


def forget_round(network: str, name: str) -> None:
    """A round has ended or is gone."""
    for metric in (metrics.ROUND_PHASE, metrics.PHASE_BEGAN, metrics.ROUND_DEADLINE):
        metric.remove_by_labels({"network": network, "round": name})


def _window(round_: FederatedRound, status: FederatedRoundStatus) -> tuple[datetime, datetime] | None:
    """From when to when the phase may last that the status is in, where that is fixed already."""
    if status.started_at is None:
        # The clock of a round that waits for its model starts when it waits for clinics only.
        if status.start_deadline_at is None:
            return None
        deadline = parse(status.start_deadline_at)
        return deadline - timedelta(seconds=seconds(round_.spec.deadlines.start)), deadline
    if status.training_closed_at is None:
        until = status.training_deadline_at
    else:
        until = status.session_deadline_at if status.candidate is None else status.validation_deadline_at
    return (max(_begun(round_, status).values()), parse(until)) if until is not None else None


def _begun(round_: FederatedRound, status: FederatedRoundStatus) -> dict[RoundPhase, datetime]:
    """When each phase began that the round has reached, in their order, as its status has recorded."""
    found: dict[RoundPhase, datetime] = {}
    if round_.metadata.creation_timestamp is not None:
        found[RoundPhase.PENDING] = parse(round_.metadata.creation_timestamp)
    if status.started_at is not None:
        found[RoundPhase.TRAINING] = parse(status.started_at)
    if status.training_closed_at is not None:
        found[RoundPhase.AGGREGATING] = parse(status.training_closed_at)
    aggregated = find_condition(status.conditions, AGGREGATED)
    if status.candidate is not None and aggregated is not None:
        found[RoundPhase.VALIDATING] = parse(aggregated.last_transition_time)
    return found


def _tell_waiting(seen: RoundSeen) -> None:
    nobody = {state.value: 0 for state in ParticipantState}
    _tell_clinics(seen.round, {_ASKED: len(seen.invited), _AVAILABLE: len(seen.available), **nobody})


def _tell_participants(round_: FederatedRound, status: FederatedRoundStatus) -> None:
    counted = Counter(participant.state for participant in status.participants)
    stand = {state.value: counted[state] for state in ParticipantState}
    metrics.ROUND_CLINICS.remove(round_.metadata.namespace, round_.spec.model_ref.name, _AVAILABLE)
    _tell_clinics(round_, {_ASKED: len(status.participants), **stand})


def _tell_clinics(round_: FederatedRound, states: dict[str, int]) -> None:
    model = (round_.metadata.namespace, round_.spec.model_ref.name)
    for state, count in states.items():
        metrics.ROUND_CLINICS.labels(*model, state).set(count)
    metrics.ROUND_MINIMUM.labels(*model).set(round_.spec.clinics.minimum)


# --- models


def tell_model(seen: ModelSeen, status: FederatedModelStatus) -> None:
    """A model's versions and figures, and what became of its candidates."""
    model = (seen.model.metadata.namespace, seen.model.metadata.name)
    for outcome in OUTCOMES:
        # A series that begins with its first round would show no increase when that one ends.
        metrics.ROUNDS.labels(*model, outcome.value)
    metrics.EVALUATIONS.labels(*model).set(status.evaluations)
    _tell_versions(model, status)
    started = [one for one in seen.rounds if one.status.started_at is not None]
    if started and status.active_round is None:
        newest = max(started, key=lambda one: one.status.started_at or "")
        _tell_participants(newest, newest.status)
    _tell_verdicts(model, _verdicts(seen.rounds))


def forget_model(network: str, name: str) -> None:
    """A model is gone."""
    for metric in (
        metrics.ROUNDS,
        metrics.PHASE_SECONDS,
        metrics.ROUND_CLINICS,
        metrics.ROUND_MINIMUM,
        metrics.ROLLBACKS,
        metrics.EVALUATIONS,
        metrics.MODEL_VERSION,
        metrics.MODEL_FIGURE,
        metrics.HIGH_RISK_CASES,
    ):
        metric.remove_by_labels({"network": network, "model": name})


def _tell_versions(model: tuple[str, str], status: FederatedModelStatus) -> None:
    known = {version.version: version.metrics for version in status.history}
    for name, version in (("Current", status.current), ("Released", status.released)):
        if version is not None:
            metrics.MODEL_VERSION.labels(*model, name).set(version.version)
            # A version that has left the history, or was never judged, has no figures any more.
            _tell_figures(model, name, known.get(version.version))


def _verdicts(rounds: Iterable[FederatedRound]) -> list[Verdict]:
    """What was decided about the model's candidates, the newest first."""
    judged = [one for one in rounds if one.status.verdict is not None]
    judged.sort(key=lambda one: one.status.training_closed_at or "", reverse=True)
    return [one.status.verdict for one in judged if one.status.verdict is not None]


def _tell_verdicts(model: tuple[str, str], verdicts: list[Verdict]) -> None:
    promoted = (number for number, one in enumerate(verdicts) if one.result is VerdictResult.PROMOTE)
    metrics.ROLLBACKS.labels(*model).set(next(promoted, len(verdicts)))
    if verdicts:
        _tell_figures(model, "Candidate", verdicts[0].candidate)
        metrics.HIGH_RISK_CASES.labels(*model, "Lost").set(verdicts[0].lost)
        metrics.HIGH_RISK_CASES.labels(*model, "Gained").set(verdicts[0].gained)


def _tell_figures(model: tuple[str, str], version: str, figures: Metrics | None) -> None:
    if figures is None:
        metrics.MODEL_FIGURE.remove_by_labels({"network": model[0], "model": model[1], "version": version})
        return
    for name, value in figures.dump().items():
        metrics.MODEL_FIGURE.labels(*model, version, name).set(float(value))


# --- clinics


def tell_clinic(seen: ClinicSeen, status: ClinicStatus) -> None:
    """What a clinic can be counted on for, and how long its certificate holds."""
    meta, present = seen.clinic.metadata, _state(seen, status)
    clinic = (meta.namespace, meta.name)
    for state in ClinicState:
        metrics.CLINIC_STATE.labels(*clinic, state.value).set(state is present)
    if status.certificate_expires_at is not None:
        metrics.CLINIC_CERTIFICATE_END.labels(*clinic).set(parse(status.certificate_expires_at).timestamp())
    else:
        metrics.CLINIC_CERTIFICATE_END.remove(*clinic)


def forget_clinic(network: str, name: str) -> None:
    """A clinic is no member any more."""
    metrics.CLINIC_STATE.remove_by_labels({"network": network, "clinic": name})
    metrics.CLINIC_CERTIFICATE_END.remove(network, name)


def _state(seen: ClinicSeen, status: ClinicStatus) -> ClinicState:
    if seen.clinic.spec.revoked:
        return ClinicState.REVOKED
    if seen.clinic.spec.suspended:
        return ClinicState.SUSPENDED
    return ClinicState.AVAILABLE if is_true(status.conditions, AVAILABLE) else ClinicState.UNAVAILABLE
