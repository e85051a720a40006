"""`fedround local up|status|down|kubectl`."""

import argparse
import json
import os
import shlex
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from fedround_cli.terminal import Progress, guarded, program
from fedround_local.errors import DataUnusable, NotReady
from fedround_local.federation import status as federation_status
from fedround_local.federation.dataplan import DataRequest
from fedround_local.federation.federation import Federation, SetUp


def run(options: argparse.Namespace) -> int:
    """Run the action; the exit code."""
    progress = Progress(Console(stderr=True))
    actions = {"up": _up, "status": _status, "down": _down, "kubectl": _kubectl}
    return guarded(lambda: actions[options.action](options, progress))


def _up(options: argparse.Namespace, progress: Progress) -> int:
    federation = Federation(options.state, progress)
    record = federation.up(_set_up(options))
    progress(f"running: {len(record.clinics)} clinics ({', '.join(record.clinics)})")
    at = f"--state {shlex.quote(str(options.state))}"
    for line in (
        "try next:",
        f"  {program()} local kubectl {at} -- apply -f examples/round.yaml",
        f"  {program()} local kubectl {at} -- get fedrounds --watch",
        f"  {program()} local status {at}",
        f"  {program()} local down {at}",
    ):
        print(line)
    return 0


def _set_up(options: argparse.Namespace) -> SetUp | None:
    if options.data is None and options.clinics is None:
        return None
    if options.data is None or options.clinics is None:
        raise DataUnusable("a new federation needs both --data DIR and --clinics N")
    return SetUp(DataRequest(options.data.absolute(), options.clinics, options.split_by, options.seed))


def _status(options: argparse.Namespace, progress: Progress) -> int:
    federation = Federation(options.state, progress)
    found = federation_status.read_status(federation)
    if options.json:
        print(json.dumps(found))
    else:
        Console(soft_wrap=True).print(_table(found))
    return 0 if found["running"] else 1


def _table(found: dict[str, Any]) -> Table:
    table = Table(title=f"federation in {found['state']}", title_justify="left")
    for heading in ("process", "running", "memory", "address"):
        table.add_column(heading)
    for name, process in found["processes"].items():
        memory = f"{process['memoryBytes'] / 2**20:.0f} MiB" if process["memoryBytes"] else "-"
        table.add_row(name, "yes" if process["running"] else "no", memory, found["addresses"].get(name, ""))
    return table


def _down(options: argparse.Namespace, progress: Progress) -> int:
    progress("stopping")
    Federation(options.state, progress).down()
    progress(f"nothing is left running; the state stays in {options.state}")
    return 0


def _kubectl(options: argparse.Namespace, progress: Progress) -> int:
    federation = Federation(options.state, progress)
    federation.record()
    if not federation.cluster.status()["ready"]:
        raise NotReady(f"the federation is not running: start it with `fedround local up --state {options.state}`")
    arguments = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
    command = federation.kubectl.command(*arguments)
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - kubectl takes over: terminal, signals and exit code are its own
