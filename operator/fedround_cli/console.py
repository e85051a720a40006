"""Tables and colours on a terminal, for the commands of a federation on this machine."""

from rich.console import Console


class Terminal(Console):
    """A console whose reader may go away: that is said by an exception, as by `print`; rich would end the program."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError
