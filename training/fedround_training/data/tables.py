"""The bytes of a CSV as a header and rows, whoever exported it: BOM, CRLF, `;` or tab, quoted cells.

Called by `catalogue`; knows nothing of what the columns mean.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from fedround_training.data.errors import TableWrong

_DELIMITERS = ",;\t"

Row = Mapping[str, str]


def read_table(table: Path) -> tuple[Sequence[str], Sequence[tuple[int, Row]]]:
    """The header and (line number, row) of every row that is not blank. Raises TableWrong.

    A row with too few or too many cells is an error, not a row: one unquoted comma moves every later cell, and so the
    label.
    """
    try:
        text = table.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableWrong(table, "UTF-8 text", f"a byte at position {error.start} that is not") from error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise TableWrong(table, "a CSV", f"{error} at line {reader.line_num}") from error
    if len(lines) < 2:
        raise TableWrong(table, "a header and at least one row", "a header only" if lines else "nothing")
    header = [cell.strip() for cell in lines[0][1]]
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice is not None:
        raise TableWrong(table, "each column once", f"two columns named {twice!r}")
    return header, [(line, _row(table, header, line, cells)) for line, cells in lines[1:]]


def _delimiter(text: str) -> str:
    header = text.lstrip().partition("\n")[0]
    return max(_DELIMITERS, key=header.count)


def _row(table: Path, header: Sequence[str], line: int, cells: Sequence[str]) -> Row:
    if len(cells) != len(header):
        raise TableWrong(table, f"{len(header)} cells a row as in the header", f"{len(cells)} at line {line}")
    return dict(zip(header, cells, strict=True))
