"""Caddy with the very variables that the chart gives its gateway: the store and the API behind it, and what it logs."""

import http.client
import json
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fedround_local.gateway import caddy_binary, caddyfile
from fedround_local.ports import free_ports
from fedround_local.processes import Processes, ProcessSpec
from fedround_operator.kit.pki import Authority, request_certificate
from support.api_stub import ApiStub
from support.charts import HUB, VARIANTS, environment, pods, template

OBJECT = "/fedround/clinics/north/r1/plain/update.safetensors?X-Amz-Signature=0f0f-secret"
API = "/apis/fedround.dev/v1alpha1/namespaces/clinic-north/clinicrounds"
HOST = "fedround.example.org"


@dataclass
class ChartGateway:
    """Caddy as the pod runs it; what is mounted there lies in folders of the test, and one stub is store and API."""

    port: int
    client: ssl.SSLContext
    behind: ApiStub
    processes: Processes
    signed_for: str

    def ask(self, path: str, **headers: str) -> int:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.client, timeout=20)
        try:
            connection.request("GET", path, headers={"Host": HOST, **headers})
            return connection.getresponse().status
        finally:
            connection.close()

    def answers(self) -> bool:
        try:
            return self.ask("/nowhere") == 403
        except OSError:
            return False

    def log(self) -> str:
        return self.processes.log_path("caddy").read_text()


def _mounted(folder: Path, authority: Authority, behind: ApiStub) -> dict[str, str]:
    """Paths in the pod, and what lies there."""
    certificate, key = authority.issue_server("gateway", ("127.0.0.1",)).write(folder, "gateway")
    (folder / "revoked.list").write_text("# none\n")
    return {
        "/certificate/tls.crt": str(certificate),
        "/certificate/tls.key": str(key),
        "/federation/ca.crt": str(folder / "federation.crt"),
        "/revoked/revoked.list": str(folder / "revoked.list"),
        "/store/ca.crt": str(behind.client_ca),
        "/api/ca.crt": str(behind.client_ca),
        "/state": str(folder / "state"),
        "https://kubernetes.default.svc:443": behind.address,
        "0.0.0.0": "127.0.0.1",  # noqa: S104 - what stands in the pod, and is replaced
    }


@pytest.fixture(scope="module", params=["true", "false"], ids=["store's own host", "gateway's host"])
def gateway(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[ChartGateway]:
    folder = tmp_path_factory.mktemp("chart-gateway")
    authority = Authority.ensure(folder, "federation", "fedround-federation")
    inner = Authority.ensure(folder, "inner", "store-and-cluster")
    behind = ApiStub(*inner.issue_server("inner", ("127.0.0.1",)).write(folder, "behind"), folder / "inner.crt")
    objects = template(HUB, f"--set=store.ownHost={request.param}", values=VARIANTS[HUB, "every part"])
    (container,) = [one for pod in pods(objects) for one in pod.containers if one["name"] == "gateway"]
    mounted = _mounted(folder, authority, behind)
    given = {name: mounted.get(value, value) for name, value in environment(container).items()}
    port = free_ports(1)[0]
    processes = Processes(folder)
    argv = (str(caddy_binary()), *container["command"][1:3], str(caddyfile()), *container["command"][4:])
    key, asked = request_certificate("north")
    (folder / "north.pem").write_bytes(authority.sign_clinic(asked) + key)
    client = ssl.create_default_context(cafile=str(folder / "federation.crt"))
    client.load_cert_chain(folder / "north.pem")
    found = ChartGateway(port, client, behind, processes, "s3.example.org:8443" if request.param == "true" else HOST)
    store = behind.address.removeprefix("https://")
    env = {**given, "FEDROUND_STORE": store, "FEDROUND_GATEWAY_PORT": str(port), "PATH": os.environ["PATH"]}
    try:
        processes.ensure_running(ProcessSpec("caddy", argv, env))
        processes.wait_until(found.answers, "the gateway of the chart", needs=("caddy",))
        yield found
    finally:
        processes.stop("caddy")
        behind.close()


def test_a_store_that_speaks_tls_is_asked_under_the_name_that_urls_are_signed_for(gateway: ChartGateway) -> None:
    assert gateway.ask(OBJECT) == 200

    seen = gateway.behind.seen[-1]
    assert seen.path == OBJECT
    assert seen.headers["host"] == gateway.signed_for


def test_the_api_behind_it_is_the_clusters(gateway: ChartGateway) -> None:
    assert gateway.ask(API, Authorization="Bearer a-secret-token") == 200

    assert gateway.behind.seen[-1].path == API
    assert gateway.behind.seen[-1].headers["authorization"] == "Bearer a-secret-token"


def test_the_access_log_goes_to_the_pods_log_without_a_secret(gateway: ChartGateway) -> None:
    gateway.ask(OBJECT)
    gateway.ask(API, Authorization="Bearer a-secret-token")

    lines = [json.loads(line) for line in gateway.log().splitlines() if '"handled request"' in line]
    seen = {(line["request"]["uri"], line["status"]) for line in lines}
    assert {(OBJECT.partition("?")[0] + "?-", 200), (API, 200)} <= seen
    assert "secret" not in gateway.log()
