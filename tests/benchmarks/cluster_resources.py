"""What the pods of a network take while a round runs on real clusters: memory at its highest, CPU time, bytes sent.

    PYTHONPATH=tests:images python -m benchmarks.cluster_resources

Makes four clusters, as `make e2e` does, and needs what that needs. Figures are the kubelets' own (`/stats/summary`),
asked for every second: what a pod holds for less than that may be missed.
"""

import json
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.clusters.access import Access
from support.clusters.programs import why_not
from support.e2e.made import clusters
from support.e2e.network import Network, duration, training
from support.e2e.places import CLINIC_NAMESPACE, HUB_NAMESPACE, NETWORK

_PERIOD_SECONDS = 1.0


@dataclass
class Taken:
    """What one kind of pod has taken, in the pod that took the most."""

    memory_bytes: int = 0
    cpu_seconds: float = 0.0
    received_bytes: int = 0
    sent_bytes: int = 0


class Watcher:
    """Asks every kubelet, until it is told to stop."""

    def __init__(self, network: Network) -> None:
        self._clusters, self._stop = network.ground.all(), threading.Event()
        self._nodes = {id(one): one.get("nodes")["items"][0]["metadata"]["name"] for one in self._clusters}
        self._roles: dict[tuple[int, str], str] = {}
        self.taken: dict[str, Taken] = {}
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_PERIOD_SECONDS):
            for cluster in self._clusters:
                raw = f"/api/v1/nodes/{self._nodes[id(cluster)]}/proxy/stats/summary"
                answer = cluster.try_kubectl("get", "--raw", raw)
                for pod in json.loads(answer.stdout or "{}").get("pods", []):
                    self._note(cluster, pod)

    def _note(self, cluster: Access, pod: Mapping[str, Any]) -> None:
        space, name = pod["podRef"]["namespace"], pod["podRef"]["name"]
        if space not in (CLINIC_NAMESPACE, HUB_NAMESPACE, NETWORK):
            return
        taken = self.taken.setdefault(self._role(cluster, space, name), Taken())
        network = pod.get("network", {})
        taken.memory_bytes = max(taken.memory_bytes, pod.get("memory", {}).get("workingSetBytes", 0))
        taken.cpu_seconds = max(taken.cpu_seconds, pod.get("cpu", {}).get("usageCoreNanoSeconds", 0) / 1e9)
        taken.received_bytes = max(taken.received_bytes, network.get("rxBytes", 0))
        taken.sent_bytes = max(taken.sent_bytes, network.get("txBytes", 0))

    def _role(self, cluster: Access, space: str, name: str) -> str:
        key = (id(cluster), name)
        if key not in self._roles:
            labels = (cluster.try_get("pod", name, "-n", space) or {}).get("metadata", {}).get("labels", {})
            self._roles[key] = labels.get("fedround.dev/role") or labels.get("app.kubernetes.io/component") or name
        return self._roles[key]


def main() -> int:
    """Run one round and print the table; the exit code."""
    if reason := why_not():
        print(reason, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="fedround-clusters-") as folder, clusters(Path(folder, "clusters")) as made:
        network = Network(made, Path(folder, "network"))
        network.draw()
        network.install_hub()
        for name in network.clinics:
            network.enrol(name)
        network.upload_test_set()
        network.make_model()
        with Watcher(network) as watcher:
            network.start_round("measured", training=training(epochs=8, learningRate="0.02"))
            ended = network.ended_round("measured")
        print(f"{ended['status']['phase']}, {ended['status']['participation']}; {duration(ended)}")
        print(f"{'pod':<14}{'memory MiB':>12}{'CPU s':>10}{'received KB':>14}{'sent KB':>10}")
        for role, one in sorted(watcher.taken.items()):
            line = f"{role:<14}{one.memory_bytes / 2**20:>12.0f}{one.cpu_seconds:>10.1f}"
            print(f"{line}{one.received_bytes / 1000:>14.0f}{one.sent_bytes / 1000:>10.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
