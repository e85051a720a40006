"""gather -> decide -> act -> one status patch, for each kind of the hub."""

import logging
from collections.abc import Mapping
from typing import Protocol

from fedround_api import names
from fedround_api.kinds import FederatedRound, is_true
from fedround_api.kinds.clinic import AVAILABLE
from fedround_operator.hub.act import Writes, act_all
from fedround_operator.hub.decide_clinic import decide_clinic
from fedround_operator.hub.decide_model import decide_model
from fedround_operator.hub.decide_round import decide
from fedround_operator.hub.events import transition_event
from fedround_operator.hub.gather import Clock, Reads, gather_clinic, gather_model, gather_round
from fedround_operator.hub.settings import HubSettings
from fedround_operator.hub.signing import Signer
from fedround_operator.kit import metrics
from fedround_operator.kit.controller import Key, Outcome, Reconciler
from fedround_operator.kit.errors import Invalid
from fedround_operator.kit.instants import parse
from fedround_operator.kit.reading import read_kind
from fedround_operator.kit.resources import CLINIC_ROUNDS, CLINICS, EVENTS, JOBS, MODELS, ROUNDS
from fedround_operator.kit.writing import ensure, write_status

log = logging.getLogger(__name__)

ROUND, MODEL, CLINIC, SWEEP = "FederatedRound", "FederatedModel", "Clinic", "Sweep"
SWEEP_KEY = Key(SWEEP, "", "")
# What a deleted round held is given back when its deletion is seen; this makes good a deletion that was missed.
SWEEP_SECONDS = 60.0


class Api(Reads, Writes, Protocol):
    """An API server to read from and write to."""


class Hub:
    """The hub's reconcilers over one API server."""

    def __init__(self, api: Api, signer: Signer, settings: HubSettings, clock: Clock) -> None:
        self._api, self._signer, self._settings, self._clock = api, signer, settings, clock

    def reconcilers(self) -> Mapping[str, Reconciler]:
        """One reconciler for each kind."""
        return {ROUND: self.round, MODEL: self.model, CLINIC: self.clinic, SWEEP: self.sweep}

    def round(self, key: Key) -> Outcome:
        """Bring a round one step further."""
        seen = gather_round(self._api, key.namespace, key.name, self._clock)
        if seen is None or seen.round.metadata.deletion_timestamp:
            return Outcome(wake=(SWEEP_KEY,))
        decision = decide(seen, self._settings)
        act_all(self._api, self._signer, seen, decision.actions)
        if event := transition_event(seen.round, decision.status, seen.now):
            ensure(self._api, EVENTS, event)
        try:
            written = write_status(self._api, ROUNDS, seen.round, decision.status.dump())
        except Invalid:
            metrics.STATUS_WRITE_ERRORS.labels(ROUND).inc()
            raise
        if written and decision.status.completed_at and not seen.round.status.completed_at:
            self._count(seen.round, str(decision.status.phase))
        return Outcome(decision.again_seconds)

    def model(self, key: Key) -> Outcome:
        """Make a model's first checkpoint, and tell its rounds what has changed."""
        seen = gather_model(self._api, key.namespace, key.name, self._clock)
        if seen is None or seen.model.metadata.deletion_timestamp:
            return Outcome(wake=self._unfinished(key.namespace))
        decision = decide_model(seen, self._settings)
        for action in decision.actions:
            ensure(self._api, JOBS, action.manifest)
        write_status(self._api, MODELS, seen.model, decision.status.dump())
        return Outcome(decision.again_seconds, tuple(_key(round_) for round_ in seen.rounds if _is_open(round_)))

    def clinic(self, key: Key) -> Outcome:
        """Say whether a clinic is available, and tell waiting rounds when that changes."""
        seen = gather_clinic(self._api, key.namespace, key.name, self._clock)
        if seen is None:
            metrics.CLINIC_CERTIFICATE_END.remove(key.name)
            return Outcome(wake=self._unfinished(key.namespace))
        decision = decide_clinic(seen)
        write_status(self._api, CLINICS, seen.clinic, decision.status.dump())
        if decision.status.certificate_expires_at is not None:
            ends = parse(decision.status.certificate_expires_at)
            metrics.CLINIC_CERTIFICATE_END.labels(key.name).set(ends.timestamp())
        else:
            metrics.CLINIC_CERTIFICATE_END.remove(key.name)
        before, after = seen.clinic.status, decision.status
        same = is_true(before.conditions, AVAILABLE) == is_true(after.conditions, AVAILABLE)
        changed = not same or before.case_volume != after.case_volume
        return Outcome(decision.again_seconds, self._unfinished(key.namespace) if changed else ())

    def sweep(self, _: Key) -> Outcome:
        """Remove the parts of rounds that are gone, and have the models looked at that a round waits for.

        Parts are listed first, so that a new round's are safe.
        """
        parts = self._api.list(CLINIC_ROUNDS, labels={names.PART_OF: names.PART_OF_VALUE})
        rounds = self._api.list(ROUNDS)
        alive = {round_["metadata"]["uid"] for round_ in rounds}
        for part in parts:
            meta = part["metadata"]
            if part["spec"]["round"]["uid"] not in alive:
                self._api.delete(CLINIC_ROUNDS, meta["namespace"], meta["name"])
                log.info("removed part of a round that is gone namespace=%s name=%s", meta["namespace"], meta["name"])
        waiting = (round_ for round_ in rounds if not round_.get("status", {}).get("completedAt"))
        models = {(round_["metadata"]["namespace"], round_["spec"]["modelRef"]["name"]) for round_ in waiting}
        return Outcome(SWEEP_SECONDS, tuple(Key(MODEL, *model) for model in sorted(models)))

    def _unfinished(self, namespace: str) -> tuple[Key, ...]:
        rounds = (read_kind(FederatedRound, found) for found in self._api.list(ROUNDS, namespace))
        return tuple(_key(round_) for round_ in rounds if _is_open(round_))

    def _count(self, round_: FederatedRound, outcome: str) -> None:
        metrics.ROUNDS.labels(round_.spec.model_ref.name, outcome).inc()
        log.info(
            "round ended round=%s namespace=%s outcome=%s", round_.metadata.name, round_.metadata.namespace, outcome
        )


def _is_open(round_: FederatedRound) -> bool:
    return round_.status.completed_at is None


def _key(round_: FederatedRound) -> Key:
    return Key(ROUND, round_.metadata.namespace, round_.metadata.name)
