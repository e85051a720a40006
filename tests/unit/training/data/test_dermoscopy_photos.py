"""Photos depend on seed, clinic and index alone, clinics differ as their profiles say, and classes overlap."""

from collections import Counter
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from fedround_training.data.dermoscopy import DEMO, NON_IID, ClinicProfile, draw_balanced, draw_cases
from fedround_training.data.dermoscopy.fields import Frame
from fedround_training.data.dermoscopy.lesions import draw_skin, paint
from fedround_training.data.dermoscopy.looks import LABELS, draw_look
from fedround_training.data.dermoscopy.optics import reflect
from fedround_training.data.dermoscopy.patients import Patient, Stream, draw_patient
from fedround_training.data.dermoscopy.photos import draw_photo

URBAN, NORTHERN, CHILDRENS = DEMO


def patients(profile: ClinicProfile, count: int = 400) -> list[Patient]:
    return [draw_patient(profile, Stream(3, profile.name, index)) for index in range(count)]


def without_artefacts(patient: Patient, frame: Frame) -> npt.NDArray[np.float32]:
    stream = patient.stream
    look = draw_look(stream.generator("look"), patient.label, child=patient.is_child)
    skin = draw_skin(stream.generator("skin"), patient.fitzpatrick)
    return reflect(paint(stream.generator("lesion"), look, skin, frame))


def test_a_case_does_not_depend_on_how_many_are_drawn_or_on_what_was_drawn_before() -> None:
    few = draw_cases(URBAN, 3, seed=5, size=32)
    draw_cases(NORTHERN, 2, seed=8, size=32)
    many = draw_cases(URBAN, 6, seed=5, size=32)
    assert np.array_equal(few.pixels, many.pixels[:3])
    assert few.labels.tolist() == many.labels[:3].tolist()
    alone = draw_photo(draw_patient(URBAN, Stream(5, "urban", 2)), URBAN, 0, 32, 32)
    assert np.array_equal(alone, few.pixels[2])


def test_another_seed_clinic_or_index_is_another_case() -> None:
    first = draw_cases(URBAN, 2, seed=5, size=32).pixels
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], draw_cases(URBAN, 1, seed=6, size=32).pixels[0])
    renamed = replace(URBAN, name="elsewhere")
    assert not np.array_equal(first[0], draw_cases(renamed, 1, seed=5, size=32).pixels[0])


def test_drawn_cases_say_who_they_are() -> None:
    drawn = draw_cases(CHILDRENS, 40, seed=1, size=16)
    assert drawn.pixels.shape == (40, 16, 16, 3)
    assert drawn.pixels.dtype == np.uint8
    assert drawn.classes == ("nv", "mel", "bcc", "bkl", "scc", "vasc")
    assert set(drawn.clinics) == {"childrens"}
    assert set(drawn.fitzpatrick.tolist()) == {1, 2, 3, 4, 5, 6}
    assert np.mean(drawn.ages < 18) > 0.6


def test_two_photos_show_one_lesion_turned_moved_and_relit() -> None:
    """How dark the darker parts are against the skin is a lesion's own, whatever the light and the place."""
    patients = [draw_patient(URBAN, Stream(2, "urban", index), "mel") for index in range(10)]
    photos = np.array([[draw_photo(patient, URBAN, photo, 48, 48) for photo in (0, 1)] for patient in patients], float)
    assert np.abs(photos[:, 0] - photos[:, 1]).mean() > 5
    levels = np.quantile(photos.mean(axis=4), (0.1, 0.2, 0.3, 0.5, 0.9), axis=(2, 3)).transpose(1, 2, 0)
    levels /= levels[..., -1:]
    same = np.abs(levels[:, 0] - levels[:, 1]).mean()
    others = np.abs(levels[1:, 0] - levels[:-1, 1]).mean()
    assert same < 0.6 * others


def test_a_lesion_is_the_same_at_every_size() -> None:
    patient = draw_patient(URBAN, Stream(4, "urban", 0), "nv")
    small = without_artefacts(patient, Frame(32, 32))
    large = without_artefacts(patient, Frame(128, 128)).reshape(32, 4, 32, 4, 3).mean(axis=(1, 3))
    assert np.abs(small - large).mean() < 0.02


def test_a_small_photo_is_a_large_one_averaged_so_that_hairs_are_soft() -> None:
    noiseless = replace(URBAN, camera=replace(URBAN.camera, noise=0.0), hairiness=12.0)
    patient = draw_patient(noiseless, Stream(6, "urban", 0))
    small = draw_photo(patient, noiseless, 0, 48, 48).astype(float)
    large = draw_photo(patient, noiseless, 0, 96, 96).reshape(48, 2, 48, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - large).max() <= 3


def test_turning_the_camera_turns_the_lesion() -> None:
    patient = draw_patient(URBAN, Stream(4, "urban", 0), "bcc")
    upright, turned = (without_artefacts(patient, Frame(64, 64, angle=angle)) for angle in (0.0, np.pi / 2))
    assert np.abs(np.rot90(upright, -1) - turned).mean() < 0.005


