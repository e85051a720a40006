"""gather -> decide -> act -> one status patch, for each kind of the hub."""

import logging
from collections.abc import Mapping
from typing import Protocol

from fedround_api import names
from fedround_api.jobs import Role
from fedround_api.kinds import FederatedRound, FederatedRoundStatus, is_true
from fedround_api.kinds.clinic import AVAILABLE
from fedround_operator.hub import telling
from fedround_operator.hub.act import Writes, act_all
from fedround_operator.hub.decide_clinic import decide_clinic
from fedround_operator.hub.decide_model import decide_model
from fedround_operator.hub.decide_round import decide
from fedround_operator.hub.events import transition_event
from fedround_operator.hub.gather import Clock, Reads, gather_clinic, gather_model, gather_round
from fedround_operator.hub.seen import RoundSeen
from fedround_operator.hub.settings import HubSettings
from fedround_operator.hub.signing import Signer
from fedround_operator.kit.controller import Key, Outcome, Reconciler
from fedround_operator.kit.jobtally import JobTally
from fedround_operator.kit.reading import read_kind
from fedround_operator.kit.resources import CLINIC_ROUNDS, CLINICS, EVENTS, JOBS, MODELS, ROUNDS
from fedround_operator.kit.writing import count_refusals, ensure, write_status

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
        self._jobs = JobTally(clock(), (Role.INIT, Role.AGGREGATE, Role.VALIDATE))
        count_refusals(ROUNDS, MODELS, CLINICS)

    def reconcilers(self) -> Mapping[str, Reconciler]:
        """One reconciler for each kind."""
        return {ROUND: self.round, MODEL: self.model, CLINIC: self.clinic, SWEEP: self.sweep}

    def round(self, key: Key) -> Outcome:
        """Bring a round one step further."""
        seen = gather_round(self._api, self._signer, key.namespace, key.name, self._clock)
        if seen is None or seen.round.metadata.deletion_timestamp:
            telling.forget_round(key.namespace, key.name)
            self._jobs.forget(key)
            return Outcome(wake=(SWEEP_KEY,))
        self._jobs.count(key, seen.jobs)
        decision = decide(seen, self._settings)
        act_all(self._api, self._signer, seen, decision.actions)
        if event := transition_event(seen.round, decision.status, seen.now):
            ensure(self._api, EVENTS, event)
        if write_status(self._api, ROUNDS, seen.round, decision.status.dump()):
            self._tell_progress(seen, decision.status)
        telling.tell_round(seen, decision.status)
        if seen.model is None:
            # The round outlives it, and must not bring its series back.
            telling.forget_model(key.namespace, seen.round.spec.model_ref.name)
        return Outcome(decision.again_seconds)

    def model(self, key: Key) -> Outcome:
        """Make a model's first checkpoint, and tell its rounds what has changed."""
        seen = gather_model(self._api, key.namespace, key.name, self._clock)
        if seen is None or seen.model.metadata.deletion_timestamp:
            telling.forget_model(key.namespace, key.name)
            self._jobs.forget(key)
            return Outcome(wake=self._unfinished(key.namespace))
        self._jobs.count(key, seen.jobs)
        decision = decide_model(seen, self._settings)
        for action in decision.actions:
            ensure(self._api, JOBS, action.manifest)
        write_status(self._api, MODELS, seen.model, decision.status.dump())
        telling.tell_model(seen, decision.status)
        return Outcome(decision.again_seconds, tuple(_key(round_) for round_ in seen.rounds if _is_open(round_)))

    def clinic(self, key: Key) -> Outcome:
        """Say whether a clinic is available, and tell waiting rounds when that changes."""
        seen = gather_clinic(self._api, key.namespace, key.name, self._clock)
        if seen is None:
            telling.forget_clinic(key.namespace, key.name)
            return Outcome(wake=self._unfinished(key.namespace))
        decision = decide_clinic(seen)
        write_status(self._api, CLINICS, seen.clinic, decision.status.dump())
        telling.tell_clinic(seen, decision.status)
        before, after = seen.clinic.status, decision.status
        same = is_true(before.conditions, AVAILABLE) == is_true(after.conditions, AVAILABLE)
        changed = not same or before.case_volume != after.case_volume
        return Outcome(decision.again_seconds, self._unfinished(key.namespace) if changed else ())

    def sweep(self, _: Key) -> Outcome:
        """Remove the parts of rounds that are gone, and have the models looked at that a round waits for.

        Parts are listed first, so that a new round's are safe.
        """
        parts = self._api.list(CLINIC_ROUNDS, labels={names.PART_OF: names.PART_OF_VALUE})
        rounds = self._api.list(ROUNDS, self._settings.network)
        alive = {round_["metadata"]["uid"] for round_ in rounds}
        for part in parts:
            meta, round_ = part["metadata"], part["spec"]["round"]
            # Another network's are its own hub's, if there is one in this cluster.
            if round_["namespace"] == self._settings.network and round_["uid"] not in alive:
                self._api.delete(CLINIC_ROUNDS, meta["namespace"], meta["name"])
                log.info("removed part of a round that is gone namespace=%s name=%s", meta["namespace"], meta["name"])
        waiting = (round_ for round_ in rounds if not round_.get("status", {}).get("completedAt"))
        models = {(round_["metadata"]["namespace"], round_["spec"]["modelRef"]["name"]) for round_ in waiting}
        return Outcome(SWEEP_SECONDS, tuple(Key(MODEL, *model) for model in sorted(models)))

    def _unfinished(self, namespace: str) -> tuple[Key, ...]:
        rounds = (read_kind(FederatedRound, found) for found in self._api.list(ROUNDS, namespace))
        return tuple(_key(round_) for round_ in rounds if _is_open(round_))

    def _tell_progress(self, seen: RoundSeen, status: FederatedRoundStatus) -> None:
        """What has come to an end with the status that was just written."""
        telling.tell_phases(seen, status)
        if status.completed_at is None or status.phase is None or seen.round.status.completed_at is not None:
            return
        telling.count_round(seen.round, status.phase)
        meta = seen.round.metadata
        log.info("round ended round=%s namespace=%s outcome=%s", meta.name, meta.namespace, status.phase)


def _is_open(round_: FederatedRound) -> bool:
    return round_.status.completed_at is None


def _key(round_: FederatedRound) -> Key:
    return Key(ROUND, round_.metadata.namespace, round_.metadata.name)
