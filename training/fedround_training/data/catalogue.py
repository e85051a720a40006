"""An ISIC-style folder as a catalogue of cases: images anywhere below it, and one CSV at its top.

Called by whoever needs to know which cases there are (train, the demo). It reads the table and the names of the
files, never a pixel, and needs nothing outside the standard library. What it leaves out it counts, with a reason.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from fedround_api.dataproblems import DataProblem
from fedround_training.data import columns as meaning
from fedround_training.data.cases import Case, GroupUnit
from fedround_training.data.columns import Columns
from fedround_training.data.errors import FolderWrong, TableWrong, listed, quoted, shown
from fedround_training.data.folders import ImageFiles, find_images, find_table, image_id_of
from fedround_training.data.tables import Row, read_table


class Skipped(StrEnum):
    """Why a row gave no case."""

    NO_IMAGE = "no image file"
    TWO_IMAGES = "several different image files of its name"
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
    passed_over: Mapping[str, int]
    unread_folders: int

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
            f"{len(self.cases)} cases in {shown(self.table)}: {_counts(self.labels)}",
            f"kept together {grouped}" + _caution(self.unit),
        ]
        return (*lines, *self.left_out())

    def left_out(self) -> tuple[str, ...]:
        """What of the folder is in no case, and why."""
        lines = [f"left out {count} rows with {reason}" for reason, count in self.skipped.items()]
        if self.unknown_labels:
            lines.append(f"not understood: {_unknown(self.unknown_labels)}")
        if self.images_without_row:
            lines.append(f"left out {self.images_without_row} images without a row")
        if self.passed_over:
            lines.append(f"passed over images in other formats than JPEG and PNG: {_counts(self.passed_over)}")
        if self.unread_folders:
            lines.append(f"passed over {self.unread_folders} folders that the operating system refuses to list")
        return tuple(lines)


@dataclass(frozen=True)
class _Verdicts:
    """What became of each row: its label, or a count under the reason why it has none."""

    labels: Mapping[str, str]
    skipped: Mapping[Skipped, int]
    unknown_labels: Mapping[str, int]


def read_catalogue(folder: Path) -> Catalogue:
    """The cases of a folder. Raises FolderWrong or TableWrong, in one sentence, for what is no folder of lesions."""
    table = find_table(folder)
    header, rows = read_table(table)
    columns = meaning.recognise(table, header)
    by_id = _rows_by_id(table, columns, rows)
    images = find_images(folder)
    verdicts = _verdicts(columns, by_id, images)
    if not verdicts.labels:
        raise _no_cases(folder, table, by_id, images, verdicts)
    cases = _make_cases(table, columns, by_id, verdicts.labels, images.by_id)
    units = Counter(case.unit for case in cases)
    return Catalogue(
        table=table,
        cases=cases,
        units={unit: units[unit] for unit in GroupUnit if units[unit]},
        skipped=verdicts.skipped,
        unknown_labels=verdicts.unknown_labels,
        images_without_row=len((images.by_id.keys() | images.ambiguous) - by_id.keys()),
        passed_over=images.passed_over,
        unread_folders=images.unread_folders,
    )


def _rows_by_id(table: Path, columns: Columns, rows: Sequence[tuple[int, Row]]) -> dict[str, tuple[int, Row]]:
    by_id: dict[str, tuple[int, Row]] = {}
    for line, row in rows:
        image_id = image_id_of(row[columns.image])
        if not image_id:
            found = f"line {line}, column {quoted(columns.image)} is empty"
            raise TableWrong(table, DataProblem.NO_IMAGE_ID, found)
        if image_id in by_id:
            found = f"lines {by_id[image_id][0]} and {line} name the same image {quoted(image_id)}"
            raise TableWrong(table, DataProblem.IMAGE_TWICE, found)
        by_id[image_id] = (line, row)
    return by_id


def _verdicts(columns: Columns, by_id: Mapping[str, tuple[int, Row]], images: ImageFiles) -> _Verdicts:
    """Each row's label, or why it has none. Benign-or-malignant counts only where no row has a diagnosis.

    So a row without a diagnosis in a table of diagnoses is left out. 'Benign' is not 'nv', and a guess would be scored
    by the gate.
    """
    diagnoses = {image_id: meaning.diagnosis(columns, row) for image_id, (_, row) in by_id.items()}
    outcomes = {image_id: meaning.outcome(columns, row) for image_id, (_, row) in by_id.items()}
    labels = diagnoses if any(diagnoses.values()) else outcomes

    def verdict(image_id: str, label: str | None) -> str | Skipped:
        if image_id not in images.by_id:
            return Skipped.TWO_IMAGES if image_id in images.ambiguous else Skipped.NO_IMAGE
        if label is None:
            written = meaning.written_label(columns, by_id[image_id][1])
            return Skipped.NO_LABEL if written is None else Skipped.UNKNOWN_LABEL
        return Skipped.CONTRADICTION if meaning.contradicts(label, outcomes[image_id]) else label

    verdicts = {image_id: verdict(image_id, label) for image_id, label in labels.items()}
    skipped = Counter(found for found in verdicts.values() if isinstance(found, Skipped))
    unknown = [by_id[image_id][1] for image_id, found in verdicts.items() if found is Skipped.UNKNOWN_LABEL]
    return _Verdicts(
        labels={image_id: label for image_id, label in verdicts.items() if not isinstance(label, Skipped)},
        skipped={reason: skipped[reason] for reason in Skipped if skipped[reason]},
        unknown_labels=dict(Counter(meaning.written_label(columns, row) or "" for row in unknown).most_common()),
    )


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
        found = f"line {line}, column {quoted(column or '')}: {quoted(row[column or ''])} is no ISO date"
        raise TableWrong(table, DataProblem.BAD_DATE, found) from error


def _no_cases(
    folder: Path, table: Path, rows: Iterable[str], images: ImageFiles, verdicts: _Verdicts
) -> FolderWrong | TableWrong:
    files = images.by_id.keys() | images.ambiguous
    if not files:
        beside = f" (but {_counts(images.passed_over)})" if images.passed_over else ""
        return FolderWrong(folder, DataProblem.NO_IMAGES, f"{DataProblem.NO_IMAGES}{beside}")
    if not files & set(rows):
        found = f"{DataProblem.NO_MATCH}: {len(files)} images such as {quoted(min(files))}, "
        found += f"rows such as {quoted(min(rows))}{_case_hint(rows, files)}"
        return FolderWrong(folder, DataProblem.NO_MATCH, found)
    match [reason for reason in verdicts.skipped if reason is not Skipped.NO_IMAGE]:
        case [Skipped.NO_LABEL]:
            problem, more = DataProblem.NO_DIAGNOSIS, ""
        case [Skipped.UNKNOWN_LABEL]:
            problem, more = DataProblem.UNKNOWN_CLASSES, f", only {_unknown(verdicts.unknown_labels)}"
        case [Skipped.CONTRADICTION]:
            problem, more = DataProblem.CONTRADICTIONS, ""
        case _:
            counts = ", ".join(f"{count} rows with {reason}" for reason, count in verdicts.skipped.items())
            problem, more = DataProblem.NO_USABLE_ROW, f": {counts}"
    return TableWrong(table, problem, f"{problem}{more}")


def _case_hint(rows: Iterable[str], files: Iterable[str]) -> str:
    same = {name.casefold() for name in rows} & {name.casefold() for name in files}
    return " (they differ only in capital letters)" if same else ""


def _counts(names: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in names.items())


def _unknown(written: Mapping[str, int]) -> str:
    return listed([f"{quoted(name)} {count}" for name, count in written.items()])


def _caution(unit: GroupUnit) -> str:
    match unit:
        case GroupUnit.PATIENT:
            return ""
        case GroupUnit.LESION:
            return " (not always by patient: two lesions of one patient can be on both sides of a split)"
        case GroupUnit.IMAGE:
            return " (not always by patient: two photos of one patient can be on both sides of a split)"
