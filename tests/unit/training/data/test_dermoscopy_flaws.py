"""Every planted flaw is where the list says, and the pipeline finds just those that it must set aside."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fedround_api.dataproblems import QuarantineCause
from fedround_training.data.catalogue import Skipped, read_catalogue
from fedround_training.data.dermoscopy import Flaw, plant_flaws, write_synthetic_folder
from fedround_training.data.images import load_images

Planted = Mapping[Flaw, tuple[str, ...]]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    write_synthetic_folder(folder, images=100, seed=3, width=64)
    return folder


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Planted]:
    folder = tmp_path_factory.mktemp("spoilt")
    write_synthetic_folder(folder, images=100, seed=3, width=64)
    return folder, plant_flaws(folder, seed=3)


def image(folder: Path, image_id: str) -> Path:
    return next((folder / "images").glob(f"{image_id}.*"))


def test_the_list_in_the_folder_is_what_was_planted(spoilt: tuple[Path, Planted]) -> None:
    folder, planted = spoilt
    written = json.loads((folder / "flaws.json").read_text())
    assert written == {str(flaw): list(ids) for flaw, ids in planted.items()}
    assert {flaw: len(ids) for flaw, ids in planted.items()} == {
        "names and places": 5, "sideways": 1, "empty": 1, "truncated": 1, "cmyk": 1, "16-bit": 1, "animated": 1,
        "duplicates": 1, "no image": 1,
    }  # fmt: skip
    assert len({image_id for ids in planted.values() for image_id in ids}) == 13


def test_what_cannot_be_used_is_set_aside_each_with_its_cause(spoilt: tuple[Path, Planted]) -> None:
    folder, planted = spoilt
    loaded = load_images(read_catalogue(folder).cases, 32)
    found = {error.image_id: error.cause for error in loaded.quarantined}
    causes = {
        Flaw.EMPTY: QuarantineCause.EMPTY,
        Flaw.TRUNCATED: QuarantineCause.DAMAGED,
        Flaw.CMYK: QuarantineCause.CMYK,
        Flaw.DEEP: QuarantineCause.DEEP,
        Flaw.ANIMATED: QuarantineCause.ANIMATED,
    }
    assert found == {image_id: cause for flaw, cause in causes.items() for image_id in planted[flaw]}


def test_rows_without_an_image_are_left_out_and_duplicates_are_cases(spoilt: tuple[Path, Planted]) -> None:
    folder, planted = spoilt
    catalogue = read_catalogue(folder)
    assert catalogue.skipped == {Skipped.NO_IMAGE: 1}
    assert len(catalogue.cases) == 101
    assert set(planted[Flaw.DUPLICATES]) <= {case.image_id for case in catalogue.cases}


def test_a_duplicate_has_the_bytes_and_the_patient_of_another_image(spoilt: tuple[Path, Planted]) -> None:
    folder, planted = spoilt
    cases = read_catalogue(folder).cases
    for copy in planted[Flaw.DUPLICATES]:
        content = image(folder, copy).read_bytes()
        same = [case for case in cases if case.path.read_bytes() == content]
        assert len(same) == 2
        assert len({case.patient for case in same}) == len({case.label for case in same}) == 1


def test_named_photos_hold_a_name_and_a_place_and_are_otherwise_unchanged(
    clean: Path, spoilt: tuple[Path, Planted]
) -> None:
    folder, planted = spoilt
    for image_id in planted[Flaw.NAMES_AND_PLACES]:
        content = image(folder, image_id).read_bytes()
        assert b"PATIENT NAME" in content
        with Image.open(image(folder, image_id)) as named, Image.open(image(clean, image_id)) as original:
            assert named.getexif().get_ifd(0x8825)[2] == (0.0, 0.0, 0.0)
            assert np.array_equal(np.asarray(named), np.asarray(original))


def test_images_without_a_planted_name_hold_none(spoilt: tuple[Path, Planted]) -> None:
    folder, planted = spoilt
    named = {path.stem for path in (folder / "images").iterdir() if b"PATIENT NAME" in path.read_bytes()}
    assert named == set(planted[Flaw.NAMES_AND_PLACES])


def test_sideways_photos_are_turned_upright_by_their_tag(clean: Path, spoilt: tuple[Path, Planted]) -> None:
    folder, planted = spoilt
    turned = [case for case in read_catalogue(folder).cases if case.image_id in planted[Flaw.SIDEWAYS]]
    upright = [case for case in read_catalogue(clean).cases if case.image_id in planted[Flaw.SIDEWAYS]]
    with Image.open(turned[0].path) as stored:
        assert stored.size == (48, 64)
    difference = load_images(turned, 32).pixels.astype(int) - load_images(upright, 32).pixels
    assert np.abs(difference).mean() < 4


def test_the_same_seed_plants_the_same(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_synthetic_folder(tmp_path / name, images=40, seed=3, width=32)
    first, second = (plant_flaws(tmp_path / name, seed=9) for name in ("one", "two"))
    assert first == second
    for image_id in first[Flaw.NAMES_AND_PLACES]:
        assert image(tmp_path / "one", image_id).read_bytes() == image(tmp_path / "two", image_id).read_bytes()


def test_a_folder_that_is_too_small_to_be_spoilt_is_left_alone(tmp_path: Path) -> None:
    write_synthetic_folder(tmp_path, images=39, seed=3, width=32)
    with pytest.raises(ValueError, match="at least 40 images, not 39"):
        plant_flaws(tmp_path, seed=3)
    assert not (tmp_path / "flaws.json").exists()
