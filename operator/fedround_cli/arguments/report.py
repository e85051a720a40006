"""`fedround report`, parsed."""

from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.hub import add_hub, add_store
from fedround_cli.arguments.parsers import Commands, add_command


def add(commands: Commands) -> None:
    """Add the command."""
    report = add_command(
        commands,
        "report",
        "fetch the report of a round: what happened, and why",
        description="Fetches a round's report from the hub's object store, checks its digest against the round's "
        "status, and writes it as one page that needs no network: ROUND-report.html in this folder.",
        examples=[
            ("report demo-3 --state DIR --open", "of a federation on this machine, in the browser"),
            ("report skin-2026-w48 --output w48.html", "of the cluster that kubectl uses"),
            ("report skin-2026-w48 --json", "the figures, for programs"),
        ],
        notes="Where the store is, and which Secret opens it, is read from the ConfigMap fedround-store of the "
        "network's namespace: the kubeconfig needs the right to read both.",
        exit_codes={
            CommandExit.DONE: "written",
            CommandExit.FAILED: "there is no such report, or it cannot be fetched",
        },
        json="the figures (docs/report.schema.json), not the page",
        runner="fedround_cli.report",
    )
    report.add_argument("round", metavar="ROUND", help="name of the round, as in `fedround rounds`")
    report.add_argument(
        "--output", type=Path, metavar="FILE", help="where to write the page (default: ROUND-report.html)"
    )
    report.add_argument("--open", action="store_true", help="open the page in the browser")
    add_hub(report)
    add_store(report)
