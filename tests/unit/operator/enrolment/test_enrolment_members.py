"""Members come, stay and go: what is on the hub after each step, and after steps that broke off."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedround_api import names
from fedround_api.kinds import ClinicSpec
from fedround_operator.agent.rights import hub_rules
from fedround_operator.enrolment.bundle import Bundle
from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.enrolment.journal import Journal
from fedround_operator.enrolment.members import Members, Terms
from fedround_operator.enrolment.records import Member
from fedround_operator.enrolment.replay import Entry, What, caught_up
from fedround_operator.enrolment.revocations import ConfigMapRevocations
from fedround_operator.kit import pki
from fedround_operator.kit.errors import ApiUnreachable, Conflict, Forbidden
from fedround_operator.kit.resources import (
    CLINIC_ROUNDS,
    CLINICS,
    CONFIG_MAPS,
    LEASES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    Object,
    Resource,
)
from support.builders import make_clinic_round
from support.fake_api import Call, FakeApi, with_revoked_list
from support.identities import YEAR, Held, Registry, encoded, now

NETWORK, SYSTEM = "skin-network", "fedround-system"


class Gateway:
    """A list of revoked certificates that only grows."""

    def __init__(self) -> None:
        self.refused: set[str] = set()

    def add(self, fingerprints: Iterable[str]) -> None:
        self.refused |= set(fingerprints)


class Notebook:
    """A journal in memory."""

    def __init__(self) -> None:
        self.lines: list[Entry] = []

    def add(self, entry: Entry) -> None:
        self.lines.append(entry)

    def entries(self, network: str) -> list[Entry]:
        return [one for one in self.lines if one.network == network]

    @property
    def told(self) -> list[tuple[str, str, int]]:
        return [(one.clinic, str(one.what), len(one.certificates)) for one in self.lines]


class Hub:
    """A hub without members, and its administrator."""

    def __init__(self, api: FakeApi | None = None) -> None:
        self.api, self.gateway, self.registry, self.journal = api or FakeApi(), Gateway(), Registry(), Notebook()
        self.members = Members(self.api, NETWORK, revocations=self.gateway, clock=now, journal=self.journal)

    def admit(self, clinic: str, key: bytes, **terms: object) -> bytes:
        request = pki.read_request(pki.request_for(clinic, key))
        replace_key, labels = bool(terms.get("replace_key")), terms.get("labels") or {}
        assert isinstance(labels, dict)
        return self.members.admit(request, self.registry.authority, Terms(YEAR, labels, replace_key))

    def member(self, name: str) -> Member:
        return next(one for one in self.members.all() if one.name == name)

    def clinic(self, name: str) -> Object:
        return next(one for one in self.api.peek(CLINICS, NETWORK) if one["metadata"]["name"] == name)

    def ask(self, clinic: str, by: bytes, *, named: str | None = None) -> bytes:
        """The clinic's agent puts a request into its Lease; the next key."""
        key = pki.new_key()
        request = pki.request_for(named or clinic, key)
        annotations = {
            names.RENEWAL_REQUEST_ANNOTATION: request.decode(),
            names.RENEWAL_SIGNATURE_ANNOTATION: pki.sign_renewal(request, by),
        }
        body = {"metadata": {"annotations": annotations}}
        self.api.patch(LEASES, names.clinic_namespace(clinic), names.LEASE_NAME, body)
        return key

    def renew(self, clinic: str) -> bytes:
        return self.members.renew(self.member(clinic), self.registry.authority, YEAR).pem.encode()


@pytest.fixture
def hub() -> Hub:
    return Hub()


DOOR = (NAMESPACES, SERVICE_ACCOUNTS, SECRETS, ROLES, ROLE_BINDINGS, LEASES)


