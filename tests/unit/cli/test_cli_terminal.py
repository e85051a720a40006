"""Progress lines: for a log file as for a terminal, and never in the way of the work that they tell of."""

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from fedround_cli.console import Terminal
from fedround_cli.terminal import Progress, program


@pytest.fixture
def nobody_reads() -> Iterator[IO[str]]:
    """A pipe whose reader has gone, as after Ctrl-C on `fedround demo | tee log`."""
    reading, writing = os.pipe()
    os.close(reading)
    file = os.fdopen(writing, "w", buffering=1)
    yield file
    # What was never written cannot be flushed either.
    with pytest.raises(BrokenPipeError):
        file.close()


def test_work_goes_on_where_nobody_listens_any_more(nobody_reads: IO[str]) -> None:
    progress = Progress(nobody_reads)

    progress("stopping the federation")
    progress("stopped")


def test_a_result_that_nobody_reads_is_an_error(nobody_reads: IO[str]) -> None:
    with pytest.raises(BrokenPipeError):
        Terminal(file=nobody_reads).print("a table")


def test_in_a_log_file_a_line_is_plain_text_in_one_piece() -> None:
    written = io.StringIO()

    Progress(written)("[bold]600 cases[/bold] in /srv/photos: " + "nv 1, " * 20)

    assert re.fullmatch(r"00:00 \[bold\]600 cases\[/bold\] in /srv/photos: (nv 1, ){20}\n", written.getvalue())


class Shown(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_in_a_terminal_the_clock_is_dim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    written = Shown()

    Progress(written)("600 images")

    assert written.getvalue() == "\x1b[2m00:00\x1b[0m 600 images\n"


def test_in_a_terminal_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    written = Shown()

    Terminal(file=written, force_terminal=True).print("[red]down[/red]")
    Progress(written)("600 images")

    assert written.getvalue() == "down\n00:00 600 images\n"


def test_a_call_to_paste_names_the_program_as_it_was_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "my tools" / "fedround"
    installed.parent.mkdir()
    installed.touch(mode=0o755)
    monkeypatch.setattr("sys.argv", [str(installed)])
    assert program() == f"'{installed}'"

    monkeypatch.setenv("PATH", str(installed.parent))
    assert program() == "fedround"

    monkeypatch.setattr("sys.argv", [str(installed.parent / "kubectl-fedround")])
    assert program() == "kubectl fedround"
