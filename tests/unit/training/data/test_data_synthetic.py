"""The procedural lesions are the same each time, and a folder like the published ones."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fedround_training.data.cases import GroupUnit
from fedround_training.data.catalogue import Catalogue, read_catalogue
from fedround_training.data.images import load_images
from fedround_training.data.splits import split_by_column
from fedround_training.data.synthetic import draw_lesion, write_synthetic_folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("synthetic")
    write_synthetic_folder(folder, images=240, seed=5)
    return read_catalogue(folder)


def test_a_folder_has_as_many_images_as_asked_in_four_classes_by_patient(made: Catalogue) -> None:
    assert len(made.cases) == 240
    assert set(made.labels) == {"nv", "mel", "bcc", "bkl"}
    assert min(made.labels.values()) >= 20
    assert (made.unit, made.skipped) == (GroupUnit.PATIENT, {})
    photos = Counter(Counter(case.patient for case in made.cases).values())
    assert set(photos) == {1, 2, 3}


def test_the_origins_make_three_clinics_of_different_brightness(made: Catalogue) -> None:
    clinics = split_by_column(made.cases, "dataset", 3)
    assert set(clinics) == {"urban", "rural", "coastal"}
    brightness = {name: float(load_images(cases, 16).pixels.mean()) for name, cases in clinics.items()}
    assert brightness["rural"] < brightness["urban"] - 5 < brightness["coastal"] - 10


def test_a_lesion_is_the_same_each_time_and_other_for_another_seed_patient_or_photo() -> None:
    lesion = draw_lesion(seed=5, patient=1, photo=0)
    assert lesion.shape == (96, 128, 3)
    assert np.array_equal(lesion, draw_lesion(seed=5, patient=1, photo=0))
    for other in (draw_lesion(6, 1, 0), draw_lesion(5, 2, 0), draw_lesion(5, 1, 1)):
        assert not np.array_equal(lesion, other)


def test_a_smaller_folder_is_the_beginning_of_a_larger_one(tmp_path: Path, made: Catalogue) -> None:
    write_synthetic_folder(tmp_path, images=20, seed=5)
    for few, many in zip(read_catalogue(tmp_path).cases, made.cases, strict=False):
        assert (few.image_id, few.label, few.patient) == (many.image_id, many.label, many.patient)
        assert few.path.read_bytes() == many.path.read_bytes()


def test_the_classes_differ_in_their_pixels(made: Catalogue) -> None:
    """A nearest-mean rule on a patient's first photo, of colour only: better than chance, far from perfect."""
    loaded = load_images(made.cases, 16)
    centre = loaded.pixels[:, 5:11, 5:11].mean(axis=(1, 2))
    edge = loaded.pixels[:, 0].mean(axis=1)
    features = centre / edge
    labels = np.array([case.label for case in loaded.cases])
    learnt, asked = slice(0, 140), slice(140, None)
    names = sorted(set(labels))
    means = np.array([features[learnt][labels[learnt] == name].mean(axis=0) for name in names])
    nearest = np.linalg.norm(features[asked, None] - means, axis=2).argmin(axis=1)
    right = float(np.mean(np.array(names)[nearest] == labels[asked]))
    assert 0.4 < right < 0.95
