"""What is left when the releases are uninstalled: all that cannot be made again, and nothing that runs."""

import pytest

from support.clusters.access import Access
from support.e2e.network import Network, wait_for
from support.e2e.places import CLINIC_NAMESPACE, CLINIC_RELEASE, HUB_NAMESPACE, HUB_RELEASE, MODEL, NETWORK

pytestmark = pytest.mark.timeout(600)


def nothing_runs(access: Access, namespace: str) -> bool:
    """What is over, the charts' tests and Jobs, is kept for who wants to read its log."""
    phases = {one["status"]["phase"] for one in access.get("pods", "-n", namespace)["items"]}
    return phases <= {"Succeeded", "Failed"}


def test_a_clinic_that_is_uninstalled_keeps_its_key_and_its_workspace(network: Network) -> None:
    name, *_ = network.clinics
    access = network.ground.clinics[name]

    network.at_clinic[name].helm("uninstall", CLINIC_RELEASE, "--namespace", CLINIC_NAMESPACE, "--wait")

    wait_for(lambda: nothing_runs(access, CLINIC_NAMESPACE), "no pod runs", 120, network.told)
    assert access.get("secret", "fedround-certificate", "-n", CLINIC_NAMESPACE)["data"]["tls.key"]
    claims = {one["metadata"]["name"] for one in access.get("pvc", "-n", CLINIC_NAMESPACE)["items"]}
    assert claims == {"fedround-workspace", "skin-images"}
    for kind in ("deployments", "services", "roles", "rolebindings", "networkpolicies"):
        assert access.get(kind, "-n", CLINIC_NAMESPACE)["items"] == [], kind


def test_installed_again_it_is_available_again_without_being_admitted_anew(network: Network) -> None:
    name, *_ = network.clinics

    network.install_clinic(name)

    wait_for(lambda: network.is_available(name), f"clinic {name} is available again", 120, network.told)


def test_a_hub_that_is_uninstalled_keeps_rounds_versions_objects_and_the_list_of_revoked(network: Network) -> None:
    model = network.hub.get("fm", MODEL, "-n", NETWORK)["status"]["current"]
    revoked = network.hub.get("configmap", "fedround-revoked", "-n", HUB_NAMESPACE).get("data")

    network.at_hub.helm("uninstall", HUB_RELEASE, "--namespace", HUB_NAMESPACE, "--wait")

    wait_for(lambda: nothing_runs(network.hub, HUB_NAMESPACE), "no pod runs", 120, network.told)
    assert network.hub.get("fm", MODEL, "-n", NETWORK)["status"]["current"] == model
    assert network.hub.get("configmap", "fedround-revoked", "-n", HUB_NAMESPACE).get("data") == revoked
    assert [one["metadata"]["name"] for one in network.hub.get("pvc", "-n", HUB_NAMESPACE)["items"]] == [
        "fedround-hub-minio"
    ]
    for kind in ("deployments", "services", "networkpolicies"):
        assert network.hub.get(kind, "-n", HUB_NAMESPACE)["items"] == [], kind


def test_a_hub_that_is_installed_again_goes_on_with_its_clinics(network: Network) -> None:
    model = network.hub.get("fm", MODEL, "-n", NETWORK)["status"]["current"]

    network.install_hub_chart("install", {})
    network.at_hub.helm("test", HUB_RELEASE, "--namespace", HUB_NAMESPACE, "--logs")

    name, *_ = network.clinics
    wait_for(lambda: network.is_available(name), f"clinic {name} is available again", 180, network.told)
    assert network.hub.get("fm", MODEL, "-n", NETWORK)["status"]["current"] == model
