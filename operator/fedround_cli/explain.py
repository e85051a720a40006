"""`fedround explain`: entries of the documentation, from the enums that the whole program uses."""

import argparse
import json
import textwrap
from dataclasses import asdict, dataclass

from fedround_api.exitcodes import ExitCode
from fedround_api.reasons import GROUPS, Reason
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.explain import words

_WIDTH = 79


@dataclass(frozen=True)
class Entry:
    """What is told of one word. `retried` is for exit codes of Jobs only."""

    word: str
    given: str
    meaning: str
    action: str
    retried: bool | None = None


def run(options: argparse.Namespace) -> int:
    """Print the entry, or all; the exit code."""
    chosen = [options.word] if options.word else words()
    found = [entry(word) for word in chosen]
    if options.json:
        documents = [{key: value for key, value in asdict(one).items() if value is not None} for one in found]
        print(json.dumps(documents[0] if options.word else documents, indent=2))
    else:
        print("\n\n".join(map(_text, found)) if options.word else "\n".join(map(_line, found)))
    return CommandExit.DONE


def entry(word: str) -> Entry:
    """The entry of a reason or of an exit code."""
    if word.isdecimal():
        return _exit_code(int(word))
    reason = Reason(word)
    group = next(title for title, members in GROUPS.items() if reason in members)
    return Entry(word, f"reason, {group[0].lower()}{group[1:]}", reason.meaning, reason.action)


def _exit_code(number: int) -> Entry:
    if number not in set(ExitCode):
        own = CommandExit(number)
        meaning = f"{own.meaning[0].upper()}{own.meaning[1:]}."
        return Entry(str(number), "exit code of fedround", meaning, own.action)
    code = ExitCode(number)
    return Entry(
        str(number),
        f"exit code of a Job{' and of fedround' * (number in set(CommandExit))}: {code.name}, reason {code.reason}",
        code.reason.meaning,
        code.reason.action,
        code.retryable,
    )


def _text(one: Entry) -> str:
    retried = [] if one.retried is None else [("made again", "yes" if one.retried else "no")]
    lines = [("meaning", one.meaning), ("what to do", one.action or "nothing"), *retried]
    return "\n".join([f"{one.word} ({one.given})", *(_labelled(label, text) for label, text in lines)])


def _labelled(label: str, text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=f"  {label:<11} ", subsequent_indent=" " * 14)


def _line(one: Entry) -> str:
    return textwrap.fill(one.meaning, _WIDTH, initial_indent=f"{one.word:<25} ", subsequent_indent=" " * 26)
