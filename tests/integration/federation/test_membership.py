"""Certificates in a running federation: renewed while rounds go on, and a membership that ends and begins again."""

import base64
import json
from typing import Any

import pytest

from fedround_cli.main import main
from fedround_local.federation import layout
from fedround_local.federation.enrolment import Enrolment
from fedround_operator.enrolment.members import Members, Terms
from fedround_operator.enrolment.revocations import ConfigMapRevocations
from fedround_operator.kit import pki
from fedround_operator.kit.process import utc_now
from fedround_operator.kit.resources import CLINIC_ROUNDS, CONFIG_MAPS, SECRETS
from fedround_operator.kit.revokedlist import CONFIG_MAP
from support.federation_fixture import NETWORK, Network, outcome, wait_for
from support.hostile_clinic import HostileClinic
from support.identities import YEAR, encoded

pytestmark = pytest.mark.timeout(600)


def listed(network: Network, clinic: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert call(network, "list", "--json") == 0
    found = json.loads(capsys.readouterr().out)["clinics"]
    return next(dict(one) for one in found if one["name"] == clinic)


def call(network: Network, *arguments: str) -> int:
    return main(["clinic", *arguments, "--state", str(network.federation.place.state)])


def secret(network: Network, clinic: str) -> dict[str, bytes]:
    found = network.api.get(SECRETS, layout.local_namespace(clinic), layout.CERTIFICATE_SECRET)
    return {name: base64.b64decode(value) for name, value in found["data"].items()}


def test_the_federation_has_every_certificate_on_record(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    network.await_available()

    for clinic in network.clinics:
        found = listed(network, clinic, capsys)
        assert (found["available"], found["certificate"], found["request"]) == (True, "valid", None)
        assert found["certificates"][-1]["sha256"] == pki.fingerprint(secret(network, clinic)["tls.crt"])
        assert network.clinic(clinic).status.certificate_expires_at == found["expiresAt"]


def test_after_a_rotation_jobs_and_agent_need_nothing_of_the_certificate_before(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    clinic = network.clinics[2]
    network.make_model("rotated")
    before, pid = secret(network, clinic), network.pid(f"agent-{clinic}")
    gateway = network.federation.parts(network.record).gateway

    assert call(network, "rotate", clinic) == 0
    wait_for(lambda: listed(network, clinic, capsys)["request"] == "waiting", "the agent asks", 60)
    assert call(network, "approve", "--renewals") == 0
    wait_for(lambda: secret(network, clinic)["tls.crt"] != before["tls.crt"], "the agent takes it over", 60)

    gateway.revoke([pki.fingerprint(before["tls.crt"])])
    try:
        ended = network.run_round("rotated", "rotated")
    finally:
        gateway.revoke([])
    assert ended.status.participation == "3/3", outcome(ended)
    assert network.pid(f"agent-{clinic}") == pid


def test_a_clinic_that_is_revoked_while_it_trains_is_out_and_comes_back_only_with_a_new_key(
    network: Network, mended: None, capsys: pytest.CaptureFixture[str]
) -> None:
    clinic = network.clinics[2]
    network.await_available()
    network.make_model("revoked")
    network.federation.processes.stop(f"agent-{clinic}")
    network.start_round("revoked", "revoked", clinics={"minimum": 2})
    hostile = HostileClinic(network, clinic)
    hostile.part("revoked")

    assert call(network, "revoke", clinic) == 0

    certificate = secret(network, clinic)
    wait_for(lambda: refused(hostile, certificate), "the gateway refuses it", 5)
    ended = network.ended("revoked")
    assert outcome(ended).startswith("True"), outcome(ended)
    told = {one.name: (one.state, one.reason) for one in ended.status.participants}
    assert told[clinic] == ("Failed", "CertificateRevoked")
    assert clinic not in network.parts("revoked")
    found = listed(network, clinic, capsys)
    assert (found["certificate"], found["suspended"]) == ("revoked", True)

    readmit(network, clinic)

    network.start(f"agent-{clinic}")
    network.await_available()
    assert listed(network, clinic, capsys)["certificate"] == "valid"
    assert hostile.ask_api("GET", CLINIC_ROUNDS.path(hostile.namespace)).status in (401, 403), "the token of before"


def refused(clinic: HostileClinic, held: dict[str, bytes]) -> bool:
    folder = clinic.network.federation.place.clinic(clinic.name)
    pki.Credential(held["tls.key"], held["tls.crt"]).write(folder, "tls")
    try:
        return clinic.ask_api("GET", CLINIC_ROUNDS.path(clinic.namespace)).status == 403
    except ConnectionError:
        return False


def readmit(network: Network, clinic: str) -> None:
    """The clinic makes a new key, the administrator admits it, and its cluster gets both."""
    federation = network.federation
    enrolment = Enrolment(federation.place, federation.cluster, federation.kubectl, federation.processes)
    key, request = pki.request_certificate(clinic)
    # This federation's own gateway takes its list from a file.
    listed_in = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIG_MAP}}
    network.api.create(CONFIG_MAPS, layout.SYSTEM_NAMESPACE, listed_in)
    members = Members(
        network.api, NETWORK, revocations=ConfigMapRevocations(network.api, layout.SYSTEM_NAMESPACE), clock=utc_now
    )
    certificate = members.admit(pki.read_request(request), enrolment.authority, Terms(YEAR, replace_key=True))
    pki.Credential(key, certificate).write(federation.place.clinic(clinic), "tls")
    gateway = federation.parts(network.record).gateway
    enrolment.write_kubeconfigs([clinic], gateway.settings.address, print)
    data = {"tls.key": encoded(key), "tls.crt": None, "next.key": None}
    network.api.patch(SECRETS, layout.local_namespace(clinic), layout.CERTIFICATE_SECRET, {"data": data})
