"""A builder of pods as the API server shows them, for the tests of the process node."""

from typing import Any

from fedround_local.node.pod import Pod, parse_pod


def make_pod(name: str = "train", **changes: Any) -> Pod:
    """A pending, unbound pod of image "shell". Changes: `node`, `created`, `cpu`, `memory`, `phase`, `deleting`,
    `container`, `spec`, `status`, `volumes`."""
    requests = {key: changes[key] for key in ("cpu", "memory") if key in changes}
    meta: dict[str, Any] = {
        "uid": f"uid-{name}",
        "namespace": "clinic-north",
        "name": name,
        "resourceVersion": "7",
        "creationTimestamp": changes.get("created", "2026-11-24T08:00:00Z"),
    }
    if changes.get("deleting"):
        meta |= {"deletionTimestamp": "2026-11-24T09:00:00Z", "deletionGracePeriodSeconds": 5}
    container = {
        "name": "main",
        "image": "shell",
        "resources": {"requests": requests},
        **changes.get("container", {}),
    }
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": changes.get("volumes", []),
        **changes.get("spec", {}),
    }
    if "node" in changes:
        spec["nodeName"] = changes["node"]
    status = {"phase": changes.get("phase", "Pending"), **changes.get("status", {})}
    return parse_pod({"metadata": meta, "spec": spec, "status": status})
