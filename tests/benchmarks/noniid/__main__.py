"""How training does on clinics that differ: pooled, each clinic alone, FedAvg and FedProx, as tables in Markdown.

    PYTHONPATH=tests python -m benchmarks.noniid [--tune] [--quick] [--scale S] [--write docs/non-iid.md]

The clinics are the generator's NON_IID profiles, which differ in size, case mix, skin types and camera at once. Every
arm passes over its cases equally often, from the same first weights, and is judged on one test set in which each class
and each clinic has the same share. Local training, the mean and the figures are the Jobs' own functions.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.noniid.running import PROCESSES, run
from benchmarks.noniid.setting import FULL, QUICK, TUNING_SEED, Setting, arms, tuning_arms
from benchmarks.noniid.tables import comparison, tuning, what_was_run, write_into


def main() -> None:
    """Run and print a table."""
    options = _parser().parse_args()
    begun = time.monotonic()
    if options.tune:
        setting = replace(_setting(options), seeds=(TUNING_SEED,))
        what, table = "learning rates", tuning(setting, run(setting, tuning_arms(setting)))
    else:
        setting = _setting(options)
        what, table = "figures", comparison(setting, run(setting, arms(setting)))
    text = f"{table}\n\n{what_was_run(setting, PROCESSES, time.monotonic() - begun)}"
    print(text)
    if options.write:
        write_into(options.write, what, text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="noniid", description="FedAvg and FedProx on clinics that differ")
    parser.add_argument("--tune", action="store_true", help="try learning rates, on cases that are not reported")
    parser.add_argument("--quick", action="store_true", help="a few cases, to see that it runs; says nothing")
    parser.add_argument("--scale", type=float, help=f"of the clinics' sizes ({FULL.scale})")
    parser.add_argument("--seeds", type=int, default=len(FULL.seeds), metavar="N", help="how many (%(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this Markdown file")
    return parser


def _setting(options: argparse.Namespace) -> Setting:
    if options.quick:
        return QUICK
    return replace(FULL, scale=options.scale or FULL.scale, seeds=tuple(range(options.seeds)))


if __name__ == "__main__":
    main()
