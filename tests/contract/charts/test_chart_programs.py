"""The charts against the programs that they start: options, rights, the gateway's variables, paths and Secrets."""

import argparse
import importlib
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from fedround_api.jobs import StoreAddress
from fedround_cli.hub import Hub
from fedround_operator import revocations
from fedround_operator.agent import rights as agent_rights
from fedround_operator.hub import rights as hub_rights
from fedround_operator.hub.settings import OPERATOR_LEASE
from fedround_operator.kit.resources import CONFIG_MAPS, SECRETS
from fedround_operator.kit.revokedlist import CONFIG_MAP
from support.charts import CHARTS, CLINIC, HUB, VARIANTS, Object, Pod, environment, of_kind, pods, rendered
from support.fake_api import FakeApi
from support.memory_store import MemoryStore

PROGRAMS = [
    pytest.param(pod, container, id=f"{chart} {variant}: {container['name']}")
    for chart, variant in VARIANTS
    for pod in pods(rendered(chart, variant))
    for container in pod.containers
    if container["command"][:2] == ["python", "-m"]
]


def _started(container: Object, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    """The options that the program has when it starts with the container's environment."""
    for name, value in environment(container).items():
        monkeypatch.setenv(name, value)
    found: argparse.Namespace = importlib.import_module(_module(container))._options([])
    return found


def _module(container: Object) -> str:
    """Packages have their options in `__main__`."""
    name: str = container["command"][2]
    return name if hasattr(importlib.import_module(name), "_options") else f"{name}.__main__"


def _container(chart: str, variant: str, name: str) -> Object:
    (found,) = [one for pod in pods(rendered(chart, variant)) for one in pod.containers if one["name"] == name]
    return found


@pytest.mark.parametrize(("pod", "container"), PROGRAMS)
def test_a_program_starts_with_what_the_chart_gives_it(
    pod: Pod, container: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {f"FEDROUND_{name.upper()}" for name in vars(_started(container, monkeypatch))}

    assert {name for name in environment(container) if name.startswith("FEDROUND_")} <= known, pod.name


@pytest.mark.parametrize(("pod", "container"), PROGRAMS)
def test_a_path_that_a_program_is_given_is_mounted(pod: Pod, container: Object) -> None:
    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
    paths = [path for value in environment(container).values() if value.startswith("/") for path in value.split(":")]

    assert paths, pod.name
    for path in paths:
        assert any(PurePosixPath(path).is_relative_to(mount) for mount in mounts), path


def test_the_operator_is_told_what_the_values_say(monkeypatch: pytest.MonkeyPatch) -> None:
    options = _started(_container(HUB, "every part", "operator"), monkeypatch)

    assert (options.namespace, options.network) == ("fedround-system", "skin-network")
    assert options.image == "registry.example.org/fedround-training:0.1.0"
    assert (options.store_endpoint, options.store_secret) == ("s3.example.org:8443", "store-keys")
    assert options.gateway_service == "hub-gateway.fedround-system.svc:443"
    assert (options.gateway, options.metrics_port, options.workers) == ("fedround.example.org:443", "8080", "4")


def test_the_operator_of_a_trial_uses_the_store_of_the_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    options = _started(_container(HUB, "trial", "operator"), monkeypatch)

    assert options.store_endpoint == "fedround-minio.fedround-system.svc:9000"
    assert options.store_secret == "fedround-store"


@pytest.mark.parametrize("variant", [variant for chart, variant in VARIANTS if chart == HUB])
def test_the_commands_of_an_administrator_find_the_store_that_the_operator_uses(
    variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (said,) = of_kind(rendered(HUB, variant), "ConfigMap", "fedround-store")
    operator = _started(_container(HUB, variant, "operator"), monkeypatch)
    network, api, opened = said["metadata"]["namespace"], FakeApi(), []
    api.put(CONFIG_MAPS, network, said)
    keys = {"access-key": "SFVC", "secret-key": "czNjcmV0"}
    api.put(SECRETS, network, {"metadata": {"name": operator.store_secret}, "data": keys})

    def open_store(address: StoreAddress, folder: Path) -> MemoryStore:
        opened.append((address, (folder / "access-key").read_text()))
        return MemoryStore()

    with Hub(api, network, "", open_store=open_store).store():
        pass

    place = {"endpoint": operator.store_endpoint, "bucket": operator.store_bucket, "region": operator.store_region}
    https = variant == "every part"
    assert opened == [(StoreAddress(**place, https=https), "HUB")]


def test_the_agent_is_told_what_the_values_say(monkeypatch: pytest.MonkeyPatch) -> None:
    options = _started(_container(CLINIC, "every part", "agent"), monkeypatch)

    assert (options.clinic, options.namespace) == ("ottawa", "fedround")
    assert (options.gateway, options.certificate_secret) == ("fedround.example.org:8443", "ottawa-certificate")
    assert (options.workspace_claim, options.images_claim) == ("agent-workspace", "skin-images")


@pytest.mark.parametrize("variant", [variant for chart, variant in VARIANTS if chart == CLINIC])
def test_the_account_that_jobs_are_to_belong_to_is_the_agents_own(
    variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = _started(_container(CLINIC, variant, "agent"), monkeypatch)
    (pod,) = [one for one in pods(rendered(CLINIC, variant)) if one.name.startswith("Deployment")]

    assert told.account == pod.spec["serviceAccountName"]
    (role,) = of_kind(rendered(CLINIC, variant), "Role")
    assert agent_rights.local_rules(told.account)[-1] in role["rules"]


def _rules(chart: str, kind: str, name: str) -> list[dict[str, Any]]:
    (found,) = of_kind(rendered(chart, next(v for c, v in VARIANTS if c == chart)), kind, name)
    rules: list[dict[str, Any]] = found["rules"]
    return rules


def test_the_operator_gets_the_rights_that_its_code_needs() -> None:
    assert _rules(HUB, "ClusterRole", "fedround-system-fedround-operator") == hub_rights.cluster_rules()


@pytest.mark.parametrize("variant", [variant for chart, variant in VARIANTS if chart == HUB])
def test_the_rights_of_the_operator_lie_where_it_is_told_to_work(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = _started(_container(HUB, variant, "operator"), monkeypatch)
    roles, bindings = (
        [one for one in of_kind(rendered(HUB, variant), kind) if "-operator" in one["metadata"]["name"]]
        for kind in ("Role", "RoleBinding")
    )

    assert [(role["metadata"]["namespace"], role["rules"]) for role in roles] == [
        (told.network, hub_rights.network_rules()),
        (told.namespace, hub_rights.lease_rules(OPERATOR_LEASE)),
    ]
    assert [(one["metadata"]["namespace"], one["roleRef"]["name"]) for one in bindings] == [
        (role["metadata"]["namespace"], role["metadata"]["name"]) for role in roles
    ]


def test_the_agent_gets_the_rights_that_its_code_needs() -> None:
    wanted = [*agent_rights.local_rules("fedround-agent"), *agent_rights.identity_rules("fedround-certificate")]

    assert _rules(CLINIC, "Role", "fedround-agent") == wanted


def test_the_gateway_may_follow_the_list_of_revoked_certificates_and_do_nothing_else() -> None:
    assert _rules(HUB, "Role", "fedround-gateway") == revocations.rules()


@pytest.mark.parametrize("chart", [HUB, CLINIC])
def test_rights_are_given_to_the_accounts_that_pods_run_as(chart: str) -> None:
    for variant in [variant for name, variant in VARIANTS if name == chart]:
        objects = rendered(chart, variant)
        bound = {
            subject["name"]
            for kind in ("RoleBinding", "ClusterRoleBinding")
            for binding in of_kind(objects, kind)
            for subject in binding["subjects"]
        }
        running = {pod.spec["serviceAccountName"] for pod in pods(objects) if "serviceAccountName" in pod.spec}
        assert bound == running == {one["metadata"]["name"] for one in of_kind(objects, "ServiceAccount")}


def _caddyfile_variables() -> set[str]:
    text = (CHARTS / HUB / "files" / "Caddyfile").read_text()
    return set(re.findall(r"\{\$(FEDROUND_[A-Z_]+)\}", text))


def test_the_gateway_runs_the_caddyfile_as_it_is() -> None:
    (config,) = of_kind(rendered(HUB, "trial"), "ConfigMap", "fedround-gateway")

    assert config["data"]["Caddyfile"].strip() == (CHARTS / HUB / "files" / "Caddyfile").read_text().strip()


@pytest.mark.parametrize(
    ("variant", "unused"),
    [
        ("trial", {"FEDROUND_GATEWAY_ACCESS_LOG_FILE", "FEDROUND_STORE_CA"}),
        ("every part", {"FEDROUND_GATEWAY_ACCESS_LOG_FILE"}),
    ],
)
def test_the_gateway_gets_every_variable_of_the_caddyfile(variant: str, unused: set[str]) -> None:
    given = {name for name in environment(_container(HUB, variant, "gateway")) if name.startswith("FEDROUND_")}

    assert given == _caddyfile_variables() - unused


def test_the_list_is_named_alike_by_all_who_touch_it() -> None:
    objects = rendered(HUB, "trial")

    assert list(of_kind(objects, "ConfigMap", CONFIG_MAP))
    containers = [_container(HUB, "trial", name) for name in ("revoked-first", "revocations", "gateway")]
    assert {environment(one)["FEDROUND_REVOKED"] for one in containers} == {"/revoked/revoked.list"}


def test_the_process_to_be_told_of_changes_is_the_gateways() -> None:
    program = _container(HUB, "trial", "gateway")["command"][0]

    assert environment(_container(HUB, "trial", "revocations"))["FEDROUND_PROCESS"] == program
    (pod,) = [one for one in pods(rendered(HUB, "trial")) if one.name.endswith("-gateway")]
    assert pod.spec["shareProcessNamespace"] is True
