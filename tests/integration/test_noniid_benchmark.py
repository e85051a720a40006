"""The benchmark of clinics that differ runs from end to end, with cases of the generator, and gives its tables."""

import subprocess
import sys
from pathlib import Path

import pytest

# Many starts of Python with torch, on machines that do other things too.
pytestmark = pytest.mark.timeout(600)

TESTS = Path(__file__).parents[1]
PLACES = """\
<!-- learning rates: written by tests/benchmarks/noniid -->
<!-- end of learning rates -->
<!-- figures: written by tests/benchmarks/noniid -->
<!-- end of figures -->
"""


def written(folder: Path, *options: str) -> list[list[str]]:
    """The first three cells of every row that a quick run writes into a document."""
    document = folder / "non-iid.md"
    document.write_text(PLACES)
    command = [sys.executable, "-m", "benchmarks.noniid", "--quick", *options, "--write", str(document)]
    environment = {"TMPDIR": str(folder), "PYTHONPATH": str(TESTS)}

    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False, env=environment)

    assert done.returncode == 0, done.stderr[-2000:]
    return [line.split(" | ")[:3] for line in document.read_text().splitlines() if line.startswith("| ")]


def test_a_quick_run_writes_a_row_for_every_way_of_training(tmp_path: Path) -> None:
    expected = [
        ("pooled", "2 x 1"),
        ("FedAvg", "2 x 1"),
        ("FedProx, mu 0.1", "2 x 1"),
        ("FedAvg, unbounded", "1 x 2"),
        ("FedAvg", "1 x 2"),
        ("FedAvg, other order", "1 x 2"),
        ("FedProx, mu 0.01", "1 x 2"),
        ("FedProx, mu 0.1", "1 x 2"),
        ("FedProx, mu 1", "1 x 2"),
        *((f"{clinic} alone", "2 x 1") for clinic in ("urban", "darkskin", "paed", "cancer", "rural")),
    ]
    headings = [["| training", "rounds x epochs"], ["| ---", "---"]]
    wanted = [*headings, *([f"| {name}", schedule] for name, schedule in expected)]

    assert [row[:2] for row in written(tmp_path)] == wanted * 2


def test_a_quick_trial_of_learning_rates_writes_a_row_for_each(tmp_path: Path) -> None:
    assert written(tmp_path, "--tune")[2:] == [
        [f"| {name}", schedule, rate]
        for name, schedule in (("FedAvg", "2 x 1"), ("FedAvg", "1 x 2"), ("pooled", "2 x 1"))
        for rate in ("0.01", "0.02", "0.04", "0.08")
    ]
