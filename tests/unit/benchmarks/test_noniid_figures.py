"""The benchmark of clinics that differ: its rounds are the Jobs', its figures and its tables what they say."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.noniid.cases import Cases
from benchmarks.noniid.figures import AtThreshold, Figures, figures_of, mean_of
from benchmarks.noniid.rounds import run_round
from benchmarks.noniid.setting import FULL, QUICK, TUNING_SEED, Arm, Setting, arms, tuning_arms
from benchmarks.noniid.tables import comparison, tuning, what_was_run, write_into
from fedround_api.kinds.federated_round import Training
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


# --- ways of training


@pytest.mark.parametrize("setting", [FULL, QUICK])
def test_every_arm_passes_over_its_cases_equally_often(setting: Setting) -> None:
    assert {arm.rounds * arm.epochs for arm in arms(setting) + tuning_arms(setting)} == {setting.epochs}


def test_a_learning_rate_is_tried_on_cases_that_are_not_reported() -> None:
    assert TUNING_SEED not in FULL.seeds


def test_every_learning_rate_that_is_used_was_tried() -> None:
    tried = {(arm.name, arm.schedule, arm.learning_rate) for arm in tuning_arms(FULL)}

    for arm in arms(FULL):
        as_tried = "FedAvg" if arm.on == "all" else "pooled"
        assert (as_tried, arm.schedule, arm.learning_rate) in tried, arm


def test_an_arm_is_judged_by_the_rounds_of_its_last_ten_passes() -> None:
    judged = {(arm.rounds, arm.epochs): arm.rounds - FULL.first_judged(arm) for arm in arms(FULL)}

    assert judged == {(30, 1): 10, (6, 5): 2}


def test_an_arm_with_longer_rounds_than_that_is_judged_by_its_last_round() -> None:
    setting = replace(FULL, longer=15)

    assert [setting.first_judged(arm) for arm in arms(setting) if arm.epochs == 15] == [1] * 6


# --- figures

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

    assert found.overall == AtThreshold(sensitivity=3 / 5, specificity=4 / 5)
    # Of 25 pairs the melanoma scores higher in 5 + 5 + 5 + 3 + 0, and ties in 2.
    assert found.auroc == pytest.approx((5 + 5 + 5 + 3 + 2 * 0.5) / 25)
    # By the larger probability three melanomas and four naevi are called right.
    assert found.balanced_accuracy == pytest.approx((3 / 5 + 4 / 5) / 2)
    # Caught and missed, cleared and alarmed: 2 0 1 1, then 1 1 2 0, then 0 1 1 0.
    assert found.tones == {
        "I-II": AtThreshold(sensitivity=1.0, specificity=0.5),
        "III-IV": AtThreshold(sensitivity=0.5, specificity=1.0),
        "V-VI": AtThreshold(sensitivity=0.0, specificity=1.0),
    }
    assert found.clinics == {"north": pytest.approx((1 + 1 / 2) / 2), "south": pytest.approx((1 / 3 + 1) / 2)}


def made_up(accuracy: float, auroc: float, sensitivity: float = 0.5) -> Figures:
    overall = AtThreshold(sensitivity, 0.8)
    return Figures(
        accuracy, auroc, overall, dict.fromkeys(("I-II", "III-IV", "V-VI"), overall), {"a": 0.5, "b": accuracy}
    )


def test_a_mean_is_of_every_figure_by_itself() -> None:
    found = mean_of([made_up(0.4, 0.75, 0.25), made_up(0.6, 0.85, 0.75)])

    assert found.balanced_accuracy == pytest.approx(0.5)
    assert found.auroc == pytest.approx(0.8)
    assert found.overall == AtThreshold(sensitivity=0.5, specificity=0.8)
    assert found.tones["V-VI"] == AtThreshold(sensitivity=0.5, specificity=0.8)
    assert found.clinics == {"a": 0.5, "b": pytest.approx(0.5)}


def test_the_worst_clinic_is_the_one_of_the_lowest_mean() -> None:
    assert made_up(0.4, 0.8).worst_clinic == ("b", 0.4)
    assert made_up(0.6, 0.8).worst_clinic == ("a", 0.5)


# --- tables

TWO = replace(FULL, scale=1.0, seeds=(0, 1))


def results(of: Sequence[Arm]) -> dict[tuple[Arm, int], list[Figures]]:
    """Seed 0 is judged by rounds of .3 and .5, seed 1 by such of .6 and .6; the second arm is lower."""
    found = {(arm, 0): [made_up(0.3, 0.75), made_up(0.5, 0.85)] for arm in of}
    found |= {(arm, 1): [made_up(0.6, 0.9, 0.7), made_up(0.6, 0.9, 0.7)] for arm in of}
    return found | {(of[1], seed): [made_up(0.1 + 0.1 * seed, 0.8)] for seed in (0, 1)}


def test_the_comparison_shows_means_over_rounds_and_seeds_then_each_seed() -> None:
    lines = comparison(TWO, results(arms(TWO))).splitlines()

    assert lines[0].startswith("| training | rounds x epochs | balanced accuracy | AUROC | sensitivity | I-II |")
    assert lines[2] == "| pooled | 30 x 1 | 0.500 | 0.850 | 0.60 | 0.60 (0.80) | 0.60 (0.80) | 0.60 (0.80) | a 0.50 |"
    assert lines[3].startswith("| FedAvg | 30 x 1 | 0.150 |")
    assert lines[3].endswith("| b 0.15 |")
    assert "| pooled | 30 x 1 | 0.400, 0.600 | 0.300, 0.600 | 0.800, 0.900 | 0.50, 0.70 |" in lines


def test_the_table_of_learning_rates_has_those_of_a_way_of_training_together() -> None:
    lines = tuning(TWO, results(tuning_arms(TWO))).splitlines()

    assert [line.split(" | ")[:3] for line in lines[2:]] == [
        [f"| {name}", schedule, rate]
        for name, schedule in (("FedAvg", "30 x 1"), ("FedAvg", "6 x 5"), ("pooled", "30 x 1"))
        for rate in ("0.01", "0.02", "0.04", "0.08")
    ]
    assert lines[2] == "| FedAvg | 30 x 1 | 0.01 | 0.100, 0.200 | 0.100, 0.200 | 0.800, 0.800 | 0.50, 0.50 |"


def test_a_sentence_says_what_was_run() -> None:
    assert what_was_run(TWO, 2, 600.0).startswith(
        "Seeds 0, 1; clinics of 1200 (urban), 700 (darkskin), 700 (paed), 600 (cancer), 250 (rural) cases and 1500 test"
    )
    assert what_was_run(TWO, 2, 600.0).endswith("2 processes of one thread, 10 minutes.")


DOCUMENT = """\
before
<!-- learning rates: written by tests/benchmarks/noniid -->
rates
<!-- end of learning rates -->
between
<!-- figures: written by tests/benchmarks/noniid -->
old
<!-- end of figures -->
after
"""


def test_a_table_takes_the_place_of_its_old_one_and_nothing_else(tmp_path: Path) -> None:
    document = tmp_path / "non-iid.md"
    document.write_text(DOCUMENT)

    write_into(document, "figures", "| new |")
    write_into(document, "figures", "| newer |")

    assert document.read_text() == DOCUMENT.replace("old\n", "\n| newer |\n\n")


def test_a_document_without_a_place_for_the_table_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("text\n")

    with pytest.raises(ValueError, match="has no lines"):
        write_into(tmp_path / "other.md", "figures", "| new |")
    assert (tmp_path / "other.md").read_text() == "text\n"
