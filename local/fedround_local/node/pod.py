"""A pod as the node sees it: the part of the API object that it acts on, read once. Pure.

Called by everything in the node. What it cannot run it names, rather than running it half.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

_SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}
_VOLUME_KINDS = ("secret", "configMap", "emptyDir", "persistentVolumeClaim")
TERMINAL_PHASES = ("Succeeded", "Failed")
_DEFAULT_GRACE_SECONDS = 30.0


class Unmet(Exception):
    """What a container waits for: a reason of the kubelet's, and a sentence. The node tries again."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Pod:
    uid: str
    namespace: str
    name: str
    version: int
    created: str
    node_name: str | None
    scheduler: str
    phase: str
    deleting: bool
    grace_seconds: float
    cpu_request_cores: Decimal
    memory_request_bytes: int
    memory_limit_bytes: int | None
    container: Json
    volumes: Mapping[str, Json]
    raw: Json

    @property
    def terminal(self) -> bool:
        return self.phase in TERMINAL_PHASES

    @property
    def conditions(self) -> list[Json]:
        return list(self.raw.get("status", {}).get("conditions", []))

    @property
    def termination_path(self) -> str:
        return str(self.container.get("terminationMessagePath", "/dev/termination-log"))


def parse_pod(raw: Json) -> Pod:
    """The pod in an API object. Its first container stands for all: `unsupported` refuses more of them."""
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status", {})
    containers = spec["containers"]
    limit = _resource(containers[:1], "limits", "memory")
    return Pod(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        # Opaque by contract, a growing number in every API server backed by etcd; this one is ours.
        version=int(meta["resourceVersion"]),
        created=meta["creationTimestamp"],
        node_name=spec.get("nodeName"),
        scheduler=spec.get("schedulerName", "default-scheduler"),
        phase=status.get("phase", "Pending"),
        deleting="deletionTimestamp" in meta,
        grace_seconds=float(meta.get("deletionGracePeriodSeconds", _DEFAULT_GRACE_SECONDS)),
        cpu_request_cores=_resource(containers, "requests", "cpu") or Decimal(0),
        memory_request_bytes=int(_resource(containers, "requests", "memory") or 0),
        memory_limit_bytes=None if limit is None else int(limit),
        container=containers[0],
        volumes={one["name"]: one for one in spec.get("volumes", [])},
        raw=raw,
    )


def parse_quantity(quantity: str | int) -> Decimal:
    """The number in a Kubernetes quantity: "500m" is 0.5, "2Gi" is 2147483648."""
    text = str(quantity)
    for length in (2, 1):
        factor = _SUFFIXES.get(text[-length:])
        if factor is not None:
            return Decimal(text[:-length]) * factor
    return Decimal(text)


def unsupported(pod: Pod) -> str | None:
    """What in this pod a process node does not do, or None."""
    spec, container = pod.raw["spec"], pod.container
    volumes = [name for name, one in pod.volumes.items() if not any(kind in one for kind in _VOLUME_KINDS)]
    found = {
        "more than one container": len(spec["containers"]) > 1,
        "initContainers": bool(spec.get("initContainers")),
        "ephemeralContainers": bool(spec.get("ephemeralContainers")),
        "a restartPolicy other than Never": spec.get("restartPolicy") != "Never",
        "activeDeadlineSeconds of a pod (a Job's is fine)": "activeDeadlineSeconds" in spec,
        "envFrom": bool(container.get("envFrom")),
        "probes": any(f"{kind}Probe" in container for kind in ("liveness", "readiness", "startup")),
        "lifecycle hooks": "lifecycle" in container,
        "subPathExpr": any("subPathExpr" in one for one in container.get("volumeMounts", [])),
        f"the kind of volume {', '.join(volumes)}": bool(volumes),
    }
    names = [name for name, present in found.items() if present]
    return f"the process node does not support {', '.join(names)}" if names else None


def _resource(containers: list[Json], kind: str, name: str) -> Decimal | None:
    found = [one.get("resources", {}).get(kind, {}).get(name) for one in containers]
    given = [parse_quantity(one) for one in found if one is not None]
    return sum(given, Decimal(0)) if given else None
