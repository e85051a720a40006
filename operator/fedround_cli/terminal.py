"""How commands speak to people: progress lines, tables, one-sentence errors, and a quiet end on Ctrl-C."""

import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from rich.console import Console

from fedround_local.errors import LocalError


class Progress:
    """Lines with the seconds since the start, on one stream."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()

    def __call__(self, line: str) -> None:
        """Say what is being done."""
        elapsed = int(time.monotonic() - self._begun)
        self._console.print(f"[dim]{elapsed // 60:02d}:{elapsed % 60:02d}[/dim] ", end="")
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def guarded(action: Callable[[], int]) -> int:
    """The exit code of an action, failures said in one sentence; SIGTERM and a closed terminal count as Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return action()
    except LocalError as error:
        print(f"fedround: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("fedround: interrupted; what this command had started is stopped", file=sys.stderr)
        return 130


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def program() -> str:
    """How to call this program again, ready to be pasted."""
    called = Path(sys.argv[0])
    if called.suffix == ".py":
        return f"{shlex.quote(sys.executable)} -m fedround_cli.main"
    found = shutil.which(called.name)
    return called.name if found and called.exists() and called.samefile(found) else shlex.quote(sys.argv[0])
