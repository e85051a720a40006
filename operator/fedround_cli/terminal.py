"""Progress lines for people, and how to call this program again; needs no package."""

import contextlib
import os
import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import IO

from fedround_cli.arguments.parsers import program_name

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class Progress:
    """Lines with the seconds since the start, on one stream."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        is_shown = stream.isatty() and not os.environ.get("NO_COLOR")
        self._before, self._after = (_DIM, _PLAIN) if is_shown else ("", "")
        self._begun = time.monotonic()

    def __call__(self, line: str) -> None:
        """Say what is being done. Where nobody listens any more, the work goes on, above all that of stopping."""
        elapsed = int(time.monotonic() - self._begun)
        with contextlib.suppress(OSError):
            clock = f"{self._before}{elapsed // 60:02d}:{elapsed % 60:02d}{self._after}"
            print(f"{clock} {line}", file=self._stream, flush=True)


def program() -> str:
    """How to call this program again, ready to be pasted."""
    if program_name() == "kubectl fedround":
        return program_name()
    called = Path(sys.argv[0])
    if called.suffix == ".py":
        return f"{shlex.quote(sys.executable)} -m fedround_cli.main"
    found = shutil.which(called.name)
    return called.name if found and called.exists() and called.samefile(found) else shlex.quote(sys.argv[0])
