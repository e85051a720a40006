"""What a round's status says about how updates and images are protected: two conditions, for a privacy officer. Pure.

    UpdatesProtected    whether the hub can read a clinic's update
    TrainingLockedIn    whether the trainers whose updates count could have sent or kept anything else

The second rests on what the clinics tell: a clinic that lies about its own trainer harms its own patients only.
"""

from collections.abc import Sequence
from datetime import datetime

from fedround_api.kinds import FederatedRound, FederatedRoundStatus, Participant, ParticipantState
from fedround_api.locking import missing_parts, possible_without
from fedround_api.reasons import Reason
from fedround_operator.hub.decision import condition

UPDATES_PROTECTED = "UpdatesProtected"
TRAINING_LOCKED_IN = "TrainingLockedIn"

_UNPROTECTED = (
    "The updates of this round are neither noised (no differential privacy) nor masked (no secure aggregation): "
    "the hub can read each clinic's update."
)
# Their sentences fit into a condition's message of 1,024 characters.
_NAMED = 5


def with_protection(round_: FederatedRound, status: FederatedRoundStatus, now: datetime) -> FederatedRoundStatus:
    """The status, saying plainly how updates and images are protected."""
    reason = Reason.NEITHER_NOISED_NOR_MASKED
    status = condition(round_, status, UPDATES_PROTECTED, "False", reason, message=_UNPROTECTED, now=now)
    submitted = [one for one in status.participants if one.state is ParticipantState.SUBMITTED]
    if not submitted:
        return status
    unlocked = _unlocked(submitted)
    if not unlocked:
        return condition(round_, status, TRAINING_LOCKED_IN, "True", Reason.LOCKED_IN, now=now)
    message = f"{unlocked}. The policy of each allows that."
    return condition(round_, status, TRAINING_LOCKED_IN, "False", Reason.NOT_LOCKED_IN, message=message, now=now)


def _unlocked(submitted: Sequence[Participant]) -> str:
    """Each clinic that trained without a part of the lock, with what its trainer could do."""
    found = {one.name: possible_without(missing_parts(one.locked)) for one in submitted}
    named = [f"{name}: the trainer could {could}" for name, could in found.items() if could]
    more = [f"and {len(named) - _NAMED} more"] if len(named) > _NAMED else []
    return "; ".join([*named[:_NAMED], *more])
