"""The port of metrics and probes, over real HTTP."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from wsgiref.simple_server import WSGIServer

import pytest

from fedround_operator.kit.health import Health
from fedround_operator.kit.metrics import AGENT, OPERATOR
from fedround_operator.kit.serving import serve


@dataclass
class Process:
    """What is wrong with a process, as its probes are to tell."""

    alive: str = ""
    ready: str = ""
    server: WSGIServer = field(init=False)

    def __post_init__(self) -> None:
        self.server = serve(0, "127.0.0.1", Health((lambda: self.alive,), (lambda: self.ready,)), OPERATOR)

    def ask(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.server.server_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def process() -> Iterator[Process]:
    process = Process()
    yield process
    process.server.shutdown()
    process.server.server_close()


def test_a_process_that_is_well_answers_both_probes_with_success(process: Process) -> None:
    assert process.ask("/healthz") == process.ask("/readyz") == (200, "ok\n")


def test_what_keeps_it_from_work_fails_its_readiness_only(process: Process) -> None:
    process.ready = "the Lease was not taken or renewed yet"

    assert process.ask("/healthz") == (200, "ok\n")
    assert process.ask("/readyz") == (503, "the Lease was not taken or renewed yet\n")


def test_what_a_restart_could_mend_fails_both(process: Process) -> None:
    process.alive = "the watch of clinics was not tried for 301 s"

    assert process.ask("/healthz") == (503, "the watch of clinics was not tried for 301 s\n")
    assert process.ask("/readyz")[0] == 503


def test_metrics_are_beside_the_probes_and_nothing_else_is_there(process: Process) -> None:
    status, text = process.ask("/metrics")

    assert status == 200
    assert "# TYPE fedround_reconciles_total counter" in text
    assert "# TYPE fedround_leader gauge" in text
    assert "fedround_agent" not in text
    assert process.ask("/") == (404, "there is /metrics, /healthz and /readyz\n")


def test_a_connection_that_says_nothing_keeps_nobody_waiting(process: Process) -> None:
    with socket.create_connection(("127.0.0.1", process.server.server_port)):
        assert process.ask("/healthz")[0] == 200


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python knows no IPv6")
def test_it_serves_where_there_is_only_ipv6() -> None:
    server = serve(0, "::1", Health((), ()), AGENT)
    try:
        with urllib.request.urlopen(f"http://[::1]:{server.server_port}/readyz", timeout=10) as answer:
            assert answer.read() == b"ok\n"
    finally:
        server.shutdown()
        server.server_close()
