"""The reconcile loop: workers take keys from the queue and reconcile them until the queue closes.

It knows nothing of kinds. A reconciler reads the world, decides, acts and writes; what it returns says when to come
back and whom to wake. Errors of the API put the key back with a growing delay; anything else is a defect, which ends
the process (``kit.process``), so that Kubernetes restarts it and the defect shows.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from fedround_operator.kit import metrics
from fedround_operator.kit.errors import ApiError, Conflict
from fedround_operator.kit.health import Turns
from fedround_operator.kit.resources import Object, Resource
from fedround_operator.kit.workqueue import WorkQueue

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Key:
    """An object to reconcile."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True)
class Outcome:
    """What a reconcile asks for: to be called again, and other keys to be looked at."""

    again_seconds: float | None = None
    wake: tuple[Key, ...] = field(default=())


Reconciler = Callable[[Key], Outcome]
EventKeys = Callable[[Object, bool], Iterable[Key]]
"""From an object and whether it is gone to the keys that have to look at it."""


@dataclass(frozen=True)
class Scope:
    """What is watched in one namespace, or in all of them with None."""

    namespace: str | None
    watched: Mapping[Resource, EventKeys]


class Controller:
    """Runs reconcilers, one for each kind, on a few threads."""

    def __init__(self, reconcilers: Mapping[str, Reconciler], turns: Turns, workers: int = 2) -> None:
        self.queue: WorkQueue[Key] = WorkQueue(waited=metrics.QUEUE_WAIT_SECONDS.observe)
        metrics.QUEUE_DEPTH.set_function(self.queue.depth)
        self._reconcilers, self._turns = reconcilers, turns
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True) for number in range(workers)
        ]

    def start(self) -> None:
        """Start the workers."""
        self._turns.start()
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_seconds: float = 20.0) -> bool:
        """Let each worker finish its key, then end; whether all have, in this time."""
        self.queue.close()
        until = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def reconcile(self, key: Key) -> None:
        """Work on one key, and say to the queue how it went."""
        self._turns.begin(key)
        try:
            outcome = self._reconcilers[key.kind](key)
        except Conflict as error:
            log.debug("conflict key=%s error=%s", key, error)
            self._count(key, "conflict")
            self.queue.failed(key)
        except ApiError as error:
            self._count(key, "error")
            delay = self.queue.failed(key)
            log.warning("reconcile failed key=%s retry_seconds=%.2f error=%s", key, delay, error)
        else:
            self._count(key, "done")
            self.queue.done(key)
            if outcome.again_seconds is not None:
                self.queue.add_after(key, outcome.again_seconds)
            for other in outcome.wake:
                self.queue.add(other)

    def _work(self) -> None:
        while (key := self.queue.take()) is not None:
            self.reconcile(key)

    def _count(self, key: Key, result: str) -> None:
        metrics.RECONCILES.labels(key.kind, result).inc()
        metrics.RECONCILE_SECONDS.labels(key.kind).observe(self._turns.end(key))
