"""The whole command line, command by command: whoever asks for help gets all that is needed for a first call."""

import argparse
import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fedround_cli.arguments.parsers import Parser
from fedround_cli.main import parser

# What `import argparse` and the enums of the contract need; rich, pydantic or kubernetes would take a second.
HEAVY = ("rich", "pydantic", "kubernetes", "kopf", "minio", "yaml", "numpy", "torch", "PIL", "psutil", "urllib3")


def walk(one: Parser) -> Iterator[Parser]:
    """The parser and those below it."""
    yield one
    for action in one._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from walk(command)


PARSERS = {one.prog: one for one in walk(parser("fedround"))}
COMMANDS = {name: one for name, one in PARSERS.items() if one.get_default("runner")}
EXAMPLES = [(name, line) for name, one in PARSERS.items() for line, _ in one.examples]
everywhere = pytest.mark.parametrize("name", PARSERS)


def arguments_of(line: str) -> list[str]:
    """What fedround itself gets of a line that a person types into a shell."""
    return shlex.split(re.split(r"[|<>]", line)[0])


def test_there_are_commands_to_look_at() -> None:
    assert {"fedround demo", "fedround local up", "fedround local status", "fedround explain"} <= set(COMMANDS)


@everywhere
def test_every_command_says_in_whole_sentences_what_it_does(name: str) -> None:
    assert re.fullmatch(r"[A-Z`].{20,}\.", PARSERS[name].description or "", re.DOTALL)


@everywhere
def test_every_command_has_an_example_of_itself(name: str) -> None:
    examples = [f"fedround {line}" for line, _ in PARSERS[name].examples]

    assert examples
    assert all(example.startswith(name) for example in examples)
    assert all(example in PARSERS[name].format_help() for example in examples)


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_every_example_is_understood(name: str, line: str) -> None:
    found = parser("fedround").parse_args(arguments_of(line))

    assert found.runner.startswith("fedround_cli.")


@everywhere
def test_every_argument_is_explained(name: str) -> None:
    unexplained = [
        action.dest
        for action in PARSERS[name]._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]

    assert unexplained == []


@everywhere
def test_every_command_of_a_list_has_a_line(name: str) -> None:
    lists = [action for action in PARSERS[name]._actions if isinstance(action, argparse._SubParsersAction)]

    for one in lists:
        assert [choice.dest for choice in one._choices_actions if choice.help] == list(one.choices)


@pytest.mark.parametrize("name", sorted(PARSERS.keys() - {"fedround"}))
def test_every_command_says_how_it_ends(name: str) -> None:
    text = " ".join(PARSERS[name].format_help().split())

    assert re.search(r"exit codes: 0 .+; 1 .+; 2 wrong usage; 70 a defect; 130 interrupted", text)


@everywhere
def test_help_fits_eighty_columns_and_holds_nothing_but_text(name: str) -> None:
    lines = PARSERS[name].format_help().splitlines()

    assert max(map(len, lines)) <= 80
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_default_is_said_by_the_help_alone(name: str) -> None:
    """Written into a text by hand it would be said twice, or stay behind when it changes."""
    text = " ".join(COMMANDS[name].format_help().split())

    for action in COMMANDS[name]._actions:
        has_none = action.default is None or action.default is False or action.default == argparse.SUPPRESS
        if action.option_strings and not has_none and "default" not in str(action.help):
            assert f"{action.help} (default: {action.default})" in text
            assert f"({action.default})" not in text


def test_the_list_of_commands_fits_a_screen() -> None:
    """24 lines, of which the prompt takes one."""
    assert len(PARSERS["fedround"].format_help().splitlines()) <= 23


def test_help_loads_nothing_that_takes_time() -> None:
    code = (
        "import sys; from fedround_cli.main import parser; parser().format_help();"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_module_that_runs_a_command_is_there(name: str) -> None:
    assert callable(importlib.import_module(COMMANDS[name].get_default("runner")).run)
