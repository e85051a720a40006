"""Tells the gateway what has changed, without a restart; it runs beside it, in its pod.

    python -m fedround_operator.revocations

What a gateway reads at its start changes afterwards: the list of revoked certificates, a ConfigMap that `fedround
clinic revoke` writes, and the files of its own certificate and of the federation's authority, which are renewed. The
list is watched through the API, since the files of a mounted ConfigMap follow a minute late, and written where the
gateway reads it; at each change the gateway's process gets the signal at which it reads all of it anew, and drops no
connection.

It fails closed: a gateway starts only after a list was read (without `--process` this program writes the list once and
ends, as the pod's first container), and what a list has once had stays in it while the pod lives, whatever becomes of
the ConfigMap. A signal may be lost, to a gateway that just starts or by the end of this program: it is given at every
start, and more than once after files were renewed.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from fedround_operator.kit.api import connect
from fedround_operator.kit.errors import ApiError
from fedround_operator.kit.options import Options
from fedround_operator.kit.privatefiles import write_private
from fedround_operator.kit.process import set_up
from fedround_operator.kit.resources import CONFIG_MAPS, Object, Resource
from fedround_operator.kit.revokedlist import CONFIG_MAP, KEY, revoked_in, revoked_text

# A watch that has died without a word is noticed this late, and a revocation may be; each new watch is one request.
WATCH_SECONDS = 30
# After an error. The API server is away or just refused us: it gets no more than a request a second.
PAUSE_SECONDS = 1.0
# Certificates are renewed days before they end.
FILES_SECONDS = 10.0
# The gateway reads the same files through a mount of its own, which follows a moment before or after this one's.
LOOKS_AFTER_A_CHANGE = 3

_PROCESSES = Path("/proc")

log = logging.getLogger("fedround_operator.revocations")

_Stamps = tuple[tuple[str, int], ...]


class Watches(Protocol):
    """What this needs of the hub's API server."""

    def watch(self, resource: Resource, namespace: str, name: str, seconds: int) -> Iterator[Object | None]: ...


def rules() -> list[Object]:
    """What the gateway's ServiceAccount must be allowed to do, in the gateway's namespace."""
    return [{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [CONFIG_MAP], "verbs": ["watch"]}]


def lists(api: Watches, namespace: str, stop: threading.Event) -> Iterator[str]:
    """The list as text: as it is now, and after each change, until stopped. Errors are told, and tried again."""
    told = ""
    while not stop.is_set():
        try:
            for found in api.watch(CONFIG_MAPS, namespace, CONFIG_MAP, WATCH_SECONDS):
                told = ""
                if found is None:
                    log.error("the list of revoked certificates was deleted: the last one stays in force")
                else:
                    yield text_of(found)
        except ApiError as error:
            if str(error) != told:
                log.warning("the list of revoked certificates cannot be watched error=%s", error)
            told = str(error)
            stop.wait(PAUSE_SECONDS)


def text_of(found: Object) -> str:
    """The list in the ConfigMap, without lines that the gateway could not read: it would refuse the whole for one."""
    given = (found.get("data") or {}).get(KEY, "")
    revoked = revoked_in(given)
    lines = {line for line in given.splitlines() if line and not line.startswith("#")}
    if len(lines) > len(revoked):
        log.error("lines of the list of revoked certificates cannot be understood count=%d", len(lines) - len(revoked))
    return revoked_text(revoked)


def save(path: Path, text: str) -> bool:
    """Add the list to the one that is there; whether it had anything new."""
    before = path.read_text() if path.exists() else None
    after = revoked_text(revoked_in(text) | revoked_in(before or ""))
    if after == before:
        return False
    write_private(path, after.encode())
    log.info("list of revoked certificates written count=%d", len(revoked_in(after)))
    return True


def signal_processes(name: str, processes: Path = _PROCESSES, send: Callable[[int, int], None] = os.kill) -> int:
    """Make the processes of that name read their configuration anew; how many there are."""
    found = [int(one.parent.name) for one in processes.glob("[0-9]*/comm") if _read(one) == name]
    for number in found:
        with suppress(ProcessLookupError):  # it ended just now
            send(number, signal.SIGUSR1)
    log.info("gateway told to read its configuration anew processes=%d", len(found))
    return len(found)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # it ended just now
        return ""


def stamps(paths: Iterable[Path]) -> _Stamps:
    """What tells that one of these files was replaced."""
    return tuple((str(path), path.stat().st_mtime_ns) for path in paths if path.exists())


def watch_files(paths: Sequence[Path], stop: threading.Event, changed: Callable[[], object]) -> None:
    """Call `changed` after one of the files was replaced, and at the next looks once more, until stopped."""
    seen, more = stamps(paths), 0
    while not stop.wait(FILES_SECONDS):
        now = stamps(paths)
        more = LOOKS_AFTER_A_CHANGE if now != seen else more - 1
        if more > 0:
            changed()
        seen = now


def _options(arguments: list[str]) -> argparse.Namespace:
    options = Options("fedround-revocations", "Keeps a gateway's list of revoked certificates current.")
    options.add("kubeconfig", "kubeconfig file; empty: the cluster that this runs in", "")
    options.add("namespace", f"namespace of the ConfigMap {CONFIG_MAP}")
    options.add("revoked", "file to write the list to, which the gateway reads")
    options.add("process", "name of the gateway's process; empty: write the list once and end", "")
    options.add("renewed-files", "files that the gateway reads and that are renewed, separated by ':'", "")
    return options.parse(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal comes, or until the list is written; the exit code."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    stop, written = threading.Event(), threading.Event()
    set_up(stop)
    api = connect(Path(options.kubeconfig) if options.kubeconfig else None)

    def tell() -> None:
        signal_processes(options.process)

    def follow() -> None:
        for text in lists(api, options.namespace, stop):
            changed = save(Path(options.revoked), text) or not written.is_set()
            written.set()
            if not options.process:
                stop.set()
            elif changed:
                tell()

    # Daemons: a watch that waits for news must not hold up the end of the pod.
    threading.Thread(target=follow, name="list", daemon=True).start()
    if options.process:
        files = [Path(one) for one in options.renewed_files.split(":") if one]
        threading.Thread(target=watch_files, args=(files, stop, tell), name="files", daemon=True).start()
    log.info("following the list of revoked certificates namespace=%s name=%s", options.namespace, CONFIG_MAP)
    stop.wait()
    return 0 if written.is_set() else 1


if __name__ == "__main__":
    sys.exit(main())