@pytest.mark.parametrize("profile", [*DEMO, *NON_IID], ids=lambda profile: profile.camera.name)
def test_a_profile_is_consistent(profile: ClinicProfile) -> None:
    assert set(profile.classes) == set(LABELS)
    assert sum(profile.classes.values()) == pytest.approx(1)
    assert sum(profile.skin_types) == pytest.approx(1)


@pytest.mark.parametrize("profile", DEMO, ids=lambda profile: profile.name)
def test_every_clinic_of_the_demo_has_high_risk_lesions_and_others(profile: ClinicProfile) -> None:
    labels = Counter(patient.label for patient in patients(profile, 130))
    assert labels["mel"] + labels["bcc"] + labels["scc"] >= 15
    assert labels["nv"] + labels["bkl"] + labels["vasc"] >= 40


def test_the_clinics_of_the_demo_differ_in_classes_skin_and_age() -> None:
    by_clinic = {profile.name: patients(profile) for profile in DEMO}

    def share(name: str, what: str) -> float:
        facts = [
            {"carcinoma": one.label in {"bcc", "scc"}, "dark": one.fitzpatrick >= 4, "child": one.is_child}
            for one in by_clinic[name]
        ]
        return float(np.mean([fact[what] for fact in facts]))

    assert share("northern", "carcinoma") > 0.25
    assert share("childrens", "carcinoma") < 0.20
    assert share("childrens", "dark") > share("urban", "dark") > 0.35
    assert share("northern", "dark") < 0.10
    assert share("childrens", "child") > 0.75
    assert share("urban", "child") < 0.10


def test_children_have_no_carcinoma_and_smaller_moles() -> None:
    drawn = patients(CHILDRENS, 600)
    children = [patient for patient in drawn if patient.is_child]
    assert len(children) > 450
    assert {patient.label for patient in children} == {"nv", "mel", "bkl", "vasc"}
    assert {"bcc", "scc"} <= {patient.label for patient in drawn}
    rng = np.random.default_rng
    child = [draw_look(rng(seed), "nv", child=True) for seed in range(40)]
    adult = [draw_look(rng(seed), "nv", child=False) for seed in range(40)]
    assert np.mean([look.radius for look in child]) < 0.8 * np.mean([look.radius for look in adult])
    assert max(look.network for look in child) == 0 < max(look.network for look in adult)


def test_a_balanced_set_has_every_class_and_clinic_alike() -> None:
    drawn = draw_balanced(NON_IID, 60, seed=1, size=16)
    assert Counter(drawn.labels.tolist()) == dict.fromkeys(range(6), 10)
    assert Counter(drawn.clinics) == dict.fromkeys(("urban", "darkskin", "paed", "cancer", "rural"), 12)
    pairs = Counter(zip(drawn.clinics, drawn.labels.tolist(), strict=True))
    assert set(pairs.values()) == {2}


def test_a_balanced_set_shares_no_lesion_with_the_clinics() -> None:
    tested = draw_balanced(NON_IID[:1], 30, seed=1, size=16).pixels
    trained = draw_cases(NON_IID[0], 30, seed=1, size=16).pixels
    assert not {image.tobytes() for image in tested} & {image.tobytes() for image in trained}


def test_a_camera_with_a_circle_has_dark_corners() -> None:
    corners = {profile.name: draw_cases(profile, 5, 1, 64).pixels[:, 0, 0].mean() for profile in DEMO}
    assert corners["northern"] < 20
    assert min(corners["urban"], corners["childrens"]) > 60


def test_a_lesion_stands_out_less_on_dark_skin_in_the_photo_too() -> None:
    def contrast(skin_type: int) -> float:
        moles = [draw_patient(URBAN, Stream(1, "urban", index), "nv") for index in range(12)]
        light = [without_artefacts(replace(mole, fitzpatrick=skin_type), Frame(32, 32)) for mole in moles]
        return float(np.mean([image[:4].mean() - image[14:18, 14:18].mean() for image in light]))

    assert contrast(6) < 0.6 * contrast(1)


def test_classes_differ_but_overlap() -> None:
    """A nearest-mean rule on colours and their spread: better than chance (1 in 6), far from perfect."""
    drawn = draw_balanced(DEMO, 240, seed=2, size=24)
    light = np.log(drawn.pixels[:, 4:20, 4:20].astype(float) + 8)
    colours = light.mean(axis=(1, 2)) - light[:, :2].mean(axis=(1, 2))
    features = np.concatenate((colours, light.std(axis=(1, 2))), axis=1)
    features /= features.std(axis=0)
    learnt, asked = slice(0, 120), slice(120, None)
    means = np.array([features[learnt][drawn.labels[learnt] == label].mean(axis=0) for label in range(6)])
    nearest = np.linalg.norm(features[asked, None] - means, axis=2).argmin(axis=1)
    assert 0.3 < float(np.mean(nearest == drawn.labels[asked])) < 0.8
