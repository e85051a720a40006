"""Signs of life of a process, and what follows from them for the probes of Kubernetes.

What keeps a process from being *alive* is what a restart could mend: a thread that is stuck, a watch that is no longer
tried. *Ready* is that it can do its work. An API server that is away makes nothing less alive: it would be away after a
restart too.
"""

import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from fedround_operator.kit import metrics
from fedround_operator.kit.resources import Resource

Clock = Callable[[], float]
Check = Callable[[], str]
"""A sentence on what is wrong; empty where nothing is."""


class Pulse:
    """When something last gave a sign of life; safe for threads."""

    def __init__(self, silence: str, limit_seconds: float, clock: Clock = time.monotonic) -> None:
        """`silence` says what it means that no sign has come, such as ``no key was reconciled``."""
        self._silence, self._limit_seconds, self._clock = silence, limit_seconds, clock
        self._last: float | None = None

    def beat(self) -> None:
        """Note a sign of life now."""
        self._last = self._clock()

    def stopped(self) -> str:
        """Whether it came once, and then no more: what has not begun yet has not stopped."""
        return "" if self._last is None else self._silent_since(self._last)

    def missing(self) -> str:
        """Whether it has stopped, or never came."""
        return f"{self._silence} yet" if self._last is None else self._silent_since(self._last)

    def _silent_since(self, last: float) -> str:
        passed = self._clock() - last
        return f"{self._silence} for {passed:.0f} s" if passed > self._limit_seconds else ""


# Something is reconciled at least once a minute (a sweep), also while an API server is away: then it fails. A reconcile
# makes a few calls of at most 25 s each.
TURN_LIMIT_SECONDS = 300.0


class Turns:
    """The reconciles of one process: which are going on, and when the last one ended."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._ends = Pulse("nothing was reconciled", TURN_LIMIT_SECONDS, clock)
        self._begun: dict[Hashable, float] = {}

    def start(self) -> None:
        """Note that workers wait for keys from now on."""
        self._ends.beat()

    def begin(self, key: Hashable) -> None:
        """Note that a key is being worked on."""
        self._begun[key] = self._clock()

    def end(self, key: Hashable) -> float:
        """Note that the work on a key has ended, well or not; how long it took, in seconds."""
        self._ends.beat()
        return self._clock() - self._begun.pop(key)

    def stopped(self) -> str:
        """Which reconcile does not end, or that there are none any more."""
        now = self._clock()
        stuck = (
            f"the reconcile of {key} has not ended for {now - begun:.0f} s"
            for key, begun in self._begun.copy().items()
            if now - begun > TURN_LIMIT_SECONDS
        )
        return next(stuck, "") or self._ends.stopped()


# A watch is opened anew each minute, or given up after 70 s without a word, then tried again within 20 s; a listing may
# take 30 s. Twice and three times the longest of these.
ANSWER_LIMIT_SECONDS = 200.0
ATTEMPT_LIMIT_SECONDS = 300.0


class Watches:
    """The watches of one process: when each was last tried, and when the API server last answered it."""

    def __init__(self, resources: Iterable[Resource], clock: Clock = time.monotonic) -> None:
        names = [resource.plural for resource in resources]
        self._tried = {
            name: Pulse(f"the watch of {name} was not tried", ATTEMPT_LIMIT_SECONDS, clock) for name in names
        }
        self._answered = {
            name: Pulse(f"the API server has not answered the watch of {name}", ANSWER_LIMIT_SECONDS, clock)
            for name in names
        }

    def tried(self, name: str) -> None:
        """Note a request for a kind, by its plural; other names are no watches of ours."""
        if name in self._tried:
            self._tried[name].beat()

    def answered(self, name: str) -> None:
        """Note an answer, or an event."""
        if name in self._answered:
            self._answered[name].beat()
            metrics.WATCH_ANSWERED.labels(name).set_to_current_time()

    def stopped(self) -> str:
        """Which watch is no longer tried: its task has ended, or the event loop is stuck."""
        return _first(pulse.stopped() for pulse in self._tried.values())

    def missing(self) -> str:
        """Which kind is not watched now."""
        return _first(pulse.missing() for pulse in self._answered.values())


@dataclass(frozen=True)
class Health:
    """What is looked at for each probe, the gravest first."""

    alive: Sequence[Check]
    ready: Sequence[Check]

    def why_not_alive(self) -> str:
        """What a restart could mend; empty where nothing is wrong."""
        return _first(check() for check in self.alive)

    def why_not_ready(self) -> str:
        """What keeps the process from its work; empty where nothing does."""
        return self.why_not_alive() or _first(check() for check in self.ready)


def _first(problems: Iterable[str]) -> str:
    return next(filter(None, problems), "")
