"""The Node object of a process node, and the heartbeat that keeps it believable. Pure. Called by the loop."""

import platform
import socket
import sys
from dataclasses import dataclass
from datetime import datetime

from fedround_local.node.binding import Capacity
from fedround_local.node.pod import Json
from fedround_local.node.status import timestamp

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_MOST_PODS = 110


@dataclass(frozen=True)
class Machine:
    """What of the machine shows in the Node object."""

    hostname: str
    operating_system: str
    architecture: str
    kernel: str


def this_machine() -> Machine:
    machine = platform.machine().lower()
    return Machine(socket.gethostname(), sys.platform, _MACHINES.get(machine, machine), platform.release())


def labels(name: str, machine: Machine) -> dict[str, str]:
    return {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": machine.operating_system,
        "kubernetes.io/arch": machine.architecture,
        "fedround.dev/process-node": "true",
    }


def node_object(capacity: Capacity) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": capacity.node_name, "labels": dict(capacity.labels)},
    }


def node_status(
    capacity: Capacity,
    machine: Machine,
    log_port: int | None,
    version: str,
    *,
    ready: bool,
    since: datetime,
    now: datetime,
) -> Json:
    """The whole status: Ready or not, what it offers, and where its logs are served."""
    offer = {
        "cpu": f"{int(capacity.cpu_cores * 1000)}m",
        "memory": f"{capacity.memory_bytes // 1024}Ki",
        "pods": str(_MOST_PODS),
    }
    verdict = ("True", "ProcessNodeReady", "pods run as local processes")
    if not ready:
        verdict = ("False", "ProcessNodeStopped", "the process node was stopped")
    status: Json = {
        "capacity": offer,
        "allocatable": offer,
        "addresses": [
            {"type": "InternalIP", "address": "127.0.0.1"},
            {"type": "Hostname", "address": machine.hostname},
        ],
        "conditions": [
            {
                "type": "Ready",
                "status": verdict[0],
                "reason": verdict[1],
                "message": verdict[2],
                "lastHeartbeatTime": timestamp(now),
                "lastTransitionTime": timestamp(since),
            }
        ],
        "nodeInfo": {
            "machineID": "",
            "systemUUID": "",
            "bootID": "",
            "kernelVersion": machine.kernel,
            "osImage": f"{machine.operating_system} (process node)",
            "containerRuntimeVersion": "process://1",
            "kubeletVersion": version,
            "kubeProxyVersion": "",
            "operatingSystem": machine.operating_system,
            "architecture": machine.architecture,
        },
    }
    if log_port is not None:
        status["daemonEndpoints"] = {"kubeletEndpoint": {"Port": log_port}}
    return status
