"""`fedround explain REASON|CODE`, parsed."""

from fedround_api.exitcodes import ExitCode
from fedround_api.reasons import Reason
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.parsers import Commands, add_command


def add(commands: Commands) -> None:
    """Add the command."""
    explain = add_command(
        commands,
        "explain",
        "what a reason or an exit code means, and what to do",
        description="Explains a reason that a round, a model or a clinic gives in its conditions, or an exit code of a "
        "Job or of this program. Without one it lists them all.",
        examples=[
            ("explain HighRiskCasesLost", "why a round was rolled back"),
            ("explain 65", "how a Job ended"),
            ("explain --json", "all of them, for programs"),
        ],
        json="the entry, or a list of all",
        runner="fedround_cli.explain",
    )
    explain.add_argument(
        "word",
        nargs="?",
        choices=words(),
        type=_canonical,
        metavar="REASON|CODE",
        help="such as HighRiskCasesLost or 65; without it, all",
    )


def words() -> list[str]:
    """What can be explained."""
    return [*map(str, Reason), *(str(number) for number in sorted({*map(int, ExitCode), *map(int, CommandExit)}))]


def _canonical(word: str) -> str:
    return {one.lower(): one for one in words()}.get(word.lower(), word)
