"""The probes of the real processes: an API server that hangs costs the operator its Lease, and no agent its life."""

import os
import signal
import urllib.error
import urllib.request

import pytest

from fedround_local.federation import runtime
from fedround_local.federation.layout import SYSTEM_NAMESPACE
from fedround_operator.hub.settings import OPERATOR_LEASE
from fedround_operator.kit.leases import renewal
from fedround_operator.kit.process import utc_now
from fedround_operator.kit.resources import LEASES
from support.federation_fixture import Network, wait_for

pytestmark = [pytest.mark.timeout(400), pytest.mark.usefixtures("mended")]


def probe(network: Network, process: str, path: str) -> tuple[int, str]:
    url = f"http://127.0.0.1:{network.record.metrics_ports[process]}{path}"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode().strip()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode().strip()
    except OSError as error:
        return 0, str(error)


def await_ready(network: Network, process: str) -> None:
    wait_for(lambda: probe(network, process, "/readyz") == (200, "ok"), f"{process} is ready", 60)


def await_told(network: Network, process: str, words: str) -> None:
    """That it is not ready, for this reason."""

    def look() -> bool:
        status, text = probe(network, process, "/readyz")
        return status == 503 and text.startswith(words)

    wait_for(look, f"{process} says: {words}", 90)


def test_an_api_server_that_hangs_ends_the_operator_and_leaves_an_agent_alive_but_not_ready(network: Network) -> None:
    agent = runtime.agent_name(network.clinics[0])
    await_ready(network, runtime.OPERATOR)
    await_ready(network, agent)
    before = network.pid(agent)

    os.kill(network.pid("kube-apiserver"), signal.SIGSTOP)
    try:
        await_told(network, runtime.OPERATOR, "the Lease was not taken or renewed for ")
        network.await_gone(runtime.OPERATOR)
        await_told(network, agent, "the hub has not taken a sign of life for ")
        assert probe(network, agent, "/healthz") == (200, "ok")
    finally:
        os.kill(network.pid("kube-apiserver"), signal.SIGCONT)
    network.start_all()

    await_ready(network, runtime.OPERATOR)
    await_ready(network, agent)
    assert network.pid(agent) == before


def test_an_operator_that_waits_for_the_lease_of_another_is_alive_and_not_ready(network: Network) -> None:
    await_ready(network, runtime.OPERATOR)
    network.kill(runtime.OPERATOR)
    network.api.patch(LEASES, SYSTEM_NAMESPACE, OPERATOR_LEASE, renewal("another", 30, utc_now()))

    network.start(runtime.OPERATOR)

    await_told(network, runtime.OPERATOR, "the Lease was not taken or renewed yet")
    assert probe(network, runtime.OPERATOR, "/healthz") == (200, "ok")
    await_ready(network, runtime.OPERATOR)
