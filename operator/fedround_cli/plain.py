"""Lines in columns for terminals and for `grep` and `awk`, as `kubectl get` has them, and how figures and times are
written in them; needs no package."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal


def columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The head and a line for each row; an empty cell is a dash."""
    cells = [tuple(head), *(tuple(printable(cell) or "-" for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["   ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def printable(text: str) -> str:
    """The text without what a terminal would obey: it may come from anybody who may write a Lease."""
    return "".join(one if one.isprintable() else "?" for one in text)


def cut(measure: str) -> str:
    """Three digits, cut off as in the verdict's sentence: 0.6999 is not shown as the floor that it misses."""
    return str(Decimal(measure).quantize(Decimal("0.001"), rounding=ROUND_FLOOR))


def age(instant: str, now: datetime) -> str:
    """How long ago, in the largest unit of which there are two at least, as kubectl says it."""
    seconds = max(0, int((now - datetime.fromisoformat(instant)).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
