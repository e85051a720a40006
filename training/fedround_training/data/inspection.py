"""What a clinic's folder would give a training: read as `train` reads it, every image decoded, and told in words.

Called by `fedround data check`. Nothing is written, and nothing of it leaves the machine: it names files and cells.
"""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fedround_api.dataproblems import DataProblem, QuarantineCause
from fedround_training.data.cases import Case, GroupUnit
from fedround_training.data.catalogue import Catalogue, read_catalogue
from fedround_training.data.columns import identifier, normal
from fedround_training.data.errors import FolderWrong, ImageUnreadable, listed, quoted
from fedround_training.data.images import decode, read_content
from fedround_training.data.notes import notes
from fedround_training.data.splits import Cases, deal, split_by_column
from fedround_training.data.vocabulary import CLASSES, HIGH_RISK, OUTCOMES

#: As published: HAM10000 and ISIC, PAD-UFES-20 (sic), MILK10k, Fitzpatrick17k.
_SKIN = ("fitzpatrick_skin_type", "fitspatrick", "fitzpatrick", "skin_tone_class", "fitzpatrick_scale", "skin_type")
_AGE = ("age_approx", "age")
# Decoding costs the same at any size up to a photo's own; this one is quick.
_SIZE = 128

#: (images done, images in all).
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Inspection:
    """`readable` are the cases whose image can be decoded, `repeated` those of them that have the same bytes.

    `links_out` has the ids of readable images outside of the folder.
    """

    folder: Path
    catalogue: Catalogue
    readable: Cases
    quarantined: tuple[ImageUnreadable, ...]
    repeated: tuple[tuple[Case, ...], ...]
    links_out: tuple[str, ...]

    @property
    def set_aside(self) -> Mapping[QuarantineCause, tuple[str, ...]]:
        """Ids of the images that cannot be used, by cause."""
        by_cause: defaultdict[QuarantineCause, list[str]] = defaultdict(list)
        for unreadable in self.quarantined:
            by_cause[unreadable.cause].append(unreadable.image_id)
        return {cause: tuple(by_cause[cause]) for cause in QuarantineCause if cause in by_cause}

    @property
    def units(self) -> Mapping[GroupUnit, int]:
        """What keeps the readable cases together: how many by patient, by lesion, or each for itself."""
        counts = Counter(case.unit for case in self.readable)
        return {unit: counts[unit] for unit in GroupUnit if counts[unit]}

    @property
    def classes(self) -> Mapping[str, int]:
        """Readable cases by class, in the canonical order."""
        counts = Counter(case.label for case in self.readable)
        return {name: counts[name] for name in (*CLASSES, *OUTCOMES) if counts[name]}


def inspect(folder: Path, report: Report = lambda done, total: None) -> Inspection:
    """The inspection of a folder. Raises DataWrong where a training would end with that problem."""
    catalogue = read_catalogue(folder)
    readable: list[Case] = []
    quarantined: list[ImageUnreadable] = []
    by_content: defaultdict[bytes, list[Case]] = defaultdict(list)
    for done, case in enumerate(catalogue.cases, start=1):
        try:
            content = read_content(case.path, case.image_id)
            decode(content, case.image_id, _SIZE)
        except ImageUnreadable as error:
            quarantined.append(error)
        else:
            readable.append(case)
            by_content[hashlib.sha256(content).digest()].append(case)
        report(done, len(catalogue.cases))
    if not readable:
        causes = Counter(unreadable.cause for unreadable in quarantined)
        found = f"{DataProblem.NO_READABLE_IMAGE}: {', '.join(f'{cause} ({n})' for cause, n in causes.most_common())}"
        raise FolderWrong(folder, DataProblem.NO_READABLE_IMAGE, found)
    return Inspection(
        folder=folder,
        catalogue=catalogue,
        readable=tuple(readable),
        quarantined=tuple(quarantined),
        repeated=tuple(tuple(cases) for cases in by_content.values() if len(cases) > 1),
        links_out=tuple(_links_out(folder, readable)),
    )


