"""The informer: a thread that lists and watches all pods and hands what it sees to the loop's queue.

Called by the loop. After every interruption it lists again, so that nothing is missed for long.
"""

import logging
import queue
import threading
from dataclasses import dataclass

from fedround_local.node.api import Api, ApiError
from fedround_local.node.pod import Json

_log = logging.getLogger(__name__)
# An API server that restarts is back within seconds; asking more often only fills its log.
_RETRY_SECONDS = 0.5
_PODS = "/api/v1/pods"
_GONE = 410


@dataclass(frozen=True)
class Listed:
    pods: tuple[Json, ...]


@dataclass(frozen=True)
class Seen:
    pod: Json


@dataclass(frozen=True)
class Gone:
    pod: Json


@dataclass(frozen=True)
class Exited:
    uid: str


@dataclass(frozen=True)
class Wake:
    """Nothing happened: the loop is to look at the time, or at whether it should stop."""


Event = Listed | Seen | Gone | Exited | Wake


def start_watching(api: Api, events: "queue.SimpleQueue[Event]", stopping: threading.Event) -> threading.Thread:
    def watch() -> None:
        while not stopping.is_set():
            try:
                _list_and_follow(api, events, stopping)
            except ApiError as error:
                if error.status != _GONE:
                    _log.warning("watch interrupted error=%s", error)
                stopping.wait(_RETRY_SECONDS)

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    return thread


def _list_and_follow(api: Api, events: "queue.SimpleQueue[Event]", stopping: threading.Event) -> None:
    listing = api.get(_PODS)
    events.put(Listed(tuple(listing["items"])))
    version = listing["metadata"]["resourceVersion"]
    while not stopping.is_set():
        for kind, pod in api.watch(_PODS, version):
            version = pod["metadata"]["resourceVersion"]
            match kind:
                case "ADDED" | "MODIFIED":
                    events.put(Seen(pod))
                case "DELETED":
                    events.put(Gone(pod))
