"""The bytes of a CSV as a header and rows, whoever exported it: BOM, CRLF, `;` or tab, quoted cells.

Called by `catalogue`; knows of the columns only that two of one name are one too many.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fedround_api.dataproblems import DataProblem
from fedround_training.data.columns import normal
from fedround_training.data.errors import TableWrong, listed, quoted
from fedround_training.data.regular import NotRegular, TooManyBytes, read_regular

#: Read whole, a table of many columns takes about fourteen times its size, and a second copy goes with the cases: this
#: is what the memory limit of `train` holds. HAM10000 has 0.6 MiB; ISIC 2024 (400,000 rows of 55 columns) is above it.
LARGEST_BYTES = 64 * 2**20

_DELIMITERS = ",;\t"
_NO_DELIMITER = re.compile(r"\w[|:^~ ]\s*\w")
_LINE_END = re.compile(r"\r\n|\r|\n")

Row = Mapping[str, str]


def read_table(table: Path) -> tuple[Sequence[str], Sequence[tuple[int, Row]]]:
    """The header and (line number, row) of every row that is not blank. Raises TableWrong.

    A row with too few or too many cells is an error, not a row: one unquoted comma moves every later cell, and so the
    label.
    """
    lines = _lines(table, _text(table, _content(table)))
    _, first = next(lines, (0, []))
    header = [cell.strip() for cell in first]
    _check_header(table, header)
    rows = [(line, _row(table, header, line, cells)) for line, cells in lines]
    if not rows:
        raise TableWrong(table, DataProblem.HEADER_ONLY)
    return header, rows


def _content(table: Path) -> bytes:
    try:
        return read_regular(table, LARGEST_BYTES)
    except NotRegular as error:
        raise TableWrong(table, DataProblem.TABLE_NOT_A_FILE) from error
    except TooManyBytes as error:
        found = f"the table has more than {LARGEST_BYTES // 2**20} MiB"
        raise TableWrong(table, DataProblem.TABLE_TOO_LARGE, found) from error
    except OSError as error:
        found = f"{DataProblem.TABLE_NOT_READ} ({error.strerror})"
        raise TableWrong(table, DataProblem.TABLE_NOT_READ, found) from error


def _text(table: Path, content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TableWrong(table, DataProblem.TABLE_UTF16)
    nul = content.find(b"\0")
    if nul >= 0:
        found = f"{DataProblem.TABLE_BINARY}: a NUL byte at line {_line_of(content, nul)}"
        raise TableWrong(table, DataProblem.TABLE_BINARY, found)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = f"byte 0x{content[error.start]:02X} at line {_line_of(content, error.start)}"
        raise TableWrong(table, DataProblem.TABLE_NOT_UTF8, f"{DataProblem.TABLE_NOT_UTF8}: {at}") from error
    return text


def _lines(table: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """(number of its last line, cells) of each row with something in it, the header first."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    begun = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
            begun = reader.line_num + 1
    except csv.Error as error:
        problem = _broken(str(error))
        raise TableWrong(table, problem, f"{problem}: in the row that begins at line {begun}") from error


def _broken(message: str) -> DataProblem:
    if "field larger" in message:
        return DataProblem.CELL_TOO_LARGE
    return DataProblem.OPEN_QUOTE if "end of data" in message else DataProblem.BROKEN_QUOTE


def _check_header(table: Path, header: Sequence[str]) -> None:
    if not header:
        raise TableWrong(table, DataProblem.TABLE_EMPTY)
    if len(header) == 1 and _NO_DELIMITER.search(header[0]):
        raise TableWrong(table, DataProblem.DELIMITER, f"{DataProblem.DELIMITER}: the header is {quoted(header[0])}")
    uses = Counter(normal(name) for name in header)
    twice = [name for name in header if name and uses[normal(name)] > 1]
    if twice:
        found = f"{DataProblem.COLUMN_TWICE}: {listed([quoted(name) for name in twice])}"
        raise TableWrong(table, DataProblem.COLUMN_TWICE, found)


def _delimiter(text: str) -> str:
    header = _LINE_END.split(text.lstrip(), maxsplit=1)[0]
    return max(_DELIMITERS, key=header.count)


def _row(table: Path, header: Sequence[str], line: int, cells: Sequence[str]) -> Row:
    if len(cells) != len(header):
        found = f"line {line} has {len(cells)} cells, the header {len(header)}"
        raise TableWrong(table, DataProblem.RAGGED_ROW, found)
    return dict(zip(header, cells, strict=True))


def _line_of(content: bytes, position: int) -> int:
    """The number of the line that a byte stands in."""
    return content.count(b"\n", 0, position) + 1
