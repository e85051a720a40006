"""Which pending pods this node takes now: the scheduler, as one pure function. Called by the loop."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from fedround_local.node.pod import Pod


@dataclass(frozen=True)
class Capacity:
    """What the node offers, and what it is called."""

    node_name: str
    cpu_cores: Decimal
    memory_bytes: int
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Placement:
    """Pods to bind, oldest first, and for the others why not."""

    bind: tuple[Pod, ...]
    waiting: tuple[tuple[Pod, str], ...]


def place(pods: Iterable[Pod], capacity: Capacity) -> Placement:
    """First come, first served, by what fits beside the pods that have not ended.

    A pod that does not fit holds up no smaller one behind it, as in kube-scheduler: a session of small Jobs must be
    able to run while a trainer waits for its core.
    """
    known = list(pods)
    here = [pod for pod in known if pod.node_name == capacity.node_name and not pod.terminal]
    cpu = capacity.cpu_cores - sum((pod.cpu_request_cores for pod in here), Decimal(0))
    memory = capacity.memory_bytes - sum(pod.memory_request_bytes for pod in here)
    bind: list[Pod] = []
    waiting: list[tuple[Pod, str]] = []
    for pod in sorted(filter(_asks, known), key=lambda pod: (pod.created, pod.namespace, pod.name)):
        obstacle = _obstacle(pod, capacity, cpu, memory)
        if obstacle is None:
            bind.append(pod)
            cpu -= pod.cpu_request_cores
            memory -= pod.memory_request_bytes
        else:
            waiting.append((pod, f"0/1 nodes are available: {obstacle}."))
    return Placement(tuple(bind), tuple(waiting))


def _asks(pod: Pod) -> bool:
    return pod.node_name is None and pod.scheduler == "default-scheduler" and not pod.deleting and not pod.terminal


def _obstacle(pod: Pod, capacity: Capacity, cpu: Decimal, memory: int) -> str | None:
    wanted = pod.raw["spec"].get("nodeSelector", {})
    if any(capacity.labels.get(key) != value for key, value in wanted.items()):
        return "1 node(s) didn't match Pod's node affinity/selector"
    if pod.cpu_request_cores > cpu:
        return "1 Insufficient cpu"
    if pod.memory_request_bytes > memory:
        return "1 Insufficient memory"
    return None
