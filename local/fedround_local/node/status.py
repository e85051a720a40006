"""The status of a pod, as the kubelet would write it, from what is known of its process. Pure. Called by the loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fedround_local.node.pod import Json, Pod, Unmet

MESSAGE_LIMIT_BYTES = 4096
_LOG_LINES_IN_MESSAGE = 80
_LOG_BYTES_IN_MESSAGE = 2048
_ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Outcome:
    """How a process ended. `reason` is the kubelet's word: Completed, Error, OOMKilled, ContainerStatusUnknown."""

    exit_code: int
    reason: str
    started: datetime | None
    finished: datetime


def waiting(pod: Pod, unmet: Unmet, now: datetime) -> Json:
    """The container cannot be made yet."""
    state = {"waiting": {"reason": unmet.reason, "message": unmet.message}}
    return _status(pod, "Pending", state, {}, ready=("False", "ContainersNotReady"), now=now)


def running(pod: Pod, started: datetime, pid: int, now: datetime) -> Json:
    state = {"running": {"startedAt": timestamp(started)}}
    extra = {"started": True, "ready": True, "containerID": f"process://{pid}"}
    return _status(pod, "Running", state, extra, ready=("True", None), now=now)


def ended(pod: Pod, outcome: Outcome, message: str, now: datetime) -> Json:
    terminated = {
        "exitCode": outcome.exit_code,
        "reason": outcome.reason,
        "startedAt": timestamp(outcome.started or outcome.finished),
        "finishedAt": timestamp(outcome.finished),
    }
    if message:
        terminated["message"] = message
    succeeded = outcome.exit_code == 0
    phase, reason = ("Succeeded", "PodCompleted") if succeeded else ("Failed", "PodFailed")
    return _status(pod, phase, {"terminated": terminated}, {"started": False}, ready=("False", reason), now=now)


def termination_message(written: bytes, log: bytes, policy: str, exit_code: int) -> str:
    """What the container left as its last word, or, with FallbackToLogsOnError, the end of the log of a failed one."""
    if not written and exit_code != 0 and policy == "FallbackToLogsOnError":
        written = b"\n".join(log.splitlines()[-_LOG_LINES_IN_MESSAGE:])[-_LOG_BYTES_IN_MESSAGE:]
    return written[:MESSAGE_LIMIT_BYTES].decode(errors="ignore")


def unschedulable(pod: Pod, message: str, now: datetime) -> Json:
    """The status patch for a pod that does not fit now."""
    return {"conditions": _conditions(pod, {"PodScheduled": ("False", "Unschedulable", message)}, now)}


def gist(wanted: Json) -> tuple[str, ...]:
    """What of a status is worth a report: times alone are not."""
    state = wanted["containerStatuses"][0]["state"].get("waiting", {})
    return (wanted["phase"], state.get("reason", ""), state.get("message", ""))


def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _status(pod: Pod, phase: str, state: Json, extra: Json, *, ready: tuple[str, str | None], now: datetime) -> Json:
    container = {
        "name": pod.container["name"],
        "image": pod.container["image"],
        "imageID": pod.container["image"],
        "restartCount": 0,
        "ready": False,
        "started": False,
        "state": state,
        **extra,
    }
    verdict, reason = ready
    conditions = {
        "PodReadyToStartContainers": ("True" if phase == "Running" else "False", None, None),
        "Initialized": ("True", reason if phase == "Succeeded" else None, None),
        "Ready": (verdict, reason, None),
        "ContainersReady": (verdict, reason, None),
    }
    return {
        "phase": phase,
        "hostIP": _ADDRESS,
        "hostIPs": [{"ip": _ADDRESS}],
        "podIP": _ADDRESS,
        "podIPs": [{"ip": _ADDRESS}],
        "startTime": pod.raw.get("status", {}).get("startTime") or timestamp(now),
        "containerStatuses": [container],
        "conditions": _conditions(pod, conditions, now),
    }


def _conditions(pod: Pod, wanted: Mapping[str, tuple[str, str | None, str | None]], now: datetime) -> list[Json]:
    """Only ours: a strategic merge keeps the others by their type. The time moves when the status does."""
    present = {one["type"]: one for one in pod.conditions}
    found: list[Json] = []
    for kind, (value, reason, message) in wanted.items():
        before = present.get(kind, {})
        since = before.get("lastTransitionTime") if before.get("status") == value else None
        one: Json = {"type": kind, "status": value, "lastTransitionTime": since or timestamp(now)}
        # An explicit null takes away what an earlier report said.
        found.append(one | {"reason": reason, "message": message})
    return found
