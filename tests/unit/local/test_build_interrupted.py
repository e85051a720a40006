"""A build of the control plane that is interrupted leaves no compiler behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from fedround_local.controlplane import CONTROLPLANE, _Progress, _run

# It stands for `go`, which runs compilers of its own: here one that takes for ever.
_GO = """#!/bin/sh
if [ "$1" = version ]; then echo "go version go1.99.0 linux/amd64"; exit; fi
sleep 300 &
echo $! >"$COMPILER"
wait
"""
_BUILD = """
import sys
from fedround_cli.failures import guarded
from fedround_local.controlplane import ensure_controlplane
sys.exit(guarded(lambda: bool(ensure_controlplane(print))))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_go_and_its_compilers_end_with_the_command(number: signal.Signals, tmp_path: Path) -> None:
    compiler = tmp_path / "compiler"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "go").write_text(_GO)
    (tmp_path / "bin" / "go").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "FEDROUND_CACHE_DIR": str(tmp_path / "cache"),
        "COMPILER": str(compiler),
    }
    command = subprocess.Popen([sys.executable, "-c", _BUILD], env=environment, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while not (compiler.exists() and compiler.read_text().endswith("\n")):
        assert time.monotonic() < until, "the build has not begun"
        time.sleep(0.02)
    running = psutil.Process(int(compiler.read_text()))
    go = running.parent()
    assert go is not None

    command.send_signal(number)
    _, said = command.communicate(timeout=30)

    assert command.returncode == 130
    assert said == "fedround: interrupted; nothing that this command had started is left running\n"
    for one in psutil.wait_procs([go, running], timeout=10)[1]:
        one.kill()
        assert one.status() == psutil.STATUS_ZOMBIE, f"{one} is left running"


def test_an_interrupt_right_after_a_program_has_started_ends_that_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[psutil.Process] = []

    class Interrupted(subprocess.Popen[str]):
        """Ctrl-C comes when the process runs, before anybody has a name for it."""

        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **settings)
            started.append(psutil.Process(self.pid))
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)

    with pytest.raises(KeyboardInterrupt):
        _run(["/bin/sleep", "300"], tmp_path, {}, _Progress(CONTROLPLANE, print))

    (left,) = started
    if left.is_running():
        left.kill()
        pytest.fail(f"{left} is left running")
