"""`fedround`: parses the command line and says errors in one sentence.

Commands import what they need when they run, so that `--help` is quick and each works with the extras that it needs.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

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


def _state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state", type=Path, required=True, metavar="DIR", help="folder that holds the whole federation"
    )


def _data(parser: argparse.ArgumentParser, *, clinics: int | None) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="ISIC-style folder: images and one CSV")
    parser.add_argument(
        "--split-by", metavar="COLUMN", help="clinics by the values of this column; else patients are dealt at random"
    )
    parser.add_argument("--clinics", type=whole_number(1, 50), default=clinics, metavar="N", help="number of clinics")
    parser.add_argument(
        "--seed",
        type=whole_number(0, 2**31 - 1001),
        default=0,
        metavar="N",
        help="of the split, the model and the training (0)",
    )


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number within bounds."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return read


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
    demo = commands.add_parser("demo", help="set up a hub and clinics on this machine and run rounds")
    _data(demo, clinics=3)
    demo.add_argument("--rounds", type=whole_number(1, 50), default=2, metavar="R", help="number of rounds (2)")
    demo.add_argument("--state", type=Path, metavar="DIR", help="folder of the federation (a new temporary one)")
    demo.add_argument("--fresh", action="store_true", help="remove the federation that is in the state folder first")
    demo.add_argument("--keep-running", action="store_true", help="do not stop the federation at the end")
    demo.add_argument("--json", action="store_true", help="progress on standard error; last line: one JSON object")
    _local(commands.add_parser("local", help="the federation on this machine: up, status, down, kubectl"))
    return root


def _local(local: argparse.ArgumentParser) -> None:
    actions = local.add_subparsers(dest="action", metavar="ACTION", required=True)
    up = actions.add_parser("up", help="start a federation; with --data and --clinics make a new one")
    _data(up, clinics=None)
    _state(up)
    status = actions.add_parser("status", help="processes, addresses, namespaces, kubeconfigs")
    _state(status)
    status.add_argument("--json", action="store_true", help="as one JSON object")
    down = actions.add_parser("down", help="stop the federation; its state stays")
    _state(down)
    kubectl = actions.add_parser("kubectl", help="run the bundled kubectl against the hub: -- ARGS")
    _state(kubectl)
    kubectl.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- ARGS")


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
        from fedround_cli import demo, local  # noqa: PLC0415
    except ModuleNotFoundError as error:
        print(f"fedround: {error.name} is missing: install fedround[local]", file=sys.stderr)
        return EXIT_FAILED
    return demo.run(options) if options.command == "demo" else local.run(options)


if __name__ == "__main__":
    sys.exit(main())
