"""How commands speak to people: progress lines, tables, one-sentence errors, and a quiet end on Ctrl-C."""

import sys
import time
from collections.abc import Callable

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


def guarded(action: Callable[[], int], on_interrupt: Callable[[], None]) -> int:
    """The exit code of an action, with failures said in one sentence."""
    try:
        return action()
    except LocalError as error:
        print(f"fedround: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        on_interrupt()
        return 130
