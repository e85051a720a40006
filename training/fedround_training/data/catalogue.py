"""An ISIC-style folder as a catalogue of cases: images anywhere below it, and one CSV at its top.

Called by whoever needs to know which cases there are (train, the demo). It reads the table and the names of the
files, never a pixel, and needs nothing outside the standard library. What it leaves out it counts, with a reason.
"""

import filecmp
import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from fedround_training.data import columns as meaning
from fedround_training.data.cases import Case, GroupUnit
from fedround_training.data.columns import Columns
from fedround_training.data.errors import FolderWrong, TableWrong
from fedround_training.data.tables import Row, read_table

TABLE_NAME = "metadata.csv"
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


class Skipped(StrEnum):
    """Why a row gave no case."""

    NO_IMAGE = "no image file"
    NO_LABEL = "no diagnosis"
    UNKNOWN_LABEL = "a diagnosis that is none of the known classes"
    CONTRADICTION = "a diagnosis that contradicts the benign-or-malignant column"


@dataclass(frozen=True)
class Catalogue:
    """`cases` in the order of their image ids. `unit` is the weakest unit that any case is grouped by."""

    table: Path
    cases: tuple[Case, ...]
    units: Mapping[GroupUnit, int]
    skipped: Mapping[Skipped, int]
    unknown_labels: Mapping[str, int]
    images_without_row: int

    @property
    def unit(self) -> GroupUnit:
        return max(self.units, key=list(GroupUnit).index)

    @property
    def labels(self) -> Mapping[str, int]:
        return dict(sorted(Counter(case.label for case in self.cases).items()))

    def summary(self) -> tuple[str, ...]:
        """Lines for the person whose folder it is. They stay with that person: they name cells of the table."""
        grouped = ", ".join(f"{count} by {unit}" for unit, count in self.units.items())
        lines = [
            f"{len(self.cases)} cases in {self.table}: {', '.join(f'{name} {n}' for name, n in self.labels.items())}",
            f"kept together {grouped}" + _caution(self.unit),
        ]
        lines += [f"left out {count} rows with {reason}" for reason, count in self.skipped.items()]
        if self.unknown_labels:
            lines.append(f"not understood: {', '.join(f'{name!r} {n}' for name, n in self.unknown_labels.items())}")
        if self.images_without_row:
            lines.append(f"left out {self.images_without_row} images without a row")
        return tuple(lines)


def read_catalogue(folder: Path) -> Catalogue:
    """The cases of a folder. Raises FolderWrong or TableWrong, in one sentence, for what is no folder of lesions."""
    table = _find_table(folder)
    header, rows = read_table(table)
    columns = meaning.recognise(table, header)
    by_id = _rows_by_id(table, columns, rows)
    files = _find_images(folder)
    verdicts = _verdicts(columns, by_id, files)
    labels = {image_id: label for image_id, label in verdicts.items() if not isinstance(label, Skipped)}
    reasons = Counter(verdict for verdict in verdicts.values() if isinstance(verdict, Skipped))
    unknown = [by_id[image_id][1] for image_id, verdict in verdicts.items() if verdict is Skipped.UNKNOWN_LABEL]
    if not labels:
        raise _no_cases(folder, table, by_id, files, reasons)
    cases = _make_cases(table, columns, by_id, labels, files)
    units = Counter(case.unit for case in cases)
    return Catalogue(
        table=table,
        cases=cases,
        units={unit: units[unit] for unit in GroupUnit if units[unit]},
        skipped={reason: reasons[reason] for reason in Skipped if reasons[reason]},
        unknown_labels=dict(Counter(meaning.written_label(columns, row) or "" for row in unknown).most_common()),
        images_without_row=len(files.keys() - by_id.keys()),
    )


def image_id_of(name: str) -> str:
    """An image's id from a cell or a file name: without folders, and without the suffix if it is one of an image's."""
    name = name.strip().replace("\\", "/").rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in IMAGE_SUFFIXES else name


def _find_table(folder: Path) -> Path:
    if not folder.is_dir():
        raise FolderWrong(folder, "a folder with images and one CSV", "a file" if folder.exists() else "nothing there")
    tables = sorted(
        p for p in folder.iterdir() if p.suffix.lower() == ".csv" and not p.name.startswith(".") and p.is_file()
    )
    named = [p for p in tables if p.name == TABLE_NAME]
    if named or len(tables) == 1:
        return (named or tables)[0]
    if not tables:
        raise FolderWrong(folder, f"one CSV at the top, such as {TABLE_NAME}", "none")
    names = ", ".join(p.name for p in tables)
    raise FolderWrong(folder, f"one CSV at the top, or the one to use named {TABLE_NAME}", f"{len(tables)}: {names}")


def _find_images(folder: Path) -> dict[str, Path]:
    """Image files by id. Two files of one id are allowed only as exact copies (copies of HAM10000 often have some)."""
    files: dict[str, Path] = {}
    for path in _walk(folder):
        known = files.setdefault(image_id_of(path.name), path)
        if known is not path and not filecmp.cmp(known, path, shallow=False):
            raise FolderWrong(
                folder, "one file for each image id", f"{known.relative_to(folder)} and {path.relative_to(folder)}"
            )
    return files


