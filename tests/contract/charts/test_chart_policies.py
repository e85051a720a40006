"""What hospitals ask of every pod and object of the charts, as far as a manifest says it. Exceptions have reasons."""

from collections.abc import Callable, Iterator

import pytest

from fedround_api.jobs import Role
from fedround_operator.kit.jobmanifests import JobRequest, RunAs, job
from support.chart_policies import POLICIES, WITH_A_TOKEN
from support.charts import (
    CLINIC,
    HUB,
    NAMESPACES,
    VARIANTS,
    Object,
    environment,
    of_kind,
    pods,
    rendered,
    template,
)

EVERY = [(chart, variant) for chart, variant in VARIANTS]


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize(("chart", "variant"), EVERY)
def test_every_part_of_every_variant_keeps_the_policies(
    chart: str, variant: str, policy: Callable[[list[Object]], None]
) -> None:
    policy(rendered(chart, variant))


NOBODY = {"runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532}
# Where it is another one than the images name, or where the cluster is to choose.
ANOTHER = {"runAsUser": 1_000_650_000, "runAsGroup": 2000, "fsGroup": 1_000_650_001}
OTHERS: dict[tuple[str, str], dict[str, int]] = {
    (HUB, "least"): ANOTHER,
    (CLINIC, "least"): ANOTHER,
    (HUB, "OpenShift"): {},
    (CLINIC, "OpenShift"): {},
}


@pytest.mark.parametrize(("chart", "variant"), EVERY)
def test_pods_and_jobs_run_as_whom_the_values_name_or_the_cluster_chooses(chart: str, variant: str) -> None:
    wanted, found = OTHERS.get((chart, variant), NOBODY), pods(rendered(chart, variant))
    (told,) = {
        environment(one)["FEDROUND_RUN_AS"] for pod in found for one in pod.containers if one["name"] in WITH_A_TOKEN
    }
    made = job(JobRequest("r", "namespace", Role.TRAIN, 1, "image", "{}", 60, run_as=RunAs.read(told)))

    for pod in (*(pod.spec for pod in found), made["spec"]["template"]["spec"]):
        assert {name: one for name, one in pod["securityContext"].items() if name in NOBODY} == wanted


@pytest.mark.parametrize("major", [3, 4])
@pytest.mark.parametrize("chart", [HUB, CLINIC])
def test_users_that_a_null_takes_away_are_the_clusters_choice_too(chart: str, major: int) -> None:
    found = pods(
        template(chart, values={**VARIANTS[chart, "OpenShift"], "podSecurity": dict.fromkeys(NOBODY)}, major=major)
    )

    told = {environment(one).get("FEDROUND_RUN_AS") for pod in found for one in pod.containers}

    assert told - {None} == {"::"}
    assert all(not NOBODY.keys() & pod.spec["securityContext"].keys() for pod in found)


def test_in_the_gateways_pod_the_gateway_itself_gets_no_token_and_the_others_no_key() -> None:
    (pod,) = [one for one in pods(rendered(HUB, "every part")) if one.name.endswith("-gateway")]
    mounts = {one["name"]: {mount["name"] for mount in one["volumeMounts"]} for one in pod.containers}

    assert {name for name, found in mounts.items() if "token" in found} == {"revocations", "revoked-first"}
    assert {name for name, found in mounts.items() if "certificate" in found} == {"gateway"}
    items = {volume["name"]: volume.get("secret", {}).get("items") for volume in pod.spec["volumes"]}
    assert items["public"] == [{"key": "tls.crt", "path": "tls.crt"}]
    assert items["federation"] == items["store"] == [{"key": "ca.crt", "path": "ca.crt"}]


@pytest.mark.parametrize("variant", [variant for chart, variant in EVERY if chart == CLINIC])
def test_everything_of_a_clinic_is_in_its_namespace(variant: str) -> None:
    kinds = {
        "ConfigMap", "Deployment", "NetworkPolicy", "PersistentVolumeClaim", "Pod", "PrometheusRule", "Role",
        "RoleBinding", "Secret", "Service", "ServiceAccount", "ServiceMonitor",
    }  # fmt: skip

    for one in rendered(CLINIC, variant):
        assert one["kind"] in kinds
        assert one["metadata"]["namespace"] == NAMESPACES[CLINIC]


def test_nothing_of_a_clinic_is_reached_from_outside() -> None:
    for service in of_kind(rendered(CLINIC, "every part"), "Service"):
        assert "type" not in service["spec"]
        assert "externalIPs" not in service["spec"]


def test_the_chart_of_a_clinic_neither_makes_nor_sees_a_private_key() -> None:
    objects = rendered(CLINIC, "bundle")
    (membership,) = of_kind(objects, "Secret")

    assert membership["metadata"]["name"] == "fedround-membership"
    assert set(membership["data"]) == {"ca.crt", "tls.crt", "token"}


KEPT = [
    (HUB, "trial", {"CustomResourceDefinition", "Namespace", "Secret", "PersistentVolumeClaim", "ConfigMap"}),
    (CLINIC, "bundle", {"PersistentVolumeClaim"}),
]


@pytest.mark.parametrize(("chart", "variant", "kinds"), KEPT)
def test_what_cannot_be_made_again_outlives_the_release(chart: str, variant: str, kinds: set[str]) -> None:
    kept = [one for one in rendered(chart, variant) if "helm.sh/resource-policy" in _annotations(one)]

    assert {one["kind"] for one in kept} == kinds
    assert all(_annotations(one)["helm.sh/resource-policy"] == "keep" for one in kept)


def test_no_upgrade_takes_a_revocation_back() -> None:
    """Data that the chart gave would be written over those of `fedround clinic revoke`."""
    (revoked,) = of_kind(rendered(HUB, "trial"), "ConfigMap", "fedround-revoked")

    assert "data" not in revoked


def test_the_namespace_of_rounds_is_restricted() -> None:
    (namespace,) = of_kind(rendered(HUB, "trial"), "Namespace")

    assert namespace["metadata"]["name"] == "skin-network"
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def _annotations(one: Object) -> dict[str, str]:
    found: dict[str, str] = one["metadata"].get("annotations") or {}
    return found


# --- who may talk to whom


def _job_labels(role: Role, namespace: str) -> tuple[str, dict[str, str]]:
    made = job(JobRequest("r", namespace, role, 1, "image", "{}", 60))
    labels: dict[str, str] = made["spec"]["template"]["metadata"]["labels"]
    return namespace, labels


def _matches(selector: Object, labels: dict[str, str]) -> bool:
    by_value = all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())
    expressions = selector.get("matchExpressions", [])
    assert all(one["operator"] == "In" for one in expressions)
    return by_value and all(labels.get(one["key"]) in one["values"] for one in expressions)


