"""Command lines of operator and agent, whose every option can also come from the environment, as the charts give it."""

import argparse
import os
from collections.abc import Mapping


class Options:
    """Collects options; each has an environment variable FEDROUND_<NAME>."""

    def __init__(self, program: str, description: str, environment: Mapping[str, str] = os.environ) -> None:
        self._parser = argparse.ArgumentParser(prog=program, description=description)
        self._environment = environment

    def add(self, name: str, text: str, default: str | None = None) -> None:
        """An option that has to be given, one way or the other, unless it has a default."""
        variable = "FEDROUND_" + name.upper().replace("-", "_")
        value = self._environment.get(variable, default)
        self._parser.add_argument(f"--{name}", default=value, required=value is None, help=f"{text} ({variable})")

    def parse(self, arguments: list[str]) -> argparse.Namespace:
        """The values; wrong usage ends the process with exit code 2."""
        return self._parser.parse_args(arguments)
