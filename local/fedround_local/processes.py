"""Background processes of the federation: start, adopt, stop, and wait for them to be of use.

They are daemons: they outlive the command that started them, and the next command finds them again by
`STATE/run/<name>.json`, which holds the process id *and* its start time, so that a recycled id is never signalled.
Output goes to `STATE/logs/<name>.log`. Called by the cluster, the gateway, the store and the federation; knows nothing
of what it runs.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from fedround_local.errors import NotReady, ProcessDied

Report = Callable[[str], None]

# Two seconds is the promise of `fedround local`: whatever takes longer says what it is doing.
_QUIET_SECONDS = 2.0
_POLL_SECONDS = 0.05
# Causes that a user of the machine can mend; behind them a log may have a long trace.
_CAUSES = ("no space left", "address already in use", "permission denied", "too many open files", "cannot allocate")
_LINE_CHARACTERS = 300
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A log is kept over restarts, for the reader's sake; one old generation of it is enough.
_LOG_LIMIT_BYTES = 20 * 2**20


@dataclass(frozen=True)
class ProcessSpec:
    """How to run one process. `env` is the whole environment, or None for that of the starter."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None


@dataclass
class Processes:
    """The processes below one state folder."""

    state: Path
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _started: list[str] = field(default_factory=list)

    def ensure_running(self, spec: ProcessSpec) -> bool:
        """Starts it unless it runs. True if it was started now."""
        if self.alive(spec.name):
            return False
        log = self.log_path(spec.name)
        for folder in (self._record(spec.name).parent, log.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.old"))
        # An interrupt between the two would leave a process that no command finds again.
        with log.open("ab") as output, uninterrupted():
            child = subprocess.Popen(
                spec.argv,
                env=spec.env,
                cwd=spec.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._children[spec.name] = child
            self._write_record(spec.name, child.pid)
            self._started = [name for name in self._started if name != spec.name] + [spec.name]
        return True

    def alive(self, name: str) -> bool:
        return self._find(name) is not None

    def pid(self, name: str) -> int | None:
        """The process id, or None if it does not run."""
        process = self._find(name)
        return None if process is None else process.pid

    def names(self) -> tuple[str, ...]:
        """Everything that has a record here, running or not."""
        return tuple(sorted(path.stem for path in (self.state / "run").glob("*.json")))

    def log_path(self, name: str) -> Path:
        return self.state / "logs" / f"{name}.log"

    def stop(self, name: str, timeout_seconds: float = 10.0) -> None:
        """SIGTERM, and SIGKILL for it and all that it started if it is not gone in time. Not running is fine."""
        process = self._find(name)
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                family = [*process.children(recursive=True), process]
                process.terminate()
                if not self._ends_within(name, timeout_seconds):
                    for one in family:
                        with contextlib.suppress(psutil.NoSuchProcess):
                            one.kill()
                    self._ends_within(name, timeout_seconds)
        self._children.pop(name, None)
        self._started = [one for one in self._started if one != name]
        self._record(name).unlink(missing_ok=True)

    def stop_started(self, timeout_seconds: float = 10.0) -> None:
        """Stops what this object started and nothing else, the last one first: for Ctrl-C during `up`."""
        for name in reversed(list(self._started)):
            self.stop(name, timeout_seconds)

    def wait_until(
        self,
        condition: Callable[[], bool],
        what: str,
        *,
        needs: tuple[str, ...] = (),
        timeout_seconds: float = 60.0,
        report: Report | None = None,
    ) -> None:
        """Returns when `condition()` holds; reports `what` if that takes longer than 2 s.

        Raises ProcessDied, with the line of its log that tells most, as soon as one of `needs` has ended; NotReady when
        time is up.
        """
        begun = time.monotonic()
        said = False
        while True:
            holds = condition()
            # Also when it holds: a foreign process on the same port may have given the answer.
            for name in needs:
                if not self.alive(name):
                    raise ProcessDied(f"{name} ended while waiting for {what}: {self._last_words(name)}")
            if holds:
                return
            waited = time.monotonic() - begun
            if waited > timeout_seconds:
                logs = ", ".join(str(self.log_path(name)) for name in needs)
                look = f"; look for the cause in {logs}" if logs else ""
                raise NotReady(f"{what}: not ready after {timeout_seconds:.0f} s{look}")
            if report is not None and not said and waited > _QUIET_SECONDS:
                report(f"waiting for {what}")
                said = True
            time.sleep(_POLL_SECONDS)

    def log_tail(self, name: str, lines: int = 15) -> str:
        """The last lines of its log, from every run so far."""
        try:
            with self.log_path(name).open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 16_384))
                return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    def _last_words(self, name: str) -> str:
        """Why it may have ended, in one line: what a person knows how to mend before the last line of all."""
        lines = [line.strip() for line in self.log_tail(name, 60).splitlines() if line.strip()]
        telling = [line for line in lines if any(sign in line.lower() for sign in _CAUSES)]
        last = (telling or lines or ["it said nothing"])[-1]
        return f"{last[:_LINE_CHARACTERS]} (all of it in {self.log_path(name)})"

    def _ends_within(self, name: str, timeout_seconds: float) -> bool:
        # Not `psutil`'s wait: a process that was adopted may stay a zombie for as long as the machine's init likes.
        until = time.monotonic() + timeout_seconds
        while self.alive(name):
            if time.monotonic() > until:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _record(self, name: str) -> Path:
        return self.state / "run" / f"{name}.json"

    def _write_record(self, name: str, pid: int) -> None:
        try:
            created = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            created = 0.0
        part = self._record(name).with_suffix(".part")
        part.write_text(json.dumps({"pid": pid, "created": created}))
        part.replace(self._record(name))

    def _find(self, name: str) -> psutil.Process | None:
        child = self._children.get(name)
        # Reaps it, too; another object over the same state may have started the next one since.
        ended = child.pid if child is not None and child.poll() is not None else None
        try:
            record = json.loads(self._record(name).read_text())
            if record["pid"] == ended:
                return None
            process = psutil.Process(record["pid"])
            # Kernel time stamps have a resolution of 10 ms, and two readings of one differ by rounding.
            same = abs(process.create_time() - record["created"]) < 0.05
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, ValueError, KeyError, psutil.NoSuchProcess):
            return None


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """A stretch that Ctrl-C, SIGTERM and a closed terminal do not break: they count when it is over.

    For what must not be half done: stopping a federation, or starting a process and writing down that it runs.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    # A function, not SIG_IGN: that would be inherited by the processes which are started here.
    before = {number: signal.signal(number, lambda number, _frame: came.append(number)) for number in _INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        # The first one that is not ignored raises, and with that ends the loop.
        for received in came:
            signal.raise_signal(received)