def _out(objects: list[Object], namespace: str, labels: dict[str, str]) -> list[Object] | None:
    """The rules by which a pod may call others; None where no policy binds it."""
    found = [
        policy["spec"]
        for policy in of_kind(objects, "NetworkPolicy")
        if policy["metadata"]["namespace"] == namespace and _matches(policy["spec"]["podSelector"], labels)
    ]
    assert all(set(spec["policyTypes"]) == {"Ingress", "Egress"} for spec in found)
    return [rule for spec in found for rule in spec["egress"]] if found else None


def _ports(rules: list[Object] | None) -> set[int]:
    assert rules is not None
    return {port["port"] for rule in rules for port in rule["ports"]}


def test_the_job_that_sees_images_may_talk_to_nobody() -> None:
    for variant in ("bundle", "every part"):
        assert _out(rendered(CLINIC, variant), *_job_labels(Role.TRAIN, NAMESPACES[CLINIC])) == []


@pytest.mark.parametrize("role", [Role.FETCH, Role.SUBMIT])
def test_the_jobs_that_carry_reach_names_and_the_gateway_only(role: Role) -> None:
    rules = _out(rendered(CLINIC, "every part"), *_job_labels(role, NAMESPACES[CLINIC]))

    assert _ports(rules) == {53, 8443}
    assert rules is not None
    assert [rule["to"] for rule in rules if rule["ports"][0]["port"] == 8443] == [
        [{"ipBlock": {"cidr": "203.0.113.7/32"}}]
    ]


