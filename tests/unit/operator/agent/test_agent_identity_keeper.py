"""The keeper: Secret, bundle and Lease in; one identity out, in files and in the Secret, and never in parts."""

import logging
import random
import stat
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fedround_api import names
from fedround_operator.agent.heartbeat import Heartbeat
from fedround_operator.agent.identity_keeper import IdentityKeeper, IdentityPlaces
from fedround_operator.agent.rights import identity_rules
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.enrolment.members import Members, Terms
from fedround_operator.kit import metrics, pki
from fedround_operator.kit.errors import ApiUnreachable
from fedround_operator.kit.health import Pulse
from fedround_operator.kit.resources import CLINICS, LEASES, SECRETS, Object
from support.builders import make_lease
from support.fake_api import Call, FakeApi
from support.identities import YEAR, Held, Registry, encoded, files_in, make_secret, now

RENEWED = names.RENEWED_CERTIFICATE_ANNOTATION


class Clinic:
    """The clinic `north` with its cluster, its bundle, and the hub's Lease."""

    def __init__(self, folder: Path, *, lifetime: timedelta = YEAR) -> None:
        self.registry, self.folder = Registry(), folder
        self.local, self.hub = FakeApi(), FakeApi()
        self.now = now()
        self.first = self.registry.hold("north", lifetime=lifetime)
        self.local.put(SECRETS, "north", make_secret(tls_key=self.first.key))
        self.hub.put(LEASES, "clinic-north", make_lease())
        self.bundle(self.first.certificate)
        self.keeper = self.started()

    def started(self) -> IdentityKeeper:
        """A new process."""
        places = IdentityPlaces(
            "north", "north", "fedround-certificate", self.folder / "membership", self.folder / "identity"
        )
        return IdentityKeeper(self.local, places, clock=lambda: self.now)

    def bundle(self, certificate: bytes) -> None:
        membership = self.folder / "membership"
        membership.mkdir(exist_ok=True)
        (membership / "tls.crt").write_bytes(certificate)
        (membership / "ca.crt").write_bytes(self.registry.ca)

    @property
    def secret(self) -> dict[str, bytes]:
        (found,) = self.local.peek(SECRETS, "north")
        return files_in(found)

    @property
    def laid_out(self) -> dict[str, bytes]:
        return {one.name: one.read_bytes() for one in (self.folder / "identity" / "current").iterdir()}

    def beat(self) -> None:
        """What the heartbeat does: it carries the request to the Lease, and what stands there back."""
        patch = {"metadata": {"annotations": self.keeper.lease_annotations()}}
        self.keeper.offered(self.hub.patch(LEASES, "clinic-north", "agent", patch))

    @property
    def lease(self) -> dict[str, str]:
        (found,) = self.hub.peek(LEASES, "clinic-north")
        annotations: dict[str, str] = found["metadata"].get("annotations") or {}
        return annotations

    def answer(self, text: str) -> None:
        annotations = {names.RENEWED_CERTIFICATE_ANNOTATION: text}
        self.hub.patch(LEASES, "clinic-north", "agent", {"metadata": {"annotations": annotations}})

    def certify_request(self) -> Held:
        """The administrator's answer to what stands in the Lease."""
        request = self.lease[names.RENEWAL_REQUEST_ANNOTATION].encode()
        certificate = self.registry.authority.sign_clinic(request, YEAR)
        return Held("north", self.secret["next.key"], certificate)


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


def test_key_and_bundle_become_one_identity_in_the_secret_and_in_files(clinic: Clinic) -> None:
    assert clinic.keeper.look()

    whole = {"tls.key": clinic.first.key, "tls.crt": clinic.first.certificate, "ca.crt": clinic.registry.ca}
    assert clinic.secret == whole
    assert clinic.laid_out == whole
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in (clinic.folder / "identity" / "current").iterdir()}
    assert modes == dict.fromkeys(whole, 0o600)


def test_the_end_of_the_certificate_is_a_metric(clinic: Clinic) -> None:
    clinic.keeper.look()

    name = "fedround_agent_certificate_expiry_timestamp_seconds"
    left = (metrics.REGISTRY.get_sample_value(name) or 0.0) - now().timestamp()
    assert abs(left - YEAR.total_seconds()) < 60


