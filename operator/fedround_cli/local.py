"""`fedround local up|status|down|kubectl`."""

import argparse
import json
import os
import shlex
import sys
from datetime import UTC, datetime

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.console import Terminal
from fedround_cli.failures import UsageProblem
from fedround_cli.statuspage import status_page
from fedround_cli.terminal import Progress, program
from fedround_local.demo import mistake
from fedround_local.errors import NotReady
from fedround_local.federation import status as federation_status
from fedround_local.federation.dataplan import DataRequest
from fedround_local.federation.federation import Federation, SetUp
from fedround_local.processes import uninterrupted


def run(options: argparse.Namespace) -> int:
    """Run the action; the exit code."""
    progress = Progress(sys.stderr)
    actions = {"up": _up, "status": _status, "down": _down, "kubectl": _kubectl}
    return actions[options.action](options, progress)


def _up(options: argparse.Namespace, progress: Progress) -> int:
    federation = Federation(options.state, progress)
    record = federation.up(_set_up(options))
    for clinic in mistake.undo(federation.place, list(record.clinics)):
        progress(f"a demo was killed in its last round: labels and policy of {clinic} are as they were before it")
    progress(f"running: {len(record.clinics)} clinics ({', '.join(record.clinics)})")
    if options.json:
        print(json.dumps(federation_status.read_status(federation)))
        return CommandExit.DONE
    at = f"--state {shlex.quote(str(options.state))}"
    for line in (
        "try next:",
        f"  {program()} local kubectl {at} -- apply -f examples/round.yaml",
        f"  {program()} local kubectl {at} -- get fedrounds --watch",
        f"  {program()} local status {at}",
        f"  {program()} local down {at}",
    ):
        print(line)
    return CommandExit.DONE


def _set_up(options: argparse.Namespace) -> SetUp | None:
    if options.data is None and options.clinics is None:
        if options.initial is not None:
            raise UsageProblem("--initial is for a new federation: give --data DIR and --clinics N too")
        return None
    if options.data is None or options.clinics is None:
        raise UsageProblem("a new federation needs both --data DIR and --clinics N; to go on with one, leave both out")
    data = DataRequest(options.data.absolute(), options.clinics, options.split_by, options.seed)
    return SetUp(data, initial=options.initial)


def _status(options: argparse.Namespace, progress: Progress) -> int:
    federation = Federation(options.state, progress)
    found = federation_status.read_status(federation)
    if options.json:
        print(json.dumps(found))
    else:
        console = Terminal()
        for number, section in enumerate(status_page(found, console.width, datetime.now(UTC))):
            console.print(*([] if number == 0 else [""]), section, sep="\n", highlight=False)
    return CommandExit.DONE if found["running"] else CommandExit.FAILED


def _down(options: argparse.Namespace, progress: Progress) -> int:
    # Who reads that it stops may take it at its word, and press Ctrl-C.
    with uninterrupted():
        progress("stopping")
        Federation(options.state, progress).down()
    progress(f"nothing is left running; the state stays in {options.state}")
    return CommandExit.DONE


def _kubectl(options: argparse.Namespace, progress: Progress) -> int:
    federation = Federation(options.state, progress)
    federation.record()
    if not federation.cluster.status()["ready"]:
        raise NotReady(f"the federation is not running: start it with `{federation.place.up_command}`")
    arguments = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
    command, variables = federation.kubectl.in_environment(*arguments)
    sys.stdout.flush()
    # kubectl takes over: terminal, signals and exit code are its own.
    os.execve(command[0], command, {**os.environ, **variables})  # noqa: S606
