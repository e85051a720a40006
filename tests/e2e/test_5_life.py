"""What happens to a network over the years, in an hour: restarts, upgrades, a mistake, certificates that change."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fedround_local.demo.mistake import exchange_of, swapped_labels
from fedround_training.data.folders import TABLE_NAME
from support.clusters.access import Access
from support.e2e.member import Member
from support.e2e.network import Network, training, wait_for
from support.e2e.places import CLINIC_NAMESPACE, HUB_NAMESPACE, MODEL, NETWORK

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]


def in_phase(network: Network, name: str, phase: str) -> None:
    """Returns when the round is there."""

    def look() -> bool:
        seen: str = network.round(name).get("status", {}).get("phase", "Pending")
        assert seen != "Failed", network.told()
        return seen == phase

    wait_for(look, f"round {name} in {phase}", 300, network.told)


def test_every_component_ends_in_the_middle_of_a_round_and_the_round_goes_on(network: Network) -> None:
    network.start_round("restarts", training=training(seed=11))
    in_phase(network, "restarts", "Training")

    for access in network.ground.clinics.values():
        access.kubectl("delete", "pods", "-l", "app.kubernetes.io/component=agent", "-n", CLINIC_NAMESPACE)
    for component in ("operator", "gateway", "minio"):
        network.hub.kubectl("delete", "pods", "-l", f"app.kubernetes.io/component={component}", "-n", HUB_NAMESPACE)

    ended = network.ended_round("restarts")["status"]
    assert ended["phase"] in ("Promoted", "RolledBack"), network.told()
    assert ended["participation"] == "3/3", network.told()


def test_both_charts_are_upgraded_in_the_middle_of_a_round(network: Network) -> None:
    name, *_ = network.clinics
    before = [template(network.hub, HUB_NAMESPACE, "fedround-hub-operator")]
    before += [template(network.ground.clinics[name], CLINIC_NAMESPACE, "fedround-agent")]
    network.start_round("upgrade", training=training(seed=12))
    in_phase(network, "upgrade", "Training")

    hub, clinic = network.ground.hub_values["image"], network.ground.clinic_values[name]["image"]
    others = {"operator": {"workers": 3, "resources": {"requests": {"cpu": "90m"}}}}
    network.install_hub_chart("upgrade", {"image": network.next_images(hub), **others})
    others = {"agent": {"resources": {"requests": {"cpu": "40m"}}}}
    network.install_clinic(name, verb="upgrade", besides={"image": network.next_images(clinic), **others})

    ended = network.ended_round("upgrade")["status"]
    assert ended["phase"] in ("Promoted", "RolledBack"), network.told()
    assert ended["participation"] == "3/3", network.told()
    after = [template(network.hub, HUB_NAMESPACE, "fedround-hub-operator")]
    after += [template(network.ground.clinics[name], CLINIC_NAMESPACE, "fedround-agent")]
    assert all(was != now for was, now in zip(before, after, strict=True))


def template(access: Access, namespace: str, name: str) -> Any:
    return access.get("deployment", name, "-n", namespace)["spec"]["template"]


def test_a_version_that_was_trained_on_swapped_labels_is_rolled_back(network: Network, tmp_path: Path) -> None:
    before = network.hub.get("fm", MODEL, "-n", NETWORK)["status"]["current"]
    exchange = exchange_of(network.plan.classes, network.plan.high_risk_classes)
    for name, access in network.ground.clinics.items():
        wrong = tmp_path / name
        shutil.copytree(network.images[name], wrong)
        table = wrong / TABLE_NAME
        table.write_text(swapped_labels(table.read_text(), exchange))
        network.fill(access, CLINIC_NAMESPACE, "skin-images", wrong)

    network.start_round("mistake", training=training(seed=13, epochs=8, learningRate="0.02"))
    ended = network.ended_round("mistake")

    for name, access in network.ground.clinics.items():
        network.fill(access, CLINIC_NAMESPACE, "skin-images", network.images[name])
    assert ended["status"]["phase"] == "RolledBack", network.told()
    assert network.hub.get("fm", MODEL, "-n", NETWORK)["status"]["current"] == before


def test_a_certificate_is_renewed_without_a_restart(network: Network) -> None:
    name, *_ = network.clinics
    access = network.ground.clinics[name]
    before, pod = Member.of(network, name).certificate(), agent_pod(access)

    network.at_clinic[name].fedround("clinic", "rotate", name)
    wait_for(lambda: "waiting" in network.at_hub.fedround("clinic", "list"), "the agent asks", 120, network.told)
    told = network.at_hub.fedround(
        *("clinic", "approve", "--renewals", "--ca", "fedround-ca", "--passphrase-file", "passphrase")
    )

    assert told.startswith(f"renewed {name} until ")
    wait_for(lambda: Member.of(network, name).certificate() != before, "the agent takes it over", 120, network.told)
    own = f"/apis/fedround.dev/v1alpha1/namespaces/clinic-{name}/clinicrounds"
    assert Member.of(network, name).get(own) == 200
    assert agent_pod(access) == pod
    assert network.is_available(name)


def agent_pod(access: Access) -> Mapping[str, Any]:
    """The agent's pod and how often it was restarted."""
    found = access.get("pods", "-n", CLINIC_NAMESPACE, "--selector=app.kubernetes.io/component=agent")["items"]
    return {one["metadata"]["uid"]: one["status"]["containerStatuses"][0]["restartCount"] for one in found}


def test_a_clinic_that_is_revoked_is_refused_at_once_and_rounds_go_on_without_it(network: Network) -> None:
    *_, lost = network.clinics
    member = Member.of(network, lost)
    own = f"/apis/fedround.dev/v1alpha1/namespaces/clinic-{lost}/clinicrounds"
    assert member.get(own) == 200

    network.at_hub.fedround("clinic", "revoke", lost)

    wait_for(lambda: refused(lambda: member.get(own)), "the gateway refuses the certificate", 20, network.told)
    network.start_round("two", training=training(seed=14))
    ended = network.ended_round("two")["status"]
    assert (ended["phase"] in ("Promoted", "RolledBack"), ended["participation"]) == (True, "2/2"), network.told()


def refused(ask: Callable[[], int]) -> bool:
    """No answer, or one that says no."""
    try:
        return ask() in (401, 403)
    except OSError:
        return True
