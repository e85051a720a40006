"""A clinic's whole membership with the real command line, API server, gateway and agent: in, renewed, out.

What stands in for Helm and for the gateway's companion is short: the bundle is laid out as files, and the list in the
ConfigMap is given to the gateway.
"""

import base64
import http.client
import json
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedround_cli.main import main
from fedround_local.cluster import Cluster
from fedround_local.controlplane import ensure_controlplane
from fedround_local.gateway import Gateway, GatewaySettings
from fedround_local.ports import free_ports
from fedround_local.processes import ProcessSpec
from fedround_operator.agent.rights import identity_rules, local_rules
from fedround_operator.agent.settings import ACCOUNT
from fedround_operator.enrolment.journal import Journal
from fedround_operator.kit import pki
from fedround_operator.kit.revokedlist import CONFIG_MAP, revoked_in
from support.builders import make_clinic_round, make_policy
from support.running_cluster import RunningCluster

CRDS = Path(__file__).parents[2] / "crds"
NETWORK, SYSTEM, AGENT_USER = "skin-network", "fedround-system", "agent-at-home"
pytestmark = pytest.mark.timeout(300)


@dataclass
class Site:
    """A hub with its gateway and authority, and the namespace `home-<clinic>` for each clinic's own cluster."""

    folder: Path
    running: RunningCluster
    gateway: Gateway
    agents: list[str] = field(default_factory=list)

    def call(self, *arguments: str) -> int:
        return main(["clinic", *arguments, "--kubeconfig", str(self.running.cluster.admin_kubeconfig)])

    def request(self, clinic: str, *more: str) -> Path:
        """In the clinic: the request's file."""
        output = self.folder / f"{clinic}.csr"
        home = f"home-{clinic}"
        assert self.call("request", clinic, "-n", home, "--create-namespace", "--output", str(output), *more) == 0
        return output

    def approve(self, request: Path, *more: str) -> Path | None:
        """By the administrator: the bundle's file, or nothing where it was refused."""
        output = request.with_suffix(".yaml")
        authority = ("--ca", str(self.folder / "ca"), "--gateway", self.gateway.settings.address)
        code = self.call("approve", str(request), *authority, "--output", str(output), *more)
        return output if code == 0 else None

    def renew(self) -> int:
        return self.call("approve", "--renewals", "--ca", str(self.folder / "ca"))

    def install(self, clinic: str, bundle: Path) -> None:
        """What `helm install -f bundle.yaml` does with it."""
        values = yaml.safe_load(bundle.read_text())
        membership = self.folder / clinic / "membership"
        membership.mkdir(parents=True, exist_ok=True)
        for name, key in (("ca.crt", "ca"), ("tls.crt", "certificate"), ("token", "token")):
            part = membership / f".{name}"
            part.write_text(values["hub"][key])
            part.replace(membership / name)

    def start_agent(self, clinic: str) -> str:
        folder, name, home = self.folder / clinic, f"agent-{clinic}", f"home-{clinic}"
        (folder / "policy.yaml").write_text(yaml.safe_dump(make_policy()))
        kubeconfig = folder / "local.conf"
        if not kubeconfig.exists():
            rules = [*local_rules(ACCOUNT), *identity_rules("fedround-certificate")]
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": home}}
            self.running.apply(account, *bound(home, f"{AGENT_USER}:{clinic}", rules))
            self.running.cluster.write_user(kubeconfig, f"{AGENT_USER}:{clinic}")
        given = {
            "clinic": clinic,
            "gateway": self.gateway.settings.address,
            "membership": folder / "membership",
            "identity": folder / "identity",
            "kubeconfig": kubeconfig,
            "namespace": home,
            "policy": folder / "policy.yaml",
            "image": "clinic",
        }
        argv = tuple(f"--{option}={value}" for option, value in given.items())
        self.running.cluster.processes.ensure_running(
            ProcessSpec(name, (sys.executable, "-m", "fedround_operator.agent", *argv))
        )
        self.agents.append(name)
        return name

    def log(self, agent: str) -> str:
        return self.running.cluster.processes.log_path(agent).read_text()

    def lease(self, clinic: str) -> Any:
        return self.running.get("lease", "agent", "-n", f"clinic-{clinic}")

    def renewed_at(self, clinic: str) -> str:
        return str(self.lease(clinic)["spec"].get("renewTime", ""))

    def secret(self, clinic: str) -> dict[str, bytes]:
        data = self.running.get("secret", "fedround-certificate", "-n", f"home-{clinic}")["data"]
        return {name: base64.b64decode(value) for name, value in data.items()}

    def certificates(self, clinic: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.running.get("clinic", clinic, "-n", NETWORK)["spec"]["certificates"]
        return found

    def listed(self, capsys: pytest.CaptureFixture[str], clinic: str) -> dict[str, Any]:
        capsys.readouterr()
        assert self.call("list", "--json") == 0
        found = json.loads(capsys.readouterr().out)["clinics"]
        return next(dict(one) for one in found if one["name"] == clinic)

    def await_beat(self, clinic: str) -> None:
        """The hub takes another renewal of the clinic's Lease."""
        before = self.renewed_at(clinic)
        self.running.wait_for(lambda: self.renewed_at(clinic) > before, 60)

    def tell_gateway(self) -> None:
        """What the gateway's companion does when the ConfigMap changes."""
        found = self.running.get("configmap", "fedround-revoked", "-n", SYSTEM)
        self.gateway.revoke(revoked_in(found["data"]["revoked.list"]))

    def knock(self, clinic: str, key: bytes, certificate: bytes, token: str) -> int:
        """The answer to a clinic's request for its own part of the API."""
        folder = self.folder / clinic
        folder.mkdir(exist_ok=True)
        pair = pki.Credential(key, certificate).write(folder, "knock")
        context = ssl.create_default_context(cafile=str(self.folder / "ca" / "ca.crt"))
        context.load_cert_chain(*pair)
        settings = self.gateway.settings
        connection = http.client.HTTPSConnection(settings.bind, settings.port, context=context, timeout=30)
        try:
            path = f"/apis/fedround.dev/v1alpha1/namespaces/clinic-{clinic}/clinicrounds"
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            return connection.getresponse().status
        except ConnectionError:
            return 0  # a reload may cut off a connection that is just being made
        finally:
            connection.close()

    def ask_api(self, clinic: str, token: str) -> int:
        """The same with the token alone, past the gateway, as nobody in a clinic can."""
        cluster = self.running.cluster
        context = ssl.create_default_context(cafile=str(cluster.layout.pki / "ca.crt"))
        host, port = cluster.server.removeprefix("https://").split(":")
        connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=30)
        try:
            path = f"/apis/fedround.dev/v1alpha1/namespaces/clinic-{clinic}/clinicrounds"
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            return connection.getresponse().status
        finally:
            connection.close()