class TestAdmission:
    def test_a_member_has_a_namespace_with_an_identity_its_rights_and_a_lease(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())

        made = {one.plural: hub.api.peek(one, "" if one is NAMESPACES else "clinic-north") for one in DOOR}
        assert {plural: [one["metadata"]["name"] for one in found] for plural, found in made.items()} == {
            "namespaces": ["clinic-north"],
            "serviceaccounts": ["agent"],
            "secrets": ["agent-token"],
            "roles": ["agent"],
            "rolebindings": ["agent"],
            "leases": ["agent"],
        }
        assert made["roles"][0]["rules"] == hub_rules()
        assert made["rolebindings"][0]["subjects"] == [
            {"kind": "ServiceAccount", "name": "agent", "namespace": "clinic-north"}
        ]
        assert made["secrets"][0]["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "agent"}
        assert made["leases"][0]["metadata"]["labels"] == {
            "app.kubernetes.io/part-of": "fedround",
            "fedround.dev/clinic": "north",
            "fedround.dev/network": "skin-network",
        }

    def test_the_clinic_object_has_the_certificate_on_record_and_the_labels(self, hub: Hub) -> None:
        key = pki.new_key()

        certificate = hub.admit("north", key, labels={"region": "ontario"})

        clinic = hub.clinic("north")
        assert clinic["metadata"]["labels"] == {"region": "ontario"}
        (record,) = clinic["spec"]["certificates"]
        assert record["sha256"] == pki.fingerprint(certificate)
        pki.require_clinic_certificate(
            certificate, clinic="north", key_sha256=pki.key_digest(key), ca_pem=hub.registry.ca, now=now()
        )

    def test_the_same_request_again_changes_nothing_and_gives_the_same_certificate(self, hub: Hub) -> None:
        key = pki.new_key()
        first = hub.admit("north", key, labels={"region": "ontario"})
        before = hub.clinic("north"), [hub.api.peek(one, "clinic-north") for one in DOOR]

        assert hub.admit("north", key) == first

        assert (hub.clinic("north"), [hub.api.peek(one, "clinic-north") for one in DOOR]) == before

    def test_what_a_broken_call_has_left_is_completed_by_the_next(self, hub: Hub) -> None:
        key = pki.new_key()

        for number in range(1, 8):
            left = number

            def fails(call: Call) -> None:
                nonlocal left
                if call.verb != "create":
                    return
                left -= 1
                if left == 0:
                    raise ApiUnreachable(str(call))

            hub = Hub()
            hub.api.before = fails
            with pytest.raises(ApiUnreachable):
                hub.admit("north", key)
            hub.api.before = lambda _: None

            hub.admit("north", key)

            assert all(hub.api.peek(one, "" if one is NAMESPACES else "clinic-north") for one in DOOR), number
            assert len(hub.clinic("north")["spec"]["certificates"]) == 1

    def test_another_key_is_refused_and_nothing_changes(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())
        before = hub.clinic("north")

        with pytest.raises(EnrolmentError, match="known with another key"):
            hub.admit("north", pki.new_key())

        assert hub.clinic("north") == before
        assert hub.gateway.refused == set()

    def test_a_key_that_replaces_another_has_the_gateway_refuse_the_one_before(self, hub: Hub) -> None:
        first = hub.admit("north", pki.new_key())

        second = hub.admit("north", pki.new_key(), replace_key=True)

        assert hub.gateway.refused == {pki.fingerprint(first)}
        records = hub.clinic("north")["spec"]["certificates"]
        assert [(one["sha256"], one.get("revoked", False)) for one in records] == [
            (pki.fingerprint(first), True),
            (pki.fingerprint(second), False),
        ]

    def test_the_token_of_the_clinic_whose_key_was_replaced_opens_nothing_any_more(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())
        self.fill_in(hub, b"the first")

        hub.admit("north", pki.new_key(), replace_key=True)

        (secret,) = hub.api.peek(SECRETS, "clinic-north")
        assert "data" not in secret
        self.fill_in(hub, b"the second")
        assert hub.members.token("north") == "the second"

    def test_the_token_of_a_clinic_that_asks_again_with_its_key_stays(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        self.fill_in(hub, b"the first")

        hub.admit("north", key)

        assert hub.members.token("north") == "the first"

    def test_a_replacement_that_broke_off_leaves_no_token_of_the_key_before(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())
        self.fill_in(hub, b"the first")
        key = pki.new_key()

        def fails(call: Call) -> None:
            if call.resource == CLINICS and call.verb == "patch":
                raise ApiUnreachable("no answer")

        hub.api.before = fails
        with pytest.raises(ApiUnreachable):
            hub.admit("north", key, replace_key=True)
        hub.api.before = lambda _: None
        hub.admit("north", key, replace_key=True)

        (secret,) = hub.api.peek(SECRETS, "clinic-north")
        assert "data" not in secret

    @staticmethod
    def fill_in(hub: Hub, token: bytes) -> None:
        """What the control plane does."""
        hub.api.patch(SECRETS, "clinic-north", "agent-token", {"data": {"token": encoded(token)}})

    def test_what_is_issued_and_replaced_is_noted_before_the_hub_has_it(self, hub: Hub) -> None:
        noted: list[tuple[str, int]] = []

        def note(call: Call) -> None:
            if call.resource == CLINICS and call.verb in ("create", "patch"):
                noted.append((call.verb, len(hub.journal.lines)))

        hub.api.before = note
        first = hub.admit("north", pki.new_key(), labels={"region": "ontario"})
        second = hub.admit("north", pki.new_key(), replace_key=True)

        assert hub.journal.told == [("north", "issued", 1), ("north", "replaced", 1), ("north", "issued", 1)]
        assert [one.certificates[0].pem for one in hub.journal.lines] == [
            first.decode(),
            first.decode(),
            second.decode(),
        ]
        assert (hub.journal.lines[0].network, hub.journal.lines[0].labels) == (NETWORK, {"region": "ontario"})
        assert noted == [("create", 1), ("patch", 3)]

    def test_a_clinic_object_that_an_administrator_made_before_gets_its_certificate(self, hub: Hub) -> None:
        hub.api.put(CLINICS, NETWORK, {"metadata": {"name": "north", "labels": {"region": "ontario"}}, "spec": {}})

        hub.admit("north", pki.new_key())

        clinic = hub.clinic("north")
        assert (clinic["metadata"]["labels"], len(clinic["spec"]["certificates"])) == ({"region": "ontario"}, 1)

    def test_a_suspended_member_stays_suspended(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        hub.api.patch(CLINICS, NETWORK, "north", {"spec": {"suspended": True}})

        hub.admit("north", key)

        assert hub.clinic("north")["spec"]["suspended"] is True

    def test_a_suspended_member_stays_suspended_with_a_new_key(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())
        hub.api.patch(CLINICS, NETWORK, "north", {"spec": {"suspended": True}})

        hub.admit("north", pki.new_key(), replace_key=True)

        assert hub.clinic("north")["spec"]["suspended"] is True

    def test_a_clinic_that_changes_meanwhile_is_admitted_all_the_same_by_one_certificate(self, hub: Hub) -> None:
        first = hub.admit("north", pki.new_key())
        TestRenewal.changing(hub, 3)

        second = hub.admit("north", pki.new_key(), replace_key=True)

        assert hub.journal.told == [("north", "issued", 1), ("north", "replaced", 1), ("north", "issued", 1)]
        records = hub.clinic("north")["spec"]["certificates"]
        assert [one["sha256"] for one in records] == [pki.fingerprint(first), pki.fingerprint(second)]

    def test_of_two_keys_that_are_admitted_at_once_the_later_one_is_refused_and_withdrawn_by_its_next_call(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "ca.crt").touch()
        hub, journal = Hub(), Journal(tmp_path)
        hub.members = Members(hub.api, NETWORK, revocations=hub.gateway, clock=now, journal=journal)
        hub.admit("north", pki.new_key())
        mine, anothers = pki.new_key(), pki.new_key()

        def meanwhile(call: Call) -> None:
            if call.resource == CLINICS and call.verb == "patch":
                hub.api.before = lambda _: None
                hub.admit("north", anothers, replace_key=True)

        hub.api.before = meanwhile
        with pytest.raises(Conflict):
            hub.admit("north", mine, replace_key=True)
        last = hub.admit("north", mine, replace_key=True)

        restored = caught_up(ClinicSpec(), journal.entries(NETWORK), now()).spec
        assert [one.sha256 for one in restored.certificates if not one.revoked] == [pki.fingerprint(last)]
        assert len(restored.certificates) == 4
        hub.members.catch_up(journal.entries(NETWORK))
        assert hub.admit("north", mine) == last

    def test_where_the_journal_cannot_be_written_the_key_before_stays(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())
        self.fill_in(hub, b"the first")
        before = hub.clinic("north")

        class Full:
            def add(self, _: Entry) -> None:
                raise OSError("No space left on device")

            def entries(self, _: str) -> list[Entry]:
                return []

        members = Members(hub.api, NETWORK, revocations=hub.gateway, clock=now, journal=Full())
        request = pki.read_request(pki.request_for("north", pki.new_key()))
        with pytest.raises(OSError, match="No space left"):
            members.admit(request, hub.registry.authority, Terms(YEAR, replace_key=True))

        assert (hub.clinic("north"), hub.gateway.refused) == (before, set())
        assert hub.members.token("north") == "the first"

    def test_the_token_is_that_of_the_control_plane(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())
        hub.api.patch(SECRETS, "clinic-north", "agent-token", {"data": {"token": encoded(b"a-token")}})

        assert hub.members.token("north") == "a-token"


class TestRenewal:
    def test_the_answer_is_on_record_before_it_stands_in_the_lease(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        next_key = hub.ask("north", key)
        written: list[str] = []
        hub.api.after = lambda call: written.append(call.resource.plural) if call.verb == "patch" else None

        certificate = hub.renew("north")

        assert written == ["clinics", "leases"]
        assert hub.clinic("north")["spec"]["certificates"][-1]["sha256"] == pki.fingerprint(certificate)
        assert hub.member("north").annotations[names.RENEWED_CERTIFICATE_ANNOTATION] == certificate.decode()
        assert pki.read_certificate(certificate).key_sha256 == pki.key_digest(next_key)

    def test_a_request_that_is_answered_no_longer_waits(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        hub.ask("north", key)
        assert hub.member("north").asks_for_renewal

        hub.renew("north")

        assert (hub.member("north").asks_for_renewal, hub.member("north").is_answered) == (False, True)

    def test_something_else_in_the_place_of_the_answer_hides_no_request(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        hub.ask("north", key)
        junk = {"metadata": {"annotations": {names.RENEWED_CERTIFICATE_ANNOTATION: "junk"}}}
        hub.api.patch(LEASES, "clinic-north", "agent", junk)

        assert hub.member("north").asks_for_renewal

    def test_a_renewal_that_broke_off_is_completed_with_the_same_certificate(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        hub.ask("north", key)

        def fails(call: Call) -> None:
            if call.resource == LEASES and call.verb == "patch":
                raise ApiUnreachable("no answer")

        hub.api.before = fails
        with pytest.raises(ApiUnreachable):
            hub.renew("north")
        hub.api.before = lambda _: None
        recorded = hub.clinic("north")["spec"]["certificates"][-1]["pem"]

        assert hub.renew("north").decode() == recorded
        assert len(hub.clinic("north")["spec"]["certificates"]) == 2

    def test_a_clinic_that_changes_meanwhile_is_renewed_all_the_same_by_one_certificate(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        hub.ask("north", key)
        self.changing(hub, 3)

        certificate = hub.renew("north")

        records = hub.clinic("north")["spec"]["certificates"]
        assert [one["sha256"] for one in records[1:]] == [pki.fingerprint(certificate)]
        assert {one.certificates[0].pem for one in hub.journal.lines[1:]} == {certificate.decode()}

    def test_a_clinic_that_goes_on_changing_is_given_up(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        hub.ask("north", key)
        self.changing(hub, 4)

        with pytest.raises(Conflict):
            hub.renew("north")

    def test_a_clinic_that_was_revoked_meanwhile_gets_nothing(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        hub.ask("north", key)
        asking = hub.member("north")
        hub.members.revoke("north")

        with pytest.raises(EnrolmentError, match="is not signed by a key that has a valid certificate of it"):
            hub.members.renew(asking, hub.registry.authority, YEAR)

    @staticmethod
    def changing(hub: Hub, times: int) -> None:
        """The operator writes the clinic's status just before each of so many writes of its record."""
        left = [times]

        def meanwhile(call: Call) -> None:
            if call.resource == CLINICS and call.verb == "patch" and call.subresource is None and left[0]:
                left[0] -= 1
                seen = {"status": {"lastSeen": f"2026-11-24T12:00:0{left[0]}Z"}}
                hub.api.patch(CLINICS, NETWORK, "north", seen, "status")

        hub.api.before = meanwhile

    def test_a_clinic_that_asks_for_anothers_name_gets_nothing(self, hub: Hub) -> None:
        south, north = pki.new_key(), pki.new_key()
        hub.admit("south", south)
        hub.admit("north", north)
        hub.ask("south", south, named="north")

        with pytest.raises(EnrolmentError, match="the Lease of clinic south asks for the name north"):
            hub.renew("south")

        assert [len(hub.clinic(name)["spec"]["certificates"]) for name in ("north", "south")] == [1, 1]

    def test_a_lease_that_claims_to_be_another_clinics_counts_where_it_lies(self, hub: Hub) -> None:
        """A clinic may write its own Lease, labels too."""
        south = pki.new_key()
        hub.admit("south", south)
        hub.admit("north", pki.new_key())
        hub.ask("south", south)
        labels = {"metadata": {"labels": {names.CLINIC_LABEL: "north"}}}
        hub.api.patch(LEASES, "clinic-south", "agent", labels)

        assert [(one.name, one.asks_for_renewal) for one in hub.members.all()] == [("north", False), ("south", True)]

    def test_what_is_no_request_is_refused(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        body = {"metadata": {"annotations": {names.RENEWAL_REQUEST_ANNOTATION: "$(rm -rf /)"}}}
        hub.api.patch(LEASES, "clinic-north", "agent", body)

        with pytest.raises(pki.RequestRefused, match="no certificate request"):
            hub.renew("north")


class TestRevocation:
    def test_the_gateway_refuses_all_its_certificates_and_its_rights_and_tasks_are_gone(self, hub: Hub) -> None:
        key = pki.new_key()
        first = hub.admit("north", key)
        hub.ask("north", key)
        second = hub.renew("north")
        hub.admit("south", pki.new_key())
        for clinic in ("north", "south"):
            hub.api.put(CLINIC_ROUNDS, f"clinic-{clinic}", make_clinic_round(clinic=clinic))

        hub.members.revoke("north")

        assert hub.gateway.refused == {pki.fingerprint(first), pki.fingerprint(second)}
        for gone in (ROLE_BINDINGS, SECRETS, CLINIC_ROUNDS):
            assert hub.api.peek(gone, "clinic-north") == []
            assert len(hub.api.peek(gone, "clinic-south")) == 1
        spec = hub.clinic("north")["spec"]
        assert (spec["suspended"], [one["revoked"] for one in spec["certificates"]]) == (True, [True, True])

    def test_the_gateway_is_told_before_anything_else(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())

        class Unreachable:
            def add(self, _: Iterable[str]) -> None:
                raise ApiUnreachable("no answer")

        members = Members(hub.api, NETWORK, revocations=Unreachable(), clock=now)
        with pytest.raises(ApiUnreachable):
            members.revoke("north")

        assert len(hub.api.peek(ROLE_BINDINGS, "clinic-north")) == 1

    def test_other_clinics_that_cannot_be_read_and_leases_that_may_not_be_are_not_in_the_way(self) -> None:
        class Newer(FakeApi):
            def list(self, resource: Resource, *rest: Any, **more: Any) -> list[Object]:
                if resource == LEASES:
                    raise Forbidden("leases")
                found = super().list(resource, *rest, **more)
                return [{**one, "spec": {**one["spec"], "suspended": "until spring"}} for one in found]

        hub = Hub(Newer())
        north, south = hub.admit("north", pki.new_key()), hub.admit("south", pki.new_key())
        hub.members.revoke("south")
        hub.gateway.refused.clear()

        hub.members.revoke("north")

        assert hub.gateway.refused == {pki.fingerprint(north), pki.fingerprint(south)}

    def test_where_clinics_may_not_be_listed_the_one_is_out_before_that_is_said(self, hub: Hub) -> None:
        certificate = hub.admit("north", pki.new_key())

        def forbidden(call: Call) -> None:
            if call.verb == "list" and call.resource == CLINICS:
                raise Forbidden("clinics")

        hub.api.before = forbidden
        with pytest.raises(Forbidden):
            hub.members.revoke("north")

        assert hub.gateway.refused == {pki.fingerprint(certificate)}
        assert (hub.clinic("north")["spec"]["suspended"], hub.api.peek(ROLE_BINDINGS, "clinic-north")) == (True, [])

    def test_a_clinic_that_changes_meanwhile_is_out_all_the_same(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())
        TestRenewal.changing(hub, 3)

        hub.members.revoke("north")

        assert hub.clinic("north")["spec"]["suspended"] is True
        assert hub.api.peek(ROLE_BINDINGS, "clinic-north") == []

    def test_it_is_told_as_soon_as_the_clinic_is_out_whatever_fails_afterwards(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())
        told: list[int] = []

        def forbidden(call: Call) -> None:
            if call.verb == "delete":
                raise Forbidden("tokens")

        hub.api.before = forbidden
        with pytest.raises(Forbidden):
            hub.members.revoke("north", out=lambda ended: told.append(len(ended)))

        assert (told, hub.clinic("north")["spec"]["suspended"]) == ([1], True)

    def test_what_somebody_else_decides_meanwhile_does_not_hold_it_up(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())
        decided = {"spec": {"suspended": True}}

        def decides(call: Call) -> None:
            if call.resource == CLINICS and call.verb == "get":
                hub.api.after = lambda _: None
                hub.api.patch(CLINICS, NETWORK, "north", decided)

        hub.api.after = decides
        hub.members.revoke("north")

        assert [one["revoked"] for one in hub.clinic("north")["spec"]["certificates"]] == [True]
        assert hub.api.peek(ROLE_BINDINGS, "clinic-north") == []

    def test_it_may_be_called_again(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())

        assert hub.members.revoke("north") == hub.members.revoke("north")

    def test_a_name_that_nobody_has_says_who_there_is(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())

        with pytest.raises(EnrolmentError, match="there is no clinic nort in namespace skin-network: there are north"):
            hub.members.revoke("nort")

    def test_a_clinic_is_taken_in_again_with_a_new_key_only(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        hub.members.revoke("north")

        with pytest.raises(EnrolmentError, match="was revoked for clinic north"):
            hub.admit("north", key, replace_key=True)
        hub.admit("north", pki.new_key(), replace_key=True)

        spec = hub.clinic("north")["spec"]
        assert (spec["suspended"], [one.get("revoked", False) for one in spec["certificates"]]) == (
            False,
            [True, False],
        )
        assert len(hub.api.peek(ROLE_BINDINGS, "clinic-north")) == 1

    def test_a_revoked_clinic_that_asks_for_the_next_certificate_gets_none(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        hub.ask("north", key)
        hub.members.revoke("north")

        with pytest.raises(EnrolmentError, match="is not signed by a key that has a valid certificate of it"):
            hub.renew("north")


class TestConfigMap:
    def text(self, api: FakeApi) -> str:
        (found,) = api.peek(CONFIG_MAPS, SYSTEM)
        data: dict[str, str] = found["data"]
        return data["revoked.list"]

    def test_the_list_only_grows(self) -> None:
        api = with_revoked_list(FakeApi(), SYSTEM)

        for one in ("a", "b", "a"):
            ConfigMapRevocations(api, SYSTEM).add([one * 64])

        assert self.text(api).splitlines()[1:] == [f"{'a' * 64} yes", f"{'b' * 64} yes"]

    def test_a_list_is_not_made_where_no_gateway_reads_it(self) -> None:
        api = FakeApi()

        with pytest.raises(EnrolmentError, match="namespace fedround-system has no ConfigMap fedround-revoked"):
            ConfigMapRevocations(api, SYSTEM).add(["a" * 64])

        assert api.peek(CONFIG_MAPS, SYSTEM) == []

    def test_a_line_that_another_administrator_adds_at_the_same_time_stays(self) -> None:
        api = with_revoked_list(FakeApi(), SYSTEM)
        ConfigMapRevocations(api, SYSTEM).add(["a" * 64])

        def another(call: Call) -> None:
            if call.verb == "patch":
                api.before = lambda _: None
                ConfigMapRevocations(api, SYSTEM).add(["c" * 64])

        api.before = another
        ConfigMapRevocations(api, SYSTEM).add(["b" * 64])

        assert self.text(api).splitlines()[1:] == [f"{one * 64} yes" for one in "abc"]

    def test_one_that_never_gets_its_turn_gives_up_in_the_end(self) -> None:
        api = with_revoked_list(FakeApi(), SYSTEM)
        ConfigMapRevocations(api, SYSTEM).add(["a" * 64])

        def always(call: Call) -> None:
            if call.verb == "patch":
                raise Conflict("again")

        api.before = always
        with pytest.raises(Conflict):
            ConfigMapRevocations(api, SYSTEM).add(["b" * 64])


def test_the_bundle_is_yaml_for_the_chart_and_holds_no_private_key(hub: Hub) -> None:
    key = pki.new_key()
    held = Held("north", key, hub.admit("north", key))
    bundle = Bundle("north", "fed.example.org:443", hub.registry.ca.decode(), held.certificate.decode(), "a-token")

    text = bundle.text()

    assert yaml.safe_load(text) == {
        "clinic": {"name": "north"},
        "hub": {
            "gateway": "fed.example.org:443",
            "ca": hub.registry.ca.decode(),
            "certificate": held.certificate.decode(),
            "token": "a-token",
        },
    }
    assert "\n    -----BEGIN CERTIFICATE-----\n" in text
    assert "PRIVATE" not in text


def test_members_are_listed_by_name_with_what_their_leases_say(hub: Hub) -> None:
    for clinic in ("zurich", "east"):
        hub.admit(clinic, pki.new_key())
    annotation = {"metadata": {"annotations": {names.AGENT_VERSION_ANNOTATION: "0.1.0"}}}
    hub.api.patch(LEASES, "clinic-east", "agent", annotation)

    found = [(one.name, one.annotations.get(names.AGENT_VERSION_ANNOTATION)) for one in hub.members.all()]

    assert found == [("east", "0.1.0"), ("zurich", None)]


def test_a_renewal_lasts_as_long_as_the_administrator_says(hub: Hub) -> None:
    key = pki.new_key()
    hub.admit("north", key)
    hub.ask("north", key)

    issued = hub.members.renew(hub.member("north"), hub.registry.authority, timedelta(days=90))

    left = pki.read_certificate(issued.pem.encode()).validity.ends - now()
    assert timedelta(days=89) < left <= timedelta(days=90)


class TestReadmission:
    """After the hub was restored: the member is on record, and nothing else of it is there."""

    def test_a_member_gets_its_door_back_and_keeps_its_certificate(self) -> None:
        before, after = Hub(), Hub()
        certificate = before.admit("north", pki.new_key())
        after.api.put(CLINICS, NETWORK, before.clinic("north"))

        assert after.members.reopen("north") == certificate
        door = names.clinic_namespace("north")
        assert [
            len(after.api.peek(one, door)) for one in (SERVICE_ACCOUNTS, SECRETS, ROLES, ROLE_BINDINGS, LEASES)
        ] == [1] * 5
        assert after.clinic("north")["spec"] == before.clinic("north")["spec"]

    def test_one_that_was_revoked_stays_outside(self) -> None:
        hub = Hub()
        hub.admit("north", pki.new_key())
        hub.members.revoke("north")

        with pytest.raises(EnrolmentError, match="clinic north was revoked, or never admitted"):
            hub.members.reopen("north")
        assert hub.api.peek(ROLE_BINDINGS, names.clinic_namespace("north")) == []

    def test_one_whose_certificate_has_ended_has_to_ask_for_another(self) -> None:
        hub = Hub()
        hub.admit("north", pki.new_key())
        later = Members(hub.api, NETWORK, revocations=hub.gateway, clock=lambda: now() + 2 * YEAR)

        with pytest.raises(EnrolmentError, match="the certificate of clinic north ended on"):
            later.reopen("north")

    def test_an_unknown_one_is_told_who_there_is(self) -> None:
        hub = Hub()
        hub.admit("north", pki.new_key())

        with pytest.raises(EnrolmentError, match="there is no clinic south in namespace skin-network: there are north"):
            hub.members.reopen("south")


class TestCatchingUp:
    """A hub that was restored from a backup of before, with the journal of what was done since."""

    def test_who_was_revoked_since_is_out_and_the_gateway_refuses_it(self, hub: Hub) -> None:
        first = hub.admit("north", pki.new_key())
        (issued,) = hub.journal.lines
        revoked = issued.model_copy(update={"what": What.REVOKED})

        missed = hub.members.catch_up([issued, revoked])

        assert missed == [revoked]
        assert hub.member("north").clinic.spec.revoked
        assert hub.gateway.refused == {pki.fingerprint(first)}
        assert (hub.api.peek(ROLE_BINDINGS, "clinic-north"), hub.api.peek(SECRETS, "clinic-north")) == ([], [])

    def test_a_certificate_that_was_renewed_since_can_ask_for_the_next_one_and_be_revoked(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        before = hub.clinic("north")
        next_key = hub.ask("north", key)
        renewed = hub.renew("north")
        hub.api.put(CLINICS, NETWORK, before)

        missed = hub.members.catch_up(hub.journal.lines)

        assert [one.certificates[0].pem for one in missed] == [renewed.decode()]
        hub.ask("north", next_key)
        assert hub.renew("north")
        hub.members.revoke("north")
        assert pki.fingerprint(renewed) in hub.gateway.refused

    def test_a_member_who_came_back_stays_one_though_an_admission_of_before_had_broken_off(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "ca.crt").touch()
        hub, journal = Hub(), Journal(tmp_path)
        hub.members = Members(hub.api, NETWORK, revocations=hub.gateway, clock=now, journal=journal)
        hub.admit("north", pki.new_key())

        def fails(call: Call) -> None:
            if call.resource == CLINICS and call.verb == "patch":
                raise ApiUnreachable("no answer")

        hub.api.before = fails
        with pytest.raises(ApiUnreachable):
            hub.admit("north", pki.new_key(), replace_key=True)
        hub.api.before = lambda _: None
        ended = hub.members.revoke("north")
        issued = journal.entries(NETWORK)[-1]
        journal.add(issued.model_copy(update={"what": What.REVOKED, "certificates": ended}))
        hub.admit("north", pki.new_key(), replace_key=True)

        hub.members.catch_up(journal.entries(NETWORK))

        found = hub.member("north").clinic.spec
        assert (found.suspended, [one.revoked for one in found.certificates]) == (False, [True, True, False])
        assert len(hub.api.peek(ROLE_BINDINGS, "clinic-north")) == 1

    def test_a_renewal_that_broke_off_lets_nobody_in_again_who_was_revoked_since(self, hub: Hub) -> None:
        key = pki.new_key()
        first = hub.admit("north", key)
        hub.ask("north", key)

        def fails(call: Call) -> None:
            if call.resource == CLINICS and call.verb == "patch":
                raise ApiUnreachable("no answer")

        hub.api.before = fails
        with pytest.raises(ApiUnreachable):
            hub.renew("north")
        hub.api.before = lambda _: None
        hub.members.revoke("north")

        hub.members.catch_up(hub.journal.lines)

        found = hub.member("north").clinic.spec
        assert (found.suspended, [one.revoked for one in found.certificates]) == (True, [True, True])
        handed_out = hub.journal.lines[-1].certificates[0].sha256
        assert hub.gateway.refused == {pki.fingerprint(first), handed_out}
        assert hub.api.peek(ROLE_BINDINGS, "clinic-north") == []

    def test_a_renewal_that_was_overtaken_by_a_revocation_lets_nobody_in_again(self, hub: Hub) -> None:
        key = pki.new_key()
        hub.admit("north", key)
        hub.ask("north", key)
        member = hub.member("north")

        def overtaken(call: Call) -> None:
            if call.resource == CLINICS and call.verb == "get":
                hub.api.after = lambda _: None
                ended = hub.members.revoke("north")
                (issued,) = hub.journal.lines
                hub.journal.add(issued.model_copy(update={"what": What.REVOKED, "certificates": ended}))

        # The first look of a renewal is over when it writes its line: what it read then is not so any more.
        hub.api.after = overtaken
        with pytest.raises(Conflict):
            hub.members.renew(member, hub.registry.authority, YEAR)
        assert [one.what for one in hub.journal.lines] == [What.ISSUED, What.REVOKED, What.ISSUED]

        hub.members.catch_up(hub.journal.lines)

        found = hub.member("north").clinic.spec
        assert (found.suspended, [one.revoked for one in found.certificates]) == (True, [True, True])

    def test_one_that_was_taken_in_again_after_its_clinic_was_deleted_by_hand_stays_a_member(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())
        before = hub.clinic("north")
        ended = hub.members.revoke("north")
        hub.journal.add(hub.journal.lines[-1].model_copy(update={"what": What.REVOKED, "certificates": ended}))
        hub.api.delete(CLINICS, NETWORK, "north")
        hub.admit("north", pki.new_key())
        assert [one.what for one in hub.journal.lines] == [
            What.ISSUED,
            What.REVOKED,
            What.REPLACED,
            What.ISSUED,
        ]

        hub.api.put(CLINICS, NETWORK, before)
        hub.members.catch_up(hub.journal.lines)

        assert [one.revoked for one in hub.member("north").clinic.spec.certificates] == [True, False]

    def test_a_clinic_that_the_hub_does_not_have_is_not_made_and_its_certificates_are_refused(self, hub: Hub) -> None:
        first = hub.admit("north", pki.new_key())
        (issued,) = hub.journal.lines
        hub.api.delete(CLINICS, NETWORK, "north")

        assert hub.members.catch_up([issued, issued.model_copy(update={"what": What.REVOKED})]) == []

        assert hub.members.all() == []
        assert hub.gateway.refused == {pki.fingerprint(first)}

    def test_on_a_hub_that_knows_all_of_it_nothing_changes(self, hub: Hub) -> None:
        hub.admit("north", pki.new_key())
        hub.admit("north", pki.new_key(), replace_key=True)
        before = hub.clinic("north")

        assert hub.members.catch_up(hub.journal.lines) == []

        assert hub.clinic("north") == before
