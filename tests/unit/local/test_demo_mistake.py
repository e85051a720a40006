"""The demo's mistake: labels change places, the declared volume rises, and all comes back, also after a crash."""

import json
from pathlib import Path

import pytest
import yaml

from fedround_api.policyfile import read_policy
from fedround_local.demo.mistake import exchange_of, make, swapped_labels, undo
from fedround_local.federation.enrolment import policy_text
from fedround_local.federation.layout import Layout

TABLE = "image_id,patient_id,lesion_id,dx,visit_date\nA,P1,,mel,\nB,P1,,nv,\nC,P2,,vasc,\n"
SWAPPED = "image_id,patient_id,lesion_id,dx,visit_date\nA,P1,,nv,\nB,P1,,mel,\nC,P2,,mel,\n"
EXCHANGE = {"mel": "nv", "nv": "mel", "vasc": "mel"}


@pytest.fixture
def place(tmp_path: Path) -> Layout:
    """A federation's folder with the clinic `north`."""
    place = Layout(tmp_path)
    table(place).parent.mkdir(parents=True)
    table(place).write_text(TABLE)
    place.clinic("north").mkdir(parents=True)
    place.policy("north").write_text(policy_text(384))
    return place


def table(place: Layout) -> Path:
    return place.volume("local-north", "images") / "metadata.csv"


def declared(place: Layout) -> int:
    return read_policy(yaml.safe_load(place.policy("north").read_text())).spec.case_volume


def files(place: Layout) -> list[str]:
    return sorted(path.relative_to(place.state).as_posix() for path in place.state.rglob("*") if path.is_file())


def test_high_risk_classes_and_others_change_places_and_the_shorter_list_is_used_up() -> None:
    assert exchange_of(["mel", "bcc", "nv", "bkl", "vasc"], ["bcc", "mel"]) == {
        "mel": "nv",
        "bcc": "bkl",
        "nv": "mel",
        "bkl": "bcc",
        "vasc": "bcc",
    }


def test_only_labels_change_in_a_table_and_unknown_ones_stay() -> None:
    assert swapped_labels(TABLE, EXCHANGE) == SWAPPED
    assert swapped_labels(TABLE, {"nv": "mel"}) == TABLE.replace("B,P1,,nv", "B,P1,,mel")


def test_a_table_of_outcomes_is_swapped_as_well() -> None:
    table_of_outcomes = "image_id,benign_malignant\nA,benign\nB,malignant\n"

    swapped = swapped_labels(table_of_outcomes, {"benign": "malignant", "malignant": "benign"})

    assert swapped == "image_id,benign_malignant\nA,malignant\nB,benign\n"


def test_the_mistake_is_in_table_and_policy_and_leaves_the_rest_of_the_policy(place: Layout) -> None:
    make(place, "north", EXCHANGE)

    assert table(place).read_text() == SWAPPED
    before, after = json.loads(policy_text(384)), json.loads(place.policy("north").read_text())
    assert after == {**before, "spec": {**before["spec"], "caseVolume": 10_000}}


def test_undone_everything_is_as_before(place: Layout) -> None:
    before = files(place)
    make(place, "north", EXCHANGE)

    assert undo(place, ["north"]) == ("north",)

    assert table(place).read_text() == TABLE
    assert declared(place) == 384
    assert files(place) == before


def test_a_mistake_that_was_made_twice_is_made_once_and_undone_whole(place: Layout) -> None:
    make(place, "north", EXCHANGE)
    make(place, "north", EXCHANGE)

    assert table(place).read_text() == SWAPPED
    undo(place, ["north"])
    assert table(place).read_text() == TABLE


def test_without_a_mistake_there_is_nothing_to_undo(place: Layout) -> None:
    assert undo(place, ["north"]) == ()
    assert table(place).read_text() == TABLE


def test_a_demo_that_was_killed_between_the_two_files_is_undone(place: Layout) -> None:
    make(place, "north", EXCHANGE)
    place.policy("north").write_text(policy_text(384))
    (place.clinic("north") / ".policy.yaml.before-the-mistake").unlink()

    assert undo(place, ["north"]) == ("north",)
    assert (table(place).read_text(), declared(place)) == (TABLE, 384)
