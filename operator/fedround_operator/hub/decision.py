"""What every decision about a round returns, and the steps that several of them share. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from fedround_api.kinds import ClinicRound, FederatedRound, FederatedRoundStatus, find_condition, is_true
from fedround_api.reasons import Reason
from fedround_operator.hub.actions import Action, ChangePart
from fedround_operator.kit.conditions import with_condition
from fedround_operator.kit.instants import parse, text_of

SUCCEEDED = "Succeeded"


@dataclass(frozen=True)
class Decision:
    """The new status, what to do before it is written, and when to look again."""

    status: FederatedRoundStatus
    actions: tuple[Action, ...] = field(default=())
    again_seconds: float | None = None


def condition(
    round_: FederatedRound,
    status: FederatedRoundStatus,
    type_: str,
    value: Literal["True", "False", "Unknown"],
    reason: Reason,
    *,
    now: datetime,
    message: str = "",
    **changes: Any,
) -> FederatedRoundStatus:
    """The status with one condition set and other fields changed."""
    conditions = with_condition(
        status.conditions,
        type_,
        value,
        reason,
        message or reason.advice,
        generation=round_.metadata.generation,
        now=now,
    )
    return status.model_copy(update={"conditions": conditions, **changes})


def waiting(round_: FederatedRound, reason: Reason, message: str = "", *, now: datetime, **changes: Any) -> Decision:
    """The round goes on later; its summary says what it waits for."""
    status = condition(round_, round_.status, SUCCEEDED, "Unknown", reason, message=message, now=now, **changes)
    return Decision(status)


def failed(round_: FederatedRound, reason: Reason, message: str = "", *, now: datetime) -> Decision:
    """The round ends without a promotion. What it holds is given back afterwards, by ``finished``."""
    status = condition(round_, round_.status, SUCCEEDED, "False", reason, message=message, now=now)
    return Decision(status.model_copy(update={"completed_at": text_of(now)}), again_seconds=0.0)


def in_seconds(now: datetime, seconds: float) -> str:
    """The instant after so many seconds, as text, rounded up to the second."""
    return text_of(now + timedelta(seconds=seconds, microseconds=999_999))


def until(deadline: str | None, now: datetime) -> float | None:
    """Seconds until a deadline, if there is one; not negative."""
    return max(0.0, (parse(deadline) - now).total_seconds()) if deadline else None


def part_ended(part: ClinicRound) -> bool:
    """Whether the clinic has submitted, or cannot any more."""
    outcome = find_condition(part.status.conditions, SUCCEEDED)
    return outcome is not None and outcome.status != "Unknown"


def part_submitted(part: ClinicRound) -> bool:
    """Whether the clinic's update is in the store."""
    return is_true(part.status.conditions, SUCCEEDED) and part.status.result is not None


def closing(parts: Iterable[ClinicRound]) -> tuple[Action, ...]:
    """Tell the clinics that still work that the round goes on without them."""
    return tuple(
        ChangePart(part.spec.clinic, {"closed": True})
        for part in parts
        if not part_ended(part) and not part.spec.closed
    )


def soonest(*delays: float | None) -> float | None:
    """The shortest of the delays that are set."""
    return min((delay for delay in delays if delay is not None), default=None)
