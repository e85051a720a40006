"""How a command ends: the one table of exit codes for what runs, what helps and what is documented."""

from enum import IntEnum


class CommandExit(IntEnum):
    """Exit codes of the program itself. A command says in its help where one of them means something more exact."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    DEFECT = 70
    INTERRUPTED = 130
    BROKEN_PIPE = 141

    @property
    def meaning(self) -> str:
        """What it means, in a few words."""
        return _TEXTS[self][0]

    @property
    def action(self) -> str:
        """What the reader can do; empty where there is nothing to do."""
        return _TEXTS[self][1]


_TEXTS = {
    CommandExit.DONE: ("done", ""),
    CommandExit.FAILED: ("failed", "Read the sentence on standard error: it says what is wrong and what to do."),
    CommandExit.USAGE: ("wrong usage", "Read the sentence on standard error, and the help that it names."),
    CommandExit.DEFECT: ("a defect", "Report it with the file that the sentence on standard error names."),
    CommandExit.INTERRUPTED: ("interrupted", "Call it again: state folders go on where they were."),
    CommandExit.BROKEN_PIPE: ("who read the output has gone", ""),
}
#: What the help of every command names: pipes are left to those who use them.
IN_HELP = tuple(code for code in CommandExit if code is not CommandExit.BROKEN_PIPE)
