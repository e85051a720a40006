"""How a command fails: one sentence on standard error that says what is wrong and what to do, never a traceback.

    LocalError, and its subclasses    the sentence is theirs                                             1
    UsageProblem                      options that are each right and do not go together                 2
    OSError                           the disk is full, no permission, ... with the path                1
    ModuleNotFoundError               which extra has the package                                        1
    KeyboardInterrupt                 Ctrl-C, SIGTERM or a closed terminal                             130
    BrokenPipeError                   who read the output has gone: nothing to say                     141
    any other exception               a defect: where its traceback was written                         70

With `--json` the sentence is also the one JSON document on standard output. `--debug` or FEDROUND_DEBUG=1 shows the
traceback. Called by `main` around every command; commands raise and do not print their errors.
"""

import errno
import json
import math
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from types import FrameType

from fedround_cli.arguments.exits import CommandExit
from fedround_local.errors import LocalError

_TOGETHER_SECONDS = 0.5


class UsageProblem(Exception):
    """Options that are each right and do not go together."""


def guarded(action: Callable[[], int], *, as_json: bool = False, debug: bool = False) -> int:
    """The exit code of an action, failures said in one sentence; SIGTERM and a closed terminal count as Ctrl-C."""
    _on_interrupt(_Interrupts())
    try:
        code = action()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _give_up_output()
        return CommandExit.BROKEN_PIPE
    except KeyboardInterrupt:
        # All is stopped: one more Ctrl-C could only spoil the exit code.
        _on_interrupt(signal.SIG_IGN)
        sentence, code = "interrupted; nothing that this command had started is left running", CommandExit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: a person reads what comes of it
        if debug or os.environ.get("FEDROUND_DEBUG"):
            traceback.print_exc()
        sentence, code = _sentence(error)
    # A terminal that was closed takes no more words.
    try:
        print(f"fedround: {sentence}", file=sys.stderr)
        if as_json:
            print_error(sentence, code)
        sys.stdout.flush()
    except OSError:
        _give_up_output()
    return code


def print_error(sentence: str, exit_code: CommandExit) -> None:
    """What stands on standard output instead of a result, with `--json`."""
    print(json.dumps({"error": sentence, "exitCode": int(exit_code)}), flush=True)


def _sentence(error: Exception) -> tuple[str, CommandExit]:
    match error:
        case LocalError():
            return str(error), CommandExit.FAILED
        case UsageProblem():
            return str(error), CommandExit.USAGE
        case ModuleNotFoundError() if not (error.name or "").startswith("fedround_"):
            return _missing(error.name or ""), CommandExit.FAILED
        case OSError() if error.errno in _SYSTEM_ADVICE:
            # Copying, the system names both ends: where it was written to comes second.
            place = error.filename2 or error.filename
            where = f" at {place}" if place else ""
            return f"{error.strerror}{where}: {_SYSTEM_ADVICE[error.errno]}", CommandExit.FAILED
        case _:
            return _defect(error), CommandExit.DEFECT


def _missing(module: str) -> str:
    package = module.partition(".")[0]
    extra = next((extra for extra, packages in _EXTRAS.items() if package in packages), "local")
    return f"the package {package} is missing: install the extra that has it, in a checkout `pip install '.[{extra}]'`"


# What each extra of pyproject.toml has that those before it have not; the rest is that of `local`.
_EXTRAS = {
    "operator": ("aiohttp", "cryptography", "kopf", "kubernetes", "minio", "prometheus_client", "urllib3", "yaml"),
    "training": ("PIL", "jinja2", "numpy", "safetensors", "simplejpeg", "torch"),
}
_SYSTEM_ADVICE = {
    errno.ENOSPC: "free some room, or name a folder on another disk",
    errno.EDQUOT: "free some room, or name a folder on another disk",
    errno.EACCES: "give your user the right to it, or name another place",
    errno.EPERM: "give your user the right to it, or name another place",
    errno.EROFS: "name a place that can be written to",
    errno.ENOENT: "look at the path for a typing error",
    errno.ENOTDIR: "name a folder",
    errno.EISDIR: "name a file",
    errno.EEXIST: "remove it, or name another place",
    errno.ENAMETOOLONG: "name a shorter path",
    errno.EMFILE: "raise the limit of open files (`ulimit -n 4096`)",
    errno.ENFILE: "close other programs: the machine has no open files left",
    errno.ENOMEM: "close other programs, or use fewer clinics",
    errno.EAGAIN: "raise the limit of processes (`ulimit -u`), or close other programs",
}


def _defect(error: Exception) -> str:
    what = f"a defect ({type(error).__name__})"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="fedround-defect-", suffix=".txt", delete=False) as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return f"{what}; call it again with --debug and report what that shows"
    return f"{what}; its traceback is in {file.name}: please report it with what you had called"


def _give_up_output() -> None:
    """Nobody reads it: Python flushes once more at its end, and would complain and change the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _on_interrupt(handler: "Callable[[int, FrameType | None], None] | signal.Handlers") -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
    # Who calls a command with `nohup` wants it to outlive the terminal.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, handler)


class _Interrupts:
    """Raises KeyboardInterrupt, once for signals that come together.

    A terminal that is closed gives SIGHUP by the kernel and by the shell: the second must not break off what the first
    has begun to stop.
    """

    def __init__(self) -> None:
        self._last = -math.inf

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        together = now - self._last < _TOGETHER_SECONDS
        self._last = now
        if not together:
            raise KeyboardInterrupt
