"""The process node's pure decisions: which pods it takes, what it does next about one, and what it cannot run."""

from decimal import Decimal
from typing import Any

import pytest

from fedround_local.node.binding import Capacity, place
from fedround_local.node.decision import Process, Step, decide
from fedround_local.node.pod import Pod, parse_quantity, unsupported
from support.pods import make_pod

_CAPACITY = Capacity("local", Decimal(2), 4 * 2**30, {"kubernetes.io/os": "linux"})


def _names(pods: tuple[Pod, ...]) -> list[str]:
    return [pod.name for pod in pods]


def test_the_oldest_pods_that_fit_are_bound_first() -> None:
    pods = [
        make_pod("third", cpu="1", created="2026-11-24T08:00:03Z"),
        make_pod("first", cpu="1", created="2026-11-24T08:00:01Z"),
        make_pod("second", cpu="1", created="2026-11-24T08:00:02Z"),
    ]
    placement = place(pods, _CAPACITY)
    assert _names(placement.bind) == ["first", "second"]
    assert [(pod.name, why) for pod, why in placement.waiting] == [
        ("third", "0/1 nodes are available: 1 Insufficient cpu.")
    ]


def test_a_pod_that_does_not_fit_holds_up_no_smaller_one() -> None:
    pods = [
        make_pod("running", cpu="1500m", node="local", phase="Running"),
        make_pod("big", cpu="1", created="2026-11-24T08:00:01Z"),
        make_pod("small", cpu="500m", created="2026-11-24T08:00:02Z"),
    ]
    assert _names(place(pods, _CAPACITY).bind) == ["small"]


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_ended_gives_its_cpu_back(phase: str) -> None:
    pods = [make_pod("ended", cpu="2", node="local", phase=phase), make_pod("next", cpu="2")]
    assert _names(place(pods, _CAPACITY).bind) == ["next"]


def test_a_pod_that_is_being_deleted_holds_its_cpu_until_it_is_gone() -> None:
    pods = [make_pod("going", cpu="2", node="local", phase="Running", deleting=True), make_pod("next", cpu="2")]
    assert _names(place(pods, _CAPACITY).bind) == []


def test_memory_requests_count_too() -> None:
    placement = place([make_pod("first", memory="3Gi"), make_pod("second", memory="3Gi")], _CAPACITY)
    assert _names(placement.bind) == ["first"]
    assert placement.waiting[0][1] == "0/1 nodes are available: 1 Insufficient memory."


@pytest.mark.parametrize(
    "pod",
    [
        make_pod(node="another"),
        make_pod(deleting=True),
        make_pod(spec={"schedulerName": "own-scheduler"}),
        make_pod(phase="Failed"),
    ],
    ids=["bound elsewhere", "being deleted", "of another scheduler", "failed"],
)
def test_a_pod_that_asks_for_no_node_is_neither_bound_nor_waiting(pod: Pod) -> None:
    placement = place([pod], _CAPACITY)
    assert (placement.bind, placement.waiting) == ((), ())


def test_a_node_selector_must_match_the_nodes_labels() -> None:
    wrong = make_pod("wrong", spec={"nodeSelector": {"kubernetes.io/os": "windows"}})
    right = make_pod("right", spec={"nodeSelector": {"kubernetes.io/os": "linux"}})
    placement = place([wrong, right], _CAPACITY)
    assert _names(placement.bind) == ["right"]
    assert placement.waiting[0][1] == ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")


@pytest.mark.parametrize(
    ("pod", "process", "step"),
    [
        (make_pod(), Process.ABSENT, Step.START),
        (make_pod(), Process.RUNNING, Step.REPORT),
        (make_pod(), Process.ENDED, Step.REPORT),
        (make_pod(phase="Running"), Process.RUNNING, Step.REPORT),
        (make_pod(phase="Running"), Process.ENDED, Step.REPORT),
        (make_pod(phase="Running"), Process.ABSENT, Step.REPORT),
        (make_pod(phase="Succeeded"), Process.ENDED, Step.NOTHING),
        (make_pod(phase="Failed"), Process.ABSENT, Step.NOTHING),
        (make_pod(phase="Failed"), Process.RUNNING, Step.TERMINATE),
        (make_pod(deleting=True), Process.ABSENT, Step.REPORT),
        (make_pod(phase="Running", deleting=True), Process.RUNNING, Step.TERMINATE),
        (make_pod(phase="Running", deleting=True), Process.ENDED, Step.REPORT),
        (make_pod(phase="Failed", deleting=True), Process.ENDED, Step.REMOVE),
        (make_pod(phase="Succeeded", deleting=True), Process.ABSENT, Step.REMOVE),
    ],
)
def test_the_next_step_follows_from_the_pod_and_its_process(pod: Pod, process: Process, step: Step) -> None:
    assert decide(pod, process) is step


@pytest.mark.parametrize(
    ("quantity", "number"),
    [
        ("2", Decimal(2)),
        (3, Decimal(3)),
        ("500m", Decimal("0.5")),
        ("1.5", Decimal("1.5")),
        ("128Mi", Decimal(134217728)),
        ("2Gi", Decimal(2147483648)),
        ("1G", Decimal(1000000000)),
        ("1e3", Decimal(1000)),
    ],
)
def test_quantities_are_read_as_kubernetes_reads_them(quantity: str | int, number: Decimal) -> None:
    assert parse_quantity(quantity) == number


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"spec": {"initContainers": [{"name": "first"}]}}, "initContainers"),
        ({"spec": {"restartPolicy": "Always"}}, "a restartPolicy other than Never"),
        ({"spec": {"activeDeadlineSeconds": 5}}, "activeDeadlineSeconds of a pod (a Job's is fine)"),
        ({"container": {"envFrom": [{"secretRef": {"name": "a"}}]}}, "envFrom"),
        ({"container": {"livenessProbe": {}}}, "probes"),
        ({"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}, "the kind of volume host"),
    ],
)
def test_what_it_cannot_run_it_names(changes: dict[str, Any], named: str) -> None:
    assert unsupported(make_pod(**changes)) == f"the process node does not support {named}"


def test_what_our_jobs_use_it_runs() -> None:
    kinds: tuple[dict[str, Any], ...] = (
        {"secret": {}},
        {"configMap": {}},
        {"emptyDir": {}},
        {"persistentVolumeClaim": {}},
    )
    volumes = [{"name": f"volume-{number}", **kind} for number, kind in enumerate(kinds)]
    assert unsupported(make_pod(volumes=volumes)) is None
