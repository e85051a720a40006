"""The entry point of every Job's container: `python -m fedround_training ROLE`.

`preflight` in a role's place makes the checks of `train`, as its Job does it: `fedround clinic preflight`.

It imports what the role needs and nothing else: `fetch` and `submit` start without numpy, `aggregate` without torch.
What nobody expected ends here, as a defect.
"""

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from fedround_api.checks import PREFLIGHT
from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import Role
from fedround_training.jobs.running import Start, report_defect, run


def start_of(role: Role) -> Start:
    """What begins the role's work."""
    module = "launcher" if role is Role.TRAIN else f"jobs.{role}"
    start: Start = import_module(f"fedround_training.{module}").start
    return start


def start_of_checks() -> Start:
    """What begins the checks of `train`."""
    start: Start = import_module("fedround_training.launcher").start_checks
    return start


def main(arguments: Sequence[str]) -> int:
    checks = list(arguments) == [PREFLIGHT]
    try:
        role = Role.TRAIN if checks else Role(*arguments)
    except (ValueError, TypeError):
        print(f"usage: python -m fedround_training {'|'.join([*Role, PREFLIGHT])}", file=sys.stderr)
        return ExitCode.BAD_INPUT
    try:
        return run(role, start_of_checks() if checks else start_of(role), os.environ)
    except Exception as defect:
        logging.exception("job failed by a defect")
        return report_defect(role, defect, os.environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
