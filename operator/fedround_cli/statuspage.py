"""`fedround local status` for people: the data of the status as tables, at 80 columns and wider, and as plain lines in
a file. Pure; the data are those of `--json`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from fedround_cli.plain import age, cut

#: From this width on addresses are shown as URLs.
_WIDE = 100
_PARTS = {
    "controlPlane": "control plane",
    "objectStore": "object store",
    "clinicVolumes": "clinics' volumes",
    "hubVolumes": "hub's volumes",
    "pods": "pods",
    "logs": "logs",
    "other": "other",
}


def status_page(found: Mapping[str, Any], width: int, now: datetime) -> Iterator[RenderableType]:
    """Section by section; `width` is that of the terminal."""
    style, word = ("green", "running") if found["running"] else ("red", "not running")
    yield Text.assemble((f"federation in {found['state']}: ", "bold"), (word, style), overflow="fold")
    yield _processes(found, width, now)
    facts = {"on disk": _sizes(found["sizes"]), "kubeconfig": found["kubeconfigs"]["admin"], "model": _model(found)}
    yield _labelled(list(facts.items()))
    if found["clinicStatus"]:
        yield _table(("CLINIC", "AVAILABLE", "CASES", "SEEN", "REASON"), _clinics(found["clinicStatus"], now))
    if found["rounds"]:
        heads = ("ROUND", "PHASE", "CLINICS", "VERDICT", "REASON", "ENDED")
        yield _table(heads, _rounds(found["rounds"], now))
    if found["advice"]:
        yield _labelled([("to do", advice) for advice in found["advice"]], style="yellow")


def _processes(found: Mapping[str, Any], width: int, now: datetime) -> Table:
    rows: list[Sequence[RenderableType]] = []
    for name, one in found["processes"].items():
        address = found["addresses"].get(name, "")
        shown = address if width >= _WIDE else address.partition("://")[2].partition("/")[0] or address
        if one["running"]:
            used = (_size(one["memoryBytes"]), f"{one['cpuSeconds']:.0f} s", ago(one["since"], now))
            rows.append((name, str(one["pid"]), *used, shown))
        else:
            rows.append((name, Text("down", style="red"), "", "", "", shown))
    return _table(("PROCESS", "PID", "MEMORY", "CPU", "SINCE", "ADDRESS"), rows)


def _sizes(sizes: Mapping[str, int]) -> str:
    parts = ", ".join(f"{label} {_size(sizes[key])}" for key, label in _PARTS.items() if sizes[key])
    return f"{_size(sizes['total'])} ({parts})"


def _size(number: int) -> str:
    for unit, length in (("GiB", 2**30), ("MiB", 2**20)):
        if number >= length:
            return f"{number / length:.{1 if unit == 'GiB' else 0}f} {unit}"
    return f"{number / 2**10:.0f} KiB"


def _model(found: Mapping[str, Any]) -> str:
    status = found["modelStatus"]
    if status is None:
        why = "the hub does not answer" if found["clinicStatus"] is None else "its object cannot be read"
        return f"{found['model']}: unknown while {why}"
    current, released = status["current"], status["released"]
    now = f"version {current['version']} ({current['digest'][:12]})" if current else "no checkpoint yet"
    used = f"version {released['version']}, threshold {cut(released['threshold'])}" if released else "none yet"
    return f"{found['model']}: current {now}; released for use: {used}"


def _clinics(clinics: Mapping[str, Any], now: datetime) -> Iterator[Sequence[RenderableType]]:
    for name, one in clinics.items():
        cases = "" if one["caseVolume"] is None else str(one["caseVolume"])
        available = "yes" if one["available"] else Text("no", style="red")
        yield name, available, cases, ago(one["lastSeen"], now), one["reason"] or ""


def _rounds(rounds: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[Sequence[RenderableType]]:
    for one in rounds:
        told = (one[key] or "-" for key in ("phase", "clinics", "verdict", "reason"))
        yield one["name"], *told, ago(one["completedAt"], now)


def ago(instant: str | None, now: datetime) -> str:
    """How long ago; a dash for what has not been."""
    return "-" if instant is None else f"{age(instant, now)} ago"


def _table(headings: Sequence[str], rows: Iterable[Sequence[RenderableType]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _labelled(rows: Iterable[tuple[str, str]], style: str = "") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True, style=f"bold {style}".strip())
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(label, Text(text))
    return table
