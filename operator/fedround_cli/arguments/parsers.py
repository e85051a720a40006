"""How commands look and complain, in one place: help with examples, defaults and exit codes; one sentence for an error.

Every command is made by `add_command`, every group of commands by `add_group`; both demand what a reader needs before a
first call. Called by the modules beside this one and by `main`; imports nothing that takes time.
"""

import argparse
import difflib
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn, TypeAlias

from fedround_cli.arguments.exits import IN_HELP, CommandExit

#: What a command says more exactly of some exit codes.
ExitMeanings: TypeAlias = Mapping[CommandExit, str]
_WIDTH = 80
_NAME_WIDTH = 24
# More choices than these would bury the sentence that lists them.
_FEW = 12
_ARGPARSE_MISSING = "the following arguments are required: "


class UsageError(SystemExit):
    """A command line that cannot be understood; it was said on standard error already. Ends the program with 2."""

    def __init__(self, sentence: str) -> None:
        super().__init__(CommandExit.USAGE)
        self.sentence = sentence


class Parser(argparse.ArgumentParser):
    """A parser that speaks in sentences; abbreviated options are refused, since a later version may make them unclear.

    `examples` are (arguments, what they do); together with `notes` and the exit codes they stand below the options.
    A parser whose `exit_codes` are None says nothing of them.
    """

    def __init__(
        self,
        *,
        description: str,
        examples: Sequence[tuple[str, str]],
        exit_codes: ExitMeanings | None = MappingProxyType({}),
        notes: str = "",
        **settings: Any,
    ) -> None:
        super().__init__(
            description=_filled(description),
            epilog=_below_the_options(examples, exit_codes, notes),
            formatter_class=_Help,
            allow_abbrev=False,
            add_help=False,
            **settings,
        )
        self.examples = tuple(examples)
        self.general = self.add_argument_group("general options")
        self.general.add_argument("-h", "--help", action="help", help="print this help and exit")
        # The list of commands has no line to spare for it. Without a default: a command must not overwrite what was
        # given before its name.
        says = argparse.SUPPRESS if self.prog in ("fedround", program_name()) else "show the traceback of a failure"
        self.general.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=says)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As its base, but each command refuses itself what it does not know, so that the advice names its options."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"there is no {_kind(unknown[0])} {unknown[0]}{_nearest(unknown[0], self._option_names())}")
        return found, unknown

    def format_help(self) -> str:
        """With what every command has at the end."""
        self._action_groups.sort(key=lambda group: group is self.general)
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """One sentence and where to look; the whole usage would hide it."""
        sentence = message.replace(_ARGPARSE_MISSING, "missing: ")
        end = "" if sentence.endswith("?") else "."
        sentence = f"{sentence}{end} See `{self.prog} --help`."
        print(f"fedround: {sentence}", file=sys.stderr)
        raise UsageError(sentence)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        named = "command" if isinstance(action, argparse._SubParsersAction) else str(action.metavar or action.dest)
        what = named.replace("|", " or ").lower()
        known = list(map(str, action.choices))
        few = f": choose from {', '.join(known)}" if len(known) <= _FEW else ""
        self.error(f"there is no {what} {value}{_nearest(value, known) or few}")

    def _option_names(self) -> list[str]:
        return [name for action in self._actions for name in action.option_strings if name.startswith("--")]


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def program_name() -> str:
    """How the user calls this program: kubectl runs `kubectl-fedround` for `kubectl fedround`."""
    return "kubectl fedround" if Path(sys.argv[0]).name == "kubectl-fedround" else "fedround"


def add_command(
    commands: Commands,
    name: str,
    summary: str,
    *,
    description: str,
    examples: Sequence[tuple[str, str]],
    runner: str,
    json: str = "",
    exit_codes: ExitMeanings = MappingProxyType({}),
    notes: str = "",
) -> Parser:
    """A parser for one command, to which the caller adds the arguments.

    `summary` is its line in the list of commands, `description` one to three sentences. `examples` are (arguments, what
    they do), without the program's name. `runner` is the module whose `run(options) -> int` is called. `json` says what
    `--json` prints; without it there is no such option. `exit_codes` says more exactly what some mean here.
    """
    command = commands.add_parser(
        name,
        help=summary,
        description=description,
        examples=examples,
        exit_codes=exit_codes,
        notes=notes,
    )
    command.set_defaults(runner=runner)
    if json:
        command.general.add_argument("--json", action="store_true", help=f"print one JSON document: {json}")
    return command


