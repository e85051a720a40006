"""Whether a clinic is available, from its Lease. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fedround_api import names
from fedround_api.kinds import ClinicStatus
from fedround_api.kinds.clinic import AVAILABLE
from fedround_api.reasons import Reason
from fedround_operator.hub.seen import ClinicSeen
from fedround_operator.kit.conditions import with_condition
from fedround_operator.kit.instants import parse, text_of
from fedround_operator.kit.leases import expires_at, renewed_at

# `lastSeen` is for people: written with each renewal it would cost the API server a write every few seconds a clinic.
LAST_SEEN_STEP_SECONDS = 60.0
CASE_VOLUME_LIMIT = 10_000_000
# A clinic may write any time into its Lease; one that claims to be alive for years is looked at again all the same.
LONGEST_PAUSE_SECONDS = 3600.0


@dataclass(frozen=True)
class ClinicDecision:
    """The clinic's new status, and when its Lease runs out."""

    status: ClinicStatus
    again_seconds: float | None = None


def decide_clinic(seen: ClinicSeen) -> ClinicDecision:
    """The clinic's new status; the hub cannot know that a clinic is down, so silence is Unknown, never False."""
    if seen.lease is None:
        return ClinicDecision(_status(seen, "Unknown", Reason.LEASE_MISSING))
    expiry = expires_at(seen.lease)
    if expiry is None or expiry <= seen.now:
        return ClinicDecision(_status(seen, "Unknown", Reason.LEASE_EXPIRED))
    again = min((expiry - seen.now).total_seconds(), LONGEST_PAUSE_SECONDS)
    return ClinicDecision(_status(seen, "True", Reason.LEASE_RENEWED), again)


def _status(seen: ClinicSeen, value: Literal["True", "Unknown"], reason: Reason) -> ClinicStatus:
    status, generation = seen.clinic.status, seen.clinic.metadata.generation
    conditions = with_condition(
        status.conditions, AVAILABLE, value, reason, reason.advice, generation=generation, now=seen.now
    )
    annotations = (seen.lease or {}).get("metadata", {}).get("annotations") or {}
    return ClinicStatus(
        observed_generation=generation,
        conditions=conditions,
        last_seen=_last_seen(status.last_seen, renewed_at(seen.lease) if seen.lease else None),
        agent_version=(annotations.get(names.AGENT_VERSION_ANNOTATION) or "")[:64] or status.agent_version,
        case_volume=_case_volume(annotations.get(names.CASE_VOLUME_ANNOTATION)),
    )


def _last_seen(before: str | None, renewed: datetime | None) -> str | None:
    if renewed is None:
        return before
    if before is not None and abs((renewed - parse(before)).total_seconds()) < LAST_SEEN_STEP_SECONDS:
        return before
    return text_of(renewed)


def _case_volume(text: str | None) -> int | None:
    """What the clinic declares; anything but a positive whole number counts as nothing declared."""
    if text is None or not text.isdecimal() or len(text) > 8 or int(text) < 1:
        return None
    return min(int(text), CASE_VOLUME_LIMIT)
