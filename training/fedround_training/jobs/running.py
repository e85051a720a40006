"""From a Job's work to its report and exit code: what every role has in common around its own work.

Called by the two `__main__`s. It logs to standard error, which stays where the Job runs; only the report travels.
"""

import logging
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import NoReturn

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import REPORT_VARIABLE, JobReport, Role
from fedround_training.errors import JobError

# Printable ASCII doubles at most when it is escaped, so a report stays below the 4,096 bytes of a termination message.
_MESSAGE_LIMIT = 1024

log = logging.getLogger(__name__)

Start = Callable[[Mapping[str, str]], JobReport]


class Terminated(BaseException):
    """SIGTERM arrived. No Exception: nothing on the way may take it for an error of its own."""


def run(role: Role, start: Start, environ: Mapping[str, str]) -> ExitCode:
    """Do the work and report. An error that is no JobError passes through, for `report_defect`."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    signal.signal(signal.SIGTERM, _on_sigterm)
    try:
        report = start(environ)
    except JobError as error:
        log.error("job failed exit_code=%s message=%s", error.exit_code.name, error, exc_info=error.__cause__)
        report = JobReport(
            role=role,
            exit_code=error.exit_code,
            message=plain(str(error)),
            clinic=error.clinic,
            quarantined=None if error.quarantined is None else dict(error.quarantined),
        )
    except Terminated:
        report = JobReport(role=role, exit_code=ExitCode.TERMINATED, message="terminated by SIGTERM")
    save_report(report, environ)
    return report.exit_code


def report_defect(role: Role, error: Exception, environ: Mapping[str, str]) -> ExitCode:
    """Report an error that nobody expected: its class only, as its text may quote the clinic's data."""
    message = f"a defect ({type(error).__name__}); the Job's log has the traceback"
    save_report(JobReport(role=role, exit_code=ExitCode.INTERNAL, message=message), environ)
    return ExitCode.INTERNAL


def save_report(report: JobReport, environ: Mapping[str, str]) -> None:
    """Write the termination message, in place: Kubernetes mounts the file itself, so it cannot be replaced."""
    text = report.text()
    if REPORT_VARIABLE in environ:
        Path(environ[REPORT_VARIABLE]).write_text(text)
    else:
        log.warning("no report variable=%s report=%s", REPORT_VARIABLE, text)


def plain(message: str) -> str:
    """The message as at most 1,024 printable ASCII characters."""
    escaped = message.encode("ascii", "backslashreplace").decode()
    printable = "".join(character if character.isprintable() else " " for character in escaped)
    return printable if len(printable) <= _MESSAGE_LIMIT else f"{printable[: _MESSAGE_LIMIT - 3]}..."


def _on_sigterm(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated
