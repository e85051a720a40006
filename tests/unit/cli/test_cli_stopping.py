"""Who is told that a federation is being stopped may press Ctrl-C at once: it is stopped all the same."""

import io
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from fedround_cli import demo
from fedround_cli.main import main
from fedround_local.errors import NotReady
from fedround_local.federation.layout import Layout
from fedround_local.processes import Processes, ProcessSpec


class Impatient(io.StringIO):
    """A reader that presses Ctrl-C as soon as it reads of stopping."""

    def write(self, text: str) -> int:
        written = super().write(text)
        if "stopping" in text:
            signal.raise_signal(signal.SIGINT)
        return written


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Those of a federation of which only one runs."""
    state = tmp_path / "state"
    with Layout(state).claimed(new=True):
        found = Processes(state)
        found.ensure_running(ProcessSpec("etcd", ("/bin/sleep", "300")))
    yield found
    found.stop("etcd", timeout_seconds=1)


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """What a command sets for its process must not stay with the tests."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_local_down_is_not_broken_off(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Impatient())

    exit_code = main(["local", "down", "--state", str(processes.state)])

    assert exit_code == 130
    assert not processes.alive("etcd")


@pytest.mark.parametrize("fails", [False, True])
def test_a_demo_that_has_ended_well_or_not_is_stopped(
    fails: bool, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rounds themselves are for the tests of whole federations: here they are over at once."""

    def rounds(*_: object) -> tuple[list[NoReturn], None]:
        if fails:
            raise NotReady("the gateway is not ready")
        return [], None

    monkeypatch.setattr(demo, "run_demo", rounds)
    monkeypatch.setattr(sys, "stdout", Impatient())

    exit_code = main(["demo", "--state", str(processes.state)])

    assert exit_code == 130
    assert not processes.alive("etcd")
