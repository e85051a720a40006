"""`fedround hub restore`: a backup into a hub that was installed anew, and whose operator does not run yet."""

import argparse
import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from fedround_api import names
from fedround_cli.archive import Index, Unpacked, unpacked
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.connection import HubError, connect_cluster
from fedround_cli.enrolling import now, told
from fedround_cli.failures import UsageProblem
from fedround_cli.hub import Hub, connect_hub
from fedround_operator.enrolment.members import Revocations
from fedround_operator.enrolment.revocations import ConfigMapRevocations
from fedround_operator.hub.settings import OPERATOR_LEASE
from fedround_operator.kit.errors import AlreadyExists, NotFound
from fedround_operator.kit.leases import may_take
from fedround_operator.kit.resources import CLINICS, LEASES, MODELS, ROUNDS, Object, Resource


class RestoreApi(Protocol):
    """The hub's API server, as far as this uses it."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object: ...

    def create(self, resource: Resource, namespace: str, body: Object) -> Object: ...

    def patch(
        self, resource: Resource, namespace: str, name: str, body: Object, subresource: str | None = None
    ) -> Object: ...


@dataclass(frozen=True)
class Restoration:
    """Where to, and how. Called again after it broke off, it completes what is missing."""

    hub: Hub
    api: RestoreApi
    revocations: Revocations
    system_namespace: str
    clock: Callable[[], datetime] = now

    def restore(self, backup: Unpacked) -> None:
        """Bring everything back.

        Raises:
            HubError: an operator runs, or the hub has other objects than the backup; nothing was written then.
        """
        self._require_idle()
        plan = planned(backup.index, self.hub.namespace)
        for resource, wanted in plan:
            self._require_room(resource, wanted)
        with self.hub.store() as store:
            for key, path in backup.files.items():
                store.put(key, path)
        # Before a clinic can be let in again.
        self.revocations.add(backup.index.revoked)
        for resource, wanted in plan:
            for one in wanted:
                self._make(resource, one)

    def _require_idle(self) -> None:
        """An operator would take a model without its status for a new one, and start rounds that have long ended."""
        try:
            lease = self.api.get(LEASES, self.system_namespace, OPERATOR_LEASE)
        except NotFound:
            return
        if not may_take(lease, "", self.clock()):
            raise HubError(
                f"the hub's operator runs: stop it (`kubectl scale deployment -n {self.system_namespace} --replicas=0 "
                "-l app.kubernetes.io/component=operator`), call again after 15 seconds, and start it when all is back"
            )

    def _require_room(self, resource: Resource, wanted: Sequence[Object]) -> None:
        expected = {one["metadata"]["name"]: one for one in wanted}
        for found in self.hub.listed(resource):
            name = found["metadata"]["name"]
            if name not in expected or not _may_become(found, expected[name]):
                raise HubError(
                    f"the hub has {resource.plural} {name} already, which is not what the backup has: restore into a "
                    "hub without models, rounds and clinics"
                )

    def _make(self, resource: Resource, wanted: Object) -> None:
        status = wanted.get("status")
        body = {name: value for name, value in wanted.items() if name != "status"}
        name = wanted["metadata"]["name"]
        # One that is there was looked at before: an earlier call, which broke off, has made it.
        with contextlib.suppress(AlreadyExists):
            self.api.create(resource, self.hub.namespace, body)
        if status:
            self.api.patch(resource, self.hub.namespace, name, {"status": status}, "status")


def run(options: argparse.Namespace) -> int:
    """Restore, and say what is left to do; the exit code."""
    if options.state is not None:
        raise UsageProblem("a federation on this machine is its folder: put the copy of it in its place")
    hub, connection = connect_hub(options), connect_cluster(options)
    revocations = ConfigMapRevocations(connection.api, options.gateway_namespace)
    with unpacked(options.file) as backup, told(connection.advice):
        Restoration(hub, connection.api, revocations, options.gateway_namespace).restore(backup)
        _tell(options, backup.index)
    return CommandExit.DONE


def planned(index: Index, namespace: str) -> Sequence[tuple[Resource, Sequence[Object]]]:
    """The objects to make in this order: a model's pointer last, when all that it rests on is there. Pure."""
    return (
        (CLINICS, [_remade(one, namespace) for one in index.clinics]),
        (ROUNDS, [_round(one, namespace) for one in index.rounds]),
        (MODELS, [_model(one, namespace) for one in index.models]),
    )


def _remade(before: Object, namespace: str) -> Object:
    meta = {name: value for name, value in before["metadata"].items() if name != "uid"}
    return {**before, "metadata": {**meta, "namespace": namespace}}


def _round(before: Object, namespace: str) -> Object:
    """It gets another UID; its report stays where it lies."""
    made, meta = _remade(before, namespace), before["metadata"]
    stored = {names.STORED_UID_ANNOTATION: meta["uid"], **meta.get("annotations", {})}
    return {**made, "metadata": {**made["metadata"], "annotations": stored}}


def _model(before: Object, namespace: str) -> Object:
    """Free: the round that may have held it is not restored."""
    made = _remade(before, namespace)
    return {**made, "status": {name: value for name, value in made["status"].items() if name != "activeRound"}}


def _may_become(found: Object, wanted: Object) -> bool:
    status = found.get("status") or {}
    return found["spec"] == wanted["spec"] and status in ({}, wanted.get("status", {}))


def _tell(options: argparse.Namespace, index: Index) -> None:
    pointers = {
        one["metadata"]["name"]: one["status"]["current"]["version"]
        for one in index.models
        if "current" in one["status"]
    }
    if options.json:
        data: dict[str, Any] = {"madeAt": index.made_at, "current": pointers, "rounds": len(index.rounds)}
        print(json.dumps({**data, "clinics": [one["metadata"]["name"] for one in index.clinics]}))
        return
    print(f"restored the hub as it was at {index.made_at}: {len(index.rounds)} rounds, {len(index.clinics)} clinics")
    for name, version in pointers.items():
        print(f"model {name}: version {version} is the current one")
    print("next: `fedround clinic readmit --ca DIR --gateway HOST:PORT`, since the tokens of the clinics were lost")
    print("      with the old hub; send each clinic its file, and start the operator")
