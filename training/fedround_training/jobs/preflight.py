"""The checks of `train` before a clinic's first round: is it locked in, can it write, read its images, and train?

Started by `launcher`, as `python -m fedround_training.jobs.preflight`, in a Job with the volumes, the limits and the
lock of `train`. It reports in fixed words and counts; what names files or cells goes to the log, which stays in the
pod. The report is written anew after each check, so that what was found is known even of a process that was killed.
"""

import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from fedround_api.checks import Check, CheckFailed, CheckReport, CheckResult, Noted, PreflightInput, made, report_text
from fedround_api.jobs import IMAGES_VARIABLE, REPORT_VARIABLE, WORKSPACE_VARIABLE, Role
from fedround_training.confinement.seen import seen_parts
from fedround_training.data.errors import DataWrong
from fedround_training.data.inspection import Inspection, dates, inspect, remarks
from fedround_training.jobs import readiness
from fedround_training.jobs.environment import read_input, volume
from fedround_training.jobs.running import report_defect

log = logging.getLogger(__name__)

# No image is opened by a process that is not locked in, and torch asks for a place for temporary files.
NEEDS = {"data": "lock", "room": "workspace", "cpu": "workspace", "memory": "cpu"}


class Preflight:
    """The checks of one clinic's volumes."""

    def __init__(self, given: PreflightInput, workspace: Path, images: Path) -> None:
        self._given, self._workspace, self._images = given, workspace, images
        self._cases = 0

    def checks(self) -> dict[str, Check]:
        """All of them by name, in their order; NEEDS says which need which."""
        return {
            "lock": lambda: readiness.judge_lock(seen_parts(), allow_unlocked=self._given.allow_unlocked),
            "workspace": lambda: readiness.probe_workspace(self._workspace),
            "data": self.check_data,
            "room": lambda: readiness.judge_room(
                readiness.free_bytes(self._workspace), self._cases, self._given.image_size
            ),
            "cpu": lambda: readiness.judge_speed(self._trial, self._cases),
            "memory": lambda: readiness.judge_memory(self._trial, self._cases, self._given),
        }

    def check_data(self) -> str | Noted:
        """That the table is understood and images can be read, all of them, as a training does it."""
        try:
            found = inspect(self._images)
        except DataWrong as error:
            log.error("%s", error)
            raise CheckFailed(f"{error.problem}: {error.problem.advice}; the Job's log has the details") from error
        self._cases = len(found.readable)
        for line in (*found.catalogue.summary(), *map(str, found.quarantined), *remarks(found, datetime.now(UTC))):
            log.info("%s", line)
        return data_found(found)

    @cached_property
    def _trial(self) -> readiness.Trial:
        from fedround_training.jobs.trial import try_training  # noqa: PLC0415 - torch, after the lock was looked at

        return try_training(self._given)


def data_found(found: Inspection) -> str | Noted:
    """What can be used and what cannot, by counts and in fixed words."""
    total, span = len(found.catalogue.cases), dates(found.readable)
    together = ", ".join(f"{count} by {unit}" for unit, count in found.units.items())
    text = f"{len(found.readable)} of {total} cases can be used; {len(found.classes)} classes; together {together}"
    if span is None:
        text += "; without dates"
    elif span[2]:
        text += f"; {span[2]} without a date"
    rows = [f"{reason} ({count})" for reason, count in found.catalogue.skipped.items() if count]
    aside = [f"{cause} ({len(ids)}): {cause.advice}" for cause, ids in found.set_aside.items()]
    left_out = [*(["rows left out: " + ", ".join(rows)] if rows else []), *(f"set aside, {one}" for one in aside)]
    return Noted("; ".join([text, *left_out])) if left_out else text


def _log(defect: Exception) -> None:
    log.error("a check has failed by a defect", exc_info=defect)


def main(environ: Mapping[str, str]) -> int:
    """Make the checks; 0, or 1 where one has failed."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    given = read_input(environ, PreflightInput)
    preflight = Preflight(given, volume(environ, WORKSPACE_VARIABLE), volume(environ, IMAGES_VARIABLE))
    found: list[CheckReport] = []
    for one in made(preflight.checks(), NEEDS, log_defect=_log):
        log.info("check=%s result=%s %s", one.name, one.result, one.message)
        found.append(one)
        if REPORT_VARIABLE in environ:
            Path(environ[REPORT_VARIABLE]).write_text(report_text(found))
    return int(any(one.result is CheckResult.FAILED for one in found))


if __name__ == "__main__":
    try:
        sys.exit(main(os.environ))
    except Exception as defect:
        log.exception("the checks failed by a defect")
        sys.exit(report_defect(Role.TRAIN, defect, os.environ))
