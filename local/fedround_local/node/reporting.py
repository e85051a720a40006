"""What the node writes to the API server, one function a request. Called by the loop; decides nothing."""

from dataclasses import dataclass
from datetime import datetime

from fedround_local.node import registration
from fedround_local.node.api import Api, ApiError
from fedround_local.node.binding import Capacity
from fedround_local.node.pod import Json, Pod
from fedround_local.node.registration import Machine

_CONFLICT, _NOT_FOUND = 409, 404


@dataclass(frozen=True)
class Reporter:
    api: Api
    capacity: Capacity
    machine: Machine
    log_port: int | None

    def register(self) -> None:
        """Makes the Node, or takes the one that is there; repeatable."""
        node = registration.node_object(self.capacity)
        try:
            self.api.create("/api/v1/nodes", node)
        except ApiError as error:
            if error.status != _CONFLICT:
                raise
        # Admission taints a new node until a controller, which does not run here, finds it ready.
        untainted = {"metadata": node["metadata"], "spec": {"taints": None}}
        self.api.patch(f"/api/v1/nodes/{self.capacity.node_name}", untainted)

    def heartbeat(self, *, ready: bool, since: datetime, now: datetime) -> None:
        version = self.api.get("/version")["gitVersion"]
        status = registration.node_status(
            self.capacity, self.machine, self.log_port, version, ready=ready, since=since, now=now
        )
        self.api.patch(f"/api/v1/nodes/{self.capacity.node_name}/status", {"status": status})

    def bind(self, pod: Pod) -> bool:
        """False if somebody else was faster, or the pod is gone."""
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod.name, "uid": pod.uid},
            "target": {"apiVersion": "v1", "kind": "Node", "name": self.capacity.node_name},
        }
        try:
            self.api.create(f"{_path(pod)}/binding", body)
        except ApiError as error:
            if error.status in (_CONFLICT, _NOT_FOUND):
                return False
            raise
        return True

    def report(self, pod: Pod, status: Json) -> Json | None:
        """The pod with this status, or None if it is gone (or another one has its name now)."""
        try:
            return self.api.patch(f"{_path(pod)}/status", {"metadata": {"uid": pod.uid}, "status": status})
        except ApiError as error:
            if error.status in (_CONFLICT, _NOT_FOUND):
                return None
            raise

    def delete(self, pod: Pod) -> None:
        """Lets the object go: its process is gone. Finalizers of others may still hold it for a moment."""
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod.uid}}
        try:
            self.api.delete(_path(pod), options)
        except ApiError as error:
            if error.status not in (_CONFLICT, _NOT_FOUND):
                raise

    def read(self, resource: str, namespace: str, name: str) -> Json | None:
        try:
            return self.api.get(f"/api/v1/namespaces/{namespace}/{resource}/{name}")
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def bind_claim(self, namespace: str, name: str) -> None:
        """Marks a claim as bound, as a provisioner would."""
        claim = self.read("persistentvolumeclaims", namespace, name)
        if claim is None or claim.get("status", {}).get("phase") == "Bound":
            return
        spec = claim["spec"]
        status = {
            "phase": "Bound",
            "accessModes": spec.get("accessModes", []),
            "capacity": spec.get("resources", {}).get("requests", {}),
        }
        self.api.patch(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}/status", {"status": status})


def _path(pod: Pod) -> str:
    return f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"
