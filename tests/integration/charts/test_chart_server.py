"""The charts on a real API server: what it takes, whose rights suffice, and what upgrades and removals leave."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fedround_api.jobs import Role
from fedround_operator.kit.jobmanifests import JobRequest, job
from support.charts import CHARTS, CLINIC, HUB, NAMESPACES, VARIANTS, Object, Refused, example, pods, rendered, run_helm
from support.markdown_pages import CHECKOUT, Page
from support.running_cluster import RunningCluster

pytest_plugins = ("support.cluster_fixture",)

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
REVOKED = "ab" * 32 + " yes\n"


def namespace(cluster: RunningCluster, name: str) -> None:
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}})


def helm(
    major: int, verb: str, chart: str, kubeconfig: Path, *arguments: str, values: Mapping[str, Any] | None = None
) -> str:
    """Install, upgrade or uninstall release `fedround` with the example's values and those given."""
    place = (f"--kubeconfig={kubeconfig}", f"--namespace={NAMESPACES[chart]}")
    if verb == "uninstall":
        return run_helm(major, verb, "fedround", *place)
    given = {**VARIANTS[chart, "trial" if chart == HUB else "bundle"], **(values or {})}
    return run_helm(major, verb, "fedround", str(CHARTS / chart), *place, example(chart), *arguments, values=given)


@pytest.fixture(scope="module")
def hub(cluster: RunningCluster) -> Iterator[RunningCluster]:
    """A cluster where the hub can be installed; the namespace of rounds is made by the chart."""
    namespace(cluster, NAMESPACES[HUB])
    yield cluster
    cluster.kubectl("delete", "namespace", NAMESPACES[HUB], "skin-network", "--wait=false", "--ignore-not-found")


@pytest.mark.parametrize(("chart", "variant"), VARIANTS)
def test_a_restricted_namespace_takes_every_pod(cluster: RunningCluster, chart: str, variant: str) -> None:
    namespace(cluster, "restricted")
    cluster.wait_for(lambda: cluster.get("serviceaccounts", "-n", "restricted")["items"])
    manifests = []
    for pod in pods(rendered(chart, variant)):
        # An account that the release would have made is none of Pod Security's business.
        spec = {name: value for name, value in pod.spec.items() if name != "serviceAccountName"}
        metadata = {"name": pod.owner["metadata"]["name"], "namespace": "restricted", "labels": dict(pod.labels)}
        manifests.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    said = cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=_list(manifests))

    assert said.count("created (server dry run)") == len(manifests) > 0


