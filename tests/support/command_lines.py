"""Whether a command of the documentation can be typed as it stands: by the real parser, the Makefile, the API's names.

Nothing is run. Of kubectl only what our pages use is known.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from fedround_api.crd import definitions
from fedround_cli.arguments.parsers import Parser, UsageError
from fedround_cli.main import parser
from support.markdown_pages import CHECKOUT, FEDROUND, FOREIGN, PROGRAMS, PYTHON, Command

TARGETS = set(re.findall(r"^([a-z0-9-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
NAMES = [crd["spec"]["names"] for crd in definitions()]
#: kubectl takes a word for a category before it takes it for a kind, and a category has no object to name.
CATEGORIES = {category for names in NAMES for category in names["categories"]}
RESOURCES = {
    *(name for names in NAMES for name in (names["plural"], names["singular"], *names.get("shortNames", ()))),
    *("jobs", "job", "pods", "events", "leases", "secrets", "secret", "configmap", "pvc", "deployment", "service"),
} - CATEGORIES
VERBS = {"apply", "create", "delete", "describe", "get", "logs", "patch", "port-forward", "rollout", "scale", "wait"}
#: Options that take the next word.
VALUED = {"-n", "-l", "-o", "-f", "-p", "--type", "--for", "--context", "--namespace"}


def refused(command: Command) -> str | None:
    """Why a command could not be typed as it stands, or nothing."""
    program, *words = command.words
    if program in FEDROUND:
        return _unknown_in(parser("fedround"), words) if command.prose else _refused_by_fedround(words)
    if program in PYTHON:
        missing = [word for word in words if word.endswith(".py") and not (CHECKOUT / word).is_file()]
        return f"there is no {', '.join(missing)}" if missing else None
    match program:
        case "make":
            unknown = [word for word in words if "=" not in word and word not in TARGETS]
            return f"make has no target {', '.join(unknown)}" if unknown else None
        case "kubectl":
            return _refused_by_kubectl(words)
        case _ if program in FOREIGN:
            return None
        case "helm":
            missing = [word for word in words if "/" in word and not (CHECKOUT / word).exists()]
            return f"there is no {', '.join(missing)}" if missing else None
        case _:
            return f"{program} is none of {', '.join(PROGRAMS)}"


def _refused_by_fedround(words: Sequence[str]) -> str | None:
    try:
        options = parser("fedround").parse_args(list(words))
    except UsageError as error:
        return error.sentence
    arguments: list[str] = getattr(options, "arguments", [])
    return _refused_by_kubectl(arguments[1:]) if arguments else None


def _unknown_in(known: Parser, words: Sequence[str]) -> str | None:
    """The first word of an abbreviated command that its parser does not know; values are not looked at.

    Commands may be given as alternatives, as in `fedround local up|down`; what follows them is read as of the last.
    """
    for number, word in enumerate(words):
        if word == "--":
            return _refused_by_kubectl(words[number + 1 :])
        if word.startswith("--") and word not in known._option_string_actions:
            return f"{known.prog} has no option {word}"
        commands = next((one.choices for one in known._actions if hasattr(one, "add_parser")), None)
        if isinstance(commands, Mapping) and word.islower() and word[0] != "-":
            unknown = [one for one in word.split("|") if one not in commands]
            if unknown:
                return f"{known.prog} has no command {', '.join(unknown)}"
            known = commands[word.split("|")[-1]]
    return None


def _refused_by_kubectl(words: Sequence[str]) -> str | None:
    verb, *rest = words
    if verb == "fedround":
        return _unknown_in(parser("fedround"), rest)
    if verb not in VERBS:
        return f"kubectl {verb} is not known here"
    values = dict(pairwise(rest))
    file = values.get("-f", "")
    if "/" in file and not (CHECKOUT / file).is_file():
        return f"there is no file {file}"
    plain = [word for before, word in pairwise(["", *rest]) if before not in VALUED and word[0] != "-"]
    if verb in ("apply", "create", "logs", "rollout") or not plain:
        return None
    unknown = [name for name in plain[0].partition("/")[0].split(",") if name not in RESOURCES]
    return f"kubectl knows no {', '.join(unknown)}" if unknown else None