def bound(namespace: str, user: str, rules: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    group = "rbac.authorization.k8s.io"
    meta = {"name": "agent", "namespace": namespace}
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": rules}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": meta,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "agent"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }
    return role, binding


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    binary = ensure_controlplane(print)
    cluster = Cluster(folder / "cluster", lambda: binary, unsafe_no_fsync=True)
    assert main(["clinic", "ca", str(folder / "ca"), "--gateway", "127.0.0.1"]) == 0
    settings = GatewaySettings(
        folder=folder / "gateway",
        port=free_ports(1)[0],
        certificate=folder / "ca" / "gateway.crt",
        key=folder / "ca" / "gateway.key",
        federation_ca=folder / "ca" / "ca.crt",
        store="http://127.0.0.1:9",
        api=cluster.server,
        api_ca=cluster.layout.pki / "ca.crt",
    )
    made = Site(folder, RunningCluster(cluster, binary), Gateway(settings, cluster.processes))
    try:
        cluster.start()
        for namespace in (NETWORK, SYSTEM):
            made.running.kubectl("create", "namespace", namespace)
        # The hub's chart makes the list; commands only add to it.
        made.running.kubectl("create", "configmap", CONFIG_MAP, "-n", SYSTEM)
        made.running.kubectl("apply", "-f", str(CRDS))
        made.running.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=20s")
        made.gateway.start()
        yield made
    finally:
        for agent in made.agents:
            cluster.processes.stop(agent)
        made.gateway.stop()
        cluster.stop()


