"""The gateway's companion with a real API server and a real Caddy: what is revoked is refused a moment later."""

import http.client
import json
import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fedround_local.gateway import Gateway, GatewaySettings, caddy_binary
from fedround_local.ports import free_ports
from fedround_local.processes import Processes, ProcessSpec
from fedround_operator import revocations
from fedround_operator.kit.pki import Authority, fingerprint, request_certificate
from fedround_operator.kit.revokedlist import CONFIG_MAP, KEY
from support.running_cluster import RunningCluster

pytest_plugins = ("support.cluster_fixture",)

NAMESPACE, USER, COMPANION = "gateway-test", "gateway-companion", "companion"


@dataclass
class Watched:
    """A gateway, its companion, and the list that both follow."""

    cluster: RunningCluster
    gateway: Gateway
    authority: Authority
    kubeconfig: Path
    process: str
    _contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)

    def start_companion(self) -> None:
        self.gateway.processes.ensure_running(ProcessSpec(COMPANION, self.companion(self.process)))

    def companion(self, process: str) -> tuple[str, ...]:
        settings = self.gateway.settings
        return (
            *(sys.executable, "-m", "fedround_operator.revocations", f"--kubeconfig={self.kubeconfig}"),
            *(f"--namespace={NAMESPACE}", f"--revoked={settings.revoked_list}", f"--process={process}"),
            f"--renewed-files={settings.certificate}:{settings.federation_ca}",
        )

    def enrol(self, clinic: str) -> str:
        """Give the clinic a certificate; its fingerprint."""
        key, request = request_certificate(clinic)
        folder = self.gateway.settings.folder
        certificate = self.authority.sign_clinic(request)
        (folder / f"{clinic}.pem").write_bytes(certificate + key)
        context = ssl.create_default_context(cafile=str(self.gateway.settings.federation_ca))
        context.load_cert_chain(folder / f"{clinic}.pem")
        self._contexts[clinic] = context
        return fingerprint(certificate)

    def answer(self, clinic: str) -> str:
        """What the gateway says to the clinic, whose path leads nowhere."""
        settings = self.gateway.settings
        connection = http.client.HTTPSConnection(
            settings.bind, settings.port, context=self._contexts[clinic], timeout=10
        )
        try:
            connection.request("GET", "/nowhere")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def serial(self) -> str:
        """Of the certificate that the gateway shows."""
        settings = self.gateway.settings
        pem = ssl.get_server_certificate((settings.bind, settings.port), timeout=10)
        return fingerprint(pem.encode())

    def revoke(self, *fingerprints: str, garbage: str = "") -> None:
        text = "".join(f"{one} yes\n" for one in fingerprints) + garbage
        patch = json.dumps({"data": {KEY: text}})
        self.cluster.kubectl("patch", "configmap", CONFIG_MAP, "-n", NAMESPACE, "--type=merge", "-p", patch)

    def listed(self) -> set[str]:
        return {line.split()[0] for line in self.lines()}

    def lines(self) -> list[str]:
        """Those of the list that the gateway reads; the first is a comment."""
        return self.gateway.settings.revoked_list.read_text().splitlines()[1:]


