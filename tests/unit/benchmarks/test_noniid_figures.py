"""The benchmark of clinics that differ: its rounds are the Jobs', its figures and its table what they say."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.noniid import (
    FULL,
    QUICK,
    Cases,
    Figures,
    Setting,
    arms,
    figures_of,
    run_round,
    table,
    write_into,
)
from fedround_api.kinds.federated_round import Training
from fedround_training.evaluation.figures import Counts
from fedround_training.jobs.recent_images import RecentImages
from fedround_training.models.registry import build, tensors_of
from support.job_inputs import SHAPE

TRAINING = Training(epochs=1, batch_size=4, learning_rate="0.05", seed=3)
BASE = tensors_of(build(SHAPE, seed=0))


def images(seed: int, count: int) -> RecentImages:
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), np.uint8)
    return RecentImages(pixels, np.arange(count) % 2)


def test_a_round_is_the_mean_of_the_clinics_by_their_cases() -> None:
    north, south = images(1, 9), images(2, 3)
    alone = [run_round(SHAPE, BASE, {name: own}, TRAINING) for name, own in (("north", north), ("south", south))]

    together = run_round(SHAPE, BASE, {"north": north, "south": south}, TRAINING)

    for name, values in together.items():
        by_hand = 0.75 * alone[0][name].astype(np.float64) + 0.25 * alone[1][name].astype(np.float64)
        assert np.allclose(values, by_hand, rtol=0, atol=1e-6)
    assert not np.allclose(alone[0]["head.weight"], alone[1]["head.weight"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("setting", [FULL, QUICK])
def test_every_arm_passes_over_its_cases_equally_often(setting: Setting) -> None:
    assert {arm.rounds * arm.epochs for arm in arms(setting)} == {setting.epochs}


TEST = Cases(
    pixels=np.zeros((10, 32, 32, 3), np.uint8),
    labels=np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]),
    skin_types=np.array([1, 2, 3, 4, 5, 1, 2, 3, 4, 6]),
    clinics=np.array(["north", "north", "south", "south", "south"] * 2),
    classes=np.array(["mel", "nv"]),
)


def test_figures_are_those_of_a_case_by_case_count() -> None:
    # Melanomas score .9 .8 .7 .3 .1, naevi .6 .4 .2 .1 .1: four of five naevi are cleared above .4.
    risk = np.array([0.9, 0.8, 0.7, 0.3, 0.1, 0.6, 0.4, 0.2, 0.1, 0.1])

    found = figures_of(np.stack((risk, 1 - risk), axis=1), TEST)

    assert found.at_threshold == Counts(caught=3, missed=2, cleared=4, alarmed=1)
    # Of 25 pairs the melanoma scores higher in 5 + 5 + 5 + 3 + 0, and ties in 2.
    assert found.auroc == pytest.approx((5 + 5 + 5 + 3 + 2 * 0.5) / 25)
    # By the larger probability three melanomas and four naevi are called right.
    assert found.balanced_accuracy == pytest.approx((3 / 5 + 4 / 5) / 2)
    assert found.tones == {
        "I-II": Counts(caught=2, missed=0, cleared=1, alarmed=1),
        "III-IV": Counts(caught=1, missed=1, cleared=2, alarmed=0),
        "V-VI": Counts(caught=0, missed=1, cleared=1, alarmed=0),
    }
    assert found.clinics == {"north": pytest.approx((1 + 1 / 2) / 2), "south": pytest.approx((1 / 3 + 1) / 2)}


def made_up(accuracy: float, auroc: float) -> Figures:
    half = Counts(caught=1, missed=1, cleared=4, alarmed=1)
    return Figures(accuracy, auroc, half, dict.fromkeys(("I-II", "III-IV", "V-VI"), half), {"a": 0.5, "b": accuracy})


def test_the_table_shows_means_then_each_seed() -> None:
    two = Setting(1.0, 1500, 64, (0, 1), 30, 5)
    results = {(arm, seed): made_up(0.4 + 0.2 * seed, 0.8 + 0.1 * seed) for arm in arms(two) for seed in (0, 1)}
    results |= {(arms(two)[1], 0): made_up(0.1, 0.8), (arms(two)[1], 1): made_up(0.2, 0.9)}

    lines = table(two, results, 600.0).splitlines()

    assert lines[0].startswith("| training | rounds x epochs | balanced accuracy | AUROC | sensitivity | I-II |")
    assert lines[2] == ("| pooled | 1 x 30 | 0.500 | 0.850 | 0.50 | 0.50 (0.80) | 0.50 (0.80) | 0.50 (0.80) | a 0.50 |")
    assert lines[3].startswith("| FedAvg | 30 x 1 | 0.150 |")
    assert lines[3].endswith("| b 0.15 |")
    assert "| pooled | 1 x 30 | 0.400, 0.600 | 0.800, 0.900 | 0.50, 0.50 |" in lines
    assert lines[-1].endswith("10 minutes.")


def test_a_table_takes_the_place_of_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    document = tmp_path / "non-iid.md"
    document.write_text("before\n<!-- written by tests/benchmarks/noniid.py -->\nold\n<!-- end -->\nafter\n")

    write_into(document, "| new |\n")
    write_into(document, "| newer |\n")

    assert document.read_text() == (
        "before\n<!-- written by tests/benchmarks/noniid.py -->\n\n| newer |\n\n<!-- end -->\nafter\n"
    )


def test_a_document_without_a_place_for_the_table_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("text\n")

    with pytest.raises(ValueError, match="has no lines"):
        write_into(tmp_path / "other.md", "| new |\n")
    assert (tmp_path / "other.md").read_text() == "text\n"
