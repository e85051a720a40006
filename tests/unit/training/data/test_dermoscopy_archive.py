"""A drawn folder reads like a published one, by the same code that reads those."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fedround_training.data.cases import GroupUnit
from fedround_training.data.catalogue import Catalogue, read_catalogue
from fedround_training.data.dermoscopy import NON_IID, write_synthetic_folder
from fedround_training.data.images import load_images
from fedround_training.data.splits import split_by_column


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("drawn")
    write_synthetic_folder(folder, images=150, seed=5, width=64)
    return read_catalogue(folder)


def test_a_folder_has_as_many_images_as_asked_of_six_classes_by_patient(made: Catalogue) -> None:
    assert len(made.cases) == 150
    assert set(made.labels) == {"nv", "mel", "bcc", "bkl", "scc", "vasc"}
    assert (made.unit, made.skipped, made.images_without_row) == (GroupUnit.PATIENT, {}, 0)


def test_some_patients_have_two_or_three_photos_of_one_lesion(made: Catalogue) -> None:
    photos = Counter(Counter(case.patient for case in made.cases).values())
    assert set(photos) == {1, 2, 3}
    assert len({case.lesion for case in made.cases}) == len({case.patient for case in made.cases})


def test_the_column_clinic_makes_the_three_clinics_each_with_its_camera(made: Catalogue) -> None:
    clinics = split_by_column(made.cases, "clinic", 3)
    assert list(clinics) == ["urban", "northern", "childrens"]
    cameras = {name: {case.attributes["camera"] for case in cases} for name, cases in clinics.items()}
    assert cameras == {"urban": {"contact-a"}, "northern": {"polarised-b"}, "childrens": {"phone-c"}}


def test_the_table_has_the_columns_of_the_isic_archive(made: Catalogue) -> None:
    with made.table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "image_id", "patient_id", "lesion_id", "diagnosis", "age_approx", "sex", "anatom_site_general",
        "fitzpatrick_skin_type", "camera", "clinic",
    ]  # fmt: skip
    assert {row["fitzpatrick_skin_type"] for row in rows} == {"I", "II", "III", "IV", "V", "VI"}
    assert {int(row["age_approx"]) % 5 for row in rows} == {0}
    assert {row["sex"] for row in rows} == {"female", "male"}


def test_images_are_jpegs_of_the_width_that_was_asked_for_without_metadata(made: Catalogue) -> None:
    with Image.open(made.cases[0].path) as image:
        assert (image.format, image.size) == ("JPEG", (64, 48))
        assert not image.getexif()
    assert load_images(made.cases, 32).quarantined == ()


def test_a_smaller_folder_is_the_beginning_of_a_larger_one(tmp_path: Path, made: Catalogue) -> None:
    write_synthetic_folder(tmp_path, images=20, seed=5, width=64)
    few = read_catalogue(tmp_path).cases
    assert len(few) == 20
    for one, same in zip(few, made.cases, strict=False):
        assert (one.image_id, one.label, one.patient) == (same.image_id, same.label, same.patient)
        assert one.path.read_bytes() == same.path.read_bytes()


def test_the_five_unequal_clinics_have_their_sizes(tmp_path: Path) -> None:
    write_synthetic_folder(tmp_path, 200, 1, NON_IID, width=32)
    sizes = {name: len(cases) for name, cases in split_by_column(read_catalogue(tmp_path).cases, "clinic", 5).items()}
    assert set(sizes) == {"urban", "darkskin", "paed", "cancer", "rural"}
    # 1200 of 3450 are 70 of 200, 250 are 14.
    assert 45 < sizes["urban"] < 95
    assert 4 < sizes["rural"] < 30


def test_photos_of_one_patient_are_not_the_same_picture(made: Catalogue) -> None:
    loaded = load_images(made.cases, 32)
    several = [patient for patient, count in Counter(case.patient for case in loaded.cases).items() if count > 1]
    for patient in several[:10]:
        first, second = [
            pixels for pixels, case in zip(loaded.pixels, loaded.cases, strict=True) if case.patient == patient
        ][:2]
        assert np.abs(first.astype(int) - second).mean() > 2


@pytest.mark.parametrize("images", range(1, 9))
def test_the_last_patient_gives_only_as_many_photos_as_are_wanted(tmp_path: Path, images: int) -> None:
    write_synthetic_folder(tmp_path, images, seed=5, width=32)
    assert len(read_catalogue(tmp_path).cases) == images
