"""One pod's folder and process: start, find again, end, and how it ended.

    STATE/pods/<uid>/{pod.json, pid, exit-code, oom-killed, log, termination-log, volumes/, tmp/}

Everything that must survive the node is in these files: a tiny shell around the container's process writes its id and
its exit code, so that a node that was killed finds both again. Called by the loop, the memory watch and the log
endpoint. It knows nothing of the API.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from fedround_local.node.launch import Launch
from fedround_local.node.status import MESSAGE_LIMIT_BYTES, Outcome

# The trap lets the shell outlive the signal that ends its child (children get the default action back), so that the
# code is written. 128 + n stands for signal n, as in a container.
_SHELL = """trap : TERM INT HUP
folder=$1; shift
echo $$ >"$folder/pid"
"$@"
code=$?
echo $code >"$folder/exit-code"
exit $code
"""
KILLED = 137
_TAIL_BYTES = 16_384
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Sandbox:
    """What this machine holds of one pod. `folder` is named after the pod's uid."""

    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def termination_log(self) -> Path:
        return self.folder / "termination-log"

    @property
    def scratch(self) -> Path:
        return self.folder / "tmp"

    def prepare(self, namespace: str, name: str) -> None:
        """Makes the folder. Whose it is stands in `pod.json`, for the log endpoint and for a human."""
        self.scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.termination_log.touch(mode=0o600)
        (self.folder / "pod.json").write_text(json.dumps({"namespace": namespace, "name": name}))

    def owner(self) -> tuple[str, str] | None:
        """(namespace, name) of the pod."""
        try:
            document = json.loads((self.folder / "pod.json").read_text())
            return document["namespace"], document["name"]
        except (FileNotFoundError, ValueError):
            return None

    def start(self, launch: Launch) -> subprocess.Popen[bytes]:
        """The process, in a session of its own: it does not end with the node."""
        argv = ("/bin/sh", "-c", _SHELL, "fedround-pod", str(self.folder), *launch.argv)
        # Appending, so that a log that is cut from outside goes on at its new end.
        with self.log.open("ab") as output:
            child = subprocess.Popen(
                argv,
                env=dict(launch.env),
                cwd=launch.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # Until its id is on disk the process cannot be found: it would be taken for lost, or started twice.
        while not self.started() and child.poll() is None:
            time.sleep(0.001)
        return child

    def started(self) -> bool:
        """Whether its process was ever started: its id stands there in full."""
        try:
            return (self.folder / "pid").read_text().endswith("\n")
        except FileNotFoundError:
            return False

    def process(self) -> psutil.Process | None:
        """The running process; never another one that got its id: the folder is in its command line."""
        try:
            process = psutil.Process(int((self.folder / "pid").read_text()))
            same = str(self.folder) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
            return process if same else None
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None

    def wait(self, child: subprocess.Popen[bytes] | None) -> None:
        """Returns when the process has ended, ours or one that was adopted; what it left in its group is killed."""
        process = self.process()
        pid = child.pid if child is not None else process.pid if process is not None else None
        if child is not None:
            child.wait()
        # Not `psutil`'s wait: an adopted process may stay a zombie for as long as the machine's init likes.
        while self.process() is not None:
            time.sleep(_POLL_SECONDS)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)

    def kill_leftovers(self) -> None:
        """Ends what outlived the pod's shell, say because somebody killed that: two trainers must not share a volume.

        Where the shell has seen the process end there is nothing to look for.

        A process is the pod's if its environment names the sandbox, as HOME and TMPDIR do for every pod.
        """
        if not self.started() or (self.folder / "exit-code").exists():
            return
        for one in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if one.uids().real == os.getuid() and any(str(self.folder) in it for it in one.environ().values()):
                    one.kill()

    def signal(self, number: signal.Signals) -> None:
        """To the whole process group; SIGKILL also to children that left the group. None there is fine."""
        process = self.process()
        if process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            children = process.children(recursive=True) if number == signal.SIGKILL else []
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.send_signal(number)

    def kill_for_memory(self) -> None:
        (self.folder / "oom-killed").touch()
        self.signal(signal.SIGKILL)

    def started_at(self) -> datetime | None:
        return _modified(self.folder / "pid")

    def outcome(self) -> Outcome:
        """How the process ended, from what is on disk. Without an exit code it was killed, or the machine stopped."""
        finished = _modified(self.folder / "exit-code")
        if (self.folder / "oom-killed").exists():
            finished = finished or _modified(self.folder / "oom-killed")
            return Outcome(KILLED, "OOMKilled", self.started_at(), finished or datetime.now(UTC))
        try:
            code = int((self.folder / "exit-code").read_text())
        except (FileNotFoundError, ValueError):
            return Outcome(KILLED, "ContainerStatusUnknown", self.started_at(), datetime.now(UTC))
        return Outcome(code, "Completed" if code == 0 else "Error", self.started_at(), finished or datetime.now(UTC))

    def last_words(self) -> bytes:
        """The termination message file, as far as it counts."""
        try:
            with self.termination_log.open("rb") as file:
                return file.read(MESSAGE_LIMIT_BYTES)
        except FileNotFoundError:
            return b""

    def log_end(self) -> bytes:
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
                return file.read()
        except FileNotFoundError:
            return b""

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def sandboxes(state: Path) -> dict[str, Sandbox]:
    """Every pod's sandbox below a node's state, by uid."""
    return {path.name: Sandbox(path) for path in (state / "pods").glob("*") if path.is_dir()}


def kill_all(state: Path) -> None:
    """Ends every pod's process of a node that does not run: nothing is left behind. Not running is fine."""
    for one in sandboxes(state).values():
        one.signal(signal.SIGKILL)
        one.kill_leftovers()


def _modified(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
