"""`fedround demo`, parsed."""

from pathlib import Path

from fedround_cli.arguments.parsers import Commands
from fedround_cli.arguments.types import add_data, whole_number


def add(commands: Commands) -> None:
    """Add the command."""
    demo = commands.add_parser("demo", help="set up a hub and clinics on this machine and run rounds")
    demo.set_defaults(runner="fedround_cli.demo")
    add_data(demo, clinics=3)
    demo.add_argument("--rounds", type=whole_number(1, 50), default=2, metavar="R", help="number of rounds (2)")
    demo.add_argument("--state", type=Path, metavar="DIR", help="folder of the federation (a new temporary one)")
    demo.add_argument("--fresh", action="store_true", help="remove the federation that is in the state folder first")
    demo.add_argument("--keep-running", action="store_true", help="do not stop the federation at the end")
    demo.add_argument("--json", action="store_true", help="progress on standard error; last line: one JSON object")
