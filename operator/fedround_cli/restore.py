"""`fedround hub restore`: a backup into a hub that was installed anew, and whose operator does not run yet."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from fedround_api import names
from fedround_api.kinds import ClinicSpec
from fedround_cli.archive import Index, Unpacked, unpacked
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.connection import HubError, connect_cluster
from fedround_cli.enrolling import journal_of, missed_data, missed_lines, now, told
from fedround_cli.failures import UsageProblem
from fedround_cli.hub import Hub, connect_hub
from fedround_operator.enrolment.manifests import clinic_object
from fedround_operator.enrolment.members import Revocations
from fedround_operator.enrolment.replay import CaughtUp, Entry, What, by_clinic, caught_up, refused
from fedround_operator.enrolment.revocations import ConfigMapRevocations
from fedround_operator.hub.settings import OPERATOR_LEASE
from fedround_operator.kit.errors import AlreadyExists, NotFound
from fedround_operator.kit.instants import parse
from fedround_operator.kit.leases import may_take
from fedround_operator.kit.resources import CLINICS, LEASES, MODELS, ROUNDS, Object, Resource

# Backup and journal are written on two machines.
_CLOCKS_APART = timedelta(days=1)


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
    journal: Sequence[Entry] = ()
    clock: Callable[[], datetime] = now

    def restore(self, backup: Unpacked) -> list[Entry]:
        """Bring everything back, and members as the authority's journal says; its entries that the backup had not.

        Raises:
            HubError: an operator runs, or the hub has other objects than the backup; nothing was written then.
        """
        self._require_idle()
        since = Since(self.journal, parse(backup.index.made_at), self.clock())
        plan = planned(backup.index, self.hub.namespace, since)
        for resource, wanted in plan:
            self._require_room(resource, wanted, since)
        with self.hub.store() as store:
            for key, path in backup.files.items():
                store.put(key, path)
        # Before a clinic can be let in again.
        self.revocations.add({*backup.index.revoked, *_revoked(backup.index), *refused(self.journal)})
        for resource, wanted in plan:
            for one in wanted:
                self._make(resource, one)
        return since.missed(backup.index)

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

    def _require_room(self, resource: Resource, wanted: Sequence[Object], since: "Since") -> None:
        expected = {one["metadata"]["name"]: one for one in wanted}
        for one in self.hub.listed(resource):
            # An earlier call, which broke off, may have been without the journal.
            found, name = since.brought_up(one) if resource == CLINICS else one, one["metadata"]["name"]
            if name not in expected or not _may_become(found, expected[name]):
                raise HubError(
                    f"the hub has {resource.plural} {name} already, which is not what the backup has: restore into a "
                    "hub without models, rounds and clinics"
                )

    def _make(self, resource: Resource, wanted: Object) -> None:
        status = wanted.get("status")
        body = {name: value for name, value in wanted.items() if name != "status"}
        name = wanted["metadata"]["name"]
        try:
            self.api.create(resource, self.hub.namespace, body)
        except AlreadyExists:
            # It was looked at before: an earlier call, which broke off, has made it.
            if resource == CLINICS:
                changed = {"metadata": {"labels": wanted["metadata"].get("labels", {})}, "spec": wanted["spec"]}
                self.api.patch(resource, self.hub.namespace, name, changed)
        if status:
            self.api.patch(resource, self.hub.namespace, name, {"status": status}, "status")


def run(options: argparse.Namespace) -> int:
    """Restore, and say what is left to do; the exit code."""
    if options.state is not None:
        raise UsageProblem("a federation on this machine is its folder: put the copy of it in its place")
    hub, connection = connect_hub(options), connect_cluster(options)
    revocations = ConfigMapRevocations(connection.api, options.gateway_namespace)
    journal = journal_of(options)
    with unpacked(options.file) as backup, told(connection.advice):
        entries = journal.entries(options.namespace) if journal else ()
        missed = Restoration(hub, connection.api, revocations, options.gateway_namespace, entries).restore(backup)
        _tell(options, backup.index, missed if journal and journal.is_there else None)
    return CommandExit.DONE


@dataclass(frozen=True)
class Since:
    """What the authority's journal says of members, for a backup of that moment."""

    journal: Sequence[Entry]
    made_at: datetime
    now: datetime

    def brought_up(self, clinic: Object) -> Object:
        """The clinic as the journal says; one that has nothing to catch up on stays as it is."""
        found = self._caught_up(clinic["metadata"]["name"], ClinicSpec.model_validate(clinic["spec"]))
        if not found.missed:
            return clinic
        meta = {**clinic["metadata"], "labels": {**clinic["metadata"].get("labels", {}), **found.labels}}
        return {**clinic, "metadata": meta, "spec": {**clinic["spec"], **found.spec.dump()}}

    def admitted(self, index: Index) -> list[Object]:
        """The clinics that were admitted after the backup."""
        known = {one["metadata"]["name"] for one in index.clinics}
        new = [name for name in by_clinic(self.journal) if name not in known and self._is_new(name)]
        bare = (clinic_object(name, "", [], None) for name in new)
        return [self.brought_up(one) for one in bare]

    def missed(self, index: Index) -> list[Entry]:
        """What the backup did not know, the oldest first."""
        specs = {one["metadata"]["name"]: ClinicSpec.model_validate(one["spec"]) for one in index.clinics}
        specs |= {one["metadata"]["name"]: ClinicSpec() for one in self.admitted(index)}
        found = (entry for name, spec in specs.items() for entry in self._caught_up(name, spec).missed)
        return sorted(found, key=lambda entry: entry.at)

    def _caught_up(self, name: str, spec: ClinicSpec) -> CaughtUp:
        return caught_up(spec, by_clinic(self.journal).get(name, []), self.now)

    def _is_new(self, name: str) -> bool:
        begins = self.made_at - _CLOCKS_APART
        return any(one.what is What.ISSUED and parse(one.at) > begins for one in by_clinic(self.journal)[name])


