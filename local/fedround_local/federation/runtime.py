"""The processes of a federation, as values: node, operator, agents. Pure but for the interpreter's path.

Each gets an environment of its own: nothing of the starter's shell reaches an operator or a Job.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fedround_local.cluster import Cluster
from fedround_local.federation import layout
from fedround_local.federation.layout import Layout
from fedround_local.gateway import Gateway
from fedround_local.objectstore import BUCKET, REGION, ObjectStore
from fedround_local.processes import ProcessSpec

NODE, OPERATOR = "node", "operator"
# Two trainers ask for one CPU each; the half on top lets small Jobs (fetch, submit, aggregate) run beside them.
NODE_CPUS = "2500m"


def agent_name(clinic: str) -> str:
    """The name of the clinic's agent process."""
    return f"agent-{clinic}"


@dataclass(frozen=True)
class Parts:
    """What the processes need to know of one another."""

    place: Layout
    cluster: Cluster
    store: ObjectStore
    gateway: Gateway
    metrics_ports: Mapping[str, int]


def node(parts: Parts) -> ProcessSpec:
    """The process node, which runs the pods."""
    pki = parts.cluster.layout.pki
    prefix = json.dumps([sys.executable, "-m", "fedround_training"])
    argv = [
        *_python("fedround_local.node"),
        *("--kubeconfig", str(parts.place.kubeconfig(NODE)), "--state", str(parts.place.state)),
        *("--name", layout.NODE_NAME, "--cpus", NODE_CPUS, "--image", f"{layout.IMAGE}={prefix}"),
        *("--log-certificate", str(pki / "node.crt"), "--log-client-ca", str(pki / "ca.crt")),
    ]
    return ProcessSpec(NODE, tuple(argv), _environment(parts.place))


def operator(parts: Parts) -> ProcessSpec:
    """The hub's operator."""
    options = {
        "kubeconfig": str(parts.place.kubeconfig(OPERATOR)),
        "namespace": layout.SYSTEM_NAMESPACE,
        "network": layout.NETWORK_NAMESPACE,
        "image": layout.IMAGE,
        "store-endpoint": parts.store.address,
        "store-bucket": BUCKET,
        "store-region": REGION,
        "store-secret": layout.STORE_SECRET,
        "store-keys": str(parts.place.hub_keys),
        "gateway": parts.gateway.settings.address,
        "identity": "local",
        "metrics-port": str(parts.metrics_ports[OPERATOR]),
        "metrics-address": "127.0.0.1",
    }
    return ProcessSpec(OPERATOR, (*_python("fedround_operator.hub"), *_flags(options)), _environment(parts.place))


def agent(parts: Parts, clinic: str) -> ProcessSpec:
    """A clinic's agent: it reaches the hub through the gateway only."""
    name = agent_name(clinic)
    options = {
        "clinic": clinic,
        "gateway": parts.gateway.settings.address,
        "membership": str(parts.place.membership(clinic)),
        "identity": str(parts.place.identity(clinic)),
        "kubeconfig": str(parts.place.kubeconfig(name)),
        "namespace": layout.local_namespace(clinic),
        "policy": str(parts.place.policy(clinic)),
        "image": layout.IMAGE,
        "workspace-claim": layout.WORKSPACE_CLAIM,
        "images-claim": layout.IMAGES_CLAIM,
        "certificate-secret": layout.CERTIFICATE_SECRET,
        "account": layout.ACCOUNT,
        "metrics-port": str(parts.metrics_ports[name]),
        "metrics-address": "127.0.0.1",
    }
    return ProcessSpec(name, (*_python("fedround_operator.agent"), *_flags(options)), _environment(parts.place))


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module)


def _flags(options: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"--{name}={value}" for name, value in options.items())


def _environment(place: Layout) -> dict[str, str]:
    """Nothing of the starter's shell but what a program needs; temporary files (keys among them) stay in the state."""
    kept = ("PATH", "HOME", "LANG", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    fixed = {"PYTHONUNBUFFERED": "1", "TMPDIR": str(place.temporary)}
    return {name: os.environ[name] for name in kept if name in os.environ} | fixed


def actors(parts: Parts, clinics: Sequence[str]) -> list[ProcessSpec]:
    """Everything beside control plane, store and gateway, in the order of its start."""
    return [node(parts), operator(parts), *(agent(parts, clinic) for clinic in clinics)]
