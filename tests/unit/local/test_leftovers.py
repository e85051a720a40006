"""Answers count from our own processes only, and nothing of a pod outlives its shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fedround_local.errors import ProcessDied
from fedround_local.node.sandbox import Sandbox
from fedround_local.processes import Processes


def test_an_answer_of_a_foreign_process_does_not_count(tmp_path: Path) -> None:
    with pytest.raises(ProcessDied, match="objectstore ended while waiting for the object store"):
        Processes(tmp_path).wait_until(lambda: True, "the object store", needs=("objectstore",))


def sleeper(folder: Path) -> "subprocess.Popen[bytes]":
    """A process of a pod whose shell is gone: its temporary folder lies in the sandbox."""
    return subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env={**os.environ, "TMPDIR": str(folder / "tmp")}
    )


def make_sandbox(tmp_path: Path) -> Sandbox:
    sandbox = Sandbox(tmp_path / "pods" / "uid")
    sandbox.folder.mkdir(parents=True)
    (sandbox.folder / "pid").write_text("4194304\n")
    return sandbox


def test_a_trainer_that_outlived_its_shell_is_ended(tmp_path: Path) -> None:
    sandbox = make_sandbox(tmp_path)
    trainer, other = sleeper(sandbox.folder), sleeper(tmp_path / "pods" / "other")
    try:
        sandbox.kill_leftovers()

        assert trainer.wait(timeout=10) == -9
        assert other.poll() is None
    finally:
        for one in (trainer, other):
            one.kill()
            one.wait()


def test_where_the_shell_has_seen_the_end_nothing_is_looked_for(tmp_path: Path) -> None:
    sandbox = make_sandbox(tmp_path)
    (sandbox.folder / "exit-code").write_text("0\n")
    helper = sleeper(sandbox.folder)
    try:
        sandbox.kill_leftovers()

        assert helper.poll() is None
    finally:
        helper.kill()
        helper.wait()
