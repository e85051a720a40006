"""`fedround report`: the report of a round, fetched and checked."""

import argparse
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fedround_api import keys
from fedround_api.kinds import FederatedRound, find_condition
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.connection import HubError
from fedround_cli.failures import UsageProblem
from fedround_cli.hub import Hub, connect_hub
from fedround_cli.outputs import save

# Thirty times what a report of a hundred clinics takes.
_LIMIT_BYTES = 8 << 20


@dataclass(frozen=True)
class Wanted:
    """One file of a round's report, and its sha256 as the round's status has it."""

    key: str
    sha256: str


def run(options: argparse.Namespace) -> int:
    """Fetch it, and say the verdict; the exit code."""
    if options.json and (options.open or options.output):
        raise UsageProblem(
            "--json prints the figures on standard output (`>FILE` keeps them); --output and --open are for the page"
        )
    hub = connect_hub(options)
    round_ = hub.round(options.round)
    content = fetch(hub, wanted(round_, as_json=options.json))
    if options.json:
        print(content.decode(), end="")
        return CommandExit.DONE
    path = options.output or Path(f"{options.round}-report.html")
    save(path, content)
    print(f"wrote {path}, whose sha256 is the one in the round's status")
    print(verdict_line(round_))
    if options.open:
        show(path, webbrowser.open)
    return CommandExit.DONE


def wanted(round_: FederatedRound, *, as_json: bool) -> Wanted:
    """What to fetch: the page, or the figures. Raises HubError that says why there is no report."""
    meta, digests = round_.metadata, round_.status.report
    if digests is None:
        raise HubError(_why_none(round_))
    if as_json:
        return Wanted(keys.report(meta.stored_uid), digests.json_sha256)
    return Wanted(keys.report_page(meta.stored_uid), digests.html_sha256)


def fetch(hub: Hub, file: Wanted) -> bytes:
    """The file's bytes, which are those that the round names."""
    return hub.fetch(file.key, file.sha256, _LIMIT_BYTES)


def verdict_line(round_: FederatedRound) -> str:
    """The verdict and why, in one line."""
    verdict = round_.status.verdict
    return f"{round_.metadata.name}: {round_.status.phase}: {verdict.message if verdict else ''}"


def show(path: Path, open_url: Callable[[str], bool]) -> None:
    """Open the page. Raises HubError where this machine has no browser that can be started."""
    if not open_url(path.absolute().as_uri()):
        raise HubError(f"no browser could be started: open {path} yourself")


def _why_none(round_: FederatedRound) -> str:
    name, status = round_.metadata.name, round_.status
    ended = find_condition(status.conditions, "Succeeded")
    if status.completed_at is None:
        phase = status.phase or "waiting for the operator"
        taken = f" ({status.participation} clinics have submitted)" if status.participation else ""
        return f"round {name} has no report yet, it is {phase}{taken}: the report is written when it has been judged"
    if status.verdict is not None:
        return f"round {name} was judged by a version of fedround that wrote no report for people"
    why = f"{status.reason}: {ended.message}" if ended and ended.message else str(status.reason)
    return f"round {name} ended before it was judged, so it has no report: {why}"
