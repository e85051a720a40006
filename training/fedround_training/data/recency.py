"""Which of a clinic's cases are recent at a given instant, and by which dates that was decided.

Pure. Called by `train` with the catalogue's cases, the round's window and instant, and, for tables without dates, the
first-seen index.

    by FirstVisit   a patient's earliest date counts for all of the patient's images:
                    from the column of visits, else of adding, else the index
    by Added        each image's own date counts: from the column of adding, else the index

A column counts for the whole table as soon as one case has a date in it; cases without one are then not recent, and
counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fedround_training.data.cases import Case

_DateOf = Callable[[Case], datetime | None]


class By(StrEnum):
    """Whose date decides. The values are those of `spec.training.cases.by` of a round."""

    FIRST_VISIT = "FirstVisit"
    ADDED = "Added"


class DateSource(StrEnum):
    VISIT_COLUMN = "visit date of the table"
    ADDED_COLUMN = "date of adding in the table"
    FIRST_SEEN_INDEX = "first-seen index"


@dataclass(frozen=True)
class Window:
    """The days that end at `until`: later than `until - days`, not later than `until`."""

    days: int
    until: datetime

    def holds(self, instant: datetime) -> bool:
        return self.until - timedelta(days=self.days) < instant <= self.until


@dataclass(frozen=True)
class Recent:
    """`cases` in the order of their image ids. `undated` counts cases that no date could be found for."""

    cases: tuple[Case, ...]
    source: DateSource
    undated: int


def has_dates(cases: Sequence[Case], by: By) -> bool:
    """Whether the table itself dates the cases; if not, `select_recent` needs the first-seen index."""
    return _column_source(cases, by) is not None


def select_recent(cases: Sequence[Case], window: Window, by: By, first_seen: Mapping[str, datetime]) -> Recent:
    """The cases in the window. The same cases, window and index give the same result, whatever the order of `cases`."""
    source = _column_source(cases, by) or DateSource.FIRST_SEEN_INDEX
    date_of = _date_of(source, first_seen)
    dates = {case.image_id: date_of(case) for case in cases}
    if by is By.FIRST_VISIT:
        first = _earliest_by_group(cases, dates)
        dates = {case.image_id: first.get(case.group) for case in cases}
    ordered = sorted(cases, key=lambda case: case.image_id)
    recent = tuple(case for case in ordered if _in(window, dates[case.image_id]))
    return Recent(recent, source, undated=sum(instant is None for instant in dates.values()))


def _column_source(cases: Sequence[Case], by: By) -> DateSource | None:
    if by is By.FIRST_VISIT and any(case.visit_date for case in cases):
        return DateSource.VISIT_COLUMN
    return DateSource.ADDED_COLUMN if any(case.added_date for case in cases) else None


def _date_of(source: DateSource, first_seen: Mapping[str, datetime]) -> _DateOf:
    match source:
        case DateSource.VISIT_COLUMN:
            return lambda case: case.visit_date
        case DateSource.ADDED_COLUMN:
            return lambda case: case.added_date
        case DateSource.FIRST_SEEN_INDEX:
            return lambda case: first_seen.get(case.image_id)


def _earliest_by_group(cases: Sequence[Case], dates: Mapping[str, datetime | None]) -> dict[str, datetime]:
    earliest: dict[str, datetime] = {}
    for case in cases:
        instant = dates[case.image_id]
        if instant is not None:
            earliest[case.group] = min(instant, earliest.get(case.group, instant))
    return earliest


def _in(window: Window, instant: datetime | None) -> bool:
    return instant is not None and window.holds(instant)
