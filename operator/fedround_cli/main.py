"""`fedround`: parses the command line and runs the command.

Commands import what they need when they run, so that `--help` is quick and each works with the extras that it needs.
"""

import importlib
import sys
from collections.abc import Sequence

from fedround_cli.arguments import COMMANDS
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.parsers import Parser, UsageError, add_subcommands, program_name
from fedround_cli.failures import guarded, print_error


def parser(program: str | None = None) -> Parser:
    """The whole command line, under the name by which it was called, or another one."""
    root = Parser(
        prog=program or program_name(),
        description="Clinics train one skin-lesion classifier together, without moving an image.",
        examples=[
            ("demo", "see it work"),
            ("local up --data photos --clinics 3 --state fed", "on your own images"),
        ],
        # The list of commands has no line to spare for them.
        exit_codes=None,
    )
    root.general.add_argument("--version", action="store_true", help="print the version and exit")
    commands = add_subcommands(
        root,
        title=f"commands, of which `{root.prog} COMMAND --help` says more",
        dest="command",
        metavar="COMMAND",
        required=False,
    )
    for command in COMMANDS:
        command.add(commands)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    root = parser()
    try:
        options = root.parse_args(given)
    except UsageError as error:
        if "--json" in given:
            print_error(error.sentence, CommandExit.USAGE)
        return CommandExit.USAGE
    if options.version:
        from fedround_operator import __version__  # noqa: PLC0415

        print(__version__)
        return CommandExit.DONE
    if options.command is None:
        root.print_help(sys.stderr)
        return CommandExit.USAGE

    def run() -> int:
        exit_code: int = importlib.import_module(options.runner).run(options)
        return exit_code

    return guarded(run, as_json=getattr(options, "json", False), debug=getattr(options, "debug", False))


if __name__ == "__main__":
    sys.exit(main())
