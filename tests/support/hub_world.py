"""A hub in memory: its operator, clinics that train, a cluster that runs Jobs, and a clock that only tests move.

The operator is fed as the informer feeds it: each write becomes keys by ``hub.watching``, a restart lists everything.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from fedround_api import names
from fedround_api.jobs import Role
from fedround_api.kinds import TransferUrls
from fedround_operator.hub.reconcilers import SWEEP_KEY, Hub
from fedround_operator.hub.watching import scopes
from fedround_operator.kit.controller import Key
from fedround_operator.kit.errors import ApiError
from fedround_operator.kit.instants import micro_text_of, text_of
from fedround_operator.kit.resources import (
    CLINIC_ROUNDS,
    CLINICS,
    EVENTS,
    JOBS,
    LEASES,
    MODELS,
    ROUNDS,
    Object,
    Resource,
)
from support.builders import make_lease
from support.fake_api import Call, FakeApi
from support.hub_builders import (
    CANDIDATE_DIGEST,
    NETWORK,
    NOON,
    SETTINGS,
    SUBMITTED,
    WORKING,
    clinic_object,
    model_object,
    part_status,
    round_object,
    verdict,
)
from support.job_player import JobPlayer

KEYS_OF = {resource: keys_of for scope in scopes(NETWORK) for resource, keys_of in scope.watched.items()}
_WRITES = ("create", "patch", "delete")


class Crash(Exception):
    """The operator's process ends here."""


def _no_fault(call: Call, carried_out: bool) -> None:
    """A hook that lets every call pass."""


class FakeSigner:
    """URLs that name what they are for and with which key they are signed, valid for an hour."""

    def __init__(self, key: str = "first") -> None:
        self._key = key

    def sign(self, model: str, base_digest: str, clinic: str, round_uid: str, now: datetime) -> TransferUrls:
        return TransferUrls(
            checkpoint=f"https://gateway/published/{model}/{base_digest}?{self._key}&{text_of(now)}",
            update=f"https://gateway/clinics/{clinic}/{round_uid}?{self._key}&{text_of(now)}",
            signed_at=text_of(now),
            expires_at=text_of(now + timedelta(hours=1)),
        )


