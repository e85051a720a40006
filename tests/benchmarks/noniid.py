"""How training does on clinics that differ: pooled, each clinic alone, FedAvg and FedProx, as a table in Markdown.

    python tests/benchmarks/noniid.py [--quick] [--scale S] [--write docs/non-iid.md]

The clinics are the generator's NON_IID profiles, which differ in size, case mix, skin types and camera at once. Every
arm passes over its cases equally often, from the same first weights, and is judged on one test set in which each class
and each clinic has the same share. Local training, the mean and the figures are the Jobs' own functions. Deterministic;
drawn cases are kept in the temporary folder, so that a run that was stopped does not draw them again.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from statistics import mean

import numpy as np
import numpy.typing as npt

from fedround_api.jobs import TrainInput
from fedround_api.kinds.clinic_round import ModelShape
from fedround_api.kinds.federated_model import Architecture
from fedround_api.kinds.federated_round import Algorithm, Base, Training
from fedround_training.aggregation.weighted_mean import WeightedUpdate, save_weighted_mean
from fedround_training.data import dermoscopy
from fedround_training.data.dermoscopy import NON_IID, ClinicProfile, DrawnCases, draw_balanced, draw_cases
from fedround_training.evaluation.figures import Counts, Flags, auroc, count
from fedround_training.evaluation.threshold import choose_threshold
from fedround_training.jobs.recent_images import RecentImages
from fedround_training.jobs.train import model_delta
from fedround_training.models.checkpoint import (
    StoredCheckpoint,
    Tensors,
    open_checkpoint,
    read_checkpoint,
    save_checkpoint,
    size_limit,
)
from fedround_training.models.registry import build, build_with, run_reproducibly, tensors_of
from fedround_training.models.scoring import probabilities
from fedround_training.models.shapes import shapes_of
from fedround_training.store.files import content_of

PROCESSES = 2
HIGH_RISK = ["mel", "bcc", "scc"]
SPECIFICITY = Fraction(4, 5)
TONES = {"I-II": (1, 2), "III-IV": (3, 4), "V-VI": (5, 6)}
#: Far from the seeds of the clinics' cases: no patient is in both.
TEST_SEED = 1_000_000
ALL, POOLED, TEST = "all", "pooled", "test"
BEGIN, END = "<!-- written by tests/benchmarks/noniid.py -->\n", "<!-- end -->\n"


@dataclass(frozen=True)
class Setting:
    """How much is drawn and how long each arm trains. `scale` multiplies the clinics' sizes."""

    scale: float
    test_cases: int
    image_size: int
    seeds: tuple[int, ...]
    epochs: int
    longer: int
    batch_size: int = 32
    learning_rate: str = "0.03"


FULL = Setting(scale=1.0, test_cases=1500, image_size=64, seeds=(0, 1, 2), epochs=30, longer=5)
QUICK = Setting(scale=0.03, test_cases=90, image_size=32, seeds=(0,), epochs=2, longer=2)


@dataclass(frozen=True)
class Arm:
    """A way of training: on whose cases, and in how many rounds of how many local epochs. A row of the table."""

    name: str
    on: str
    rounds: int
    epochs: int
    proximal_mu: str | None = None


