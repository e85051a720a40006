"""Trains and judges arms side by side, in processes of one thread."""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from benchmarks.noniid.cases import TEST, read_cases
from benchmarks.noniid.figures import Figures, figures_of, mean_of
from benchmarks.noniid.rounds import shape_of, train
from benchmarks.noniid.setting import Arm, Setting
from benchmarks.noniid.tables import Results
from fedround_training.data.dermoscopy import NON_IID
from fedround_training.models.registry import build_with, run_reproducibly
from fedround_training.models.scoring import probabilities

PROCESSES = 2


def run(setting: Setting, arms: Sequence[Arm]) -> Results:
    """All arms with all seeds, in this order. Lines on standard error say how far it is."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), initializer=run_reproducibly) as pool:
        names = [TEST, *(profile.name for profile in NON_IID)]
        for drawn in [pool.submit(read_cases, name, seed, setting) for seed in setting.seeds for name in names]:
            drawn.result()
        pairs = [(arm, seed) for seed in setting.seeds for arm in arms]
        tasks = {pool.submit(measure, arm, seed, setting): (arm, seed) for arm, seed in pairs}
        results = {}
        for done in as_completed(tasks):
            results[tasks[done]] = done.result()
            print(_progress(*tasks[done], done.result()), file=sys.stderr, flush=True)
        return {pair: results[pair] for pair in pairs}


def measure(arm: Arm, seed: int, setting: Setting) -> Sequence[Figures]:
    """Train one arm and judge its last rounds."""
    test = read_cases(TEST, seed, setting)
    shape = shape_of(test, setting)
    return [
        figures_of(probabilities(build_with(shape, weights), test.pixels), test)
        for number, weights in enumerate(train(arm, seed, setting))
        if number >= setting.first_judged(arm)
    ]


def _progress(arm: Arm, seed: int, judged: Sequence[Figures]) -> str:
    found = mean_of(judged)
    return (
        f"seed {seed}: {arm.name}, {arm.schedule}, learning rate {arm.learning_rate}: "
        f"balanced accuracy {found.balanced_accuracy:.3f}, AUROC {found.auroc:.3f}"
    )
