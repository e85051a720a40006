"""How commands fail: one sentence, the right exit code, a document with --json, and never a traceback."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fedround_cli.failures import UsageProblem, guarded
from fedround_local.errors import StateUnusable

Action = Callable[[], int]


def failing(error: BaseException) -> Action:
    def action() -> int:
        raise error

    return action


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """What a command sets for its process must not stay with the tests."""
    # The tests themselves may run under nohup.
    before = {
        number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


ERRORS = [
    (StateUnusable("there is no federation in x; make one"), 1, "there is no federation in x; make one"),
    (UsageProblem("--a does not go with --b"), 2, "--a does not go with --b"),
    (
        OSError(errno.ENOSPC, "No space left on device", "/data/etcd"),
        1,
        "No space left on device at /data/etcd: free some room, or name a folder on another disk",
    ),
    (
        PermissionError(errno.EACCES, "Permission denied", "/srv/photos"),
        1,
        "Permission denied at /srv/photos: give your user the right to it, or name another place",
    ),
    (
        OSError(errno.ENOSPC, "No space left on device", "/photos/1.jpg", None, "/data/1.jpg"),
        1,
        "No space left on device at /data/1.jpg: free some room, or name a folder on another disk",
    ),
    (OSError(errno.EROFS, "Read-only file system"), 1, "Read-only file system: name a place that can be written to"),
    (
        FileNotFoundError(errno.ENOENT, "No such file or directory", "photos"),
        1,
        "No such file or directory at photos: look at the path for a typing error",
    ),
    (
        ModuleNotFoundError("No module named 'rich'", name="rich.console"),
        1,
        "the package rich is missing: install the extra that has it, in a checkout `pip install '.[local]'`",
    ),
    (
        ModuleNotFoundError("No module named 'torch'", name="torch"),
        1,
        "the package torch is missing: install the extra that has it, in a checkout `pip install '.[training]'`",
    ),
    (
        ModuleNotFoundError("No module named 'kubernetes.client'", name="kubernetes.client"),
        1,
        "the package kubernetes is missing: install the extra that has it, in a checkout `pip install '.[operator]'`",
    ),
    (KeyboardInterrupt(), 130, "interrupted; nothing that this command had started is left running"),
]


@pytest.mark.parametrize(("error", "want_code", "want_sentence"), ERRORS)
def test_an_expected_failure_is_one_sentence_with_what_to_do(
    error: BaseException, want_code: int, want_sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code = guarded(failing(error))

    said = capsys.readouterr()
    assert exit_code == want_code
    assert said.err == f"fedround: {want_sentence}\n"
    assert said.out == ""


@pytest.mark.parametrize(("error", "want_code", "want_sentence"), ERRORS)
def test_with_json_it_is_also_the_one_document(
    error: BaseException, want_code: int, want_sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    guarded(failing(error), as_json=True)

    said = capsys.readouterr()
    assert json.loads(said.out) == {"error": want_sentence, "exitCode": want_code}
    assert said.err == f"fedround: {want_sentence}\n"


def test_a_defect_is_a_sentence_and_its_traceback_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = guarded(failing(ZeroDivisionError("division by zero")))

    said = capsys.readouterr().err
    found = re.fullmatch(
        r"fedround: a defect \(ZeroDivisionError\); its traceback is in (\S+): "
        r"please report it with what you had called\n",
        said,
    )
    assert exit_code == 70
    assert found is not None
    assert "ZeroDivisionError: division by zero" in Path(found[1]).read_text()
    Path(found[1]).unlink()


def test_a_module_of_our_own_that_is_missing_is_a_defect(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = guarded(failing(ModuleNotFoundError("No module named 'fedround_x'", name="fedround_x")), debug=True)

    assert exit_code == 70
    assert "a defect (ModuleNotFoundError)" in capsys.readouterr().err


def test_where_no_file_can_be_written_a_defect_says_how_to_see_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))

    guarded(failing(ZeroDivisionError()))

    assert capsys.readouterr().err == (
        "fedround: a defect (ZeroDivisionError); call it again with --debug and report what that shows\n"
    )


def test_debug_shows_the_traceback_of_any_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guarded(failing(StateUnusable("no federation")), debug=True)
    by_option = capsys.readouterr().err
    monkeypatch.setenv("FEDROUND_DEBUG", "1")
    guarded(failing(StateUnusable("no federation")))
    by_environment = capsys.readouterr().err

    for said in (by_option, by_environment):
        assert said.startswith("Traceback (most recent call last):")
        assert said.endswith("fedround: no federation\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_interrupt_once_where_they_come_together(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    """A closed terminal gives two: the second must not break off the stopping that the first has begun."""
    stopped = []

    def action() -> int:
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(signal.SIGHUP)
            stopped.append("all")
        return 0

    exit_code = guarded(action)

    assert exit_code == 130
    assert stopped == ["all"]
    assert "interrupted" in capsys.readouterr().err


def test_with_nohup_a_closed_terminal_ends_nothing() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def action() -> int:
        signal.raise_signal(signal.SIGHUP)
        return 0

    assert guarded(action) == 0


def test_a_reader_that_has_gone_ends_a_command_quietly() -> None:
    code = "import sys; from fedround_cli.main import main; sys.exit(main(['explain']))"
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run([sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)

    assert done.stderr == ""
    assert done.returncode == 141
