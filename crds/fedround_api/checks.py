"""Checks and what came of them: what `helm test` and `fedround clinic preflight` make, and how Jobs tell of it.

A check is a function that returns what it found, or raises CheckFailed with what is wrong and what to do about it. The
report is a termination message. It stays in the cluster in which the Job ran, and is bounded and in printable ASCII.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from fedround_api.fields import ClosedPart
from fedround_api.jobs import REPORT_LIMIT_BYTES, Count

LONGEST_MESSAGE = 480
MOST_CHECKS = 8
#: The argument with which the training image makes the checks of `train`, in place of a role.
PREFLIGHT = "preflight"


class CheckFailed(Exception):
    """What was looked at is not as it should be: one sentence on what is wrong and what to do."""


@dataclass(frozen=True)
class Noted:
    """What was found, where a person should know of it and nothing has to be mended."""

    text: str


Check = Callable[[], str | Noted]


class CheckResult(StrEnum):
    """What came of a check."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"
    SKIPPED = "skipped"


class CheckReport(ClosedPart):
    """One check, as it is told."""

    name: Annotated[str, Field(max_length=32)]
    result: CheckResult
    message: Annotated[str, Field(max_length=LONGEST_MESSAGE)]


class PreflightReport(ClosedPart):
    """The termination message of a Job that makes checks."""

    checks: Annotated[list[CheckReport], Field(max_length=MOST_CHECKS)]


class PreflightInput(ClosedPart):
    """What the checks of `train` try: a training of such images, within so much memory."""

    image_size: Annotated[int, Field(ge=32, le=512, multiple_of=16)]
    batch_size: Annotated[int, Field(ge=1, le=4096)]
    memory_bytes: Count
    allow_unlocked: bool = False


def made(
    checks: Mapping[str, Check],
    needs: Mapping[str, str] = MappingProxyType({}),
    *,
    log_defect: Callable[[Exception], None],
) -> Iterator[CheckReport]:
    """Make the checks in their order; one is skipped where the check that it needs has failed or was skipped.

    What goes wrong in a check that it did not foresee is told as its failure, without its text, and logged by the
    caller: what the others find counts all the same.
    """
    missing: set[str] = set()
    for name, check in checks.items():
        needed = needs.get(name)
        if needed in missing:
            found = told(name, CheckResult.SKIPPED, f"not tried, for want of: {needed}")
        else:
            found = _made(name, check, log_defect)
        if found.result in (CheckResult.FAILED, CheckResult.SKIPPED):
            missing.add(name)
        yield found


def told(name: str, result: CheckResult, message: str) -> CheckReport:
    """The check with a message that is fit for a report."""
    return CheckReport(name=name, result=result, message=_plain(message, LONGEST_MESSAGE))


def report_text(checks: Iterable[CheckReport]) -> str:
    """The termination message; messages are cut where all of them do not fit."""
    told_so_far = list(checks)
    for longest in (LONGEST_MESSAGE, LONGEST_MESSAGE // 2, LONGEST_MESSAGE // 4):
        cut = [one.model_copy(update={"message": _plain(one.message, longest)}) for one in told_so_far]
        text = PreflightReport(checks=cut).text()
        if len(text) <= REPORT_LIMIT_BYTES:
            return text
    raise ValueError(f"{len(told_so_far)} checks are too many for a termination message")


def read_checks(message: str | None) -> list[CheckReport]:
    """The checks in a termination message; none where there is no such report."""
    if not message or len(message.encode()) > REPORT_LIMIT_BYTES:
        return []
    try:
        return PreflightReport.model_validate_json(message).checks
    except ValueError:
        return []


def _made(name: str, check: Check, log_defect: Callable[[Exception], None]) -> CheckReport:
    try:
        found = check()
    except CheckFailed as problem:
        return told(name, CheckResult.FAILED, str(problem))
    except Exception as defect:  # noqa: BLE001 - a check runs a library, and the report is all that a person sees
        log_defect(defect)
        return told(
            name, CheckResult.FAILED, f"not made, by a defect ({type(defect).__name__}): report it with the log"
        )
    if isinstance(found, Noted):
        return told(name, CheckResult.NOTE, found.text)
    return told(name, CheckResult.OK, found)


def _plain(message: str, longest: int) -> str:
    """At most so many printable ASCII characters, in double quotes' place single ones: JSON needs no escapes then."""
    ascii_only = message.replace('"', "'").encode("ascii", "replace").decode().replace("\\", "/")
    printable = "".join(one if one.isprintable() else " " for one in ascii_only)
    return printable if len(printable) <= longest else f"{printable[: longest - 3]}..."
