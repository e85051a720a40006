"""The node's one thread: it takes events, decides with the pure modules, and acts. Called by `__main__`.

Level-triggered: every event only says which pod to look at again; what happens depends on the pod as last seen and on
what is on disk. So the node may be killed anywhere and be started again.
"""

import logging
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fedround_local.node import status
from fedround_local.node.api import ApiError
from fedround_local.node.binding import Capacity, place
from fedround_local.node.decision import Process, Step, decide
from fedround_local.node.launch import plan_launch, prefix_of
from fedround_local.node.memory import Watched, start_watch
from fedround_local.node.pod import Json, Pod, Unmet, parse_pod, unsupported
from fedround_local.node.reporting import Reporter
from fedround_local.node.sandbox import Sandbox, sandboxes
from fedround_local.node.volumes import Volumes
from fedround_local.node.watching import Event, Exited, Gone, Listed, Seen, Wake, start_watching

_log = logging.getLogger(__name__)
# Nothing takes the node for dead without it; it is there for whoever reads `kubectl describe node`.
_HEARTBEAT_SECONDS = 60.0
# A missing Secret is usually a second late; a longer wait would be paid by every Job that is.
_RETRY_SECONDS = 1.0
_STOP_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Settings:
    state: Path
    capacity: Capacity
    images: Mapping[str, tuple[str, ...]]