def until(look: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until it is seen. A reload may cut a connection that is just being made."""
    start = time.monotonic()
    while True:
        try:
            if look():
                return
        except (ConnectionError, FileNotFoundError, ssl.SSLError):
            pass
        assert time.monotonic() - start < seconds, "not seen in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def watched(cluster: RunningCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("gateway")
    meta = {"name": USER, "namespace": NAMESPACE}
    rbac = "rbac.authorization.k8s.io"
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIG_MAP, "namespace": NAMESPACE}},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": meta, "rules": revocations.rules()},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": USER},
            "subjects": [{"apiGroup": rbac, "kind": "User", "name": USER}],
        },
    )
    kubeconfig = folder / "companion.conf"
    cluster.cluster.write_user(kubeconfig, USER)
    authority = Authority.ensure(folder / "pki", "federation", "fedround-federation")
    certificate, key = authority.issue_server("gateway", ("127.0.0.1",)).write(folder / "pki", "gateway")
    # A name of its own: the signal must reach no other gateway on this machine.
    process = f"caddy-{os.getpid()}"
    (folder / process).symlink_to(caddy_binary())
    settings = GatewaySettings(
        folder=folder / "run",
        port=free_ports(1)[0],
        certificate=certificate,
        key=key,
        federation_ca=folder / "pki" / "federation.crt",
        store="http://127.0.0.1:9",
        api="https://127.0.0.1:9",
        api_ca=folder / "pki" / "federation.crt",
    )
    gateway = Gateway(settings, Processes(folder), folder / process)
    found = Watched(cluster, gateway, authority, kubeconfig, process)
    try:
        gateway.start()
        found.start_companion()
        yield found
    finally:
        gateway.processes.stop(COMPANION)
        gateway.stop()


def test_a_revoked_certificate_is_refused_within_a_moment_and_the_others_are_not(watched: Watched) -> None:
    north, south = watched.enrol("north"), watched.enrol("south")
    assert "opens" in watched.answer("north")

    watched.revoke(north)

    # On an idle machine it is one second; the bound is for a busy one, and far below the minute of a mounted ConfigMap.
    until(lambda: watched.answer("north") == "This certificate is revoked.", seconds=10)
    assert "opens" in watched.answer("south")
    watched.revoke(north, south)
    until(lambda: watched.answer("south") == "This certificate is revoked.")


def test_what_is_taken_off_the_list_stays_refused_by_a_gateway_that_runs(watched: Watched) -> None:
    east, other = watched.enrol("east"), watched.enrol("other")
    watched.revoke(east)
    until(lambda: watched.answer("east") == "This certificate is revoked.")

    watched.revoke(other)

    until(lambda: watched.answer("other") == "This certificate is revoked.")
    assert watched.answer("east") == "This certificate is revoked."


def test_a_line_that_nobody_can_read_does_not_keep_the_others_from_the_gateway(watched: Watched) -> None:
    west = watched.enrol("west")

    watched.revoke(west, garbage='import /etc/passwd\nABC yes\n"\n')

    until(lambda: watched.answer("west") == "This certificate is revoked.")
    assert west in watched.listed()
    assert all(re.fullmatch("[0-9a-f]{64} yes", line) for line in watched.lines())


def test_a_list_that_is_deleted_stays_in_force(watched: Watched) -> None:
    centre, later = watched.enrol("centre"), watched.enrol("later")
    watched.revoke(centre)
    until(lambda: watched.answer("centre") == "This certificate is revoked.")

    watched.cluster.kubectl("delete", "configmap", CONFIG_MAP, "-n", NAMESPACE)
    until(lambda: "was deleted" in watched.gateway.processes.log_tail(COMPANION))
    assert watched.answer("centre") == "This certificate is revoked."

    metadata = {"name": CONFIG_MAP, "namespace": NAMESPACE}
    watched.cluster.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {KEY: f"{later} yes"}}
    )
    until(lambda: watched.answer("later") == "This certificate is revoked.")


def test_a_renewed_certificate_of_the_gateway_is_shown_without_a_restart(watched: Watched) -> None:
    before, pid = watched.serial(), watched.gateway.processes.pid("gateway")
    settings = watched.gateway.settings

    watched.authority.issue_server("gateway", ("127.0.0.1",)).write(settings.certificate.parent, "gateway")

    until(lambda: watched.serial() != before, seconds=30)
    assert watched.gateway.processes.pid("gateway") == pid


def test_the_first_container_writes_the_list_and_ends(watched: Watched, tmp_path: Path) -> None:
    one = "cd" * 32
    watched.revoke(one)
    argv = [*watched.companion(process=""), f"--revoked={tmp_path / 'revoked.list'}"]

    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "revoked.list").read_text().splitlines()[1:] == [f"{one} yes"]


def test_without_a_list_there_is_no_start(watched: Watched, tmp_path: Path) -> None:
    """The companion waits, and the gateway's container with it: a list that was lost must not open the door."""
    watched.cluster.kubectl("delete", "configmap", CONFIG_MAP, "-n", NAMESPACE)
    argv = [*watched.companion(process=""), f"--revoked={tmp_path / 'revoked.list'}"]

    child = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stderr is not None
        assert "following the list" in child.stderr.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=3)
        assert not (tmp_path / "revoked.list").exists()
        child.terminate()
        assert child.wait(timeout=10) == 1
    finally:
        child.kill()
        child.wait()
