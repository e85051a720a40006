"""The two folders of real images beside the checkout are read and split as they are."""

from collections import Counter
from pathlib import Path

import pytest

from fedround_training.data.cases import GroupUnit
from fedround_training.data.catalogue import Catalogue, Skipped, read_catalogue
from fedround_training.data.clinic_folder import write_clinic_folder
from fedround_training.data.images import load_images, without_metadata
from fedround_training.data.splits import Cases, halve, set_aside, split_by_column
from fedround_training.data.testset import Contribution, Part, read_test_set, write_test_set

DATA = Path(__file__).parents[5] / "shared" / "data"


def real(name: str) -> Catalogue:
    if not (DATA / name).is_dir():
        pytest.skip(f"no real images: {DATA / name} is missing")
    return read_catalogue(DATA / name)


def labels(cases: Cases) -> dict[str, int]:
    return dict(Counter(case.label for case in cases))


@pytest.mark.parametrize("name", ["uda1", "ham10000"])
def test_none_of_the_real_images_is_taken_for_damaged(name: str) -> None:
    # Every tenth: all of them take half a minute.
    assert load_images(real(name).cases[::10], 16).quarantined == ()


def test_uda1_makes_three_clinics_by_camera() -> None:
    catalogue = real("uda1")
    assert catalogue.unit is GroupUnit.IMAGE
    assert catalogue.skipped == {Skipped.NO_LABEL: 2}
    clinics = split_by_column(catalogue.cases, "camera", 3)
    assert {name: labels(cases) for name, cases in clinics.items()} == {
        "unspecified": {"nv": 225, "mel": 72},
        "sony-dsc-w7": {"nv": 43, "mel": 33},
        "canon-canon-powershot-g7": {"nv": 53, "mel": 20},
    }


def test_ham10000_makes_four_clinics_by_dataset() -> None:
    catalogue = real("ham10000")
    assert (catalogue.unit, catalogue.skipped, catalogue.images_without_row) == (GroupUnit.LESION, {}, 0)
    clinics = split_by_column(catalogue.cases, "dataset", 4)
    assert {name: len(cases) for name, cases in clinics.items()} == {
        "vidir-molemax": 3191,
        "vidir-modern": 2728,
        "rosendahl": 1781,
        "vienna-dias": 326,
    }
    held_out: list[Cases] = []
    for name, cases in clinics.items():
        _, aside = set_aside(cases, seed=7)
        assert 0.15 < len(aside) / len(cases) < 0.25, name
        assert {"mel", "bcc"} <= labels(aside).keys(), name
        held_out.append(aside)
    gate, calibration = halve([case for aside in held_out for case in aside], seed=7)
    assert labels(gate).keys() == labels(calibration).keys() == catalogue.labels.keys()


def test_uda1_goes_into_clinic_folders_and_a_test_set_without_its_exif(tmp_path: Path) -> None:
    given, kept_cases = [], 0
    for name, cases in split_by_column(real("uda1").cases, "camera", 3).items():
        kept, aside = set_aside(cases, seed=7)
        gate, calibration = halve(aside, seed=7)
        given += [Contribution(name, Part.GATE, gate), Contribution(name, Part.CALIBRATION, calibration)]
        write_clinic_folder(tmp_path / name, kept)
        kept_cases += len(read_catalogue(tmp_path / name).cases)
    made = write_test_set(tmp_path / "test-set", given, ("mel", "nv"), without_metadata)
    held_out = read_test_set(tmp_path / "test-set", made.digest)
    assert kept_cases + len(held_out.cases) == 446
    assert not any(b"Exif" in case.path.read_bytes() for case in held_out.cases)
    loaded = load_images(held_out.cases, 64)
    assert loaded.pixels.shape == (len(held_out.cases), 64, 64, 3)
    assert loaded.quarantined == ()
