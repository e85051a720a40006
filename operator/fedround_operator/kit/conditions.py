"""Conditions as values. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from fedround_api.kinds import Condition, find_condition
from fedround_api.reasons import Reason
from fedround_operator.kit.instants import text_of

MESSAGE_LIMIT = 1024


def with_condition(
    conditions: Sequence[Condition],
    type_: str,
    status: Literal["True", "False", "Unknown"],
    reason: Reason,
    message: str,
    *,
    generation: int,
    now: datetime,
) -> list[Condition]:
    """The conditions with one set; its transition time moves only when its status changes. Order is kept."""
    before = find_condition(conditions, type_)
    since = before.last_transition_time if before and before.status == status else text_of(now)
    new = Condition(
        type=type_,
        status=status,
        reason=reason,
        message=message[:MESSAGE_LIMIT],
        observed_generation=generation,
        last_transition_time=since,
    )
    if before is None:
        return [*conditions, new]
    return [new if condition.type == type_ else condition for condition in conditions]
