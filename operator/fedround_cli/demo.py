"""`fedround demo`."""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from fedround_cli.tables import model_lines, round_table
from fedround_cli.terminal import Progress, guarded
from fedround_local.demo.demo import DemoRequest
from fedround_local.demo.demo import run as run_demo
from fedround_local.demo.rounds import RoundResult, summary
from fedround_local.errors import StateUnusable
from fedround_local.federation.federation import Federation
from fedround_local.federation.layout import Layout

_UNPROTECTED = "Updates are neither noised nor masked yet: the hub can read each clinic's update."


def run(options: argparse.Namespace) -> int:
    """Run the demo; the exit code."""
    console = Console(stderr=options.json)
    progress = Progress(console)
    state = options.state or Path(tempfile.mkdtemp(prefix="fedround-demo-"))
    request = DemoRequest(state, options.data, options.split_by, options.clinics, options.rounds, options.seed)

    def demo() -> int:
        if options.fresh:
            remove(state)
        results, model = run_demo(request, progress, lambda result: console.print(round_table(result)))
        if not options.keep_running:
            progress("stopping the federation")
            Federation(state, progress).down()
        for line in (*model_lines(model), _UNPROTECTED, "", *_next_steps(state, options.keep_running)):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        if options.json:
            print(json.dumps(summary(results, model)), flush=True)
        return _exit_code(results)

    def interrupted() -> None:
        progress("interrupted: stopping everything that was started")
        Federation(state, progress).down()
        progress(f"nothing is left running; the state is in {state}")

    return guarded(demo, interrupted)


def remove(state: Path) -> None:
    """Stop and remove the federation of a state folder, and nothing that is not one.

    Raises:
        StateUnusable: the folder holds something else.
    """
    if not state.exists() or not any(state.iterdir()):
        return
    if not Layout(state).record.exists() and not (state / "ports.json").exists():
        raise StateUnusable(f"{state} is not empty and holds no federation: --fresh leaves it alone")
    Federation(state, lambda _: None).down()
    shutil.rmtree(state)


def _exit_code(results: list[RoundResult]) -> int:
    failed = [result for result in results if result.result == "Failed"]
    for result in failed:
        print(f"fedround: {result.name} failed: {result.reason}: {result.message}", file=sys.stderr)
    return 1 if failed else 0


def _next_steps(state: Path, running: bool) -> list[str]:
    start = [] if running else [f"  fedround local up --state {state}"]
    return [
        f"state folder: {state}",
        "try next:",
        *start,
        f"  fedround local kubectl --state {state} -- get fedrounds,fm,clinics",
        f"  fedround local kubectl --state {state} -- describe fedround demo-1",
        f"  fedround local kubectl --state {state} -- apply -f examples/round.yaml",
        f"  fedround local down --state {state}",
    ]
