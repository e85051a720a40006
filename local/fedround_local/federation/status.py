"""What `fedround local status` tells of a federation: processes, addresses, sizes, kubeconfigs, and the hub's view."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psutil

from fedround_api import API_VERSION, names
from fedround_api.kinds import Clinic, FederatedModel, FederatedRound, Kind, find_condition
from fedround_api.reasons import Reason
from fedround_local.federation import layout, runtime
from fedround_local.federation.federation import ADMINISTRATOR, BASE, Federation
from fedround_local.federation.sizes import sizes
from fedround_local.node.api import ApiError
from fedround_operator.kit.errors import ObjectUnreadable
from fedround_operator.kit.reading import read_kind
from fedround_operator.kit.resources import Object

K = TypeVar("K", bound=Kind)
View = dict[str, Any]

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
    start = f"`{layout.Layout(Path(found['state'])).up_command}`"
    if len(down) == len(found["processes"]):
        yield f"Nothing runs. Start it with {start}."
        return
    if down:
        logs = ", ".join(f"{name}.log" for name in down)
        yield f"Start again what has ended with {start}; why it ended stands in {found['state']}/logs: {logs}."
    if found["clinicStatus"] is None:
        yield f"The Kubernetes API does not answer. If it stays so, look at {found['state']}/logs/kube-apiserver.log."
        return
    for sentence in found["unreadable"]:
        yield f"{sentence}: it was written by another version than this program, which leaves it out here."
    if found["modelStatus"] and not found["modelStatus"]["ready"]:
        yield from _explained("The model", found["modelStatus"]["reason"])
    yield from _away(found["clinicStatus"])
    for one in found["rounds"]:
        if one["completedAt"] is None:
            yield from _explained(f"Round {one['name']}", one["reason"])


def _away(clinics: Mapping[str, Any]) -> Iterable[str]:
    """A sentence for each reason, whatever the number of clinics."""
    away: dict[str | None, list[str]] = {}
    for clinic, one in clinics.items():
        if not one["available"]:
            away.setdefault(one["reason"], []).append(clinic)
    for reason, those in away.items():
        yield from _explained(f"Clinic{'s' * (len(those) > 1)} {', '.join(those)}", reason)


def _explained(who: str, reason: str | None) -> Iterable[str]:
    known = Reason(reason) if reason in set(Reason) else None
    if known is not None and known.action:
        yield f"{who}: {known}. {known.advice}"


_NO_VIEW: Mapping[str, Any] = {"modelStatus": None, "rounds": None, "clinicStatus": None, "unreadable": []}


def _hub_view(federation: Federation) -> Mapping[str, Any]:
    """Model, last rounds and clinics, as the hub's API server has them."""
    api = federation.api()
    try:
        model = api.get(f"{_PATH}/federatedmodels/{layout.MODEL}")
        rounds = api.get(f"{_PATH}/federatedrounds")["items"]
        clinics = api.get(f"{_PATH}/clinics")["items"]
    except ApiError:
        return _NO_VIEW
    return hub_view(model, _last(rounds), clinics)


def hub_view(model: Object, rounds: Sequence[Object], clinics: Sequence[Object]) -> Mapping[str, Any]:
    """What these objects tell; one that cannot be read hides none of the others, and `unreadable` has its sentence."""
    unreadable: list[str] = []

    def views(kind: type[K], objects: Sequence[Object], view: Callable[[K], View]) -> dict[str, View]:
        seen = {}
        for one in objects:
            try:
                seen[one["metadata"]["name"]] = view(read_kind(kind, one))
            except ObjectUnreadable as error:
                unreadable.append(str(error))
        return seen

    return {
        "modelStatus": views(FederatedModel, [model], model_view).get(layout.MODEL),
        "rounds": list(views(FederatedRound, rounds, round_view).values()),
        "clinicStatus": views(Clinic, clinics, clinic_view),
        "unreadable": unreadable,
    }


def _last(rounds: Sequence[Object]) -> Sequence[Object]:
    return sorted(rounds, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"]))[-_ROUNDS:]


def model_view(model: FederatedModel) -> View:
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


def round_view(round_: FederatedRound) -> View:
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


def clinic_view(clinic: Clinic) -> View:
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
