"""The benchmark of clinics that differ runs from end to end, with cases of the generator, and gives its table."""

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "noniid.py"


def test_a_quick_run_writes_a_row_for_every_way_of_training(tmp_path: Path) -> None:
    document = tmp_path / "non-iid.md"
    document.write_text("# Figures\n\n<!-- written by tests/benchmarks/noniid.py -->\n<!-- end -->\n")
    command = [sys.executable, str(BENCHMARK), "--quick", "--write", str(document)]

    done = subprocess.run(
        command, capture_output=True, text=True, timeout=110, check=False, env={"TMPDIR": str(tmp_path)}
    )

    assert done.returncode == 0, done.stderr[-2000:]
    rows = [line.split(" | ")[:2] for line in document.read_text().splitlines() if line.startswith("| ")]
    expected = [
        ("pooled", "1 x 2"),
        ("FedAvg", "2 x 1"),
        ("FedProx, mu 0.01", "2 x 1"),
        ("FedAvg", "1 x 2"),
        ("FedProx, mu 0.01", "1 x 2"),
        ("FedProx, mu 0.1", "1 x 2"),
        *((f"{clinic} alone", "1 x 2") for clinic in ("urban", "darkskin", "paed", "cancer", "rural")),
    ]
    headings = [["| training", "rounds x epochs"], ["| ---", "---"]]
    wanted = [*headings, *([f"| {name}", schedule] for name, schedule in expected)]
    assert rows == wanted * 2