def _list(items: list[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def _secret(cluster: RunningCluster, name: str) -> dict[str, str]:
    data: dict[str, str] = cluster.get("secret", name, "-n", NAMESPACES[HUB])["data"]
    return data


@pytest.mark.parametrize("major", [3, 4])
def test_upgrade_removal_and_return_lose_nothing_of_a_hub(hub: RunningCluster, major: int) -> None:
    kubeconfig = hub.cluster.admin_kubeconfig
    said = helm(major, "install", HUB, kubeconfig)
    assert "helm test fedround --namespace fedround-system --logs" in said
    assert "kubectl apply --namespace skin-network -f model.yaml" in said
    assert (
        "--gateway fedround.example.org:443 \\\n       --namespace skin-network --gateway-namespace fedround-system"
        in said
    )
    keys = _secret(hub, "fedround-store")
    hub.kubectl("wait", "--for=condition=Established", "crd/clinics.fedround.dev", "--timeout=30s")
    clinic = {"apiVersion": "fedround.dev/v1alpha1", "kind": "Clinic", "spec": {}}
    hub.apply({**clinic, "metadata": {"name": "ottawa", "namespace": "skin-network"}})
    patch = json.dumps({"data": {"revoked.list": REVOKED}})
    hub.kubectl("patch", "configmap", "fedround-revoked", "-n", NAMESPACES[HUB], "--type=merge", "-p", patch)

    helm(major, "upgrade", HUB, kubeconfig, values={"operator": {"workers": 8}})
    helm(major, "uninstall", HUB, kubeconfig)

    assert hub.get("deployments", "-n", NAMESPACES[HUB])["items"] == []
    assert hub.get("clinics.fedround.dev", "ottawa", "-n", "skin-network")
    assert hub.get("pvc", "fedround-minio", "-n", NAMESPACES[HUB])
    assert hub.get("configmap", "fedround-revoked", "-n", NAMESPACES[HUB])["data"] == {"revoked.list": REVOKED}
    assert _secret(hub, "fedround-store") == keys

    helm(major, "install", HUB, kubeconfig)

    assert hub.get("configmap", "fedround-revoked", "-n", NAMESPACES[HUB])["data"] == {"revoked.list": REVOKED}
    assert _secret(hub, "fedround-store") == keys
    helm(major, "uninstall", HUB, kubeconfig)


def test_a_release_of_helm_3_goes_on_with_helm_4(hub: RunningCluster) -> None:
    kubeconfig = hub.cluster.admin_kubeconfig
    helm(3, "install", HUB, kubeconfig)
    keys = _secret(hub, "fedround-store")

    helm(4, "upgrade", HUB, kubeconfig, values={"operator": {"workers": 8}})

    assert _secret(hub, "fedround-store") == keys
    (operator,) = hub.get("deployment", "-n", NAMESPACES[HUB], "-l", "app.kubernetes.io/component=operator")["items"]
    variables = {one["name"]: one.get("value") for one in operator["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert variables["FEDROUND_WORKERS"] == "8"
    helm(4, "uninstall", HUB, kubeconfig)


def test_the_pages_commands_give_the_store_new_keys_and_an_upgrade_keeps_them(
    hub: RunningCluster, tmp_path: Path
) -> None:
    page, section = Page(CHECKOUT / "docs" / "operations.md"), "New keys for the store"
    (keys,) = [block.text for block in page.blocks if (block.section, block.language) == (section, "json")]
    (tmp_path / "keys.json").write_text(keys)
    typed = [one.words[1:] for one in page.commands() if one.section == section and one.words[0] == "kubectl"]
    helm(4, "install", HUB, hub.cluster.admin_kubeconfig)

    for words in typed:
        # No pod comes up here, so nobody waits for it; and the release has another name than the page's.
        if words[:2] != ("rollout", "status"):
            path = str(tmp_path / "keys.json")
            hub.kubectl(*(one.replace("keys.json", path).replace("fedround-hub-", "fedround-") for one in words))
    helm(4, "upgrade", HUB, hub.cluster.admin_kubeconfig, values={"operator": {"workers": 8}})

    given = json.loads(keys)["stringData"]
    for space in ("fedround-system", "skin-network"):
        held = hub.get("secret", "fedround-store", "-n", space)["data"]
        assert {name: base64.b64decode(value).decode() for name, value in held.items()} == given
    begun_anew = {
        one["metadata"]["name"]
        for one in hub.get("deployments", "-n", "fedround-system")["items"]
        if "kubectl.kubernetes.io/restartedAt" in one["spec"]["template"]["metadata"].get("annotations", {})
    }
    assert begun_anew == {"fedround-minio", "fedround-operator"}
    helm(4, "uninstall", HUB, hub.cluster.admin_kubeconfig)


JOBS_CREATE = {"group": "batch", "resource": "jobs", "verb": "create"}
LEASES_PATCH = {"group": "coordination.k8s.io", "resource": "leases", "verb": "patch"}
ROUNDS_GET = {"group": "fedround.dev", "resource": "federatedrounds", "verb": "get"}


def test_the_operator_makes_jobs_in_its_network_and_holds_its_own_lease_and_neither_elsewhere(
    hub: RunningCluster,
) -> None:
    helm(4, "install", HUB, hub.cluster.admin_kubeconfig)

    def allowed(right: Mapping[str, str], namespace: str, name: str = "") -> bool:
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": "system:serviceaccount:fedround-system:fedround-operator",
                "resourceAttributes": {**right, "namespace": namespace, "name": name},
            },
        }
        answer = hub.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review))
        return bool(json.loads(answer)["status"]["allowed"])

    spaces = ("skin-network", "fedround-system", "kube-system", "clinic-ottawa")
    assert [space for space in spaces if allowed(JOBS_CREATE, space)] == ["skin-network"]
    assert [space for space in spaces if allowed(ROUNDS_GET, space, "first-round")] == ["skin-network"]
    assert [space for space in spaces if allowed(LEASES_PATCH, space, "fedround-operator")] == ["fedround-system"]
    assert not allowed(LEASES_PATCH, "fedround-system", "another")
    helm(4, "uninstall", HUB, hub.cluster.admin_kubeconfig)


# --- the clinic, as the administrator of its namespace and of nothing else


@pytest.fixture(scope="module")
def administrator(cluster: RunningCluster) -> Path:
    """The kubeconfig of someone who has the ClusterRole `admin` in the clinic's namespace."""
    home = NAMESPACES[CLINIC]
    namespace(cluster, home)
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "it", "namespace": home},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "clinic-it"}],
    }
    cluster.apply(binding)
    path = cluster.cluster.layout.kubeconfigs / "clinic-it.conf"
    cluster.cluster.write_user(path, "clinic-it", namespace=home)
    return path