def arms(setting: Setting) -> list[Arm]:
    """All of them pass over their cases equally often."""
    total, longer = setting.epochs, setting.longer
    often, rarely = (total, 1), (total // longer, longer)
    return [
        Arm("pooled", POOLED, 1, total),
        Arm("FedAvg", ALL, *often),
        Arm("FedProx, mu 0.01", ALL, *often, "0.01"),
        Arm("FedAvg", ALL, *rarely),
        Arm("FedProx, mu 0.01", ALL, *rarely, "0.01"),
        Arm("FedProx, mu 0.1", ALL, *rarely, "0.1"),
        *(Arm(f"{profile.name} alone", profile.name, 1, total) for profile in NON_IID),
    ]


# --- cases


@dataclass(frozen=True)
class Cases:
    """(N, S, S, 3) pixels, (N,) class indices, skin types 1 to 6 and clinics' names."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    skin_types: npt.NDArray[np.int64]
    clinics: npt.NDArray[np.str_]
    classes: npt.NDArray[np.str_]

    @property
    def high_risk(self) -> Flags:
        return np.isin(self.classes[self.labels], HIGH_RISK)


def read_cases(name: str, seed: int, setting: Setting) -> Cases:
    """The cases of a clinic, or of the test set; drawn at the first call."""
    path = _kept(setting) / f"{seed}-{name}.npz"
    if not path.exists():
        drawn = _draw(name, seed, setting)
        part = path.with_suffix(".part.npz")
        np.savez(
            part,
            pixels=drawn.pixels,
            labels=drawn.labels,
            skin_types=drawn.fitzpatrick,
            clinics=np.array(drawn.clinics),
            classes=np.array(drawn.classes),
        )
        part.replace(path)
    with np.load(path) as kept:
        return Cases(**{field: kept[field] for field in Cases.__dataclass_fields__})


def _draw(name: str, seed: int, setting: Setting) -> DrawnCases:
    if name == TEST:
        return draw_balanced(NON_IID, setting.test_cases, TEST_SEED + seed, setting.image_size)
    profile = next(profile for profile in NON_IID if profile.name == name)
    return draw_cases(profile, _count(profile, setting), seed, setting.image_size)


def _count(profile: ClinicProfile, setting: Setting) -> int:
    return max(8, round(setting.scale * profile.size))


def _kept(setting: Setting) -> Path:
    """A folder for this generator and this setting: other sources draw other cases."""
    key = hashlib.sha256(repr((setting.scale, setting.test_cases, setting.image_size)).encode())
    for source in sorted(Path(dermoscopy.__file__).parent.glob("*.py")):
        key.update(source.read_bytes())
    folder = Path(tempfile.gettempdir(), f"fedround-noniid-{key.hexdigest()[:16]}")
    folder.mkdir(exist_ok=True)
    return folder


# --- training


def train(arm: Arm, seed: int, setting: Setting) -> Tensors:
    """The weights that an arm ends with."""
    clinics = {profile.name: read_cases(profile.name, seed, setting) for profile in NON_IID}
    shape = shape_of(clinics[NON_IID[0].name], setting)
    images = _images(arm, clinics)
    weights = tensors_of(build(shape, seed))
    for number in range(arm.rounds):
        training = Training(
            algorithm=Algorithm.FED_AVG if arm.proximal_mu is None else Algorithm.FED_PROX,
            proximal_mu=arm.proximal_mu,
            epochs=arm.epochs,
            batch_size=setting.batch_size,
            learning_rate=setting.learning_rate,
            seed=1000 * seed + number,
        )
        weights = run_round(shape, weights, images, training)
    return weights


def shape_of(cases: Cases, setting: Setting) -> ModelShape:
    """The model that is trained."""
    return ModelShape(
        name="non-iid",
        architecture=Architecture.TINY_GN,
        classes=list(map(str, cases.classes)),
        high_risk_classes=HIGH_RISK,
        image_size=setting.image_size,
    )


def run_round(shape: ModelShape, base: Tensors, images: Mapping[str, RecentImages], training: Training) -> Tensors:
    """What `train` in each clinic and `aggregate` on the hub make of a checkpoint; a clinic weighs what it has."""
    shapes = shapes_of(shape)
    with tempfile.TemporaryDirectory(prefix="non-iid-") as scratch:
        folder, candidate = Path(scratch), Path(scratch, "candidate")

        def stored(name: str, tensors: Tensors) -> StoredCheckpoint:
            content = save_checkpoint(folder / name, tensors)
            return open_checkpoint(folder / name, content.digest, size_limit(shapes))

        updates = []
        for clinic, own in images.items():
            update, _ = model_delta(_given(clinic, shape, training), base, own)
            updates.append(WeightedUpdate(clinic, stored(f"{clinic}.update", update), len(own.labels)))
        save_weighted_mean(stored("base", base), updates, candidate)
        return read_checkpoint(candidate, content_of(candidate).digest, size_limit(shapes), shapes)


def _images(arm: Arm, clinics: Mapping[str, Cases]) -> Mapping[str, RecentImages]:
    images = {name: RecentImages(cases.pixels, cases.labels) for name, cases in clinics.items()}
    if arm.on == POOLED:
        pixels = np.concatenate([one.pixels for one in images.values()])
        return {POOLED: RecentImages(pixels, np.concatenate([one.labels for one in images.values()]))}
    return images if arm.on == ALL else {arm.on: images[arm.on]}


def _given(clinic: str, shape: ModelShape, training: Training) -> TrainInput:
    """The part of a Job's input that training depends on; no file is read by it."""
    base = Base(version=0, digest="0" * 64, bytes=0)
    return TrainInput(
        folder="none", clinic=clinic, model=shape, base=base, training=training, cases_until="2026-11-24T12:00:00Z"
    )


# --- figures


@dataclass(frozen=True)
class Figures:
    """How a model does on the test set; the counts are those at the threshold that clears 80 % of the others."""

    balanced_accuracy: float
    auroc: float
    at_threshold: Counts
    tones: Mapping[str, Counts]
    clinics: Mapping[str, float]


def figures_of(found: npt.NDArray[np.float64], test: Cases) -> Figures:
    """The figures of a model that gives the test cases these (N, classes) probabilities."""
    scores = found[:, np.isin(test.classes, HIGH_RISK)].sum(axis=1)
    threshold = float(choose_threshold(scores, test.high_risk, SPECIFICITY))
    right = found.argmax(axis=1) == test.labels
    tones = {name: np.isin(test.skin_types, types) for name, types in TONES.items()}
    return Figures(
        balanced_accuracy=_balanced(right, test.labels),
        auroc=float(auroc(scores, test.high_risk)),
        at_threshold=count(scores, test.high_risk, threshold),
        tones={name: count(scores[those], test.high_risk[those], threshold) for name, those in tones.items()},
        clinics={
            str(name): _balanced(right[those := test.clinics == name], test.labels[those])
            for name in np.unique(test.clinics)
        },
    )


def _balanced(right: Flags, labels: npt.NDArray[np.int64]) -> float:
    """The mean over classes of the share that is called right."""
    return mean(float(right[labels == label].mean()) for label in np.unique(labels))


# --- the table

Results = Mapping[tuple[Arm, int], Figures]


def table(setting: Setting, results: Results, seconds: float) -> str:
    """Means over the seeds, then seed by seed, then what was run."""
    rows = {arm: [results[arm, seed] for seed in setting.seeds] for arm in arms(setting)}
    seeds = ", ".join(map(str, setting.seeds))
    lines = [
        *_markdown(("balanced accuracy", "AUROC", "sensitivity", *TONES, "worst clinic"), _means, rows),
        "",
        *_markdown(("balanced accuracy", "AUROC", "sensitivity"), _seed_by_seed, rows),
        "",
        f"Seeds {seeds}; clinics of {', '.join(f'{_count(profile, setting)} ({profile.name})' for profile in NON_IID)} "
        f"cases and {setting.test_cases} test cases of {setting.image_size} pixels; batches of {setting.batch_size}, "
        f"learning rate {setting.learning_rate}, momentum 0.9; {PROCESSES} processes of one thread, "
        f"{seconds / 60:.0f} minutes.",
    ]
    return "\n".join(lines) + "\n"


def _markdown(
    headings: Sequence[str], cells: Callable[[Sequence[Figures]], Sequence[str]], rows: Mapping[Arm, Sequence[Figures]]
) -> list[str]:
    all_headings = ("training", "rounds x epochs", *headings)
    found = [(arm.name, f"{arm.rounds} x {arm.epochs}", *cells(figures)) for arm, figures in rows.items()]
    return [f"| {' | '.join(row)} |" for row in (all_headings, ["---"] * len(all_headings), *found)]


def _means(figures: Sequence[Figures]) -> Sequence[str]:
    clinics = {name: mean(one.clinics[name] for one in figures) for name in figures[0].clinics}
    worst = min(clinics, key=lambda name: clinics[name])
    return (
        f"{mean(one.balanced_accuracy for one in figures):.3f}",
        f"{mean(one.auroc for one in figures):.3f}",
        f"{mean(float(one.at_threshold.sensitivity) for one in figures):.2f}",
        *(_both([one.tones[name] for one in figures]) for name in TONES),
        f"{worst} {clinics[worst]:.2f}",
    )


def _both(counts: Sequence[Counts]) -> str:
    """Sensitivity, and specificity in brackets: the threshold is one for all."""
    sensitivity, specificity = (
        mean(float(getattr(one, what)) for one in counts) for what in ("sensitivity", "specificity")
    )
    return f"{sensitivity:.2f} ({specificity:.2f})"


def _seed_by_seed(figures: Sequence[Figures]) -> Sequence[str]:
    return (
        ", ".join(f"{one.balanced_accuracy:.3f}" for one in figures),
        ", ".join(f"{one.auroc:.3f}" for one in figures),
        ", ".join(f"{float(one.at_threshold.sensitivity):.2f}" for one in figures),
    )


def write_into(document: Path, text: str) -> None:
    """Put the table in the place of the old one. Raises ValueError for a document that has no place for it."""
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} has no lines {BEGIN.strip()} and {END.strip()}")
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}")


