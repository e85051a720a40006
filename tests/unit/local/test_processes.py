"""Background processes: found again, never mistaken for another, and gone when stopped."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fedround_local.errors import NotReady, ProcessDied
from fedround_local.processes import Processes, ProcessSpec

_SLEEPER = ProcessSpec("sleeper", ("/bin/sleep", "100"))


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    found = Processes(tmp_path)
    yield found
    for name in found.names():
        found.stop(name, timeout_seconds=1)


def test_a_process_is_started_once_and_stopped(processes: Processes) -> None:
    assert processes.ensure_running(_SLEEPER) is True
    assert processes.ensure_running(_SLEEPER) is False
    pid = processes.pid("sleeper")
    processes.stop("sleeper")
    assert processes.alive("sleeper") is False
    assert pid is not None
    assert not psutil.pid_exists(pid)


def test_another_command_finds_and_stops_it(processes: Processes) -> None:
    processes.ensure_running(_SLEEPER)
    later = Processes(processes.state)
    assert later.pid("sleeper") == processes.pid("sleeper")
    later.stop("sleeper")
    assert processes.alive("sleeper") is False


def test_a_recycled_process_id_is_neither_alive_nor_stopped(processes: Processes) -> None:
    record = processes.state / "run" / "stranger.json"
    record.parent.mkdir()
    stranger = subprocess.Popen(["/bin/sleep", "100"])
    try:
        record.write_text(json.dumps({"pid": stranger.pid, "created": 1.0}))
        assert processes.alive("stranger") is False
        processes.stop("stranger")
        assert stranger.poll() is None
        assert not record.exists()
    finally:
        stranger.kill()
        stranger.wait()


def test_a_process_that_ignores_sigterm_is_killed_with_its_children(processes: Processes, tmp_path: Path) -> None:
    script = f"trap '' TERM; sleep 100 & echo $! >{tmp_path}/child; wait; wait"
    processes.ensure_running(ProcessSpec("stubborn", ("/bin/sh", "-c", script)))
    processes.wait_until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text() != "", "the child")
    child = psutil.Process(int((tmp_path / "child").read_text()))
    processes.stop("stubborn", timeout_seconds=0.2)
    assert processes.alive("stubborn") is False
    processes.wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "its end")


def test_waiting_for_a_process_that_dies_shows_the_end_of_its_log(processes: Processes) -> None:
    processes.ensure_running(ProcessSpec("brief", ("/bin/sh", "-c", "echo no such file; exit 1")))
    with pytest.raises(ProcessDied, match=r"(?s)brief ended while waiting for a port.*no such file"):
        processes.wait_until(lambda: False, "a port", needs=("brief",), timeout_seconds=5)


def test_waiting_ends_when_time_is_up(processes: Processes) -> None:
    with pytest.raises(NotReady, match="a port: not ready after 0 s"):
        processes.wait_until(lambda: False, "a port", timeout_seconds=0)


def test_only_what_was_started_here_is_stopped_on_interrupt(processes: Processes) -> None:
    processes.ensure_running(_SLEEPER)
    later = Processes(processes.state)
    later.ensure_running(_SLEEPER)
    later.ensure_running(ProcessSpec("second", ("/bin/sleep", "100")))
    later.stop_started()
    assert later.alive("second") is False
    assert later.alive("sleeper") is True


def test_a_successor_that_another_object_has_started_is_found_and_stopped(tmp_path: Path) -> None:
    first, second = Processes(tmp_path), Processes(tmp_path)
    first.ensure_running(ProcessSpec("agent", ("sleep", "60")))
    psutil.Process(first.pid("agent")).kill()
    first.wait_until(lambda: not first.alive("agent"), "the end of the first", needs=(), timeout_seconds=10)
    second.ensure_running(ProcessSpec("agent", ("sleep", "60")))

    assert first.alive("agent")
    first.stop("agent")

    assert not second.alive("agent")
