"""The work queue: each key at most once, one worker a key at a time, later work on a heap, failures with backoff.

Informers add keys, workers take them. A key that is added while a worker has it is given out again afterwards, so
that no change is missed (the rules of client-go's workqueue).
"""

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_RETRY_SECONDS = 0.25
# A key that keeps failing is tried about twice a minute: often enough to recover soon after an outage, seldom enough
# to not load an API server that is down.
LAST_RETRY_SECONDS = 30.0
# A platform cannot wait for arbitrarily long; a worker that wakes up once an hour for nothing costs nothing.
LONGEST_WAIT_SECONDS = 3600.0


class WorkQueue(Generic[K]):
    """Keys waiting for a worker; safe for threads."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, waited: Callable[[float], None] | None = None
    ) -> None:
        """`waited` is told the seconds that each key which is given out has waited since it was due."""
        self._clock, self._waited = clock, waited
        self._changed = threading.Condition()
        self._ready: dict[K, float] = {}
        self._taken: set[K] = set()
        self._again: set[K] = set()
        self._later: list[tuple[float, int, K]] = []
        self._due: dict[K, float] = {}
        self._order = itertools.count()
        self._failures: dict[K, int] = {}
        self._closed = False

    def add(self, key: K) -> None:
        """Ask for the key to be worked on, soon."""
        with self._changed:
            self._add(key)
            self._changed.notify()

    def add_after(self, key: K, delay_seconds: float) -> None:
        """Ask for the key to be worked on after a delay. A key has one such request at most, the earliest."""
        with self._changed:
            due = self._clock() + max(0.0, delay_seconds)
            if due < self._due.get(key, math.inf):
                self._due[key] = due
                heapq.heappush(self._later, (due, next(self._order), key))
                self._changed.notify()

    def take(self) -> K | None:
        """The next key, waiting for one; nothing once the queue is closed."""
        with self._changed:
            while not self._closed:
                wait = self._move_due()
                if self._ready:
                    key = next(iter(self._ready))
                    since = self._ready.pop(key)
                    self._taken.add(key)
                    if self._waited is not None:
                        self._waited(self._clock() - since)
                    if self._ready:
                        self._changed.notify()  # several keys may have fallen due at once, and one worker woke up
                    return key
                self._changed.wait(None if wait is None else min(wait, LONGEST_WAIT_SECONDS))
            return None

    def done(self, key: K) -> None:
        """The worker has finished with the key, well."""
        self._release(key)
        with self._changed:
            self._failures.pop(key, None)

    def failed(self, key: K) -> float:
        """The worker could not finish: the key comes back after a growing delay, which is returned, in seconds."""
        with self._changed:
            count = self._failures.get(key, 0)
            self._failures[key] = count + 1
        delay = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(count, 20))
        self._release(key)
        self.add_after(key, delay)
        return delay

    def close(self) -> None:
        """Send all workers home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def depth(self) -> int:
        """How many keys wait for a worker now."""
        with self._changed:
            return len(self._ready)

    def _add(self, key: K) -> None:
        if key in self._taken:
            self._again.add(key)
        else:
            self._ready.setdefault(key, self._clock())

    def _release(self, key: K) -> None:
        with self._changed:
            self._taken.discard(key)
            if key in self._again:
                self._again.discard(key)
                self._ready[key] = self._clock()
                self._changed.notify()

    def _move_due(self) -> float | None:
        """Make what is due ready; the seconds until the next one is due, if any."""
        now = self._clock()
        while self._later and (self._later[0][0] <= now or self._is_stale(self._later[0])):
            entry = heapq.heappop(self._later)
            if not self._is_stale(entry):
                del self._due[entry[2]]
                self._add(entry[2])
        return self._later[0][0] - now if self._later else None

    def _is_stale(self, entry: tuple[float, int, K]) -> bool:
        """Whether an earlier request has taken the entry's place."""
        return self._due.get(entry[2]) != entry[0]