def test_the_agent_reaches_names_the_gateway_and_its_api_server() -> None:
    objects = rendered(CLINIC, "every part")
    (agent,) = [pod for pod in pods(objects) if pod.name.startswith("Deployment")]

    assert _ports(_out(objects, NAMESPACES[CLINIC], dict(agent.labels))) == {53, 8443, 6443}


@pytest.mark.parametrize(("variant", "store"), [("trial", {9000}), ("every part", set())])
def test_the_operator_reaches_names_its_api_server_and_the_gateway_that_lets_it_in(
    variant: str, store: set[int]
) -> None:
    """The gateway, to see how long its certificate holds; the trial store, to make the bucket."""
    objects = rendered(HUB, variant)
    (operator,) = [pod for pod in pods(objects) if pod.name.endswith("-operator")]
    (gateway,) = [pod for pod in pods(objects) if pod.name.endswith("-gateway")]
    rules = _out(objects, NAMESPACES[HUB], dict(operator.labels))

    assert _ports(rules) == {53, 8443, 6443} | store | ({443} if variant == "trial" else set())
    assert rules is not None
    (door,) = [peer for rule in rules if rule["ports"][0]["port"] == 8443 for peer in rule["to"]]
    assert _matches(door["podSelector"], dict(gateway.labels))
    callers = list(_callers(objects, gateway.name.removeprefix("Deployment ")))
    named = [one["podSelector"] for one in callers if "podSelector" in one]
    assert {} in callers or [one for one in named if _matches(one, dict(operator.labels))]


@pytest.mark.parametrize("role", [Role.INIT, Role.AGGREGATE, Role.VALIDATE])
def test_the_hubs_jobs_reach_names_and_the_store(role: Role) -> None:
    assert _ports(_out(rendered(HUB, "trial"), *_job_labels(role, "skin-network"))) == {53, 9000}
    assert _ports(_out(rendered(HUB, "every part"), *_job_labels(role, "skin-network"))) == {53, 8443}


@pytest.mark.parametrize("chart", [HUB, CLINIC])
def test_names_are_asked_for_at_the_ports_that_the_values_give(chart: str) -> None:
    rules = [
        rule
        for policy in of_kind(rendered(chart, "OpenShift"), "NetworkPolicy")
        for rule in policy["spec"]["egress"]
        if {"kubernetes.io/metadata.name": "openshift-dns"} in [_namespaces(peer) for peer in rule.get("to", [])]
    ]

    assert len(rules) == {HUB: 4, CLINIC: 3}[chart]
    assert all(
        rule["ports"] == [{"protocol": "UDP", "port": 5353}, {"protocol": "TCP", "port": 5353}] for rule in rules
    )


def _namespaces(peer: Object) -> Object:
    found: Object = peer.get("namespaceSelector", {}).get("matchLabels", {})
    return found


def test_every_pod_of_the_charts_is_bound_by_a_policy() -> None:
    for chart, variant in EVERY:
        objects = rendered(chart, variant)
        for pod in pods(objects):
            bound = _out(objects, NAMESPACES[chart], dict(pod.labels)) is not None
            assert bound is (variant != "least"), pod.name


def _callers(objects: list[Object], policy: str) -> Iterator[Object]:
    (found,) = of_kind(objects, "NetworkPolicy", policy)
    for rule in found["spec"]["ingress"]:
        yield from rule.get("from", [{}])


def test_the_trial_store_is_open_to_those_that_need_it() -> None:
    peers = list(_callers(rendered(HUB, "trial"), "fedround-minio"))

    components = [one["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/component") for one in peers]
    assert components == ["operator", "gateway", "test", None]
    assert peers[3]["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "skin-network"}}
    assert _matches(peers[3]["podSelector"], _job_labels(Role.VALIDATE, "skin-network")[1])
    assert not _matches(peers[3]["podSelector"], _job_labels(Role.TRAIN, "skin-network")[1])


def test_clinics_may_come_from_everywhere_unless_the_values_say_from_where() -> None:
    assert list(_callers(rendered(HUB, "trial"), "fedround-gateway")) == [{}]
    assert {"ipBlock": {"cidr": "198.51.100.0/24"}} in _callers(rendered(HUB, "every part"), "hub-gateway")
