"""The end-to-end test on clusters that are given: what the environment must say."""

from pathlib import Path

import pytest

from support.e2e import given

ENVIRONMENT = {
    "FEDROUND_E2E_HUB": "/kube/hub",
    "FEDROUND_E2E_CLINICS": "north=/kube/north,east=/kube/east",
    "FEDROUND_E2E_GATEWAY": "172.18.0.2:30443",
    "FEDROUND_E2E_REGISTRY": "registry.example.org/fed/",
}


@pytest.fixture(autouse=True)
def _no_kubectl_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "ensure_controlplane", lambda report: Path("kubectl"))


def test_without_a_hub_no_cluster_is_given() -> None:
    assert given.given_ground({}) is None


def test_a_hub_and_its_clinics_are_given_by_kubeconfig_and_address() -> None:
    ground = given.given_ground(ENVIRONMENT)

    assert ground is not None
    assert ground.hub.kubeconfig == Path("/kube/hub")
    assert {name: access.kubeconfig for name, access in ground.clinics.items()} == {
        "north": Path("/kube/north"),
        "east": Path("/kube/east"),
    }
    assert ground.hub_values["gateway"] == {
        "address": "172.18.0.2:30443",
        "service": {"type": "NodePort", "nodePort": 30443},
    }
    assert (
        ground.clinic_values["north"]["image"]["training"]["repository"] == "registry.example.org/fed/fedround-training"
    )


def test_values_of_a_file_go_before_those_that_are_made(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("hub: {store: {bucket: other}}\nclinic: {networkPolicy: {enabled: false}}\n")

    ground = given.given_ground({**ENVIRONMENT, "FEDROUND_E2E_VALUES": str(values)})

    assert ground is not None
    assert ground.hub_values["store"] == {"bucket": "other"}
    assert ground.clinic_values["east"]["networkPolicy"] == {"enabled": False, "gateway": {"cidrs": []}}


def test_a_hub_without_clinics_is_told_by_the_variable_that_is_missing() -> None:
    with pytest.raises(KeyError, match="FEDROUND_E2E_CLINICS"):
        given.given_ground({"FEDROUND_E2E_HUB": "/kube/hub"})
