"""The demo with several seeds: what each round came to, and how long it all took, as a table.

    python tests/benchmarks/demo_seeds.py [--seeds 10]

Every line is a whole `fedround demo`, begun anew in a folder of its own. Ends with 1 if a seed came to something else
than Promote, Promote, RollBack for lost high-risk cases, or has no released version after round 2.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "fedround_cli.main", "demo", "--json")
WANTED = [("Promoted", None), ("Promoted", None), ("RolledBack", "HighRiskCasesLost")]


def demo(seed: int, folder: Path) -> tuple[dict[str, Any], float]:
    """What the demo tells at its end, and the seconds that it took."""
    begun = time.monotonic()
    done = subprocess.run(
        (*COMMAND, "--seed", str(seed), "--state", str(folder / "state")), capture_output=True, text=True, check=False
    )
    if not done.stdout:
        raise SystemExit(f"seed {seed} failed: {done.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told, time.monotonic() - begun


def as_it_should_be(told: dict[str, Any]) -> bool:
    """Whether the verdicts, their reasons, the released version and the pointer are what the demo is for."""
    found = [(one["result"], one["reason"]) for one in told["rounds"]]
    verdicts = all(
        result == wanted and reason in (because, None if because else reason)
        for (result, reason), (wanted, because) in zip(found, WANTED, strict=True)
    )
    second = told["rounds"][1]["checkpoint"]
    return verdicts and told["released"] is not None and told["current"]["digest"] == second


def line(seed: int, told: dict[str, Any], seconds: float) -> str:
    """One row of the table."""
    rounds = [
        f"{one['reason']} {float(one['verdict']['candidate']['auroc']):.3f} "
        f"-{one['verdict']['lost']} +{one['verdict']['gained']}"
        for one in told["rounds"]
    ]
    return f"| {seed} | {' | '.join(rounds)} | {seconds:.0f} s | {'yes' if as_it_should_be(told) else 'NO'} |"


def main() -> int:
    """Print the table; the exit code."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=10, help="0 to this number less one")
    count = options.parse_args().seeds
    print("| seed | round 1: reason, AUROC, lost, gained | round 2 | round 3 | time | as it should be |")
    print("| --- | --- | --- | --- | --- | --- |")
    good = 0
    for seed in range(count):
        with tempfile.TemporaryDirectory(prefix="fedround-seeds-") as folder:
            told, seconds = demo(seed, Path(folder))
        good += as_it_should_be(told)
        print(line(seed, told, seconds), flush=True)
    print(f"\n{good} of {count} as they should be")
    return 0 if good == count else 1


if __name__ == "__main__":
    sys.exit(main())
