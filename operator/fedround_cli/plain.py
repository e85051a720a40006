"""Lines in columns for terminals and for `grep` and `awk`, as `kubectl get` has them; needs no package."""

from collections.abc import Iterable, Sequence


def columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The head and a line for each row; an empty cell is a dash."""
    cells = [tuple(head), *(tuple(printable(cell) or "-" for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["   ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def printable(text: str) -> str:
    """The text without what a terminal would obey: it may come from anybody who may write a Lease."""
    return "".join(one if one.isprintable() else "?" for one in text)
