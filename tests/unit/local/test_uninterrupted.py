"""What must not be half done is not: an interrupt waits until it is over, and the processes started then are as any."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedround_local.processes import Processes, ProcessSpec, uninterrupted

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def interrupting() -> Iterator[None]:
    """All three end a command in the same way, as the command line has it."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in INTERRUPTS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", INTERRUPTS)
def test_an_interrupt_counts_when_the_stretch_is_over(number: signal.Signals) -> None:
    done: list[str] = []

    def stretch() -> None:
        with uninterrupted():
            signal.raise_signal(number)
            done.append("all")

    with pytest.raises(KeyboardInterrupt):
        stretch()

    assert done == ["all"]


def test_two_interrupts_count_as_one_and_the_next_stretch_is_as_safe() -> None:
    done: list[str] = []

    def stretch() -> None:
        with uninterrupted():
            with uninterrupted():
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGTERM)
                done.append("inner")
            done.append("outer")

    with pytest.raises(KeyboardInterrupt):
        stretch()

    assert done == ["inner", "outer"]


def test_one_that_is_ignored_does_not_hide_the_next() -> None:
    """As under nohup, where a closed terminal ends nothing."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def stretch() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        stretch()


def test_without_an_interrupt_nothing_is_raised() -> None:
    with uninterrupted():
        pass

    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


def test_a_process_that_is_started_in_a_stretch_can_be_interrupted_itself(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    with uninterrupted():
        processes.ensure_running(ProcessSpec("sleeper", ("/bin/sleep", "100")))
    pid = processes.pid("sleeper")
    assert pid is not None
    try:
        os.kill(pid, signal.SIGINT)

        processes.wait_until(lambda: not processes.alive("sleeper"), "its end", timeout_seconds=10)
    finally:
        processes.stop("sleeper", timeout_seconds=1)
