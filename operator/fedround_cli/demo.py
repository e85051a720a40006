"""`fedround demo`."""

import argparse
import json
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from fedround_api.kinds import FederatedModel
from fedround_cli.tables import model_lines, round_table
from fedround_cli.terminal import Progress, guarded, program
from fedround_local.demo.demo import DemoRequest
from fedround_local.demo.demo import run as run_demo
from fedround_local.demo.rounds import RoundResult, summary
from fedround_local.errors import StateUnusable
from fedround_local.federation.federation import Federation
from fedround_local.federation.layout import Layout
from fedround_local.processes import uninterrupted

_UNPROTECTED = "Updates are neither noised nor masked yet: the hub can read each clinic's update."


def run(options: argparse.Namespace) -> int:
    """Run the demo; the exit code."""
    console = Console(stderr=options.json)
    progress = Progress(console)
    state = options.state or Path(tempfile.mkdtemp(prefix="fedround-demo-"))
    request = DemoRequest(state, options.data, options.split_by, options.clinics, options.rounds, options.seed)

    def demo() -> int:
        if options.fresh:
            remove(state, progress)
        results, model = _run(request, console, progress, keep_running=options.keep_running)
        for line in (*model_lines(model), _UNPROTECTED, "", *_next_steps(state, results, options.keep_running)):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        if options.json:
            print(json.dumps(summary(results, model)), flush=True)
        return _exit_code(results)

    return guarded(demo)


def _run(
    request: DemoRequest, console: Console, progress: Progress, *, keep_running: bool
) -> tuple[list[RoundResult], FederatedModel]:
    """The rounds; whatever happens, nothing is left running unless that was asked for and all went well."""
    federation = Federation(request.state, progress)
    try:
        ended = run_demo(federation, request, progress, lambda result: console.print(round_table(result)))
    except BaseException:
        if federation.place.is_ours():
            with uninterrupted():
                progress(f"stopping the federation; its state stays in {request.state}")
                federation.down()
        raise
    if not keep_running:
        progress("stopping the federation")
        federation.down()
    return ended


def remove(state: Path, progress: Progress) -> None:
    """Stop and remove the federation of a state folder, and nothing that is not one.

    Raises:
        StateUnusable: the folder holds something else.
    """
    if not state.exists() or (state.is_dir() and not any(state.iterdir())):
        return
    if not Layout(state.absolute()).is_ours():
        raise StateUnusable(f"{state} is not empty and holds no federation: --fresh leaves it alone")
    Federation(state, progress).down()
    shutil.rmtree(state)


def _exit_code(results: list[RoundResult]) -> int:
    failed = [result for result in results if result.result == "Failed"]
    for result in failed:
        print(f"fedround: {result.name} failed: {result.reason}: {result.message}", file=sys.stderr)
    return 1 if failed else 0


def _next_steps(state: Path, results: list[RoundResult], running: bool) -> list[str]:
    at = f"--state {shlex.quote(str(state))}"
    start = [] if running else [f"  {program()} local up {at}"]
    describe = [f"  {program()} local kubectl {at} -- describe fedround {results[-1].name}"] if results else []
    return [
        f"state folder: {state}",
        "try next:",
        *start,
        f"  {program()} local kubectl {at} -- get fedrounds,fm,clinics",
        *describe,
        f"  {program()} local kubectl {at} -- apply -f examples/round.yaml",
        f"  {program()} local down {at}",
    ]
