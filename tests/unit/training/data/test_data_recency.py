"""A round's window holds the same cases each time it is asked, by the best dates that the clinic has."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fedround_training.data.cases import Case
from fedround_training.data.errors import IndexCorrupt
from fedround_training.data.first_seen import FirstSeenIndex
from fedround_training.data.recency import By, DateSource, Recent, Window, has_dates, select_recent
from unit.training.data.lesions import make_case

UNTIL = datetime(2026, 11, 24, 12, tzinfo=UTC)
WINDOW = Window(days=90, until=UNTIL)


def days_ago(days: float) -> datetime:
    return UNTIL - timedelta(days=days)


def ids(recent: Recent) -> list[str]:
    return [case.image_id for case in recent.cases]


VISITED = [
    make_case("new", patient="P1", visit_date=days_ago(10)),
    make_case("old", patient="P2", visit_date=days_ago(200)),
    make_case("again", patient="P2", visit_date=days_ago(5)),
    make_case("undated", patient="P1"),
    make_case("unknown", patient="P3"),
]


def test_by_first_visit_all_images_follow_the_first_visit_of_their_patient() -> None:
    recent = select_recent(VISITED, WINDOW, By.FIRST_VISIT, {})
    assert ids(recent) == ["new", "undated"]
    assert recent.source is DateSource.VISIT_COLUMN
    assert recent.undated == 1


ADDED = [
    make_case("A", patient="P1", added_date=days_ago(200)),
    make_case("B", patient="P1", added_date=days_ago(1)),
    make_case("C", patient="P2", added_date=days_ago(2)),
    make_case("D", patient="P2"),
]


def test_by_added_each_image_has_its_own_date() -> None:
    recent = select_recent(ADDED, WINDOW, By.ADDED, {})
    assert ids(recent) == ["B", "C"]
    assert (recent.source, recent.undated) == (DateSource.ADDED_COLUMN, 1)


def test_without_a_visit_column_the_first_adding_stands_for_the_first_visit() -> None:
    recent = select_recent(ADDED, WINDOW, By.FIRST_VISIT, {})
    assert ids(recent) == ["C", "D"]
    assert recent.source is DateSource.ADDED_COLUMN


def test_a_visit_date_does_not_stand_for_the_date_of_adding() -> None:
    recent = select_recent(VISITED, WINDOW, By.ADDED, {"old": days_ago(3)})
    assert ids(recent) == ["old"]
    assert recent.source is DateSource.FIRST_SEEN_INDEX


@pytest.mark.parametrize(
    ("days", "inside"), [(0, True), (89.99, True), (90, False), (-0.01, False)], ids=["now", "in", "start", "future"]
)
def test_the_window_excludes_its_start_and_includes_its_end(days: float, inside: bool) -> None:
    assert WINDOW.holds(days_ago(days)) is inside


def test_a_table_without_dates_has_none() -> None:
    assert not has_dates([make_case("A")], By.ADDED)
    assert has_dates(VISITED, By.FIRST_VISIT)
    assert not has_dates(VISITED, By.ADDED)


UNDATED = [make_case("B", patient="P1"), make_case("A", patient="P1"), make_case("C", patient="P2")]


def select_by_index(index: FirstSeenIndex, cases: list[Case], by: By, until: datetime) -> list[str]:
    index.observe([case.image_id for case in cases], at=until)
    return ids(select_recent(cases, Window(90, until), by, index.seen))


def test_without_dates_a_file_is_as_old_as_its_first_sight(tmp_path: Path) -> None:
    path = tmp_path / "first-seen.json"
    index = FirstSeenIndex(path)
    assert select_by_index(index, UNDATED[:1], By.ADDED, days_ago(100)) == ["B"]
    assert select_by_index(FirstSeenIndex(path), UNDATED, By.ADDED, UNTIL) == ["A", "C"]
    assert select_by_index(FirstSeenIndex(path), UNDATED, By.FIRST_VISIT, UNTIL) == ["C"]


def test_a_repeated_round_sees_the_same_cases_though_files_have_come(tmp_path: Path) -> None:
    path = tmp_path / "first-seen.json"
    assert select_by_index(FirstSeenIndex(path), UNDATED[:2], By.ADDED, UNTIL) == ["A", "B"]
    saved = path.read_bytes()
    assert select_by_index(FirstSeenIndex(path), UNDATED, By.ADDED, UNTIL) == ["A", "B"]
    assert path.read_bytes() == saved
    assert select_by_index(FirstSeenIndex(path), UNDATED, By.ADDED, UNTIL + timedelta(hours=1)) == ["A", "B", "C"]


@pytest.mark.parametrize("keep", [0, 1, 40, -3])
def test_a_cut_off_index_is_an_error_and_stays_as_it_is(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "first-seen.json"
    FirstSeenIndex(path).observe(["A", "B"], at=UNTIL)
    cut = path.read_bytes()[:keep]
    path.write_bytes(cut)
    with pytest.raises(IndexCorrupt, match="index of first-seen images is corrupt"):
        FirstSeenIndex(path)
    assert path.read_bytes() == cut


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"format": 2, "observed": "2026-11-24T12:00:00+00:00", "firstSeen": {}},
        {"format": 1, "observed": "2026-11-24T12:00:00", "firstSeen": {}},
        {"format": 1, "observed": "2026-11-24T12:00:00+00:00", "firstSeen": {"A": 5}},
        {"format": 1, "firstSeen": {}},
    ],
)
def test_another_json_is_no_index(tmp_path: Path, content: object) -> None:
    path = tmp_path / "first-seen.json"
    path.write_text(json.dumps(content))
    with pytest.raises(IndexCorrupt):
        FirstSeenIndex(path)
