"""`fedround hub restore`: a backup into a hub that was installed anew, and whose operator does not run yet."""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
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
from fedround_operator.enrolment.members import Members, Revocations
from fedround_operator.enrolment.records import AdminApi
from fedround_operator.enrolment.replay import CaughtUp, Entry, What, by_clinic, caught_up, refused
from fedround_operator.enrolment.revocations import ConfigMapRevocations
from fedround_operator.hub.settings import OPERATOR_LEASE
from fedround_operator.kit.errors import AlreadyExists, NotFound
from fedround_operator.kit.instants import parse
from fedround_operator.kit.leases import may_take
from fedround_operator.kit.resources import CLINICS, LEASES, MODELS, ROUNDS, Object, Resource

# Backup and journal are written on two machines.
_CLOCKS_APART = timedelta(days=1)


class RestoreApi(AdminApi, Protocol):
    """The hub's API server, as far as this uses it."""

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
        plan = planned(backup.index, self.hub.namespace, self.journal)
        missed = [entry for one in plan[CLINICS] for entry in self._caught_up(one).missed]
        for resource, wanted in plan.items():
            self._require_room(resource, wanted)
        with self.hub.store() as store:
            for key, path in backup.files.items():
                store.put(key, path)
        # Before a clinic can be let in again.
        self.revocations.add({*backup.index.revoked, *_revoked(backup.index), *refused(self.journal)})
        self._make(CLINICS, plan)
        Members(self.api, self.hub.namespace, revocations=self.revocations, clock=self.clock).catch_up(self.journal)
        self._make(ROUNDS, plan)
        # The pointer last, when all that it rests on is there.
        self._make(MODELS, plan)
        return sorted(missed, key=lambda entry: entry.at)

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
        for one in self.hub.listed(resource):
            name = one["metadata"]["name"]
            if name not in expected or not self._may_become(resource, one, expected[name]):
                raise HubError(
                    f"the hub has {resource.plural} {name} already, which is not what the backup has: restore into a "
                    "hub without models, rounds and clinics"
                )

    def _may_become(self, resource: Resource, found: Object, wanted: Object) -> bool:
        if resource == CLINICS:
            # An earlier call, which broke off, may have brought it up to the journal, or have been without one.
            is_same = self._caught_up(found).spec == self._caught_up(wanted).spec
        else:
            is_same = found["spec"] == wanted["spec"]
        return is_same and (found.get("status") or {}) in ({}, wanted.get("status", {}))

    def _caught_up(self, clinic: Object) -> CaughtUp:
        own = by_clinic(self.journal).get(clinic["metadata"]["name"], [])
        return caught_up(ClinicSpec.model_validate(clinic["spec"]), own, self.clock())

    def _make(self, resource: Resource, plan: Mapping[Resource, Sequence[Object]]) -> None:
        for wanted in plan[resource]:
            body = {name: value for name, value in wanted.items() if name != "status"}
            # It was looked at before: if it is there, an earlier call, which broke off, has made it.
            with suppress(AlreadyExists):
                self.api.create(resource, self.hub.namespace, body)
            if status := wanted.get("status"):
                self.api.patch(resource, self.hub.namespace, wanted["metadata"]["name"], {"status": status}, "status")


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
        _tell(options, backup.index, FromJournal(missed, entries) if journal and journal.is_there else None)
    return CommandExit.DONE


@dataclass(frozen=True)
class FromJournal:
    """What was taken from the authority's journal, of all that it has."""

    missed: Sequence[Entry]
    entries: Sequence[Entry]

    @property
    def begins(self) -> str | None:
        """When its first line was written, if there is one."""
        return self.entries[0].at if self.entries else None


def planned(index: Index, namespace: str, journal: Sequence[Entry]) -> Mapping[Resource, Sequence[Object]]:
    """The objects to make; certificates that were issued after the backup are in the journal. Pure."""
    return {
        CLINICS: [_remade(one, namespace) for one in (*index.clinics, *_admitted(index, journal))],
        ROUNDS: [_round(one, namespace) for one in index.rounds],
        MODELS: [_model(one, namespace) for one in index.models],
    }


def _admitted(index: Index, journal: Sequence[Entry]) -> Iterator[Object]:
    """The clinics that were admitted after the backup, without what the journal knows of them."""
    begins = parse(index.made_at) - _CLOCKS_APART
    known = {one["metadata"]["name"] for one in index.clinics}
    for name, own in by_clinic(journal).items():
        if name not in known and any(one.what is What.ISSUED and parse(one.at) > begins for one in own):
            yield clinic_object(name, "", [])


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


def _tell(options: argparse.Namespace, index: Index, journal: FromJournal | None) -> None:
    pointers = {
        one["metadata"]["name"]: one["status"]["current"]["version"]
        for one in index.models
        if "current" in one["status"]
    }
    if options.json:
        data: dict[str, Any] = {"madeAt": index.made_at, "current": pointers, "rounds": len(index.rounds)}
        data["journal"] = None if journal is None else missed_data(journal.missed)
        data["journalBegins"] = None if journal is None else journal.begins
        print(json.dumps({**data, "clinics": [one["metadata"]["name"] for one in index.clinics]}))
        return
    print(f"restored the hub as it was at {index.made_at}: {len(index.rounds)} rounds, {len(index.clinics)} clinics")
    for name, version in pointers.items():
        print(f"model {name}: version {version} is the current one")
    print("\n".join(since_lines(index.made_at, journal)))
    print("next: `fedround clinic readmit --ca DIR --gateway HOST:PORT`, since the tokens of the clinics were lost")
    print("      with the old hub; send each clinic its file, and start the operator")


def since_lines(made_at: str, journal: FromJournal | None) -> Iterator[str]:
    """What became of what was done to members after the backup."""
    again = "approve the requests of clinics that were admitted or renewed since again"
    if journal is None:
        yield f"no journal of the authority was read (--ca DIR): revoke again whom you revoked since {made_at}, and"
        yield again
        return
    if journal.missed:
        yield f"taken from the authority's journal, as it was done after {made_at}:"
        yield from missed_lines(journal.missed)
    else:
        yield "the authority's journal has nothing of members that the backup did not know"
    if journal.begins is None or parse(journal.begins) > parse(made_at):
        why = f"it was begun at {journal.begins}" if journal.begins else "it has none of this network"
        yield f"it has no line of before {made_at} ({why}): revoke again whom you revoked meanwhile, and"
        yield again
