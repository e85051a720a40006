"""What `fedround local status` tells of a federation: processes, addresses, sizes, kubeconfigs, and the hub's view."""

import shlex
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import psutil
from pydantic import ValidationError

from fedround_api import API_VERSION, names
from fedround_api.kinds import Clinic, FederatedModel, FederatedRound, find_condition
from fedround_api.reasons import Reason
from fedround_local.federation import layout, runtime
from fedround_local.federation.federation import ADMINISTRATOR, BASE, Federation
from fedround_local.federation.sizes import sizes
from fedround_local.node.api import ApiError

_PATH = f"/apis/{API_VERSION}/namespaces/{layout.NETWORK_NAMESPACE}"
_ROUNDS = 5


def read_status(federation: Federation) -> dict[str, Any]:
    """The state of a federation as JSON data; what the hub tells is None where it does not answer.

    Raises:
        StateUnusable: there is none in the folder.
    """
    record = federation.record()
    parts = federation.parts(record)
    clinics = list(record.clinics)
    wanted = [*reversed(BASE), runtime.NODE, runtime.OPERATOR, *map(runtime.agent_name, clinics)]
    known = dict.fromkeys([*wanted, *federation.processes.names()])
    processes = {name: _process(federation, name) for name in known}
    ready = federation.cluster.status()["ready"]
    found = {
        "state": str(federation.place.state),
        "running": ready and all(processes[name]["running"] for name in wanted),
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
        "kubeconfigs": _kubeconfigs(federation, clinics),
        "sizes": dict(sizes(federation.place)),
        "model": layout.MODEL,
        "clinics": dict(record.clinics),
        "testCases": record.test_cases,
        **(_hub_view(federation) if ready else _NO_VIEW),
    }
    return {**found, "advice": list(advice(found))}


def advice(found: Mapping[str, Any]) -> Iterable[str]:
    """What a person should look at or do, most urgent first; nothing where all is well."""
    down = [name for name, process in found["processes"].items() if not process["running"]]
    start = f"`fedround local up --state {shlex.quote(found['state'])}`"
    if len(down) == len(found["processes"]):
        yield f"Nothing runs. Start it with {start}."
        return
    if down:
        logs = ", ".join(f"{name}.log" for name in down)
        yield f"Start again what has ended with {start}; why it ended stands in {found['state']}/logs: {logs}."
    if found["modelStatus"] is None:
        yield f"The Kubernetes API does not answer. If it stays so, look at {found['state']}/logs/kube-apiserver.log."
        return
    if not found["modelStatus"]["ready"]:
        yield from _explained("The model", found["modelStatus"]["reason"])
    away: dict[str, list[str]] = {}
    for clinic, one in found["clinicStatus"].items():
        if not one["available"]:
            away.setdefault(one["reason"], []).append(clinic)
    for reason, clinics in away.items():
        yield from _explained(f"Clinic{'s' * (len(clinics) > 1)} {', '.join(clinics)}", reason)
    for one in found["rounds"]:
        if one["completedAt"] is None:
            yield from _explained(f"Round {one['name']}", one["reason"])


def _explained(who: str, reason: str | None) -> Iterable[str]:
    known = Reason(reason) if reason in set(Reason) else None
    if known is not None and known.action:
        yield f"{who}: {known}. {known.advice}"


_NO_VIEW: Mapping[str, Any] = {"modelStatus": None, "rounds": None, "clinicStatus": None}


def _hub_view(federation: Federation) -> Mapping[str, Any]:
    """Model, last rounds and clinics, as the hub's API server has them."""
    api = federation.api()
    try:
        model = FederatedModel.model_validate(api.get(f"{_PATH}/federatedmodels/{layout.MODEL}"))
        rounds = [FederatedRound.model_validate(one) for one in _last(api.get(f"{_PATH}/federatedrounds")["items"])]
        clinics = [Clinic.model_validate(one) for one in api.get(f"{_PATH}/clinics")["items"]]
    except (ApiError, ValidationError):
        # Away, or an object of another version.
        return _NO_VIEW
    return {
        "modelStatus": model_view(model),
        "rounds": [round_view(one) for one in rounds],
        "clinicStatus": {one.metadata.name: clinic_view(one) for one in clinics},
    }


def _last(rounds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rounds, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"]))[-_ROUNDS:]


def model_view(model: FederatedModel) -> dict[str, Any]:
    """Which version is current, which may be used, and whether the model is ready."""
    ready = find_condition(model.status.conditions, "Ready")
    current, released = model.status.current, model.status.released
    return {
        "ready": ready is not None and ready.status == "True",
        "reason": ready.reason if ready else None,
        "current": {"version": current.version, "digest": current.digest, "round": current.round} if current else None,
        "released": {"version": released.version, "digest": released.digest, "threshold": released.threshold}
        if released
        else None,
    }


def round_view(round_: FederatedRound) -> dict[str, Any]:
    """Where a round stands."""
    status = round_.status
    return {
        "name": round_.metadata.name,
        "phase": status.phase,
        "clinics": status.participation,
        "verdict": status.verdict.result if status.verdict else None,
        "reason": status.reason,
        "startedAt": status.started_at,
        "completedAt": status.completed_at,
    }


def clinic_view(clinic: Clinic) -> dict[str, Any]:
    """What the hub sees of a clinic."""
    available = find_condition(clinic.status.conditions, "Available")
    return {
        "available": available is not None and available.status == "True",
        "reason": available.reason if available else None,
        "caseVolume": clinic.status.case_volume,
        "lastSeen": clinic.status.last_seen,
    }


def _kubeconfigs(federation: Federation, clinics: Iterable[str]) -> dict[str, Any]:
    place = federation.place
    return {
        "admin": str(place.kubeconfig(ADMINISTRATOR)),
        "operator": str(place.kubeconfig(runtime.OPERATOR)),
        "agents": {
            clinic: {
                "hub": str(place.kubeconfig(f"{runtime.agent_name(clinic)}-hub")),
                "local": str(place.kubeconfig(runtime.agent_name(clinic))),
            }
            for clinic in clinics
        },
    }


def _process(federation: Federation, name: str) -> dict[str, Any]:
    pid = federation.processes.pid(name)
    try:
        process = psutil.Process(pid) if pid is not None else None
        if process is not None:
            with process.oneshot():
                times = process.cpu_times()
                return {
                    "running": True,
                    "pid": process.pid,
                    "memoryBytes": process.memory_info().rss,
                    "cpuSeconds": round(times.user + times.system, 1),
                    "since": datetime.fromtimestamp(process.create_time(), UTC).isoformat(timespec="seconds"),
                }
    except psutil.NoSuchProcess:
        pass
    return {"running": False, "pid": None, "memoryBytes": None, "cpuSeconds": None, "since": None}
