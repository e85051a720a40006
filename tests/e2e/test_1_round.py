"""The first round of a network on real clusters, and what its pods can reach meanwhile."""

import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.clusters.access import Access
from support.e2e.inside import listening, reach, reach_locked_in, waiting_pod
from support.e2e.member import Member
from support.e2e.network import Network, condition, duration, training, wait_for
from support.e2e.places import CLINIC_NAMESPACE, HUB_NAMESPACE, MODEL, NETWORK

pytestmark = pytest.mark.timeout(1800)

ROUND = "first"


@dataclass(frozen=True)
class Around:
    """One clinic's cluster, and host:port of what there is around its pods."""

    access: Access
    targets: Mapping[str, str]

    def reached(self, pod: str, namespace: str = CLINIC_NAMESPACE) -> Mapping[str, str]:
        """By name, what a pod can connect to."""
        return self._by_name(reach(self.access, namespace, pod, list(self.targets.values())))

    def reached_locked_in(self, pod: str, namespace: str) -> Mapping[str, str]:
        """The same of a process that is locked in as `train` is."""
        return self._by_name(reach_locked_in(self.access, namespace, pod, list(self.targets.values())))

    def _by_name(self, found: Mapping[str, str]) -> Mapping[str, str]:
        return {name: found[target] for name, target in self.targets.items()}


@dataclass(frozen=True)
class Done:
    """The first round, and what was seen in a pod of `train` while it ran."""

    ended: Mapping[str, Any]
    reached_by_train: Mapping[str, str]
    train_listens_on: Sequence[int]


@pytest.fixture(scope="module")
def around(network: Network) -> Iterator[Around]:
    """A clinic's cluster, with a neighbour who has opened a port, and room for pods that no policy selects."""
    access = network.ground.clinics[next(iter(network.clinics))]
    access.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "neighbour"}})
    network.run_pod(access, waiting_pod("neighbour", "neighbour", network.training_image, {}, port=8080))
    network.run_pod(access, waiting_pod("visitor", "neighbour", network.training_image, {}))
    api = access.get("endpoints", "kubernetes", "-n", "default")["subsets"][0]
    agent = access.get("pods", "-n", CLINIC_NAMESPACE, "--selector=app.kubernetes.io/component=agent")["items"][0]
    yield Around(
        access,
        {
            "gateway": network.ground.gateway,
            "API server": f"{api['addresses'][0]['ip']}:{api['ports'][0]['port']}",
            "API service": f"{access.get('service', 'kubernetes', '-n', 'default')['spec']['clusterIP']}:443",
            "agent": f"{agent['status']['podIP']}:8080",
            "neighbour": f"{access.get('pod', 'neighbour', '-n', 'neighbour')['status']['podIP']}:8080",
        },
    )
    access.kubectl("delete", "namespace", "neighbour", "--wait=false")


@pytest.fixture(scope="module")
def done(network: Network, around: Around) -> Done:
    begun = time.monotonic()
    network.start_round(ROUND, training=training(epochs=8, learningRate="0.02"))
    pod = wait_for(lambda: _running(around.access, "train"), "a pod of `train`", 300, network.told)
    reached, ports = around.reached(pod), listening(around.access, CLINIC_NAMESPACE, pod)
    ended = network.ended_round(ROUND)
    network.figures.append(
        f"round {ROUND}: {time.monotonic() - begun:.0f} s from `kubectl apply` to its end; {duration(ended)}"
    )
    return Done(ended, reached, ports)


def opened(found: Mapping[str, str]) -> set[str]:
    """What was reached."""
    return {name for name, outcome in found.items() if outcome == "open"}


def _running(access: Access, role: str) -> str | None:
    found = access.get("pods", "-n", CLINIC_NAMESPACE, f"--selector=fedround.dev/role={role}")["items"]
    running: list[str] = [one["metadata"]["name"] for one in found if one["status"]["phase"] == "Running"]
    return running[0] if running else None


def test_before_it_a_preflight_finds_each_clinic_ready(network: Network) -> None:
    for name, terminal in network.at_clinic.items():
        checks = json.loads(terminal.fedround("clinic", "preflight", name, "--json"))["checks"]

        assert len(checks) > 10
        assert {one["result"] for one in checks} <= {"ok", "note"}, checks


def test_it_is_promoted_with_every_clinic_locked_in(network: Network, done: Done) -> None:
    status = done.ended["status"]

    assert (status["phase"], status["participation"]) == ("Promoted", "3/3"), network.told()
    assert condition(done.ended, "TrainingLockedIn") == ("True", "LockedIn")
    assert [sorted(one["locked"]) for one in status["participants"]] == [["Files", "Network"]] * 3
    model = network.hub.get("fm", MODEL, "-n", NETWORK)["status"]
    assert (model["current"]["version"], model["current"]["round"]) == (1, ROUND)


def test_train_reaches_nothing(done: Done) -> None:
    assert opened(done.reached_by_train) == set()
    assert done.train_listens_on == []


def test_where_no_policy_holds_the_lock_of_train_does(around: Around) -> None:
    # The agent lets nobody in but those who may read its metrics.
    assert opened(around.reached("visitor", "neighbour")) == around.targets.keys() - {"agent"}

    assert dict(around.reached_locked_in("visitor", "neighbour")) == dict.fromkeys(around.targets, "EPERM")