def planned(index: Index, namespace: str, since: Since) -> Sequence[tuple[Resource, Sequence[Object]]]:
    """The objects to make in this order: a model's pointer last, when all that it rests on is there. Pure."""
    clinics = [*map(since.brought_up, index.clinics), *since.admitted(index)]
    return (
        (CLINICS, [_remade(one, namespace) for one in clinics]),
        (ROUNDS, [_round(one, namespace) for one in index.rounds]),
        (MODELS, [_model(one, namespace) for one in index.models]),
    )


def _revoked(index: Index) -> Iterator[str]:
    """What clinics have on record as revoked: the list may have been read a moment before."""
    for one in index.clinics:
        yield from (cert.sha256 for cert in ClinicSpec.model_validate(one["spec"]).certificates if cert.revoked)


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


def _tell(options: argparse.Namespace, index: Index, missed: Sequence[Entry] | None) -> None:
    pointers = {
        one["metadata"]["name"]: one["status"]["current"]["version"]
        for one in index.models
        if "current" in one["status"]
    }
    if options.json:
        data: dict[str, Any] = {"madeAt": index.made_at, "current": pointers, "rounds": len(index.rounds)}
        data["journal"] = None if missed is None else missed_data(missed)
        print(json.dumps({**data, "clinics": [one["metadata"]["name"] for one in index.clinics]}))
        return
    print(f"restored the hub as it was at {index.made_at}: {len(index.rounds)} rounds, {len(index.clinics)} clinics")
    for name, version in pointers.items():
        print(f"model {name}: version {version} is the current one")
    print("\n".join(since_lines(index.made_at, missed)))
    print("next: `fedround clinic readmit --ca DIR --gateway HOST:PORT`, since the tokens of the clinics were lost")
    print("      with the old hub; send each clinic its file, and start the operator")


def since_lines(made_at: str, missed: Sequence[Entry] | None) -> Iterator[str]:
    """What became of what was done to members after the backup."""
    if missed is None:
        yield f"no journal of the authority was read (--ca DIR): revoke again whom you revoked since {made_at}, and"
        yield "approve the requests of clinics that were admitted or renewed since again"
    elif missed:
        yield f"taken from the authority's journal, as it was done after {made_at}:"
        yield from missed_lines(missed)
    else:
        yield "the authority's journal has nothing of members that the backup did not know"