@pytest.fixture(scope="module")
def north(site: Site) -> Site:
    """The clinic `north` is a member, and its agent runs."""
    bundle = site.approve(site.request("north"), "--label", "region=ontario")
    assert bundle is not None
    site.install("north", bundle)
    agent = site.start_agent("north")
    site.running.wait_for(lambda: "started clinic=north" in site.log(agent), 60)
    return site


def test_a_clinic_is_in_after_a_request_an_approval_and_an_installation(
    north: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    north.await_beat("north")

    found = north.listed(capsys, "north")
    assert (found["certificate"], found["request"]) == ("valid", None)
    assert set(north.secret("north")) == {"tls.key", "tls.crt", "ca.crt"}
    assert north.running.get("clinic", "north", "-n", NETWORK)["metadata"]["labels"] == {"region": "ontario"}


def test_the_answer_is_for_its_owner_only_and_the_same_when_asked_again(north: Site) -> None:
    bundle = north.approve(north.request("north"))

    assert bundle is not None
    assert oct(bundle.stat().st_mode & 0o777) == "0o600"
    assert yaml.safe_load(bundle.read_text())["hub"]["certificate"].encode() == north.secret("north")["tls.crt"]
    assert len(north.certificates("north")) == 1


def test_a_request_by_somebody_else_for_the_name_of_a_member_is_refused(
    north: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = north.folder / "forged.csr"
    forged.write_bytes(pki.request_certificate("north")[1])

    assert north.approve(forged) is None

    assert "clinic north is known with another key" in capsys.readouterr().err
    assert not forged.with_suffix(".yaml").exists()
    assert len(north.certificates("north")) == 1


def test_a_certificate_is_renewed_while_the_agent_runs_and_nothing_of_the_old_one_is_needed(
    north: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    pid, before = north.running.cluster.processes.pid("agent-north"), north.secret("north")

    assert north.call("rotate", "north", "-n", "home-north") == 0
    north.running.wait_for(lambda: north.listed(capsys, "north")["request"] == "waiting", 90)
    assert north.secret("north")["tls.key"] == before["tls.key"]
    assert north.renew() == 0
    north.running.wait_for(lambda: north.secret("north")["tls.key"] != before["tls.key"], 90)

    after = north.secret("north")
    assert set(after) == {"tls.key", "tls.crt", "ca.crt"}
    north.running.wait_for(lambda: north.listed(capsys, "north")["request"] is None, 60)
    # The former certificate is refused from now on: the same process goes on with the new one.
    north.gateway.revoke([pki.fingerprint(before["tls.crt"])])
    token = (north.folder / "north" / "membership" / "token").read_text()
    north.running.wait_for(lambda: north.knock("north", before["tls.key"], before["tls.crt"], token) == 403)
    north.await_beat("north")
    assert north.knock("north", after["tls.key"], after["tls.crt"], token) == 200
    assert north.running.cluster.processes.pid("agent-north") == pid


def test_an_agent_that_starts_after_a_renewal_ignores_its_first_bundle(north: Site) -> None:
    before = north.secret("north")
    north.running.cluster.processes.stop("agent-north")

    north.start_agent("north")
    north.await_beat("north")

    assert north.secret("north") == before


def test_a_bundle_for_another_key_lets_nobody_in(site: Site) -> None:
    bundle = site.approve(site.request("lost"))
    assert bundle is not None
    site.install("lost", bundle)
    site.request("lost", "--new-key")

    agent = site.start_agent("lost")

    site.running.wait_for(
        lambda: "the certificate is for another private key than the one that is here" in site.log(agent)
    )
    assert set(site.secret("lost")) == {"tls.key"}
    assert site.renewed_at("lost") == ""


def test_a_clinic_that_has_lost_its_key_is_in_again_when_the_administrator_says_so(site: Site) -> None:
    request = site.request("lost")
    first = site.certificates("lost")[0]["sha256"]
    token = (site.folder / "lost" / "membership" / "token").read_text()
    assert site.ask_api("lost", token) == 200
    assert site.approve(request) is None

    bundle = site.approve(request, "--replace-key")

    assert bundle is not None
    site.install("lost", bundle)
    site.await_beat("lost")
    listed = site.running.get("configmap", "fedround-revoked", "-n", SYSTEM)["data"]["revoked.list"]
    assert first in revoked_in(listed)
    # The API server believes a token for ten seconds after it has looked at it.
    site.running.wait_for(lambda: site.ask_api("lost", token) == 401, 20)
    assert site.ask_api("lost", (site.folder / "lost" / "membership" / "token").read_text()) == 200


def test_a_revoked_clinic_is_refused_at_the_gateway_at_once_and_by_the_api_itself(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file = site.folder / "south.key"
    request = site.folder / "south.csr"
    arguments = ("request", "south", "--key-file", str(key_file), "--output", str(request))
    assert site.call(*arguments) == 0
    bundle = site.approve(request)
    assert bundle is not None
    hub = yaml.safe_load(bundle.read_text())["hub"]
    certificate, token = hub["certificate"].encode(), hub["token"]
    part = make_clinic_round("held", clinic="south")
    part["metadata"] = {"name": "held", "namespace": "clinic-south"}
    site.running.apply(part)
    site.running.wait_for(lambda: site.knock("south", key_file.read_bytes(), certificate, token) == 200)
    assert site.ask_api("south", token) == 200

    assert site.call("revoke", "south", "--ca", str(site.folder / "ca")) == 0
    site.tell_gateway()

    site.running.wait_for(lambda: site.knock("south", key_file.read_bytes(), certificate, token) == 403, 3)
    site.running.wait_for(lambda: site.ask_api("south", token) in (401, 403), 10)
    assert site.running.get("clinicrounds", "-n", "clinic-south")["items"] == []
    assert site.running.get("rolebindings", "-n", "clinic-south")["items"] == []
    found = site.listed(capsys, "south")
    assert (found["certificate"], found["suspended"]) == ("revoked", True)
    assert site.approve(request, "--replace-key") is None, "the same key again"
    noted = [str(one.what) for one in Journal(site.folder / "ca").entries(NETWORK) if one.clinic == "south"]
    assert noted == ["issued", "revoked"]


def test_a_clinic_that_writes_a_request_for_anothers_name_into_its_lease_is_refused_and_others_are_not_held_up(
    north: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    held = north.secret("north")
    stolen = pki.request_for("lost", pki.new_key())
    annotations = {
        "fedround.dev/certificate-request": stolen.decode(),
        "fedround.dev/certificate-request-signature": pki.sign_renewal(stolen, held["tls.key"]),
    }
    north.running.cluster.processes.stop("agent-north")
    patch = json.dumps({"metadata": {"annotations": annotations}})
    north.running.kubectl("patch", "lease", "agent", "-n", "clinic-north", "--type=merge", "-p", patch)
    assert north.call("rotate", "lost", "-n", "home-lost") == 0
    north.running.wait_for(lambda: north.listed(capsys, "lost")["request"] == "waiting", 90)
    before = {clinic: len(north.certificates(clinic)) for clinic in ("north", "lost")}
    capsys.readouterr()

    assert north.renew() == 1

    said = capsys.readouterr().out
    assert "renewed lost until" in said
    assert "refused north: what stands in the Lease of clinic north asks for the name lost" in said
    assert len(north.certificates("north")) == before["north"]
    assert len(north.certificates("lost")) == before["lost"] + 1
    # Its agent takes its own request back when it runs again.
    north.start_agent("north")
    north.running.wait_for(lambda: north.listed(capsys, "north")["request"] is None, 60)


def test_nobody_but_the_secret_and_the_agents_own_folder_ever_holds_a_private_key(north: Site) -> None:
    """Every file that is not the clinic's own, and every object on the hub."""
    # The first two lines; the third has nothing but the public half, as every certificate has.
    keys = {line for clinic in ("north", "lost") for line in north.secret(clinic)["tls.key"].splitlines()[1:3]}
    own = {north.folder / clinic for clinic in ("north", "lost")}
    for path in north.folder.rglob("*"):
        if path.is_file() and not any(one in path.parents for one in own) and "etcd" not in str(path):
            content = path.read_bytes()
            assert not any(key in content for key in keys), path
    hub = north.running.kubectl("get", "clinics,leases,configmaps,secrets", "-n", "clinic-north", "-o", "json")
    assert not any(base64.b64encode(key) in hub.encode() or key in hub.encode() for key in keys)
