"""Ctrl-C, SIGTERM and a closed terminal leave nothing running, in every phase, and say so."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from fedround_training.data.dermoscopy import write_synthetic_folder
from support.federation_fixture import wait_for

SAID = "fedround: interrupted; nothing that this command had started is left running"
IMAGES, SEED = 90, 5
SECONDS = 110.0


@dataclass
class Command:
    """`fedround` as a person runs it, with its output in a file."""

    state: Path
    output: Path
    process: "subprocess.Popen[bytes]"

    def says(self, words: str) -> None:
        """Returns when it has said so."""

        def look() -> bool:
            ended = self.process.poll()
            said = words in self.text()
            assert said or ended is None, f"ended with {ended}: {self.text()}"
            return said

        wait_for(look, f"it says {words!r}; so far: {self.text()}", SECONDS)

    def text(self) -> str:
        return self.output.read_text()

    def ends(self) -> int:
        return self.process.wait(SECONDS)


@dataclass
class Place:
    """A state folder, images for it, and what runs of it."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def start(self, *arguments: str) -> Command:
        output = self.folder / f"output-{arguments[-1]}"
        command = [sys.executable, "-m", "fedround_cli.main", *arguments, "--state", str(self.state)]
        # Under nohup the tests ignore it, and so would the command.
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        try:
            with output.open("wb") as file:
                started = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
        finally:
            signal.signal(signal.SIGHUP, before)
        return Command(self.state, output, started)

    def running(self) -> dict[int, list[str]]:
        """Every process that has the state folder in its command line, its environment or as its working directory."""
        found = {}
        for one in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                told = [*one.cmdline(), *one.environ().values(), one.cwd()]
                if one.status() != psutil.STATUS_ZOMBIE and any(str(self.state) in words for words in told):
                    found[one.pid] = one.cmdline()
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    for pid in made.running():
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(pid).kill()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interrupts") / "images"
    write_synthetic_folder(folder, IMAGES, SEED)
    return folder


def test_ctrl_c_while_the_control_plane_starts(place: Place, images: Path) -> None:
    command = place.start("local", "up", "--data", str(images), "--clinics", "2")
    command.says("starting the control plane")
    wait_for(lambda: len(place.running()) >= 3, "etcd and the API server run beside the command", 30)

    command.process.send_signal(signal.SIGINT)

    assert command.ends() == 130
    assert command.text().endswith(f"{SAID}\n")
    assert place.running() == {}


def test_a_closed_terminal_while_operator_and_agents_start(place: Place, images: Path) -> None:
    """The kernel and the shell both tell it, and an impatient person has pressed Ctrl-C twice."""
    command = place.start("local", "up", "--data", str(images), "--clinics", "2")
    command.says("starting the operator")

    for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGINT):
        command.process.send_signal(number)
    command.says("stopping what was started")
    # Later than signals that count as one.
    time.sleep(1)
    command.process.send_signal(signal.SIGINT)

    assert command.ends() == 130
    assert command.text().endswith(f"{SAID}\n")
    assert place.running() == {}


def test_sigterm_while_the_clinics_train(place: Place, images: Path) -> None:
    command = place.start("demo", "--data", str(images), "--clinics", "2", "--rounds", "1")
    command.says("Training (")
    wait_for(lambda: any("fedround_training" in " ".join(line) for line in place.running().values()), "a Job runs", 60)

    command.process.send_signal(signal.SIGTERM)

    assert command.ends() == 130
    assert command.text().endswith(f"{SAID}\n")
    assert place.running() == {}


def test_ctrl_c_while_it_stops(place: Place, images: Path) -> None:
    up = place.start("local", "up", "--data", str(images), "--clinics", "2")
    assert up.ends() == 0, up.text()
    assert len(place.running()) >= 8
    down = place.start("local", "down")
    down.says("stopping")

    down.process.send_signal(signal.SIGINT)

    assert down.ends() == 130
    assert down.text().endswith(f"{SAID}\n")
    assert place.running() == {}
