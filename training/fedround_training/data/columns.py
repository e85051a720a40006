"""What the columns of a published table mean, recognised by the header alone, and how a row's cells are read.

Called by `catalogue`; opens no file. Headers are compared in lower case, with `_` for blanks. Known tables: HAM10000,
ISIC archive export, ISIC 2018 to 2020, BCN20000, PAD-UFES-20, MILK10k.

Dates are ISO 8601 (`2026-11-24`, or with a time and zone); without a zone they are UTC, without a time they are
midnight. The `acquisition_day` of an ISIC export is a number of days since a first visit that is not told, so it is
no date.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fedround_api.dataproblems import DataProblem
from fedround_training.data.errors import TableWrong, listed, quoted
from fedround_training.data.vocabulary import (
    ALWAYS_BENIGN,
    ALWAYS_MALIGNANT,
    BENIGN,
    MALIGNANT,
    ONE_HOT,
    class_of,
    outcome_of,
)

# In order of preference, where a table has several.
IMAGE = ("image_id", "isic_id", "image", "image_name", "img_id", "bcn_filename", "filename", "file_name")
PATIENT = ("patient_id", "patient")
LESION = ("lesion_id", "lesion")
VISIT = ("visit_date", "date_of_visit", "acquisition_date", "capture_date")
ADDED = ("date_added", "added_date", "added_at", "added")
# The levels of the ISIC archive from the most to the least specific: the first that names a class counts.
DIAGNOSIS = ("dx", "diagnosis", "diagnostic", "diagnosis_5", "diagnosis_4", "diagnosis_3", "diagnosis_2", "diagnosis_1")
OUTCOME = ("benign_malignant", "malignant", "target", "diagnosis_1")

# Fewer columns with such short names may be there by chance.
_FEWEST_ONE_HOT = 3
_MISSING = frozenset({"", "unknown", "nan", "na", "n/a", "none", "null"})


@dataclass(frozen=True)
class Columns:
    """The headers, as written, that play each part. Not all of `diagnoses`, `one_hot` and `outcomes` are empty."""

    image: str
    patient: str | None
    lesion: str | None
    visit: str | None
    added: str | None
    diagnoses: tuple[str, ...]
    one_hot: Mapping[str, str | None]
    outcomes: tuple[str, ...]


def recognise(table: Path, header: Sequence[str]) -> Columns:
    """The part of each column. Raises TableWrong where there is no column for the image or none for the label."""
    written = {normal(name): name for name in reversed(header)}

    def present(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(written[name] for name in names if name in written)

    def first(names: Sequence[str]) -> str | None:
        return next(iter(present(names)), None)

    image = first(IMAGE)
    if image is None:
        raise _lacks(table, DataProblem.NO_IMAGE_COLUMN, ", ".join(IMAGE), header)
    one_hot = {written[name]: ONE_HOT[name] for name in ONE_HOT if name in written}
    columns = Columns(
        image=image,
        patient=first(PATIENT),
        lesion=first(LESION),
        visit=first(VISIT),
        added=first(ADDED),
        diagnoses=present(DIAGNOSIS),
        one_hot=one_hot if len(one_hot) >= _FEWEST_ONE_HOT else {},
        outcomes=present(OUTCOME),
    )
    if not (columns.diagnoses or columns.one_hot or columns.outcomes):
        known = f"{', '.join(DIAGNOSIS[:3])}, diagnosis_1 to diagnosis_5, {', '.join(OUTCOME)}"
        known += ", or one column a class such as MEL, NV, BCC"
        raise _lacks(table, DataProblem.NO_LABEL_COLUMN, known, header)
    return columns


def _lacks(table: Path, problem: DataProblem, known: str, header: Sequence[str]) -> TableWrong:
    return TableWrong(table, problem, f"{problem} ({known}), only {listed([quoted(name) for name in header])}")


def normal(header: str) -> str:
    return header.strip().casefold().replace(" ", "_")


def identifier(row: Mapping[str, str], column: str | None) -> str | None:
    """The id in a cell, or None where it is empty or a word for 'not known': unknown patients are not one patient."""
    cell = row[column].strip() if column is not None else ""
    return None if cell.casefold() in _MISSING else cell


def date(row: Mapping[str, str], column: str | None) -> datetime | None:
    """The instant in a cell, None where it is missing. Raises ValueError for anything that is not an ISO date."""
    cell = identifier(row, column)
    if cell is None:
        return None
    instant = datetime.fromisoformat(cell)
    try:
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("a zone moves the date out of the calendar") from error


def diagnosis(columns: Columns, row: Mapping[str, str]) -> str | None:
    """The canonical class of a row, or None where none is known."""
    named = (class_of(row[column]) for column in columns.diagnoses)
    return next((name for name in named if name is not None), None) or _one_hot(columns, row)


def outcome(columns: Columns, row: Mapping[str, str]) -> str | None:
    """`benign`, `malignant` or None."""
    known = (outcome_of(row[column]) for column in columns.outcomes)
    return next((name for name in known if name is not None), None)


def contradicts(label: str, known_outcome: str | None) -> bool:
    """Whether a diagnosis and the benign-or-malignant column of the same row cannot both be true."""
    return (label in ALWAYS_BENIGN and known_outcome == MALIGNANT) or (
        label in ALWAYS_MALIGNANT and known_outcome == BENIGN
    )


def written_label(columns: Columns, row: Mapping[str, str]) -> str | None:
    """What the row says of its diagnosis in the table's own words, or None where it says nothing.

    A benign-or-malignant column is asked only in a table that has no other.
    """
    cells = [identifier(row, column) for column in columns.diagnoses] + list(_set_columns(columns, row))
    if not (columns.diagnoses or columns.one_hot):
        cells = [identifier(row, column) for column in columns.outcomes]
    return next((cell for cell in cells if cell is not None), None)


def _one_hot(columns: Columns, row: Mapping[str, str]) -> str | None:
    set_columns = _set_columns(columns, row)
    return columns.one_hot[set_columns[0]] if len(set_columns) == 1 else None


def _set_columns(columns: Columns, row: Mapping[str, str]) -> Sequence[str]:
    return [column for column in columns.one_hot if row[column].strip() in {"1", "1.0"}]