@pytest.mark.parametrize("role", ["fetch", "submit"])
def test_a_job_that_transfers_reaches_the_gateway_and_nothing_else(network: Network, around: Around, role: str) -> None:
    # Policies go by what the agent writes on its Jobs; the real ones are too short to be asked.
    labels = {"app.kubernetes.io/part-of": "fedround", "fedround.dev/role": role}
    network.run_pod(around.access, waiting_pod(f"like-{role}", CLINIC_NAMESPACE, network.training_image, labels))
    try:
        found = around.reached(f"like-{role}")
    finally:
        around.access.kubectl("delete", "pod", f"like-{role}", "-n", CLINIC_NAMESPACE, "--grace-period=1")

    assert opened(found) == {"gateway"}


def test_the_agent_reaches_the_gateway_and_its_api_and_nobody_else(around: Around) -> None:
    found = around.reached("deployment/fedround-agent")

    # Its own address is among them.
    assert opened(found) == {"gateway", "API server", "API service", "agent"}


def test_nothing_listens_in_a_clinic_but_the_agent_for_health_and_metrics(network: Network) -> None:
    for access in network.ground.clinics.values():
        assert listening(access, CLINIC_NAMESPACE, "deployment/fedround-agent") == [8080]
        services = access.get("services", "-n", CLINIC_NAMESPACE)["items"]
        assert [(one["metadata"]["name"], one["spec"]["type"]) for one in services] == [("fedround-agent", "ClusterIP")]


def test_a_clinics_credentials_open_its_own_door_alone(network: Network, done: Done) -> None:
    name, other, *_ = network.clinics
    own, rounds = Member.of(network, name), "/apis/fedround.dev/v1alpha1/namespaces/{}/clinicrounds"
    mine, theirs = (assignment(network, one)["spec"]["urls"] for one in (name, other))

    assert own.get(rounds.format(f"clinic-{name}")) == 200
    assert own.get(path_of(mine["checkpoint"])) == 200
    for path in (
        rounds.format(f"clinic-{other}"),
        rounds.format(NETWORK),
        f"/apis/fedround.dev/v1alpha1/namespaces/{NETWORK}/federatedrounds",
        f"/apis/coordination.k8s.io/v1/namespaces/clinic-{other}/leases/agent",
        f"/api/v1/namespaces/clinic-{other}/secrets",
        path_of(theirs["update"]),
    ):
        assert own.get(path) in (401, 403), path
    assert own.ask("PUT", path_of(theirs["update"]), b"anything")[0] in (401, 403)


def assignment(network: Network, name: str) -> Mapping[str, Any]:
    """The clinic's part in the first round, with its presigned URLs."""
    found: Mapping[str, Any] = network.hub.get("clinicrounds", "-n", f"clinic-{name}")["items"][0]
    return found


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def test_behind_the_gateway_too_its_token_is_for_its_own_namespace(network: Network) -> None:
    name, other, *_ = network.clinics
    caller = f"--as=system:serviceaccount:clinic-{name}:agent"

    def may(verb: str, what: str, namespace: str) -> bool:
        done = network.hub.try_kubectl("auth", "can-i", verb, what, "-n", namespace, caller)
        return done.stdout.strip() == "yes"

    assert may("list", "clinicrounds.fedround.dev", f"clinic-{name}")
    for verb, what, namespace in (
        ("list", "clinicrounds.fedround.dev", f"clinic-{other}"),
        ("patch", "leases.coordination.k8s.io/agent", f"clinic-{other}"),
        ("list", "federatedrounds.fedround.dev", NETWORK),
        ("get", "secrets", f"clinic-{name}"),
        ("create", "jobs.batch", NETWORK),
    ):
        assert not may(verb, what, namespace), (verb, what, namespace)


def test_every_pod_would_be_let_into_a_namespace_that_enforces_restricted(network: Network, done: Done) -> None:
    clusters = [(network.hub, [HUB_NAMESPACE, NETWORK])]
    clusters += [(access, [CLINIC_NAMESPACE]) for access in network.ground.clinics.values()]
    for access, namespaces in clusters:
        found = [access.get("pods", "-n", namespace)["items"] for namespace in namespaces]
        assert all(found)
        access.apply(_JUDGED)
        for pod in itertools.chain.from_iterable(found):
            judged = access.try_kubectl("create", "--dry-run=server", "-f", "-", given=json.dumps(_alike(pod)))
            assert judged.returncode == 0, judged.stderr
        access.kubectl("delete", "namespace", "judged", "--wait=false")


_JUDGED = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "judged", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
}


def _alike(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same pod for the namespace in which Pod Security judges it."""
    spec = {key: value for key, value in pod["spec"].items() if key not in ("nodeName", "serviceAccountName")}
    spec.pop("serviceAccount", None)
    meta = {"name": pod["metadata"]["name"], "namespace": "judged"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def test_what_runs_is_run_by_a_user_that_is_not_root(network: Network) -> None:
    programs = [(network.hub, HUB_NAMESPACE, "deployment/fedround-hub-operator")]
    programs += [(one, CLINIC_NAMESPACE, "deployment/fedround-agent") for one in network.ground.clinics.values()]
    for access, namespace, pod in programs:
        told = access.kubectl("exec", pod, "-n", namespace, "--", "python3", "-c", "import os; print(os.getuid())")
        assert told.strip() == "65532"