def add_group(
    commands: Commands, name: str, summary: str, *, description: str, examples: Sequence[tuple[str, str]]
) -> Commands:
    """A command that consists of commands; the caller adds those by `add_command`."""
    group = commands.add_parser(name, help=summary, description=description, examples=examples)
    return add_subcommands(group, title="commands", dest="action", metavar="ACTION", required=True)


def add_subcommands(parser: Parser, *, title: str, dest: str, metavar: str, required: bool) -> Commands:
    """The commands of a parser."""
    return parser.add_subparsers(dest=dest, metavar=metavar, required=required, title=title, parser_class=Parser)


class _Help(argparse.RawDescriptionHelpFormatter):
    """At most 80 columns, with the defaults of options."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=_NAME_WIDTH, width=_WIDTH - 2)

    def _format_usage(
        self, usage: str | None, actions: Iterable[argparse.Action], groups: Iterable[Any], prefix: str | None
    ) -> str:
        """What must be given; the list of options follows anyway. Without options it is what commands begin with."""
        actions = list(actions)
        options = [one for one in actions if one.option_strings]
        required = [f"{one.option_strings[-1]} {one.metavar}" for one in options if one.required]
        named = [one for one in actions if not one.option_strings]
        words = [str(one.metavar) if one.nargs == argparse.REMAINDER else self._format_args(one, "") for one in named]
        line = " ".join([self._prog, *required, *(["[options]"] if options else []), *words])
        return f"{'usage: ' if prefix is None else prefix}{line}\n\n"

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            # argparse forgets that it indents commands once more, and breaks the line of the longest one.
            self._action_max_length += self._indent_increment

    def _format_action(self, action: argparse.Action) -> str:
        formatted = super()._format_action(action)
        # The first line of a list of commands is their metavar, which says nothing.
        return formatted.partition("\n")[2] if isinstance(action, argparse._SubParsersAction) else formatted

    def _get_help_string(self, action: argparse.Action) -> str | None:
        said = action.help or ""
        has_none = action.default is None or action.default is False or action.default == argparse.SUPPRESS
        silent = has_none or "default" in said or not action.option_strings
        return said if silent else f"{said} (default: %(default)s)"


def _below_the_options(examples: Sequence[tuple[str, str]], exit_codes: ExitMeanings | None, notes: str) -> str:
    program, codes = program_name(), ""
    if exit_codes is not None:
        codes = "exit codes: " + "; ".join(f"{code} {exit_codes.get(code, code.meaning)}" for code in IN_HELP)
    paragraphs = (
        _filled(notes),
        "\n".join(["examples:", *_example_lines([(f"{program} {line}", says) for line, says in examples])]),
        _filled(codes),
    )
    return "\n\n".join(filter(None, paragraphs))


def _example_lines(examples: Sequence[tuple[str, str]]) -> list[str]:
    """What each call does stands beside it where all have room for that, else below it."""
    width = max(len(call) for call, _ in examples)
    beside = [f"  {call:<{width}}  {says}" for call, says in examples]
    if max(map(len, beside)) < _WIDTH:
        return beside
    return [line for call, says in examples for line in (f"  {call}", f"      {says}")]


def _filled(text: str) -> str:
    return textwrap.fill(text, _WIDTH - 2, break_long_words=False, break_on_hyphens=False)


def _kind(word: str) -> str:
    return "option" if word.startswith("-") else "argument"


def _nearest(word: str, known: Iterable[str]) -> str:
    by_lower_case = {one.lower(): one for one in known}
    found = difflib.get_close_matches(word.partition("=")[0].lower(), by_lower_case, n=1)
    return f": did you mean {by_lower_case[found[0]]}?" if found else ""
