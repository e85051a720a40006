"""`fedround clinic preflight` in a running federation: two real Jobs, through the real gateway, on real volumes."""

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fedround_api.names import PREFLIGHT_LABEL
from fedround_cli.main import main
from fedround_local.federation import layout
from fedround_operator.kit import pki
from fedround_operator.kit.resources import JOBS, PODS, SECRETS
from support.charts import CLINIC, template
from support.federation_fixture import Network, wait_for

pytestmark = pytest.mark.timeout(600)

GATEWAY_CHECKS = ["certificate", "address", "connection", "tls", "clock", "hub", "store"]
TRAIN_CHECKS = ["lock", "workspace", "data", "room", "cpu", "memory"]


@pytest.fixture
def clinic(network: Network) -> str:
    return network.clinics[0]


class Preflight:
    """Calls the command, and keeps what it told."""

    def __init__(self, network: Network, capsys: pytest.CaptureFixture[str]) -> None:
        self.network, self._capsys = network, capsys

    def __call__(self, *arguments: str) -> tuple[int, dict[str, tuple[str, str]]]:
        """The exit code, and (result, message) of each check."""
        self._capsys.readouterr()
        code = main(["clinic", "preflight", *arguments, "--image-size", "32", "--json"])
        found: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        assert "checks" in found, found
        return code, {one["name"]: (one["result"], one["message"]) for one in found["checks"]}

    def of(self, clinic: str) -> tuple[int, dict[str, tuple[str, str]]]:
        return self(clinic, "--state", str(self.network.federation.place.state))


@pytest.fixture
def preflight(network: Network, capsys: pytest.CaptureFixture[str]) -> Preflight:
    return Preflight(network, capsys)


def volume(network: Network, clinic: str, claim: str) -> Path:
    return network.federation.place.volume(layout.local_namespace(clinic), claim)


def results(found: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {name: result for name, (result, _) in found.items()}


def test_a_clinic_that_is_ready_is_told_so_and_keeps_no_job(
    network: Network, preflight: Preflight, clinic: str
) -> None:
    code, found = preflight.of(clinic)

    assert code == 0, found
    assert list(found) == ["policy", *GATEWAY_CHECKS, *TRAIN_CHECKS]
    assert set(results(found).values()) <= {"ok", "note"}
    assert found["hub"][1].endswith("rounds")
    assert found["clock"] == ("ok", "this machine's clock and the gateway's agree")
    assert found["data"][1].startswith(f"{network.record.clinics[clinic]} of {network.record.clinics[clinic]} cases ")
    home = layout.local_namespace(clinic)
    wait_for(lambda: not [one for one in network.api.list(PODS, home) if _is_ours(one)], "the pods are gone", 30)
    assert [one for one in network.api.list(JOBS, home) if _is_ours(one)] == []


def _is_ours(found: dict[str, Any]) -> bool:
    return PREFLIGHT_LABEL in found["metadata"].get("labels", {})


@pytest.fixture
def administrator(network: Network, clinic: str, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """The options of somebody who administers the clinic's namespace and nothing else."""
    home, rbac = layout.local_namespace(clinic), "rbac.authorization.k8s.io"
    network.federation.cluster.write_user(tmp_path / "it.conf", "clinic-it", namespace=home)
    network.apply(
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "clinic-it", "namespace": home},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "admin"},
            "subjects": [{"apiGroup": rbac, "kind": "User", "name": "clinic-it"}],
        }
    )
    yield ("--kubeconfig", str(tmp_path / "it.conf"), "-n", home)
    network.kubectl("delete", "deployment,configmap", "-n", home, "-l", "app.kubernetes.io/name=fedround-clinic")


def test_it_needs_the_rights_of_the_namespaces_administrator_and_what_the_chart_has_installed(
    network: Network, preflight: Preflight, clinic: str, administrator: tuple[str, ...]
) -> None:
    for installed in installed_by_chart(network, clinic):
        network.apply(installed)

    code, found = preflight(*administrator)

    assert code == 0, found
    assert list(found) == ["policy", *GATEWAY_CHECKS, *TRAIN_CHECKS]


def test_a_claim_that_is_not_there_is_told_instead_of_waited_for(
    network: Network, preflight: Preflight, clinic: str, administrator: tuple[str, ...]
) -> None:
    for installed in installed_by_chart(network, clinic, images="no-such-claim"):
        network.apply(installed)

    code, found = preflight(*administrator)

    assert code == 1
    assert found["train"] == (
        "failed",
        "the Job cannot start: CreateContainerConfigError: persistentvolumeclaim 'no-such-claim' not found",
    )
    assert found["hub"][0] == "ok"


