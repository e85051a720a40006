"""The benchmark's tables in Markdown, and their place in a document."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean

from benchmarks.noniid.cases import size_of
from benchmarks.noniid.figures import TONES, AtThreshold, Figures, mean_of
from benchmarks.noniid.setting import Arm, Setting
from fedround_training.data.dermoscopy import NON_IID

#: The figures of the judged rounds of an arm with a seed, in the order of the rounds.
Results = Mapping[tuple[Arm, int], Sequence[Figures]]
#: Those of an arm, seed by seed.
Row = Sequence[Sequence[Figures]]

MARKS = {
    what: (f"<!-- {what}: written by tests/benchmarks/noniid -->\n", f"<!-- end of {what} -->\n")
    for what in ("figures", "learning rates")
}


def comparison(setting: Setting, results: Results) -> str:
    """Means over the seeds, then seed by seed."""
    rows = _rows(setting, results)
    return "\n".join(
        [
            *_markdown(("balanced accuracy", "AUROC", "sensitivity", *TONES, "worst clinic"), _means, rows),
            "",
            *_markdown(("balanced accuracy", "worst judged round", "AUROC", "sensitivity"), _seed_by_seed, rows),
        ]
    )


def tuning(setting: Setting, results: Results) -> str:
    """A row for each learning rate."""
    headings = ("learning rate", "balanced accuracy", "worst judged round", "AUROC", "sensitivity")
    rows = dict(sorted(_rows(setting, results).items(), key=lambda one: (one[0].on, one[0].epochs)))
    return "\n".join(_markdown(headings, lambda arm, row: (arm.learning_rate, *_seed_by_seed(arm, row)), rows))


def what_was_run(setting: Setting, processes: int, seconds: float) -> str:
    """One sentence below a table."""
    clinics = ", ".join(f"{size_of(profile, setting)} ({profile.name})" for profile in NON_IID)
    return (
        f"Seeds {', '.join(map(str, setting.seeds))}; clinics of {clinics} cases and {setting.test_cases} test cases "
        f"of {setting.image_size} pixels; batches of {setting.batch_size}, momentum 0.9, gradients of batches bounded "
        f"to {setting.max_batch_grad_norm}; the last {setting.last_epochs} of {setting.epochs} passes are judged; "
        f"{processes} processes of one thread, {seconds / 60:.0f} minutes."
    )


def write_into(document: Path, what: str, text: str) -> None:
    """Put a table in the place of the old one. Raises ValueError for a document that has no place for it."""
    begin, end = MARKS[what]
    before, found_begin, rest = document.read_text().partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"{document} has no lines {begin.strip()} and {end.strip()}")
    document.write_text(f"{before}{begin}\n{text}\n\n{end}{after}")


def _rows(setting: Setting, results: Results) -> Mapping[Arm, Row]:
    arms = dict.fromkeys(arm for arm, _ in results)
    return {arm: [results[arm, seed] for seed in setting.seeds] for arm in arms}


def _markdown(
    headings: Sequence[str], cells: Callable[[Arm, Row], Sequence[str]], rows: Mapping[Arm, Row]
) -> list[str]:
    all_headings = ("training", "rounds x epochs", *headings)
    found = [(arm.name, arm.schedule, *cells(arm, row)) for arm, row in rows.items()]
    return [f"| {' | '.join(row)} |" for row in (all_headings, ["---"] * len(all_headings), *found)]


def _means(_: Arm, row: Row) -> Sequence[str]:
    over_all = mean_of([mean_of(judged) for judged in row])
    name, accuracy = over_all.worst_clinic
    return (
        f"{over_all.balanced_accuracy:.3f}",
        f"{over_all.auroc:.3f}",
        f"{over_all.overall.sensitivity:.2f}",
        *(_both(over_all.tones[tone]) for tone in TONES),
        f"{name} {accuracy:.2f}",
    )


def _both(shares: AtThreshold) -> str:
    """Sensitivity, and specificity in brackets: the threshold is one for all."""
    return f"{shares.sensitivity:.2f} ({shares.specificity:.2f})"


def _seed_by_seed(_: Arm, row: Row) -> Sequence[str]:
    return (
        ", ".join(f"{mean(one.balanced_accuracy for one in judged):.3f}" for judged in row),
        ", ".join(f"{min(one.balanced_accuracy for one in judged):.3f}" for judged in row),
        ", ".join(f"{mean(one.auroc for one in judged):.3f}" for judged in row),
        ", ".join(f"{mean(one.overall.sensitivity for one in judged):.2f}" for judged in row),
    )
