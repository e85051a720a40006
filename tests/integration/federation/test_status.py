"""`fedround local status` of a running federation, and of one that has lost a process."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from support.federation_fixture import Network

KEYS = ["state", "running", "processes", "addresses", "namespaces", "kubeconfigs", "model", "clinics", "testCases"]


def status(network: Network, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "fedround_cli.main", "local", "status", *options]
    state = str(network.federation.place.state)
    return subprocess.run([*command, "--state", state], capture_output=True, text=True, timeout=60, check=False)


def data(network: Network) -> dict[str, Any]:
    found = status(network, "--json")
    assert found.stderr == ""
    document: dict[str, Any] = json.loads(found.stdout)
    return document


def test_what_runs_is_told_with_what_it_uses(network: Network) -> None:
    network.await_available()
    found = data(network)

    assert found["running"] is True
    assert [key for key in KEYS if key not in found] == []
    assert all(one["running"] and one["pid"] and one["memoryBytes"] > 2**20 for one in found["processes"].values())
    assert {"etcd", "kube-apiserver", "gateway", "objectstore", "node", "operator"} <= set(found["processes"])
    assert found["sizes"]["total"] >= found["sizes"]["controlPlane"] + found["sizes"]["clinicVolumes"] > 0
    assert found["modelStatus"]["ready"] is True
    assert set(found["clinicStatus"]) == set(network.clinics)
    assert all(one["available"] for one in found["clinicStatus"].values())


def test_the_page_has_a_line_for_each_process_and_clinic_and_fits_80_columns(network: Network) -> None:
    shown = status(network)

    lines = shown.stdout.splitlines()
    assert shown.returncode == 0
    assert "".join(lines[:2]).startswith(f"federation in {network.federation.place.state}: running")
    for name in ("kube-apiserver", "gateway", *(f"agent-{clinic}" for clinic in network.clinics), *network.clinics):
        assert any(line.startswith(f"{name} ") for line in lines)
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in shown.stdout


@pytest.mark.usefixtures("mended")
def test_a_process_that_has_ended_is_named_with_what_to_do(network: Network) -> None:
    os.kill(network.pid("operator"), signal.SIGKILL)
    network.await_gone("operator")

    found = status(network, "--json")

    document = json.loads(found.stdout)
    assert found.returncode == 1
    assert document["running"] is False
    assert document["processes"]["operator"]["running"] is False
    state = network.federation.place.state
    assert document["advice"][0] == (
        f"Start again what has ended with `fedround local up --state {state}`; "
        f"why it ended stands in {state}/logs: operator.log."
    )