@pytest.mark.parametrize("major", [3, 4])
def test_a_clinic_installs_with_the_rights_of_a_namespaces_administrator(
    cluster: RunningCluster, administrator: Path, major: int
) -> None:
    home = NAMESPACES[CLINIC]
    key = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "fedround-certificate", "namespace": home}}
    cluster.apply({**key, "stringData": {"tls.key": "made by the clinic"}})

    said = helm(major, "install", CLINIC, administrator)
    assert "helm test fedround --namespace fedround --logs" in said
    assert "kubectl logs --namespace fedround deployment/fedround-agent --follow" in said
    helm(major, "upgrade", CLINIC, administrator, values={"policy": {"caseVolume": 900}})

    policy = cluster.get("configmap", "fedround-policy", "-n", home)["data"]["policy.yaml"]
    assert "caseVolume: 900" in policy
    assert (
        cluster.get("secret", "fedround-membership", "-n", home)["data"]["token"]
        == base64.b64encode(b"a-token").decode()
    )

    helm(major, "uninstall", CLINIC, administrator)

    left = cluster.get("deployments,services,roles,networkpolicies,secrets,pvc", "-n", home)["items"]
    assert sorted(one["metadata"]["name"] for one in left) == ["fedround-certificate", "fedround-workspace"]
    held = cluster.get("secret", "fedround-certificate", "-n", home)["data"]
    assert held == {"tls.key": base64.b64encode(b"made by the clinic").decode()}
    cluster.kubectl("delete", "pvc/fedround-workspace", "-n", home, "--wait=false")


@pytest.mark.parametrize("major", [3, 4])
def test_an_agent_that_was_stopped_is_started_by_the_next_upgrade(
    cluster: RunningCluster, administrator: Path, major: int
) -> None:
    """As the page for a clinic's IT warns."""
    home = NAMESPACES[CLINIC]
    helm(major, "install", CLINIC, administrator)
    cluster.kubectl("scale", "deployment", "fedround-agent", "-n", home, "--replicas=0")

    helm(major, "upgrade", CLINIC, administrator, values={"policy": {"caseVolume": 900}})

    assert cluster.get("deployment", "fedround-agent", "-n", home)["spec"]["replicas"] == 1
    helm(major, "uninstall", CLINIC, administrator)
    cluster.kubectl("delete", "pvc/fedround-workspace", "-n", home, "--wait=false")


def test_a_clinics_job_runs_on_through_an_upgrade_and_ends_with_the_release(
    cluster: RunningCluster, administrator: Path
) -> None:
    home = NAMESPACES[CLINIC]
    helm(4, "install", CLINIC, administrator)
    account = cluster.get("serviceaccount", "fedround-agent", "-n", home)["metadata"]
    owner = {"apiVersion": "v1", "kind": "ServiceAccount", "name": account["name"], "uid": account["uid"]}
    request = JobRequest(
        name="train-of-a-round",
        namespace=home,
        role=Role.TRAIN,
        attempt=1,
        image="shell",
        input_json="{}",
        deadline_seconds=600,
        arguments=("sleep 600",),
        owner=owner,
    )
    cluster.apply(job(request))

    def pods() -> list[tuple[str, str]]:
        found = cluster.get("pods", "-n", home, "-l", "batch.kubernetes.io/job-name=train-of-a-round")["items"]
        return [(one["metadata"]["uid"], one["status"]["phase"]) for one in found]

    cluster.wait_for(lambda: [phase for _, phase in pods()] == ["Running"], 30)
    before = pods()

    helm(3, "upgrade", CLINIC, administrator, values={"policy": {"caseVolume": 900}})
    helm(4, "upgrade", CLINIC, administrator, "--force-replace")
    assert cluster.get("serviceaccount", "fedround-agent", "-n", home)["metadata"]["uid"] == account["uid"]
    assert pods() == before

    helm(4, "uninstall", CLINIC, administrator)
    cluster.wait_for(lambda: pods() == [], 60)
    assert cluster.get("jobs", "-n", home)["items"] == []
    cluster.kubectl("delete", "pvc/fedround-workspace", "-n", home, "--wait=false")


def test_the_rights_of_a_namespaces_administrator_are_no_more_than_that(administrator: Path) -> None:
    place = (str(CHARTS / CLINIC), f"--kubeconfig={administrator}", "--namespace=default", example(CLINIC))

    with pytest.raises(Refused, match="forbidden"):
        run_helm(3, "install", "elsewhere", *place, values=VARIANTS[CLINIC, "bundle"])