def installed_by_chart(network: Network, clinic: str, images: str = layout.IMAGES_CLAIM) -> Iterator[dict[str, Any]]:
    """The agent's Deployment and policy as Helm makes them, without an agent: this federation has its own."""
    values = {
        "clinic": {"name": clinic},
        "hub": {
            "gateway": network.federation.parts(network.record).gateway.settings.address,
            "existingSecret": layout.MEMBERSHIP_SECRET,
        },
        "images": {"existingClaim": images},
        "workspace": {"existingClaim": layout.WORKSPACE_CLAIM},
        "image": {name: {"repository": layout.IMAGE} for name in ("operator", "training")},
        "policy": {"caseVolume": 100, "training": {"allowUnlocked": True}},
    }
    for one in template(CLINIC, f"--namespace={layout.local_namespace(clinic)}", values=values):
        if one["kind"] == "ConfigMap":
            yield one
        if one["kind"] == "Deployment":
            yield {**one, "spec": {**one["spec"], "replicas": 0}}


@contextmanager
def secret_with(network: Network, clinic: str, **changes: bytes) -> Iterator[None]:
    """The clinic's certificate Secret with other files, for a while."""
    home, name = layout.local_namespace(clinic), layout.CERTIFICATE_SECRET
    before = network.api.get(SECRETS, home, name)["data"]
    data = {key.replace("_", "."): base64.b64encode(value).decode() for key, value in changes.items()}
    network.api.patch(SECRETS, home, name, {"data": data})
    try:
        yield
    finally:
        network.api.patch(SECRETS, home, name, {"data": {key: before[key] for key in data}})


def test_another_authority_is_told(network: Network, mended: None, preflight: Preflight, clinic: str) -> None:
    # The agent would put the right one back.
    network.federation.processes.stop(f"agent-{clinic}")
    with secret_with(network, clinic, ca_crt=pki.Authority.create("somebody-else").certificate_pem):
        code, found = preflight.of(clinic)

    assert code == 1
    assert found["certificate"][0] == "failed"
    assert "not signed by the federation's authority" in found["certificate"][1]
    assert found["tls"][0] == "failed"
    assert "ask the network's administrator for a bundle with the authority of the gateway" in found["tls"][1]
    assert [results(found)[name] for name in ("clock", "hub", "store")] == ["skipped"] * 3
    assert [results(found)[name] for name in TRAIN_CHECKS[:2]] == ["ok", "ok"]


def test_a_gateway_that_is_away_is_told(network: Network, mended: None, preflight: Preflight, clinic: str) -> None:
    network.federation.processes.stop("gateway")

    code, found = preflight.of(clinic)

    assert code == 1
    assert found["connection"][0] == "failed"
    assert "let the firewall pass TCP to it" in found["connection"][1]
    assert [results(found)[name] for name in ("tls", "clock", "hub", "store")] == ["skipped"] * 4


def test_a_store_that_is_away_is_told(network: Network, mended: None, preflight: Preflight, clinic: str) -> None:
    network.federation.processes.stop("objectstore")

    code, found = preflight.of(clinic)

    assert code == 1
    assert found["hub"][0] == "ok"
    assert found["store"][0] == "failed"
    assert "does not answer" in found["store"][1]


def test_a_revoked_certificate_is_told(network: Network, preflight: Preflight, clinic: str) -> None:
    held = network.api.get(SECRETS, layout.local_namespace(clinic), layout.CERTIFICATE_SECRET)["data"]["tls.crt"]
    gateway = network.federation.parts(network.record).gateway
    gateway.revoke([pki.fingerprint(base64.b64decode(held))])
    try:
        code, found = preflight.of(clinic)
    finally:
        gateway.revoke([])

    assert code == 1
    assert found["tls"][0] == "failed"
    assert "which is revoked: ask the network's administrator why" in found["tls"][1]


def test_a_table_with_a_wrong_column_is_told_without_a_name_of_it(
    network: Network, preflight: Preflight, clinic: str
) -> None:
    table = volume(network, clinic, layout.IMAGES_CLAIM) / "metadata.csv"
    before = table.read_bytes()
    header, rows = before.split(b"\n", 1)
    table.write_bytes(header.replace(b",dx,", b",Dr. Jones says,").replace(b",diagnosis,", b",notes,") + b"\n" + rows)
    try:
        code, found = preflight.of(clinic)
    finally:
        table.write_bytes(before)

    assert code == 1
    assert found["data"] == (
        "failed",
        "the table has no column for the diagnosis: rename the column of the diagnosis to dx; the Job's log has the "
        "details",
    )
    assert "Jones" not in json.dumps(found)


def test_a_workspace_that_cannot_be_written_is_told(network: Network, preflight: Preflight, clinic: str) -> None:
    folder = volume(network, clinic, layout.WORKSPACE_CLAIM)
    aside = folder.with_name("aside")
    shutil.move(folder, aside)
    # A file system that takes no file, not even from the superuser.
    folder.symlink_to("/proc")
    try:
        code, found = preflight.of(clinic)
    finally:
        folder.unlink()
        shutil.move(aside, folder)

    assert code == 1
    assert found["workspace"][0] == "failed"
    assert "look at the claim of the workspace and its storage class" in found["workspace"][1]
    assert found["data"][0] in ("ok", "note")
    assert [results(found)[name] for name in ("room", "cpu", "memory")] == ["skipped"] * 3
