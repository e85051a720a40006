"""What `fedround local status` tells: processes, addresses, namespaces and kubeconfigs of a federation."""

from typing import Any

import psutil

from fedround_api import names
from fedround_local.federation import layout, runtime
from fedround_local.federation.federation import ADMINISTRATOR, Federation


def read_status(federation: Federation) -> dict[str, Any]:
    """The state of a federation as JSON data.

    Raises:
        StateUnusable: there is none in the folder.
    """
    record = federation.record()
    parts = federation.parts(record)
    clinics = list(record.clinics)
    processes = {name: _process(federation, name) for name in federation.processes.names()}
    return {
        "state": str(federation.place.state),
        "running": federation.cluster.status()["ready"] and _all_run(federation, clinics),
        "processes": processes,
        "addresses": {
            "kube-apiserver": federation.cluster.server,
            "objectstore": federation.store.address,
            "gateway": f"https://{parts.gateway.settings.address}",
            **{name: f"http://127.0.0.1:{port}/metrics" for name, port in record.metrics_ports.items()},
        },
        "namespaces": {
            "network": layout.NETWORK_NAMESPACE,
            "system": layout.SYSTEM_NAMESPACE,
            "clinics": {
                clinic: {"hub": names.clinic_namespace(clinic), "local": layout.local_namespace(clinic)}
                for clinic in clinics
            },
        },
        "kubeconfigs": {
            "admin": str(federation.place.kubeconfig(ADMINISTRATOR)),
            "operator": str(federation.place.kubeconfig(runtime.OPERATOR)),
            "agents": {
                clinic: {
                    "hub": str(federation.place.kubeconfig(f"{runtime.agent_name(clinic)}-hub")),
                    "local": str(federation.place.kubeconfig(runtime.agent_name(clinic))),
                }
                for clinic in clinics
            },
        },
        "model": layout.MODEL,
        "clinics": dict(record.clinics),
        "testCases": record.test_cases,
    }


def _process(federation: Federation, name: str) -> dict[str, Any]:
    pid = federation.processes.pid(name)
    memory = None
    if pid is not None:
        try:
            memory = psutil.Process(pid).memory_info().rss
        except psutil.NoSuchProcess:
            pid = None
    return {"running": pid is not None, "pid": pid, "memoryBytes": memory}


def _all_run(federation: Federation, clinics: list[str]) -> bool:
    wanted = ["objectstore", "gateway", runtime.NODE, runtime.OPERATOR, *map(runtime.agent_name, clinics)]
    return all(federation.processes.alive(name) for name in wanted)