def test_what_keeps_the_agent_out_of_the_hub_is_said(clinic: Clinic) -> None:
    clinic.local.delete(SECRETS, "north", "fedround-certificate")
    assert clinic.keeper.unusable() == "no usable certificate: the Secret was not read yet"

    clinic.keeper.look()
    assert "there is no such Secret: call `fedround clinic request`" in clinic.keeper.unusable()

    clinic.local.put(SECRETS, "north", make_secret(tls_key=clinic.first.key))
    clinic.keeper.look()
    assert clinic.keeper.unusable() == ""

    clinic.now += YEAR + timedelta(minutes=1)
    assert clinic.keeper.unusable().startswith("the certificate holds only from ")


def test_nothing_is_written_while_nothing_changes(clinic: Clinic) -> None:
    clinic.keeper.look()
    before = [call.verb for call in clinic.local.calls]

    clinic.keeper.look()
    clinic.started().look()

    assert [call.verb for call in clinic.local.calls] == [*before, "get", "get"]


def test_a_bundle_for_another_key_is_refused_told_once_and_leaves_the_secret_alone(
    clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    clinic.bundle(clinic.registry.hold("north").certificate)

    assert [clinic.keeper.look() for _ in range(3)] == [False, False, False]

    assert clinic.secret == {"tls.key": clinic.first.key}
    assert [record.message for record in caplog.records] == [
        "no usable certificate secret=north/fedround-certificate: the certificate is for another private key than the "
        "one that is here"
    ]


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        (None, "there is no such Secret: call `fedround clinic request`"),
        (make_secret(), "it has no tls.key: call `fedround clinic request`"),
        ({**make_secret(), "data": {"tls.key": "***"}}, "its data are no base64"),
        (make_secret(tls_key=b"no key"), "it is no private key in PEM form"),
    ],
)
def test_a_secret_that_cannot_be_used_says_what_to_do(
    clinic: Clinic, secret: Object | None, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    clinic.local.delete(SECRETS, "north", "fedround-certificate")
    if secret is not None:
        clinic.local.put(SECRETS, "north", secret)

    assert not clinic.keeper.look()

    assert caplog.records[-1].message.endswith(sentence)


def test_an_agent_whose_bundle_is_not_there_yet_waits_for_it(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    (clinic.folder / "membership" / "tls.crt").unlink()
    assert not clinic.keeper.look()
    assert "are not in" in caplog.text

    clinic.bundle(clinic.first.certificate)

    assert clinic.keeper.look()


def test_a_clinics_own_api_server_that_is_away_takes_nothing_away(clinic: Clinic) -> None:
    clinic.keeper.look()

    def away(_: Call) -> None:
        raise ApiUnreachable("no answer")

    clinic.local.before = away

    assert not clinic.keeper.look()
    assert clinic.laid_out["tls.crt"] == clinic.first.certificate


def test_a_month_before_the_end_the_next_key_is_in_the_secret_before_it_is_asked_for(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path, lifetime=timedelta(days=90))
    clinic.keeper.look()
    clinic.beat()
    assert "next.key" not in clinic.secret
    assert clinic.lease == {}

    clinic.now += timedelta(days=61)
    clinic.keeper.look()
    clinic.beat()

    request = pki.read_request(clinic.lease[names.RENEWAL_REQUEST_ANNOTATION].encode())
    assert request.key_sha256 == pki.key_digest(clinic.secret["next.key"])
    assert clinic.secret["tls.key"] == clinic.first.key
    assert "PRIVATE" not in "".join(clinic.lease.values())


def asking(folder: Path) -> Clinic:
    """A clinic whose agent asks for its next certificate."""
    clinic = Clinic(folder)
    clinic.keeper.look()
    clinic.local.patch(SECRETS, "north", "fedround-certificate", {"data": {"next.key": encoded(pki.new_key())}})
    clinic.keeper.look()
    clinic.beat()
    return clinic


def test_an_agent_that_is_restarted_asks_for_the_same_key(tmp_path: Path) -> None:
    clinic = asking(tmp_path)
    before = pki.read_request(clinic.lease[names.RENEWAL_REQUEST_ANNOTATION].encode()).key_sha256

    clinic.keeper = clinic.started()
    clinic.keeper.look()
    clinic.beat()

    assert pki.read_request(clinic.lease[names.RENEWAL_REQUEST_ANNOTATION].encode()).key_sha256 == before


def test_a_request_stays_the_same_text_from_beat_to_beat(tmp_path: Path) -> None:
    clinic = asking(tmp_path)
    before = clinic.lease

    clinic.keeper.look()
    clinic.beat()

    assert clinic.lease == before


def test_the_answer_replaces_key_and_certificate_at_once_and_the_lease_is_cleared(tmp_path: Path) -> None:
    clinic = asking(tmp_path)
    renewed = clinic.certify_request()
    clinic.answer(renewed.certificate.decode())

    clinic.beat()
    clinic.keeper.look()
    clinic.beat()

    whole = {"tls.key": renewed.key, "tls.crt": renewed.certificate, "ca.crt": clinic.registry.ca}
    assert clinic.secret == whole
    assert clinic.laid_out == whole
    assert clinic.lease == {}


def test_an_answer_whose_write_fails_is_taken_at_the_next_look(tmp_path: Path) -> None:
    clinic = asking(tmp_path)
    renewed = clinic.certify_request()
    clinic.answer(renewed.certificate.decode())
    clinic.beat()

    def write_fails(call: Call) -> None:
        if call.verb == "patch":
            clinic.local.before = lambda _: None
            raise ApiUnreachable("no answer")

    clinic.local.before = write_fails
    assert not clinic.keeper.look()
    assert clinic.laid_out["tls.key"] == clinic.first.key

    assert clinic.keeper.look()
    assert clinic.laid_out["tls.crt"] == renewed.certificate


def test_a_certificate_that_was_not_asked_for_is_refused_once_and_the_request_stands(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clinic = asking(tmp_path)
    clinic.answer(clinic.first.certificate.decode())

    for _ in range(3):
        clinic.beat()
        clinic.keeper.look()

    refusals = [one.message for one in caplog.records if "refused" in one.message]
    assert refusals == [
        "certificate in the lease refused: the certificate is for another private key than the one that is here"
    ]
    assert clinic.laid_out["tls.crt"] == clinic.first.certificate
    renewed = clinic.certify_request()
    clinic.answer(renewed.certificate.decode())
    clinic.beat()
    clinic.keeper.look()
    assert clinic.laid_out["tls.crt"] == renewed.certificate


def test_an_answer_from_a_future_that_has_come_is_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clinic = asking(tmp_path)
    renewed = clinic.certify_request()
    clinic.answer(renewed.certificate.decode())
    right, clinic.now = clinic.now, clinic.now - timedelta(hours=2)
    for _ in range(3):
        clinic.beat()
        clinic.keeper.look()
    assert clinic.laid_out["tls.crt"] == clinic.first.certificate
    assert len([one for one in caplog.records if "refused" in one.message]) == 1

    clinic.now = right
    clinic.keeper.look()

    assert clinic.laid_out["tls.crt"] == renewed.certificate


@pytest.mark.parametrize(
    "annotations",
    [7, ["text"], "text", {RENEWED: 7}, {RENEWED: ["text"]}, {RENEWED: {}}, {RENEWED: "\ud800"}, {RENEWED: "Straße"}],
)
def test_what_no_administrator_writes_into_the_lease_is_passed_over(tmp_path: Path, annotations: Any) -> None:
    clinic = asking(tmp_path)

    clinic.keeper.offered({"metadata": {"annotations": annotations}})

    assert clinic.keeper.look()
    assert clinic.laid_out["tls.crt"] == clinic.first.certificate


def test_who_followed_the_link_before_a_renewal_still_has_files_that_fit(tmp_path: Path) -> None:
    clinic = asking(tmp_path)
    before = (tmp_path / "identity" / "current").resolve()
    clinic.answer(clinic.certify_request().certificate.decode())

    clinic.beat()
    clinic.keeper.look()

    assert (before / "tls.key").read_bytes() == clinic.first.key
    assert (before / "tls.crt").read_bytes() == clinic.first.certificate


def test_of_the_keys_before_the_last_nothing_stays_in_files(tmp_path: Path) -> None:
    clinic = asking(tmp_path)
    oldest = (tmp_path / "identity" / "current").resolve()
    for _ in range(2):
        clinic.local.patch(SECRETS, "north", "fedround-certificate", {"data": {"next.key": encoded(pki.new_key())}})
        clinic.keeper.look()
        clinic.beat()
        clinic.answer(clinic.certify_request().certificate.decode())
        clinic.beat()
        clinic.keeper.look()
        clinic.beat()

    assert not oldest.exists()
    assert len([one for one in (tmp_path / "identity").iterdir() if not one.is_symlink()]) == 2


def test_a_key_that_a_person_has_just_replaced_is_not_overwritten(tmp_path: Path) -> None:
    clinic = asking(tmp_path)
    clinic.answer(clinic.certify_request().certificate.decode())
    clinic.beat()
    fresh = pki.new_key()

    def a_person_writes(call: Call) -> None:
        if call.verb == "patch":
            clinic.local.before = lambda _: None
            clinic.local.put(SECRETS, "north", make_secret(tls_key=fresh))

    clinic.local.before = a_person_writes

    assert not clinic.keeper.look()
    assert clinic.secret == {"tls.key": fresh}


def test_the_rights_to_the_secret_are_those_that_the_keeper_uses(tmp_path: Path) -> None:
    clinic = asking(tmp_path)

    needed = {(call.resource, call.verb, call.namespace, call.name) for call in clinic.local.calls}

    assert needed == {(SECRETS, verb, "north", "fedround-certificate") for verb in ("get", "patch")}
    (rule,) = identity_rules("fedround-certificate")
    assert rule == {
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": ["fedround-certificate"],
        "verbs": ["get", "patch"],
    }


def test_waiting_for_a_first_identity_ends_when_the_agent_is_stopped(clinic: Clinic) -> None:
    clinic.local.delete(SECRETS, "north", "fedround-certificate")
    stop = threading.Event()
    stop.set()

    assert clinic.keeper.await_first(stop) is False


def test_no_log_of_a_whole_renewal_holds_a_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    clinic = asking(tmp_path)
    clinic.answer(clinic.certify_request().certificate.decode())
    clinic.beat()
    clinic.keeper.look()

    assert "certificate renewed" in caplog.text
    assert "PRIVATE" not in caplog.text
    for line in clinic.secret["tls.key"].decode().splitlines():
        assert line not in caplog.text


class Nothing:
    """A gateway that has no list."""

    def add(self, fingerprints: object) -> None:
        raise AssertionError("nothing is revoked here")


def test_the_heartbeat_and_the_administrator_complete_a_rotation(tmp_path: Path) -> None:
    """The whole way with the real code on both sides: the agent asks, `approve --renewals` answers, the agent takes."""
    clinic = Clinic(tmp_path)
    clinic.keeper.look()
    members = Members(clinic.hub, "skin-network", revocations=Nothing(), clock=now)
    request = pki.read_request(pki.request_for("north", clinic.first.key))
    members.admit(request, clinic.registry.authority, Terms(YEAR))
    heartbeat = Heartbeat(
        clinic.hub,
        AgentSettings(clinic="north", namespace="north", image="image"),
        version="0.1.0",
        policy=lambda: None,
        clock=now,
        renewals=Pulse("no renewal", 40),
        generator=random.Random(7),  # noqa: S311 - jitter
        identity=clinic.keeper,
    )
    clinic.local.patch(SECRETS, "north", "fedround-certificate", {"data": {"next.key": encoded(pki.new_key())}})

    clinic.keeper.look()
    heartbeat.beat()
    (member,) = members.all()
    assert member.asks_for_renewal
    issued = members.renew(member, clinic.registry.authority, YEAR)
    assert [one.is_answered for one in members.all()] == [True]
    heartbeat.beat()
    clinic.keeper.look()
    heartbeat.beat()

    assert clinic.laid_out["tls.crt"] == issued.pem.encode()
    assert [(one.asks_for_renewal, one.is_answered) for one in members.all()] == [(False, False)]
    assert [one["metadata"]["name"] for one in clinic.hub.peek(CLINICS, "skin-network")] == ["north"]
