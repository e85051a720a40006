"""`fedround demo`."""

import argparse
import json
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from fedround_api.kinds import FederatedModel
from fedround_cli.arguments.demo import CLINICS, ROUNDS
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.console import Terminal
from fedround_cli.failures import UsageProblem
from fedround_cli.tables import model_lines, round_table
from fedround_cli.terminal import Progress, program
from fedround_local.demo.demo import DemoRequest
from fedround_local.demo.demo import run as run_demo
from fedround_local.demo.rounds import RoundResult, summary, surprise
from fedround_local.errors import StateUnusable
from fedround_local.federation.federation import Federation
from fedround_local.federation.layout import Layout
from fedround_local.processes import uninterrupted

_UNPROTECTED = "Updates are neither noised nor masked yet: the hub can read each clinic's update."


def run(options: argparse.Namespace) -> int:
    """Run the demo; the exit code."""
    console = Terminal(stderr=options.json)
    progress = Progress(sys.stderr if options.json else sys.stdout)
    state = options.state or Path(tempfile.mkdtemp(prefix="fedround-demo-"))
    request = _request(options, state)
    if options.fresh:
        remove(state, progress)
    results, model = _run(request, Screen(console, progress), progress, keep_running=options.keep_running)
    for line in (*model_lines(model), _UNPROTECTED, "", *_next_steps(state, results, options.keep_running)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if options.json:
        print(json.dumps(summary(results, model)), flush=True)
    return _exit_code(request, results)


class Screen:
    """The demo's audience in a terminal or a log file."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console, self._progress = console, progress

    def report(self, line: str) -> None:
        """A line of progress."""
        self._progress(line)

    def explain(self, text: str) -> None:
        """A paragraph beside the progress, indented as far as its times."""
        self._console.print(Padding(Text(text, style="italic"), (0, 0, 0, 6)))

    def show(self, result: RoundResult) -> None:
        """What a round came to."""
        self._console.print(round_table(result))


def _request(options: argparse.Namespace, state: Path) -> DemoRequest:
    if options.data is None and options.clinics > CLINICS:
        raise UsageProblem(
            f"the images that the demo draws come from {CLINICS} clinics: name fewer, or give --data DIR"
        )
    mistake = options.data is None and options.rounds >= ROUNDS if options.mistake is None else options.mistake
    return DemoRequest(
        state=state,
        data=options.data,
        split_by=options.split_by,
        clinics=options.clinics,
        rounds=options.rounds,
        seed=options.seed,
        initial=options.initial,
        mistake=mistake,
    )


def _run(
    request: DemoRequest, screen: Screen, progress: Progress, *, keep_running: bool
) -> tuple[list[RoundResult], FederatedModel]:
    """The rounds; whatever happens, nothing is left running unless that was asked for and all went well."""
    federation = Federation(request.state, progress)
    stops = True
    try:
        ended = run_demo(federation, request, screen)
        stops = not keep_running
    finally:
        if stops and federation.place.is_ours():
            with uninterrupted():
                progress(f"stopping the federation; its state stays in {request.state}")
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


def _is_the_show(request: DemoRequest, results: list[RoundResult]) -> bool:
    """Whether these are the rounds whose outcome is known beforehand: the whole demo on its own images, begun anew."""
    as_drawn = request.data is None and request.initial is None and request.clinics == CLINICS
    return as_drawn and request.mistake and len(results) == ROUNDS and results[0].name == "demo-1"


def _exit_code(request: DemoRequest, results: list[RoundResult]) -> int:
    failed = [result for result in results if result.result == "Failed"]
    for result in failed:
        print(f"fedround: {result.name} failed: {result.reason}: {result.message}", file=sys.stderr)
    if failed:
        return CommandExit.FAILED
    if _is_the_show(request, results) and (sentence := surprise(results)):
        print(f"fedround: {sentence}", file=sys.stderr)
        return CommandExit.FAILED
    return CommandExit.DONE


def _next_steps(state: Path, results: list[RoundResult], running: bool) -> list[str]:
    at = f"--state {shlex.quote(str(state))}"
    start = [] if running else [f"  {program()} local up {at}"]
    describe = [f"  {program()} local kubectl {at} -- describe fr {results[-1].name}"] if results else []
    return [
        f"state folder: {state}",
        "try next:",
        *start,
        f"  {program()} local kubectl {at} -- get fedrounds,fm,clinics",
        *describe,
        f"  {program()} local kubectl {at} -- apply -f examples/round.yaml",
        f"  {program()} local down {at}",
    ]
