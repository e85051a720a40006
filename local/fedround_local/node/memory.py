"""The watch over memory limits and log sizes: a thread of the node that looks at every running pod twice a second.

A process that allocates faster than that can go over its limit for a moment: it is a limit for well-meant Jobs.
Called by the loop, which gives it the pods to look at.
"""

import threading
from collections.abc import Callable, Mapping

import psutil

from fedround_local.node.sandbox import Sandbox

# More often costs a walk over all processes of the machine each time; more rarely lets a trainer take the machine.
_INTERVAL_SECONDS = 0.5
LOG_LIMIT_BYTES = 10 * 2**20
# sandbox -> its limit, None where it has none
Watched = Mapping[Sandbox, int | None]


def start_watch(watched: Callable[[], Watched], stopping: threading.Event) -> threading.Thread:
    """`watched` is called in the thread: it must return a value of its own."""

    def look() -> None:
        while not stopping.wait(_INTERVAL_SECONDS):
            for sandbox, limit in watched().items():
                if limit is not None and used_bytes(sandbox, limit) > limit:
                    sandbox.kill_for_memory()
                bound_log(sandbox)

    thread = threading.Thread(target=look, name="memory", daemon=True)
    thread.start()
    return thread


def used_bytes(sandbox: Sandbox, limit_bytes: int) -> int:
    """Memory of the pod's process tree: resident size, and the dearer proportional size only where that is too much."""
    process = sandbox.process()
    if process is None:
        return 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    resident = sum(_read(one, "rss") for one in family)
    return resident if resident <= limit_bytes else sum(_read(one, "pss") for one in family)


def bound_log(sandbox: Sandbox, limit_bytes: int = LOG_LIMIT_BYTES) -> None:
    """Keeps the end of a log that grew too long. What is written in the same instant may be lost."""
    try:
        if sandbox.log.stat().st_size <= limit_bytes:
            return
    except FileNotFoundError:
        return
    with sandbox.log.open("r+b") as file:
        file.seek(-limit_bytes // 2, 2)
        end = file.read()
        file.seek(0)
        file.truncate()
        file.write(end)


def _read(process: psutil.Process, what: str) -> int:
    try:
        full = what == "pss" and hasattr(process, "memory_full_info")
        found = process.memory_full_info() if full else process.memory_info()
        # Only Linux knows a proportional size.
        return int(getattr(found, what, found.rss))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
