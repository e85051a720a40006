"""A control plane with a process node, as the integration tests handle it: start, stop, kubectl, and Jobs to run."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fedround_local.cluster import Cluster
from fedround_local.node.rbac import node_manifests, node_user
from fedround_local.node.sandbox import kill_all
from fedround_local.processes import ProcessSpec

NODE = "process-node"
IMAGES = {"shell": ["/bin/sh", "-c"]}
# What a restricted namespace demands of a container.
_RESTRICTED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass
class RunningCluster:
    """A cluster, its node, and kubectl."""

    cluster: Cluster
    binary: Path
    images: Mapping[str, list[str]] = field(default_factory=lambda: dict(IMAGES))

    def start(self) -> None:
        self.cluster.start()
        self.apply(*node_manifests("local"))
        self.start_node()

    def start_node(self) -> None:
        state = self.cluster.state
        kubeconfig = state / "kubeconfigs" / "node.conf"
        if not kubeconfig.exists():
            self.cluster.write_user(kubeconfig, node_user("local"))
            self.cluster.authority.issue_server("process-node", ("127.0.0.1",)).write(state / "pki", "node")
        images = [f"--image={name}={json.dumps(prefix)}" for name, prefix in self.images.items()]
        argv = (
            *(sys.executable, "-m", "fedround_local.node", f"--kubeconfig={kubeconfig}", f"--state={state / 'node'}"),
            *("--name=local", "--cpus=2", *images),
            *(f"--log-certificate={state / 'pki' / 'node.crt'}", f"--log-client-ca={state / 'pki' / 'ca.crt'}"),
        )
        self.cluster.processes.ensure_running(ProcessSpec(NODE, argv))
        self.cluster.processes.wait_until(self._node_ready, "the process node", needs=(NODE,))

    def stop(self) -> None:
        self.cluster.processes.stop(NODE)
        kill_all(self.cluster.state / "node")
        self.cluster.stop()

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """Its standard output. A failure raises with what kubectl said."""
        argv = [str(self.binary), "kubectl", "--kubeconfig", str(self.cluster.admin_kubeconfig), *args]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(args)}: {done.stderr}")
        return done.stdout

    def apply(self, *manifests: dict[str, Any]) -> None:
        document = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(document))

    def get(self, *args: str) -> Any:
        return json.loads(self.kubectl("get", *args, "-o", "json"))

    def wait_for(self, look: Callable[[], Any], timeout_seconds: float = 20.0) -> Any:
        """The first true thing that `look` returns; fails with the last one it saw and what the processes logged."""
        until = time.monotonic() + timeout_seconds
        while not (found := look()):
            assert time.monotonic() < until, f"not seen within {timeout_seconds} s, last: {found!r}\n{self.logged()}"
            time.sleep(0.05)
        return found

    def logged(self) -> str:
        """How the logs of all processes end."""
        processes = self.cluster.processes
        return "\n".join(f"{name} log ends:\n{processes.log_tail(name)}" for name in processes.names())

    def pod_of(self, job: str) -> Any:
        """The newest pod of a Job, or None."""
        items = self.get("pods", "-l", f"job-name={job}")["items"]
        return max(items, key=lambda one: one["metadata"]["creationTimestamp"], default=None)

    def ended_pod(self, job: str) -> Any:
        return self.wait_for(lambda: _if_phase(self.pod_of(job), "Succeeded", "Failed"))

    def running_pod(self, job: str) -> Any:
        return self.wait_for(lambda: _if_phase(self.pod_of(job), "Running"))

    def finished(self, job: str) -> Any:
        """The condition (Complete or Failed) with which the Job ended."""

        def look() -> Any:
            conditions = self.get("job", job).get("status", {}).get("conditions", [])
            return next((one for one in conditions if one["type"] in ("Complete", "Failed")), None)

        return self.wait_for(look)

    def _node_ready(self) -> bool:
        conditions = [
            one for node in self.get("nodes")["items"] for one in node.get("status", {}).get("conditions", [])
        ]
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def make_job(name: str, script: str, **changes: Any) -> dict[str, Any]:
    """A Job with one shell script. Changes: `env`, `mounts`, `volumes`, `resources`, `container`, `spec`, `pod`."""
    container = {
        "name": "main",
        "image": "shell",
        "args": [script],
        "env": changes.get("env", []),
        "volumeMounts": changes.get("mounts", []),
        "resources": changes.get("resources", {}),
        "securityContext": _RESTRICTED,
        **changes.get("container", {}),
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 2,
        "containers": [container],
        "volumes": changes.get("volumes", []),
        **changes.get("pod", {}),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}, **changes.get("spec", {})},
    }


def _if_phase(pod: Any, *phases: str) -> Any:
    return pod if pod is not None and pod["status"]["phase"] in phases else None
