"""What tests run inside of pods, and what comes back."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from support.clusters.access import Access

#: Opens a connection to each host:port; prints `open`, or why not. What enforces policies drops or rejects.
REACH = """
import errno, json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def reach(target):
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except TimeoutError:
        return "dropped"
    except socket.gaierror:
        return "no name"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "open"
targets = sys.argv[1:]
with ThreadPoolExecutor(16) as pool:
    print(json.dumps(dict(zip(targets, pool.map(reach, targets)))))
"""
#: The ports on which anything of the pod's network namespace listens. In hexadecimal; 0A is LISTEN.
LISTENING = """
import json
ports = set()
for name in ("tcp", "tcp6"):
    for line in open(f"/proc/net/{name}").read().splitlines()[1:]:
        cells = line.split()
        if cells[3] == "0A":
            ports.add(int(cells[1].rpartition(":")[2], 16))
print(json.dumps(sorted(ports)))
"""
#: Writes a trainer that tries to get out into the workspace, and becomes it by the real launcher.
_LOCKED = """
import os, sys
from pathlib import Path
from fedround_training import launcher
folder = Path(os.environ["FEDROUND_WORKSPACE"])
(folder / "reaching.py").write_text(sys.argv[1].replace("sys.argv[1:]", repr(sys.argv[2:])))
launcher.TRAINER = "reaching"
launcher.start({**os.environ, "PYTHONPATH": str(folder)})
"""


def reach(access: Access, namespace: str, pod: str, targets: Sequence[str]) -> Mapping[str, str]:
    """What a process in a running pod can connect to."""
    found: Mapping[str, str] = _python(access, namespace, pod, REACH, *targets)
    return found


def listening(access: Access, namespace: str, pod: str) -> Sequence[int]:
    """The ports on which anything listens in a running pod."""
    found: Sequence[int] = _python(access, namespace, pod, LISTENING)
    return found


def reach_locked_in(access: Access, namespace: str, pod: str, targets: Sequence[str]) -> Mapping[str, str]:
    """What a process that the launcher of `train` has locked in can connect to, from a running pod."""
    found: Mapping[str, str] = _python(access, namespace, pod, _LOCKED, REACH, *targets)
    return found


def waiting_pod(name: str, namespace: str, image: Mapping[str, str], labels: Mapping[str, str], port: int = 0) -> Any:
    """A pod that does nothing until it is removed; with a port, it answers there. Allowed by `restricted`."""
    security = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    wait = ["python3", "-c", "import signal; signal.sigwait({signal.SIGTERM})"]
    container = {
        "name": "probe",
        **image,
        "command": ["python3", "-m", "http.server", str(port)] if port else wait,
        "securityContext": security,
        "volumeMounts": [{"name": one, "mountPath": f"/{one}"} for one in ("workspace", "images", "tmp")],
        "env": [{"name": f"FEDROUND_{one.upper()}", "value": f"/{one}"} for one in ("workspace", "images")],
    }
    user = {"runAsNonRoot": True, "runAsUser": 65532, "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": user,
            "containers": [container],
            "volumes": [{"name": one, "emptyDir": {}} for one in ("workspace", "images", "tmp")],
        },
    }


def _python(access: Access, namespace: str, pod: str, script: str, *arguments: str) -> Any:
    answer = access.kubectl("exec", pod, "-n", namespace, "--", "python3", "-c", script, *arguments)
    return json.loads(answer.splitlines()[-1])
