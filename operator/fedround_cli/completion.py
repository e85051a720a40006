"""`fedround completion`: the script that makes a shell complete this command line. The one door to shtab."""

import argparse
from collections.abc import Iterator

import shtab

from fedround_cli import main
from fedround_cli.arguments.exits import CommandExit

_COMPLETES = {"DIR": shtab.DIRECTORY, "FILE": shtab.FILE}


def run(options: argparse.Namespace) -> int:
    """Print the script; the exit code."""
    print(script(options.shell))
    return CommandExit.DONE


def script(shell: str) -> str:
    """Completes the program under its own name, however it was called."""
    root = main.parser("fedround")
    for action in _actions(root):
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                # Shells have one line for a command: that of the list of commands.
                action.choices[choice.dest].description = choice.help
        if action.metavar in _COMPLETES:
            action.complete = _COMPLETES[action.metavar]  # type: ignore[attr-defined]
    return str(shtab.complete(root, shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every argument of every command."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in dict(action.choices).values():
                yield from _actions(command)