class Node:
    def __init__(self, settings: Settings, reporter: Reporter) -> None:
        self._settings = settings
        self._reporter = reporter
        self._volumes = Volumes(settings.state, reporter.read)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._pods: dict[str, Pod] = {}
        # What the API server was told last, so that a stale event is not answered with the same report again.
        self._told: dict[str, tuple[str, ...]] = {}
        self._followed: set[str] = set()
        self._removed: set[str] = set()
        self._kill_at: dict[str, float] = {}
        self._retry_at: dict[str, float] = {}
        self._limits: dict[Sandbox, int | None] = {}
        self._beat_at = 0.0
        self._ready_since = datetime.now(UTC)

    def stop(self) -> None:
        """Asks the loop to end; safe in a signal handler."""
        self._stopping.set()
        self._events.put(Wake())

    def run(self) -> None:
        """Until `stop`. Then running pods are ended too: their exit codes are reported at the next start."""
        start_watching(self._reporter.api, self._events, self._stopping)
        start_watch(self._watched, self._stopping)
        while not self._stopping.is_set():
            self._beat()
            touched = self._take_events()
            self._due(touched)
            for uid in touched:
                self._attend(uid)
            self._bind()
        self._end_all()

    def _take_events(self) -> set[str]:
        """Waits for something to do, and returns the pods to look at."""
        touched: set[str] = set()
        try:
            self._apply(self._events.get(timeout=self._patience()), touched)
            while True:
                self._apply(self._events.get_nowait(), touched)
        except queue.Empty:
            return touched

    def _apply(self, event: Event, touched: set[str]) -> None:
        match event:
            case Listed(pods):
                self._pods = {one.uid: one for one in map(parse_pod, pods)}
                touched.update(self._pods)
                touched.update(sandboxes(self._settings.state))
            case Seen(raw):
                pod = parse_pod(raw)
                known = self._pods.get(pod.uid)
                # Our own reports are answered before the watch shows them: an older view must not come back.
                if known is None or pod.version > known.version:
                    self._pods[pod.uid] = pod
                    touched.add(pod.uid)
            case Gone(raw):
                self._pods.pop(raw["metadata"]["uid"], None)
                touched.add(raw["metadata"]["uid"])
            case Exited(uid):
                touched.add(uid)
            case Wake():
                pass

    def _attend(self, uid: str) -> None:
        """Brings one pod as far as it can be brought now; an API server that is away only delays it."""
        self._retry_at.pop(uid, None)
        try:
            pod = self._pods.get(uid)
            if pod is None:
                self._forget(uid)
            elif pod.node_name == self._settings.capacity.node_name:
                self._advance(pod)
        except ApiError as error:
            _log.warning("request failed pod=%s error=%s", uid, error)
            self._retry_at[uid] = time.monotonic() + _RETRY_SECONDS

    def _advance(self, pod: Pod) -> None:
        sandbox = self._sandbox(pod.uid)
        process = self._process(sandbox)
        match decide(pod, process):
            case Step.START:
                self._start(pod, sandbox)
            case Step.REPORT:
                self._report(pod, sandbox, process)
            case Step.TERMINATE:
                self._terminate(pod, sandbox)
            case Step.REMOVE if pod.uid not in self._removed:
                self._reporter.delete(pod)
                self._removed.add(pod.uid)

    def _start(self, pod: Pod, sandbox: Sandbox) -> None:
        try:
            child = self._launch(pod, sandbox)
        except (Unmet, OSError) as error:
            unmet = error if isinstance(error, Unmet) else Unmet("CreateContainerError", str(error))
            self._tell(pod, status.waiting(pod, unmet, datetime.now(UTC)))
            self._retry_at[pod.uid] = time.monotonic() + _RETRY_SECONDS
            return
        _log.info("started pod=%s/%s pid=%d", pod.namespace, pod.name, child.pid)
        self._follow(pod, sandbox, child)
        self._tell(pod, status.running(pod, sandbox.started_at() or datetime.now(UTC), child.pid, datetime.now(UTC)))
        for claim in self._volumes.claims(pod):
            self._reporter.bind_claim(pod.namespace, claim)

    def _launch(self, pod: Pod, sandbox: Sandbox) -> "subprocess.Popen[bytes]":
        refused = unsupported(pod)
        if refused is not None:
            raise Unmet("CreateContainerConfigError", refused)
        prefix = prefix_of(pod.container["image"], self._settings.images)
        sandbox.prepare(pod.namespace, pod.name)
        folders = self._volumes.mount(pod, sandbox.folder) | {pod.termination_path: sandbox.termination_log}
        launch = plan_launch(
            pod, prefix, folders, sandbox.scratch, lambda kind, ref: self._volumes.read_key(pod, kind, ref)
        )
        return sandbox.start(launch)

    def _follow(self, pod: Pod, sandbox: Sandbox, child: "subprocess.Popen[bytes] | None") -> None:
        """A thread that waits for the end of a process, our child or an adopted one: so the end is known at once."""
        if pod.uid in self._followed:
            return
        self._followed.add(pod.uid)
        self._limits = self._limits | {sandbox: pod.memory_limit_bytes}

        def wait() -> None:
            sandbox.wait(child)
            self._events.put(Exited(pod.uid))

        threading.Thread(target=wait, name=f"wait-{pod.name}", daemon=True).start()

    def _report(self, pod: Pod, sandbox: Sandbox, process: Process) -> None:
        now = datetime.now(UTC)
        running = sandbox.process() if process is Process.RUNNING else None
        if running is not None:
            self._follow(pod, sandbox, None)
            self._tell(pod, status.running(pod, sandbox.started_at() or now, running.pid, now))
            return
        sandbox.kill_leftovers()
        outcome = sandbox.outcome()
        policy = pod.container.get("terminationMessagePolicy", "File")
        message = status.termination_message(sandbox.last_words(), sandbox.log_end(), policy, outcome.exit_code)
        _log.info("ended pod=%s/%s code=%d reason=%s", pod.namespace, pod.name, outcome.exit_code, outcome.reason)
        self._tell(pod, status.ended(pod, outcome, message, now))

    def _terminate(self, pod: Pod, sandbox: Sandbox) -> None:
        self._follow(pod, sandbox, None)
        now = time.monotonic()
        if pod.uid not in self._kill_at:
            sandbox.signal(signal.SIGTERM)
        # A second deletion may have shortened the grace period.
        self._kill_at[pod.uid] = min(self._kill_at.get(pod.uid, float("inf")), now + pod.grace_seconds)

    def _tell(self, pod: Pod, wanted: Json) -> None:
        """Reports a status unless it was the last thing told, and takes the answer as the newest view of the pod."""
        gist = status.gist(wanted)
        if self._told.get(pod.uid) == gist:
            return
        answer = self._reporter.report(pod, wanted)
        self._told[pod.uid] = gist
        if answer is None:
            return
        self._pods[pod.uid] = parse_pod(answer)
        if self._pods[pod.uid].terminal:
            self._events.put(Exited(pod.uid))

    def _bind(self) -> None:
        placement = place(self._pods.values(), self._settings.capacity)
        try:
            for pod in placement.bind:
                if self._reporter.bind(pod):
                    raw = pod.raw | {"spec": pod.raw["spec"] | {"nodeName": self._settings.capacity.node_name}}
                    self._pods[pod.uid] = parse_pod(raw)
                    self._attend(pod.uid)
            for pod, message in placement.waiting:
                self._tell_waiting(pod, message)
        except ApiError as error:
            _log.warning("binding failed error=%s", error)
            self._events.put(Wake())
            self._stopping.wait(_RETRY_SECONDS)

    def _tell_waiting(self, pod: Pod, message: str) -> None:
        if not any(one.get("message") == message for one in pod.conditions):
            answer = self._reporter.report(pod, status.unschedulable(pod, message, datetime.now(UTC)))
            if answer is not None:
                self._pods[pod.uid] = parse_pod(answer)

    def _forget(self, uid: str) -> None:
        """The object is gone: so is its process, at once, and its folder."""
        sandbox = self._sandbox(uid)
        if sandbox.process() is not None:
            sandbox.signal(signal.SIGKILL)
            self._retry_at[uid] = time.monotonic() + _RETRY_SECONDS
            return
        sandbox.kill_leftovers()
        sandbox.remove()
        self._followed.discard(uid)
        self._removed.discard(uid)
        for known in (self._told, self._kill_at, self._retry_at):
            known.pop(uid, None)
        self._limits = {one: limit for one, limit in self._limits.items() if one != sandbox}

    def _process(self, sandbox: Sandbox) -> Process:
        if sandbox.process() is not None:
            return Process.RUNNING
        return Process.ENDED if sandbox.started() else Process.ABSENT

    def _sandbox(self, uid: str) -> Sandbox:
        return Sandbox(self._settings.state / "pods" / uid)

    def _watched(self) -> Watched:
        return self._limits

    def _due(self, touched: set[str]) -> None:
        now = time.monotonic()
        touched.update(uid for uid, due in self._retry_at.items() if due <= now)
        for uid in [uid for uid, due in self._kill_at.items() if due <= now]:
            del self._kill_at[uid]
            self._sandbox(uid).signal(signal.SIGKILL)

    def _patience(self) -> float:
        due = min([self._beat_at, *self._retry_at.values(), *self._kill_at.values()])
        return max(0.0, due - time.monotonic())

    def _beat(self) -> None:
        if time.monotonic() < self._beat_at:
            return
        try:
            self._reporter.register()
            self._reporter.heartbeat(ready=True, since=self._ready_since, now=datetime.now(UTC))
            self._beat_at = time.monotonic() + _HEARTBEAT_SECONDS
        except ApiError as error:
            _log.warning("heartbeat failed error=%s", error)
            self._beat_at = time.monotonic() + _RETRY_SECONDS

    def _end_all(self) -> None:
        running = [one for one in sandboxes(self._settings.state).values() if one.process() is not None]
        for one in running:
            one.signal(signal.SIGTERM)
        until = time.monotonic() + _STOP_GRACE_SECONDS
        while any(one.process() is not None for one in running) and time.monotonic() < until:
            time.sleep(0.05)
        for one in running:
            one.signal(signal.SIGKILL)
        try:
            self._reporter.heartbeat(ready=False, since=datetime.now(UTC), now=datetime.now(UTC))
        except ApiError as error:
            _log.info("stopped without saying so error=%s", error)
