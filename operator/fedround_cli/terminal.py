"""How commands speak to people while they work: progress lines, and how to call this program again."""

import contextlib
import shlex
import shutil
import sys
import time
from pathlib import Path

from rich.console import Console

from fedround_cli.arguments.parsers import program_name


class Terminal(Console):
    """A console whose reader may go away: that is said by an exception, as by `print`; rich would end the program."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Progress:
    """Lines with the seconds since the start, on one stream."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()

    def __call__(self, line: str) -> None:
        """Say what is being done. Where nobody listens any more, the work goes on, above all that of stopping."""
        elapsed = int(time.monotonic() - self._begun)
        with contextlib.suppress(OSError):
            self._console.print(f"[dim]{elapsed // 60:02d}:{elapsed % 60:02d}[/dim] ", end="")
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def program() -> str:
    """How to call this program again, ready to be pasted."""
    if program_name() == "kubectl fedround":
        return program_name()
    called = Path(sys.argv[0])
    if called.suffix == ".py":
        return f"{shlex.quote(sys.executable)} -m fedround_cli.main"
    found = shutil.which(called.name)
    return called.name if found and called.exists() and called.samefile(found) else shlex.quote(sys.argv[0])
