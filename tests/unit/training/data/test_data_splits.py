"""Patients are never divided, nothing is lost, and the same seed deals the same cases."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedround_training.data.cases import Case
from fedround_training.data.clinic_names import clinic_name, numbered_name
from fedround_training.data.errors import SplitImpossible
from fedround_training.data.splits import deal, halve, set_aside, split_by_column
from unit.training.data.lesions import make_case

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["P1", "P2", "P3", "P4", "P5", "P6", "P7", None, None]),
        st.sampled_from(["nv", "mel", "bkl"]),
        st.sampled_from(["", "a", "b", "c", "A"]),
    ),
    min_size=4,
    max_size=40,
)


def make_cases(rows: Sequence[tuple[str | None, str, str]]) -> list[Case]:
    return [make_case(f"I{n:03d}", label, patient, camera=camera) for n, (patient, label, camera) in enumerate(rows)]


def assert_whole(cases: Sequence[Case], parts: Sequence[Sequence[Case]]) -> None:
    """Each case is in exactly one part, and each patient too."""
    assert sorted(c.image_id for part in parts for c in part) == sorted(c.image_id for c in cases)
    groups = [{case.group for case in part} for part in parts]
    assert sum(len(part) for part in groups) == len({case.group for case in cases})


@given(ROWS, st.integers(1, 4), st.integers(0, 99), st.randoms(use_true_random=False))
def test_dealing_is_whole_even_and_the_same_in_any_order(
    rows: list[tuple[str | None, str, str]], clinics: int, seed: int, chance: object
) -> None:
    cases = make_cases(rows)
    if len({case.group for case in cases}) < clinics:
        with pytest.raises(SplitImpossible):
            deal(cases, clinics, seed)
        return
    dealt = deal(cases, clinics, seed)
    assert_whole(cases, list(dealt.values()))
    patients = [len({case.group for case in hand}) for hand in dealt.values()]
    assert max(patients) - min(patients) <= 1
    assert deal(cases[::-1], clinics, seed) == dealt


@given(ROWS, st.integers(1, 4))
def test_splitting_by_a_column_is_whole_and_the_same_in_any_order(
    rows: list[tuple[str | None, str, str]], clinics: int
) -> None:
    cases = make_cases(rows)
    try:
        split = split_by_column(cases, "camera", clinics)
    except SplitImpossible:
        return
    assert len(split) == clinics
    assert all(split.values())
    assert_whole(cases, list(split.values()))
    assert split_by_column(cases[::-1], "camera", clinics) == split


@given(ROWS, st.integers(0, 99), st.sampled_from([0.1, 0.2, 0.4, 0.5]))
def test_what_is_set_aside_is_whole_a_fraction_and_the_same_in_any_order(
    rows: list[tuple[str | None, str, str]], seed: int, fraction: float
) -> None:
    cases = make_cases(rows)
    kept, aside = set_aside(cases, seed, fraction)
    assert_whole(cases, [kept, aside])
    patients = len({case.group for case in cases})
    if patients > 1:
        assert kept
        assert abs(len({case.group for case in aside}) - fraction * patients) < 1
        assert any(c.label == "mel" for c in aside) == any(c.label == "mel" for c in cases)
    assert set_aside(cases[::-1], seed, fraction) == (kept, aside)


@given(ROWS, st.integers(0, 99))
def test_calibration_and_gate_share_no_patient(rows: list[tuple[str | None, str, str]], seed: int) -> None:
    cases = make_cases(rows)
    gate, calibration = halve(cases, seed)
    assert_whole(cases, [gate, calibration])
    patients = len({case.group for case in cases})
    if patients > 1:
        assert abs(len({case.group for case in calibration}) - 0.4 * patients) < 1


def test_each_label_gives_its_share_of_patients() -> None:
    labels = ["nv"] * 100 + ["bkl"] * 20 + ["mel"] * 10 + ["bcc"]
    cases = [make_case(f"I{n:03d}", label) for n, label in enumerate(labels)]
    _, aside = set_aside(cases, seed=7)
    counted = Counter(case.label for case in aside)
    assert counted == {"bcc": 1, "mel": 2, "bkl": 4, "nv": 20}
    gate, calibration = halve(cases, seed=7)
    assert Counter(case.label for case in calibration) == {"mel": 4, "bkl": 8, "nv": 40}
    assert len(gate) == 79


def test_a_fraction_that_binary_numbers_miss_is_rounded_up_all_the_same() -> None:
    assert len(set_aside([make_case(f"I{n}") for n in range(6)], seed=7, fraction=0.6)[1]) == 4


def test_another_seed_deals_and_sets_aside_other_patients() -> None:
    cases = [make_case(f"I{n:03d}") for n in range(50)]
    assert deal(cases, 2, seed=1) != deal(cases, 2, seed=2)
    assert set_aside(cases, seed=1) != set_aside(cases, seed=2)


def sizes(split: Mapping[str, Sequence[Case]]) -> dict[str, int]:
    return {name: len(cases) for name, cases in split.items()}


def by_camera(**counts: int) -> list[Case]:
    names = {"empty": ""}
    cameras = [names.get(camera, camera) for camera, count in counts.items() for _ in range(count)]
    return [make_case(f"I{n:03d}", camera=camera) for n, camera in enumerate(cameras)]


def test_surplus_groups_go_to_the_smallest_clinic_the_largest_group_first() -> None:
    split = split_by_column(by_camera(empty=9, c1=5, c2=4, c3=3, c4=1), "Camera", 3)
    assert sizes(split) == {"unspecified": 9, "c1": 6, "c2": 7}
    assert {case.attributes["camera"] for case in split["c2"]} == {"c2", "c3"}


def test_a_patient_with_two_cameras_goes_whole_to_the_one_used_more() -> None:
    cameras = {"A": "new", "B": "old", "C": "new"}
    cases = [make_case(image_id, patient="P1", camera=camera) for image_id, camera in cameras.items()]
    split = split_by_column([*cases, make_case("D", camera="old")], "camera", 2)
    assert [case.image_id for case in split["new"]] == ["A", "B", "C"]


def test_too_few_groups_are_an_error_that_counts_them() -> None:
    with pytest.raises(
        SplitImpossible, match=r"'camera' has 2 groups, too few for 3 clinics: x \(3\), unspecified \(2\)"
    ):
        split_by_column(by_camera(empty=2, x=3), "camera", 3)


def test_an_unknown_column_is_an_error_that_names_the_columns() -> None:
    with pytest.raises(SplitImpossible, match="no column 'site' to split by; there are camera"):
        split_by_column(by_camera(x=3), "site", 1)


@pytest.mark.parametrize("clinics", [0, -1])
def test_no_clinics_are_an_error(clinics: int) -> None:
    with pytest.raises(SplitImpossible, match=f"among {clinics} clinics"):
        split_by_column(by_camera(x=3), "camera", clinics)
    with pytest.raises(SplitImpossible, match=f"among {clinics} clinics"):
        deal(by_camera(x=3), clinics, seed=1)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("vidir_modern", "vidir-modern"),
        ("Canon Canon PowerShot G7", "canon-canon-powershot-g7"),
        ("", "unspecified"),
        ("Hôpital  Général!", "hopital-general"),
        ("皮膚科", "other"),
        ("a" * 29 + " department", "a" * 29),
    ],
)
def test_a_clinic_is_named_by_a_dns_label(value: str, name: str) -> None:
    assert clinic_name(value, taken=()) == name


@given(st.lists(st.text(max_size=40), max_size=12))
def test_clinic_names_are_labels_and_unique(values: list[str]) -> None:
    names: list[str] = []
    for value in values:
        names.append(clinic_name(value, taken=names))
    assert len(set(names)) == len(names)
    for name in names:
        assert 1 <= len(name) <= 30
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert not name.startswith("-")
        assert not name.endswith("-")


def test_dealt_clinics_have_words_for_names_and_then_numbers() -> None:
    assert [numbered_name(seat) for seat in (0, 3, 7, 8, 11)] == ["north", "west", "river", "clinic-9", "clinic-12"]
