"""The status of a part: how it changes as the work goes on, and what it tells. Pure.

Only fixed sentences, reasons, counts, digests and exit codes get into it. This module never sees a Job's message.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import JobReport, Role
from fedround_api.kinds import ClinicResult, ClinicRound, ClinicRoundStatus, find_condition
from fedround_api.kinds.policy import ClinicPolicy
from fedround_api.locking import missing_parts
from fedround_api.reasons import Reason
from fedround_operator.agent.actions import Action
from fedround_operator.kit.conditions import with_condition

ACCEPTED = "Accepted"
SUCCEEDED = "Succeeded"


class PartPhase(StrEnum):
    """A summary for people; code never branches on it."""

    FETCHING = "Fetching"
    TRAINING = "Training"
    SUBMITTING = "Submitting"
    SUBMITTED = "Submitted"
    WAITING = "Waiting"
    SUSPENDED = "Suspended"
    FAILED = "Failed"


@dataclass(frozen=True)
class Decision:
    """The new status, what to do before it is written, and when to look again."""

    status: ClinicRoundStatus
    actions: tuple[Action, ...] = field(default=())
    again_seconds: float | None = None


@dataclass(frozen=True)
class Progress:
    """A part's status on its way to the next one; every method gives a new one."""

    part: ClinicRound
    status: ClinicRoundStatus
    now: datetime

    def condition(
        self, type_: str, value: Literal["True", "False", "Unknown"], reason: Reason, message: str = ""
    ) -> "Progress":
        """With one condition set."""
        conditions = with_condition(
            self.status.conditions,
            type_,
            value,
            reason,
            message or reason.advice,
            generation=self.part.metadata.generation,
            now=self.now,
        )
        return self._with(conditions=conditions)

    def counted(self, role: Role, attempts: int) -> "Progress":
        """With the number of Jobs that were made for a role."""
        return self._with(attempts=self.status.attempts.model_copy(update={role.value: attempts}))

    def trained(self, result: ClinicResult) -> "Progress":
        """With what the clinic tells of its training."""
        return self._with(result=result)

    def working(self, phase: PartPhase, reason: Reason = Reason.WORKING, message: str = "") -> "Progress":
        """Going on, or waiting for something that the reason or message names."""
        return self._with(phase=phase.value).condition(SUCCEEDED, "Unknown", reason, message)

    def submitted(self) -> "Progress":
        """Ended well."""
        return self._with(phase=PartPhase.SUBMITTED.value).condition(SUCCEEDED, "True", Reason.SUBMITTED)

    def failed(self, reason: Reason, code: ExitCode | None = None) -> "Progress":
        """Ended without an update."""
        ended = self._with(phase=PartPhase.FAILED.value, exit_code=None if code is None else int(code))
        return ended.condition(SUCCEEDED, "False", reason)

    def _with(self, **changes: object) -> "Progress":
        status = self.status.model_copy(update={"observed_generation": self.part.metadata.generation, **changes})
        return Progress(self.part, status, self.now)


def has_ended(part: ClinicRound) -> bool:
    """Whether the part is settled; nothing is done for it any more."""
    outcome = find_condition(part.status.conditions, SUCCEEDED)
    return outcome is not None and outcome.status != "Unknown"


def result_of(report: JobReport, policy: ClinicPolicy | None) -> ClinicResult | None:
    """What of a `train` report may be told, or nothing when the report lacks what it owes."""
    if report.digest is None or report.bytes is None or report.steps is None:
        return None
    told = policy is not None and policy.spec.privacy.report_case_counts
    return ClinicResult(
        update_digest=report.digest,
        update_bytes=report.bytes,
        # As many as epochs times cases by batch size: whoever knows the settings knows the cases.
        steps=report.steps if told else None,
        cases=report.cases if told else None,
        locked=sorted(set(report.locked or [])),
    )


def may_submit(result: ClinicResult, policy: ClinicPolicy | None) -> bool:
    """Whether the clinic's policy lets an update out that was trained so. An older image, which tells nothing of a
    lock, counts as one without.
    """
    return not missing_parts(result.locked) or (policy is not None and policy.spec.training.allow_unlocked)
