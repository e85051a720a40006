"""`fedround demo`, parsed."""

import argparse
from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.parsers import Commands, add_command
from fedround_cli.arguments.types import add_data, whole_number

#: Two that train and one that goes wrong.
ROUNDS = 3
#: As many as the demo's own images come from.
CLINICS = 3


def add(commands: Commands) -> None:
    """Add the command."""
    demo = add_command(
        commands,
        "demo",
        "set up a hub and clinics on this machine and run rounds",
        description="Sets up a hub and clinics on this machine, as processes of your user, runs rounds, shows what "
        "each came to, and stops everything. Without --data it draws images of its own, and in the last round one "
        "clinic's labels are swapped: the gate rolls back.",
        examples=[
            ("demo", "images of its own, 3 clinics, 3 rounds"),
            ("demo --state DIR --fresh", "the same, in a folder of your choice, emptied first"),
            ("demo --data DIR --split-by dataset --clinics 4 --rounds 3", "your own images, clinics by a column"),
            ("demo --json >rounds.json", "for programs"),
        ],
        exit_codes={CommandExit.FAILED: "failed, or a round has"},
        json="the rounds, with their figures and verdicts, and the model",
        runner="fedround_cli.demo",
    )
    add_data(demo, clinics=CLINICS)
    demo.add_argument("--rounds", type=whole_number(1, 50), default=ROUNDS, metavar="R", help="number of rounds")
    demo.add_argument(
        "--mistake",
        action=argparse.BooleanOptionalAction,
        help="swap the labels of one clinic in the last round, to see the gate roll back "
        f"(default: with images of its own and at least {ROUNDS} rounds)",
    )
    demo.add_argument("--state", type=Path, metavar="DIR", help="folder of the federation; else a new temporary one")
    demo.add_argument("--fresh", action="store_true", help="remove the federation that is in the state folder first")
    demo.add_argument("--keep-running", action="store_true", help="do not stop the federation at the end")
