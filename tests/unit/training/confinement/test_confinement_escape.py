"""A process in the trainer's place tries to get out: locked in by the launcher, and free, to prove the attempts."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fedround_training.confinement.kernel import Kernel
from support.job_inputs import lesions
from support.kernels import needs_landlock

pytestmark = needs_landlock

Outcomes = Mapping[str, Mapping[str, str]]

ESCAPE = Path(__file__).parents[3] / "support/escape.py"
AS_TRAINER = (
    "import os; from fedround_training import launcher; launcher.TRAINER = 'escape'; launcher.start(os.environ)"
)
LOCKED_IN, FREE = ("-c", AS_TRAINER), ("-P", "-m", "escape")

SOCKETS = ("family 1", "family 2", "family 10", "family 16", "family 17", "family 40", "a pair")
SHUT = [
    *("list the root", "read /etc/passwd", "read another clinic's file", "list another clinic's folder"),
    *("read through a link", "write to an image", "add a file to the images", "remove an image"),
    *("write outside", "make a folder outside", "move a file out", "link a file from outside"),
    *("make a pipe", "make a link", "run a shell", "run a copy of a program"),
    *("read another process's memory", "read another process's environment"),
    "read files by way of another process",
]
# The filter of calls answers, where Landlock does not rule or did not in its first versions.
MARKS = [
    *("empty an image that is opened for reading", "empty an image by its name"),
    *("mark an image with an attribute", "mark an image with a time"),
    "open another clinic's file neither to read nor to write",
    "empty another clinic's file that is opened for neither",
]
OPEN = [
    *("read an image", "write to the workspace", "make and move folders in the workspace", "write the report"),
]


@contextlib.contextmanager
def listening(family: int, address: Any) -> Iterator[socket.socket]:
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        listener.listen()
        yield listener


def attempts(folder: Path, start: tuple[str, ...]) -> Outcomes:
    """What came of each attempt of a trainer that was started so, with much to find outside."""
    workspace, outside = folder / "workspace", folder / "other-clinic"
    workspace.mkdir()
    outside.mkdir()
    lesions(folder / "images", 6)
    (outside / "secret").write_bytes(b"secret")
    (outside / "log").write_bytes(b"log")
    (workspace / "link-to-secret").symlink_to(outside / "secret")
    shutil.copy(ESCAPE, workspace / "escape.py")
    shutil.copy("/bin/true", workspace / "copied")
    abstract = f"fedround-{os.getpid()}-{folder.name}"
    with (
        listening(socket.AF_INET, ("127.0.0.1", 0)) as tcp,
        listening(socket.AF_UNIX, f"\0{abstract}"),
        listening(socket.AF_UNIX, str(outside / "docker.sock")),
        (outside / "secret").open("rb") as secret,
        subprocess.Popen(["sleep", "600"]) as other,
    ):
        environ = {
            **os.environ,
            "PYTHONPATH": str(workspace),
            "FEDROUND_WORKSPACE": str(workspace),
            "FEDROUND_IMAGES": str(folder / "images"),
            "FEDROUND_REPORT": str(folder / "termination-log"),
            "ESCAPE_OUTSIDE": str(outside),
            "ESCAPE_OTHER_PROCESS": str(other.pid),
            "ESCAPE_DESCRIPTOR": str(secret.fileno()),
            "ESCAPE_PORT": str(tcp.getsockname()[1]),
            "ESCAPE_ABSTRACT": abstract,
        }
        try:
            done = subprocess.run(
                [sys.executable, *start],
                env=environ,
                cwd=folder,
                pass_fds=[secret.fileno()],
                capture_output=True,
                text=True,
                check=False,
                timeout=100,
            )
        finally:
            other.kill()
    assert done.returncode == 0, done.stderr[-2000:]
    found: Outcomes = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def locked_in(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return attempts(tmp_path_factory.mktemp("locked-in"), LOCKED_IN)


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return attempts(tmp_path_factory.mktemp("free"), FREE)


@pytest.mark.parametrize("where", ["", " in a thread", " in a fork", " in another interpreter"])
def test_no_socket_of_any_kind_can_be_opened(locked_in: Outcomes, where: str) -> None:
    assert locked_in[f"sockets{where}"] == dict.fromkeys(SOCKETS, "EPERM")


def test_nothing_that_listens_outside_can_be_reached(locked_in: Outcomes) -> None:
    assert locked_in["listeners"] == {"tcp": "EPERM", "abstract": "EPERM", "by path": "EPERM"}


def test_no_other_way_into_the_kernel_is_open(locked_in: Outcomes) -> None:
    calls = dict(locked_in["calls"])
    as_if_not_there = {
        "clone3",
        "openat2",
        "a_call_newer_than_the_lock",
        "a socket by the x32 interface",
    } & calls.keys()

    assert {calls.pop(name) for name in as_if_not_there} == {"ENOSYS"}
    assert calls == dict.fromkeys(calls, "EPERM")
    assert len(calls) >= 19


@pytest.mark.parametrize("attempt", SHUT)
def test_what_is_not_the_trainers_is_shut(locked_in: Outcomes, attempt: str) -> None:
    assert locked_in["files"][attempt] in ("EACCES", "EXDEV")


@pytest.mark.parametrize("attempt", MARKS)
def test_what_landlock_does_not_rule_on_is_shut_by_the_filter(locked_in: Outcomes, attempt: str) -> None:
    assert locked_in["files"][attempt] == "EPERM"


def test_a_file_that_was_open_before_is_closed(locked_in: Outcomes) -> None:
    assert locked_in["files"]["read what was handed in"] == "EBADF"


def test_the_program_cannot_be_changed(locked_in: Outcomes) -> None:
    assert locked_in["files"]["write to the program"] == "EACCES"


def test_other_processes_cannot_be_signalled_where_the_kernel_knows_scopes(locked_in: Outcomes) -> None:
    assert locked_in["files"]["signal another process"] == ("EPERM" if Kernel().landlock_version() >= 6 else "done")


@pytest.mark.parametrize("attempt", OPEN)
def test_what_training_needs_is_open(locked_in: Outcomes, attempt: str) -> None:
    assert locked_in["files"][attempt] == "done"


def test_without_the_lock_the_same_attempts_succeed(free: Outcomes) -> None:
    """What fails above fails by the lock, and not because the attempt is wrong."""
    assert {free[f"sockets{where}"][name] for where in ("", " in a fork") for name in ("family 1", "a pair")} == {
        "done"
    }
    assert free["listeners"] == {"tcp": "done", "abstract": "done", "by path": "done"}
    # The others may be shut by settings of the machine too (Yama), or be missing in its file system.
    attempted = [name for name in [*SHUT, *MARKS] if "memory" not in name and "attribute" not in name]
    assert {name: free["files"][name] for name in attempted} == dict.fromkeys(attempted, "done")
    assert free["files"]["read what was handed in"] == "done"
    assert (free["calls"]["connect"], free["calls"]["openat2"]) == ("EBADF", "EINVAL")
