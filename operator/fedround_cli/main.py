"""`fedround`: parses the command line and runs the command.

Commands import what they need when they run, so that `--help` is quick and each works with the extras that it needs.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

from fedround_cli.arguments import COMMANDS

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130

_EXAMPLES = """\
examples:
  fedround demo                                     images of its own, 3 clinics, 2 rounds
  fedround demo --data DIR --split-by dataset --clinics 4 --rounds 3 --state DIR
  fedround local up --data DIR --clinics 3 --state DIR
  fedround local kubectl --state DIR -- apply -f examples/round.yaml
  fedround local down --state DIR

exit codes: 0 done, 1 failed (one sentence on standard error says why), 2 wrong usage, 130 interrupted
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(
        prog="fedround",
        description="Federated training of skin-lesion classifiers.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--version", action="store_true", help="print the version and exit")
    commands = root.add_subparsers(dest="command", metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    root = parser()
    options = root.parse_args(arguments)
    if options.version:
        from fedround_operator import __version__  # noqa: PLC0415

        print(__version__)
        return EXIT_OK
    if options.command is None:
        root.print_help()
        return EXIT_USAGE
    try:
        runner = importlib.import_module(options.runner)
    except ModuleNotFoundError as error:
        print(f"fedround: {error.name} is missing: install fedround[local]", file=sys.stderr)
        return EXIT_FAILED
    exit_code: int = runner.run(options)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