class HubWorld:
    """A network of clinics with a model that is ready, and an operator that can be restarted."""

    def __init__(self, clinics: tuple[str, ...] = ("east", "north", "south"), *, ready: bool = True) -> None:
        self.now = NOON
        self.api = FakeApi(lambda: self.now)
        self.jobs = JobPlayer(self.api, NETWORK)
        self.behaviour = dict.fromkeys(clinics, SUBMITTED)
        self.verdict = verdict()
        self.signer = FakeSigner()
        self.fault: Callable[[Call, bool], None] = _no_fault
        self.api.before = lambda call: self.fault(call, False)
        self.api.after = self._written
        self._keys: dict[Key, None] = {}
        self._later: dict[Key, datetime] = {}
        self.api.put(MODELS, NETWORK, {**model_object(), **({} if ready else {"status": {}})})
        for name in clinics:
            self.api.put(CLINICS, NETWORK, clinic_object(name))
            self.renew(name)
        self.restart()

    def restart(self) -> None:
        """A new process: nothing of the old one's memory is left, and everything is listed."""
        self.hub = Hub(self.api, self.signer, SETTINGS, lambda: self.now)
        self._keys, self._later = {SWEEP_KEY: None}, {}
        spaces = [NETWORK, *(names.clinic_namespace(clinic) for clinic in self.behaviour)]
        for resource in KEYS_OF:
            for space in spaces:
                for found in self.api.peek(resource, space):
                    self._tell(resource, found)

    def apply(self, name: str = "skin-2026-w48", **spec: Any) -> None:
        """An administrator creates a round."""
        made = round_object(**spec)
        made["metadata"] = {"name": name}
        self._put(ROUNDS, NETWORK, made)

    def edit(self, name: str = "skin-2026-w48", **spec: Any) -> None:
        """An administrator changes a round's spec."""
        with self.undisturbed():
            self.api.patch(ROUNDS, NETWORK, name, {"spec": spec})

    def delete(self, name: str = "skin-2026-w48") -> None:
        """An administrator deletes a round."""
        for found in self.api.peek(ROUNDS, NETWORK):
            if found["metadata"]["name"] == name:
                with self.undisturbed():
                    self.api.delete(ROUNDS, NETWORK, name)
                self._tell(ROUNDS, found, gone=True)

    def remove_jobs(self) -> None:
        """Somebody deletes all Jobs of the hub."""
        for job in self.jobs.all():
            with self.undisturbed():
                self.api.delete(JOBS, NETWORK, job["metadata"]["name"])
            self._tell(JOBS, job)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Calls in it are not the operator's: no fault strikes, and none is recorded."""
        fault, calls = self.fault, len(self.api.calls)
        self.fault = _no_fault
        yield
        self.fault = fault
        del self.api.calls[calls:]

    def renew(self, clinic: str) -> None:
        """A clinic's agent gives a sign of life."""
        lease = make_lease(clinic)
        lease["metadata"] |= {
            "labels": {names.CLINIC_LABEL: clinic, names.NETWORK_LABEL: NETWORK},
            "annotations": {names.CASE_VOLUME_ANNOTATION: "1000", names.AGENT_VERSION_ANNOTATION: "0.1.0"},
        }
        lease["spec"] |= {"renewTime": micro_text_of(self.now), "holderIdentity": clinic}
        self._put(LEASES, f"clinic-{clinic}", lease)

    def step(self) -> bool:
        """One reconcile, if one is due; a crash is followed by a new process, an error of the API by another try."""
        for key in [key for key, due in self._later.items() if due <= self.now]:
            del self._later[key]
            self._keys[key] = None
        if not self._keys:
            return False
        key = next(iter(self._keys))
        del self._keys[key]
        try:
            outcome = self.hub.reconcilers()[key.kind](key)
        except Crash:
            self.restart()
        except ApiError:
            self._keys[key] = None
        else:
            if outcome.again_seconds is not None:
                due = self.now + timedelta(seconds=outcome.again_seconds)
                self._later[key] = min(due, self._later.get(key, due))
            for other in outcome.wake:
                self._keys[other] = None
        return True

    def settle(self) -> None:
        """Reconcile until nothing is left to do at once."""
        for _ in range(400):
            if not self.step():
                return
        raise AssertionError(f"the hub never comes to rest: {list(self._keys)}")

    def pass_time(self, seconds: float = 1.0, *, renewing: bool = True) -> None:
        """Time passes, and agents renew their Leases."""
        self.now += timedelta(seconds=seconds)
        for clinic in self.behaviour if renewing else ():
            self.renew(clinic)

    def clinics_work(self) -> None:
        """Each clinic ends its part as it is set to behave, if it still may."""
        for clinic, state in self.behaviour.items():
            for part in self.api.peek(CLINIC_ROUNDS, f"clinic-{clinic}"):
                if state != WORKING and not part.get("status") and not part["spec"].get("closed"):
                    self._put(CLINIC_ROUNDS, f"clinic-{clinic}", {**part, "status": part_status(state)})

    def jobs_end(self, code: int = 0) -> None:
        """Each running Job of the hub ends: well, with the report that it owes, or with a code."""
        for job in self.jobs.running():
            role = job["metadata"]["labels"][names.ROLE_LABEL]
            self.jobs.end(role, code, message=self._report(role) if code == 0 else "", at=text_of(self.now))
            self._tell(JOBS, job)

    def finish(self, name: str = "skin-2026-w48") -> Object:
        """Let clinics and Jobs do their part until the round has ended and nothing is held."""
        for _ in range(40):
            self.settle()
            if "completedAt" in self.status(name) and "activeRound" not in self.model():
                return self.status(name)
            self.clinics_work()
            self.jobs_end()
            self.pass_time(1.0, renewing=False)
        raise AssertionError(f"the round never ends: {self.status(name)}")

    def round(self, name: str = "skin-2026-w48") -> Object:
        """A round as the API server holds it."""
        return next(one for one in self.api.peek(ROUNDS, NETWORK) if one["metadata"]["name"] == name)

    def status(self, name: str = "skin-2026-w48") -> Object:
        """A round's status."""
        found: Object = self.round(name).get("status", {})
        return found

    def rounds(self) -> list[Object]:
        """All rounds."""
        return self.api.peek(ROUNDS, NETWORK)

    def model(self) -> Object:
        """The model's status."""
        (found,) = self.api.peek(MODELS, NETWORK)
        status: Object = found.get("status", {})
        return status

    def parts(self) -> list[Object]:
        """All clinics' parts."""
        return [part for clinic in self.behaviour for part in self.api.peek(CLINIC_ROUNDS, f"clinic-{clinic}")]

    def event_names(self) -> list[str]:
        """The names of all Events, sorted."""
        return [event["metadata"]["name"] for event in self.api.peek(EVENTS, NETWORK)]

    def job_names(self) -> list[str]:
        """The hub's Jobs, as role and attempt."""
        return self.jobs.roles()

    def _report(self, role: str) -> str:
        if role == Role.VALIDATE:
            return json.dumps({"role": role, "verdict": self.verdict})
        return json.dumps({"role": role, "digest": CANDIDATE_DIGEST, "bytes": 770_000})

    def _put(self, resource: Resource, namespace: str, body: Object) -> None:
        self._tell(resource, self.api.put(resource, namespace, body))

    def _tell(self, resource: Resource, found: Object, *, gone: bool = False) -> None:
        if resource in KEYS_OF:
            self._keys.update(dict.fromkeys(KEYS_OF[resource](found, gone)))

    def _written(self, call: Call) -> None:
        if call.verb in _WRITES and call.namespace:
            for found in self.api.peek(call.resource, call.namespace):
                if found["metadata"]["name"] == call.name:
                    self._tell(call.resource, found)
        self.fault(call, True)


class Fault:
    """Raises once, at the n-th call from now on, before it is carried out or after."""

    def __init__(self, world: HubWorld, number: int, error: type[Exception], *, carried_out: bool) -> None:
        self.struck, self._left, self._error, self._carried_out = False, number, error, carried_out
        world.fault = self._strike

    def _strike(self, call: Call, carried_out: bool) -> None:
        if carried_out is not self._carried_out or self.struck:
            return
        self._left -= 1
        if self._left < 0:
            self.struck = True
            raise self._error(str(call))