def _walk(folder: Path) -> Iterator[Path]:
    """Image files in a fixed order, no hidden and no macOS resource files. Links to folders are followed, each once."""
    entered: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES:
                yield Path(place, name)


def _rows_by_id(table: Path, columns: Columns, rows: Sequence[tuple[int, Row]]) -> dict[str, tuple[int, Row]]:
    by_id: dict[str, tuple[int, Row]] = {}
    for line, row in rows:
        image_id = image_id_of(row[columns.image])
        if not image_id:
            raise TableWrong(
                table, f"an image in column {columns.image!r} of every row", f"an empty cell at line {line}"
            )
        if image_id in by_id:
            raise TableWrong(table, "each image once", f"{image_id!r} at lines {by_id[image_id][0]} and {line}")
        by_id[image_id] = (line, row)
    return by_id


def _verdicts(
    columns: Columns, by_id: Mapping[str, tuple[int, Row]], files: Collection[str]
) -> dict[str, str | Skipped]:
    """Each row's label, or why it has none. Benign-or-malignant counts only where no row has a diagnosis.

    So a row without a diagnosis in a table of diagnoses is left out. 'Benign' is not 'nv', and a guess would be scored
    by the gate.
    """
    diagnoses = {image_id: meaning.diagnosis(columns, row) for image_id, (_, row) in by_id.items()}
    outcomes = {image_id: meaning.outcome(columns, row) for image_id, (_, row) in by_id.items()}
    labels = diagnoses if any(diagnoses.values()) else outcomes

    def verdict(image_id: str, label: str | None) -> str | Skipped:
        if image_id not in files:
            return Skipped.NO_IMAGE
        if label is None:
            written = meaning.written_label(columns, by_id[image_id][1])
            return Skipped.NO_LABEL if written is None else Skipped.UNKNOWN_LABEL
        return Skipped.CONTRADICTION if meaning.contradicts(label, outcomes[image_id]) else label

    return {image_id: verdict(image_id, label) for image_id, label in labels.items()}


def _make_cases(
    table: Path,
    columns: Columns,
    by_id: Mapping[str, tuple[int, Row]],
    labels: Mapping[str, str],
    files: Mapping[str, Path],
) -> tuple[Case, ...]:
    patients = _patients(columns, by_id)
    cases = []
    for image_id in sorted(labels):
        line, row = by_id[image_id]
        patient, lesion = patients.get(image_id), meaning.identifier(row, columns.lesion)
        unit = GroupUnit.PATIENT if patient else GroupUnit.LESION if lesion else GroupUnit.IMAGE
        cases.append(
            Case(
                image_id=image_id,
                path=files[image_id],
                label=labels[image_id],
                group=f"{unit}:{patient or lesion or image_id}",
                unit=unit,
                patient=patient,
                lesion=lesion,
                visit_date=_date(table, columns.visit, line, row),
                added_date=_date(table, columns.added, line, row),
                attributes={name: cell.strip() for name, cell in row.items() if name},
            )
        )
    return tuple(cases)


def _patients(columns: Columns, by_id: Mapping[str, tuple[int, Row]]) -> dict[str, str]:
    """Each image's patient. A lesion of one known patient lends it to its images without one: they stay together."""
    owners: defaultdict[str | None, set[str]] = defaultdict(set)
    patients: dict[str, str] = {}
    for image_id, (_, row) in by_id.items():
        patient = meaning.identifier(row, columns.patient)
        if patient is not None:
            patients[image_id] = patient
            owners[meaning.identifier(row, columns.lesion)].add(patient)
    for image_id, (_, row) in by_id.items():
        lesion = meaning.identifier(row, columns.lesion)
        if image_id not in patients and lesion is not None and len(owners[lesion]) == 1:
            patients[image_id] = next(iter(owners[lesion]))
    return patients


def _date(table: Path, column: str | None, line: int, row: Row) -> datetime | None:
    try:
        return meaning.date(row, column)
    except ValueError as error:
        expected = f"an ISO date such as 2026-11-24 in column {column!r}"
        raise TableWrong(table, expected, f"{row[column or '']!r} at line {line}") from error


def _no_cases(
    folder: Path,
    table: Path,
    by_id: Mapping[str, tuple[int, Row]],
    files: Mapping[str, Path],
    reasons: Mapping[Skipped, int],
) -> FolderWrong | TableWrong:
    if not files:
        return FolderWrong(folder, "JPEG or PNG images below it", "none")
    if not by_id.keys() & files.keys():
        found = f"{len(files)} images such as {min(files)!r} and rows such as {min(by_id)!r}"
        return FolderWrong(folder, "images named like the rows of the table", found)
    return TableWrong(
        table, "rows with an image and a known diagnosis", ", ".join(f"{n} with {r}" for r, n in reasons.items())
    )


def _caution(unit: GroupUnit) -> str:
    match unit:
        case GroupUnit.PATIENT:
            return ""
        case GroupUnit.LESION:
            return " (not always by patient: two lesions of one patient can be on both sides of a split)"
        case GroupUnit.IMAGE:
            return " (not always by patient: two photos of one patient can be on both sides of a split)"