def split(inspection: Inspection, clinics: int, column: str | None, seed: int) -> Mapping[str, Cases]:
    """How the demo and `local up` would deal the readable cases to clinics. Raises SplitImpossible."""
    if column is None:
        return deal(inspection.readable, clinics, seed)
    return split_by_column(inspection.readable, column, clinics)


def remarks(inspection: Inspection, now: datetime) -> tuple[str, ...]:
    """All that a person should know and that stops nothing, in sentences."""
    known = OUTCOMES if inspection.classes.keys() <= set(OUTCOMES) else CLASSES
    return (
        *notes(inspection.readable, known, HIGH_RISK),
        *inspection.catalogue.left_out(),
        *_repeated(inspection.repeated),
        *_dates(inspection.readable, now),
        *_links(inspection.links_out),
    )


def dates(cases: Sequence[Case]) -> tuple[str, str, int] | None:
    """(first day, last day, cases without a date) of visits, else of adding; None for a table without dates."""
    for known in ([case.visit_date for case in cases], [case.added_date for case in cases]):
        days = sorted(instant.date().isoformat() for instant in known if instant is not None)
        if days:
            return days[0], days[-1], len(cases) - len(days)
    return None


def skin_types(cases: Sequence[Case]) -> Mapping[str, int] | None:
    """Cases by what the skin type's column says; None for a table without such a column."""
    return _values(cases, _SKIN)


def ages(cases: Sequence[Case]) -> tuple[float, float, int] | None:
    """(youngest, oldest, cases without an age); None for a table without an age."""
    values = _values(cases, _AGE) or {}
    known = {age: count for text, count in values.items() if (age := _number(text)) is not None}
    return (min(known), max(known), len(cases) - sum(known.values())) if known else None


def _values(cases: Sequence[Case], columns: Sequence[str]) -> Mapping[str, int] | None:
    headers = {normal(header): header for case in cases[:1] for header in case.attributes}
    header = next((headers[column] for column in columns if column in headers), None)
    if header is None:
        return None
    return dict(sorted(Counter(identifier(case.attributes, header) or "unknown" for case in cases).items()))


def _number(text: str) -> float | None:
    try:
        age = float(text)
    except ValueError:
        return None
    return age if 0 <= age <= 150 else None


def _repeated(repeated: Sequence[Sequence[Case]]) -> Iterator[str]:
    def sentence(groups: Sequence[Sequence[Case]], what: str) -> str:
        first = " and ".join(quoted(case.image_id) for case in groups[0][:2])
        return f"{len(groups)} images are in the folder under several ids{what} (such as {first})"

    unlike = [cases for cases in repeated if len({case.label for case in cases}) > 1]
    strangers = [cases for cases in repeated if len({case.group for case in cases}) > 1 and cases not in unlike]
    if unlike:
        yield sentence(unlike, " with different diagnoses: correct the table")
    if strangers:
        yield sentence(strangers, " as if of different patients: name the patient, or keep one")
    same = [cases for cases in repeated if cases not in unlike and cases not in strangers]
    if same:
        yield sentence(same, ": each counts")


def _dates(cases: Sequence[Case], now: datetime) -> Iterator[str]:
    span = dates(cases)
    if span is None:
        yield "no dates: an image counts as added when a training first sees it, so in the first round all are recent"
        return
    if span[2]:
        yield f"{span[2]} cases without a date are in no round, as others have one"
    known = [instant for case in cases for instant in (case.visit_date, case.added_date) if instant is not None]
    ahead = sum(instant > now for instant in known)
    if ahead:
        yield f"{ahead} dates lie in the future: such a case is in no round before that day"


def _links(names: Sequence[str]) -> Iterator[str]:
    if names:
        some = listed([quoted(name) for name in names], most=3)
        yield f"{len(names)} images are links that lead out of the folder: a Job that sees only the folder lacks {some}"


def _links_out(folder: Path, cases: Sequence[Case]) -> Iterator[str]:
    real = folder.resolve()
    return (case.image_id for case in cases if not Path(os.path.realpath(case.path)).is_relative_to(real))
