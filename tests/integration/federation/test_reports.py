"""`fedround rounds` and `fedround report` on the running federation, as an administrator calls them."""

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fedround_api import keys
from fedround_api.kinds import FederatedRound
from fedround_api.report import json_schema
from fedround_local.federation.federation import ADMINISTRATOR
from fedround_local.objectstore import BUCKET
from support.federation_fixture import NETWORK, Network, outcome

pytestmark = pytest.mark.timeout(600)

MODEL, ROUND = "reported", "reported-1"


class Caller:
    """Calls the program in a folder of its own, without the kubeconfig of whoever runs the tests."""

    def __init__(self, folder: Path, state: Path) -> None:
        self.folder, self.state = folder, state

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = (sys.executable, "-m", "fedround_cli.main", *arguments)
        environment = {**os.environ, "KUBECONFIG": str(self.folder / "none"), "COLUMNS": "200"}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def there(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The same of the federation."""
        return self(*arguments, "--state", str(self.state))


@pytest.fixture(scope="module")
def ended(network: Network) -> FederatedRound:
    network.make_model(MODEL)
    found = network.run_round(ROUND, MODEL)
    assert found.status.report is not None, outcome(found)
    return found


@pytest.fixture
def call(network: Network, tmp_path: Path) -> Caller:
    return Caller(tmp_path, network.federation.place.state)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_page_is_the_one_that_the_status_names(ended: FederatedRound, call: Caller) -> None:
    done = call.there("report", ROUND)

    assert done.returncode == 0, done.stderr
    assert ended.status.report is not None
    page = (call.folder / f"{ROUND}-report.html").read_bytes()
    assert digest(page) == ended.status.report.html_sha256
    assert f"<h1>Round {ROUND} of model {MODEL}</h1>" in page.decode()
    assert ended.status.verdict is not None
    assert done.stdout.splitlines() == [
        f"wrote {ROUND}-report.html, whose sha256 is the one in the round's status",
        f"{ROUND}: {ended.status.phase}: {ended.status.verdict.message}",
    ]


def test_the_figures_are_those_that_the_status_names_and_fit_the_schema(ended: FederatedRound, call: Caller) -> None:
    done = call.there("report", ROUND, "--json")

    assert done.returncode == 0, done.stderr
    assert ended.status.report is not None
    assert digest(done.stdout.encode()) == ended.status.report.json_sha256
    report: dict[str, Any] = json.loads(done.stdout)
    Draft202012Validator(json_schema()).validate(report)
    verdict = ended.status.verdict
    assert verdict is not None
    assert report["verdict"]["sentence"] == verdict.message
    assert report["candidate"]["figures"]["auroc"]["value"] == float(verdict.candidate.auroc)
    assert report["testSet"]["uses"] == 1
    assert [(one["name"], one["cases"]) for one in report["participants"]] == [
        (one.name, one.cases) for one in ended.status.participants
    ]
    assert report["durations"]["aggregationSeconds"] < 120


def test_a_file_of_ones_choice_is_replaced_by_the_page(ended: FederatedRound, call: Caller) -> None:
    path = call.folder / "chosen.html"
    path.write_text("last week's")

    done = call.there("report", ROUND, "--output", path.name)

    assert done.returncode == 0, done.stderr
    assert ended.status.report is not None
    assert hashlib.sha256(path.read_bytes()).hexdigest() == ended.status.report.html_sha256


def test_rounds_are_listed_with_their_figures(ended: FederatedRound, call: Caller) -> None:
    done = call.there("rounds")

    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith(f"{ROUND} "))
    verdict = ended.status.verdict
    assert verdict is not None
    assert line.split()[:6] == [ROUND, MODEL, str(ended.status.phase), "3/3", str(verdict.result), verdict.reason]
    assert f"->{verdict.candidate.auroc[:5]}" in line


def test_both_are_plugins_of_kubectl(ended: FederatedRound, call: Caller) -> None:
    """kubectl hands on its environment only: the kubeconfig in it leads to the hub, and the hub to its store."""
    state = ("--state", str(call.state), "--")

    listed = call("local", "kubectl", *state, "fedround", "rounds", "--json")
    shown = call("local", "kubectl", *state, "fedround", "report", ROUND, "--json")

    assert (listed.returncode, shown.returncode) == (0, 0), listed.stderr + shown.stderr
    assert ROUND in [one["name"] for one in json.loads(listed.stdout)["rounds"]]
    assert json.loads(shown.stdout)["round"]["name"] == ROUND


def test_a_kubeconfig_is_enough(network: Network, ended: FederatedRound, call: Caller) -> None:
    kubeconfig = str(network.federation.place.kubeconfig(ADMINISTRATOR))

    done = call("report", ROUND, "--kubeconfig", kubeconfig, "-n", NETWORK, "--context", "fedround", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["round"]["name"] == ROUND


def test_an_unknown_context_is_said_in_a_sentence(network: Network, call: Caller) -> None:
    kubeconfig = str(network.federation.place.kubeconfig(ADMINISTRATOR))

    done = call("rounds", "--kubeconfig", kubeconfig, "--context", "elsewhere")

    assert done.returncode == 1
    assert "no hub can be found" in done.stderr
    assert "elsewhere" in done.stderr


def test_a_store_that_does_not_answer_is_said_in_a_sentence(ended: FederatedRound, call: Caller) -> None:
    done = call.there("report", ROUND, "--store", "127.0.0.1:1")

    assert done.returncode == 1
    assert done.stderr.startswith("fedround: the object store at 127.0.0.1:1 does not answer: start the federation")


def test_a_page_that_was_changed_in_the_store_is_not_given_out(
    network: Network, ended: FederatedRound, call: Caller
) -> None:
    key = keys.report_page(ended.metadata.uid)
    page = network.stored(key)
    assert page is not None
    changed = page.replace(b"AUROC", b"AUPRC")
    network.store().put_object(BUCKET, key, io.BytesIO(changed), len(changed))
    try:
        done = call.there("report", ROUND)
    finally:
        network.store().put_object(BUCKET, key, io.BytesIO(page), len(page), content_type="text/html; charset=utf-8")

    assert done.returncode == 1
    assert "it was changed, so do not rely on it" in done.stderr
    assert not (call.folder / f"{ROUND}-report.html").exists()


def test_a_round_that_was_cancelled_says_why_it_has_no_report(
    network: Network, ended: FederatedRound, call: Caller
) -> None:
    network.run_round("reported-2", MODEL, cancel=True)

    done = call.there("report", "reported-2")

    assert done.returncode == 1
    assert done.stderr.startswith(
        "fedround: round reported-2 ended before it was judged, so it has no report: Cancelled"
    )