# --- running


def run(setting: Setting) -> Results:
    """All arms with all seeds. Lines on standard error say how far it is."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), initializer=run_reproducibly) as pool:
        names = [TEST, *(profile.name for profile in NON_IID)]
        drawing = [pool.submit(read_cases, name, seed, setting) for seed in setting.seeds for name in names]
        for drawn in as_completed(drawing):
            drawn.result()
        tasks = {
            pool.submit(measure, arm, seed, setting): (arm, seed) for seed in setting.seeds for arm in arms(setting)
        }
        results = {}
        for done in as_completed(tasks):
            arm, seed = tasks[done]
            results[arm, seed] = figures = done.result()
            print(f"seed {seed}: {arm.name}, {arm.rounds} x {arm.epochs}: {_seed_by_seed([figures])}", file=sys.stderr)
        return results


def measure(arm: Arm, seed: int, setting: Setting) -> Figures:
    """Train one arm and judge it."""
    test = read_cases(TEST, seed, setting)
    network = build_with(shape_of(test, setting), train(arm, seed, setting))
    return figures_of(probabilities(network, test.pixels), test)


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description="FedAvg and FedProx on clinics that differ")
    parser.add_argument("--quick", action="store_true", help="a few cases, to see that it runs; says nothing")
    parser.add_argument("--scale", type=float, default=FULL.scale, help="of the clinics' sizes (%(default)s)")
    parser.add_argument("--seeds", type=int, default=len(FULL.seeds), metavar="N", help="how many (%(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this Markdown file")
    options = parser.parse_args()
    setting = QUICK if options.quick else replace(FULL, scale=options.scale, seeds=tuple(range(options.seeds)))
    begun = time.monotonic()
    text = table(setting, run(setting), time.monotonic() - begun)
    print(text)
    if options.write:
        write_into(options.write, text)


if __name__ == "__main__":
    main()
