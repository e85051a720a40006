"""Whether a clinic is available, from its Lease, and how long its certificate holds. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fedround_api import names
from fedround_api.kinds import ClinicStatus, Condition
from fedround_api.kinds.clinic import AVAILABLE, CERTIFICATE_VALID, RENEWAL_REQUESTED
from fedround_api.reasons import Reason
from fedround_operator.hub.seen import ClinicSeen
from fedround_operator.kit.conditions import with_condition
from fedround_operator.kit.instants import parse, text_of
from fedround_operator.kit.leases import expires_at, renewed_at
from fedround_operator.kit.validity import Validity

# `lastSeen` is for people: written with each renewal it would cost the API server a write every few seconds a clinic.
LAST_SEEN_STEP_SECONDS = 60.0
CASE_VOLUME_LIMIT = 10_000_000
# A clinic may write any time into its Lease; one that claims to be alive for years is looked at again all the same.
LONGEST_PAUSE_SECONDS = 3600.0

_Value = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class ClinicDecision:
    """The clinic's new status, and when its Lease runs out or its certificate comes to its next date."""

    status: ClinicStatus
    again_seconds: float | None = None


def decide_clinic(seen: ClinicSeen) -> ClinicDecision:
    """The clinic's new status; the hub cannot know that a clinic is down, so silence is Unknown, never False."""
    lease_end = expires_at(seen.lease) if seen.lease is not None else None
    if seen.lease is None:
        available = _with(seen, seen.clinic.status.conditions, AVAILABLE, "Unknown", Reason.LEASE_MISSING)
    elif lease_end is None or lease_end <= seen.now:
        available = _with(seen, seen.clinic.status.conditions, AVAILABLE, "Unknown", Reason.LEASE_EXPIRED)
    else:
        available = _with(seen, seen.clinic.status.conditions, AVAILABLE, "True", Reason.LEASE_RENEWED)
    return ClinicDecision(_status(seen, available), _again(seen, lease_end))


def _status(seen: ClinicSeen, conditions: list[Condition]) -> ClinicStatus:
    status, annotations = seen.clinic.status, _annotations(seen)
    certificate = seen.clinic.spec.certificate
    conditions = _with(seen, conditions, CERTIFICATE_VALID, *_certificate(seen))
    if annotations.get(names.RENEWAL_REQUEST_ANNOTATION):
        conditions = _with(seen, conditions, RENEWAL_REQUESTED, "True", Reason.RENEWAL_REQUESTED)
    else:
        conditions = _with(seen, conditions, RENEWAL_REQUESTED, "False", Reason.NO_RENEWAL_REQUESTED)
    return ClinicStatus(
        observed_generation=seen.clinic.metadata.generation,
        conditions=conditions,
        last_seen=_last_seen(status.last_seen, renewed_at(seen.lease) if seen.lease else None),
        agent_version=(annotations.get(names.AGENT_VERSION_ANNOTATION) or "")[:64] or status.agent_version,
        case_volume=_case_volume(annotations.get(names.CASE_VOLUME_ANNOTATION)),
        certificate_expires_at=certificate.expires_at if certificate else None,
    )


def _certificate(seen: ClinicSeen) -> tuple[_Value, Reason]:
    """Whether the gateway takes the newest certificate of the clinic."""
    if seen.clinic.spec.revoked:
        return "False", Reason.CERTIFICATE_REVOKED
    validity = _validity(seen)
    if validity is None:
        return "Unknown", Reason.CERTIFICATE_MISSING
    if validity.ends <= seen.now:
        return "False", Reason.CERTIFICATE_EXPIRED
    return "True", Reason.CERTIFICATE_EXPIRES_SOON if validity.renew_at <= seen.now else Reason.CERTIFICATE_VALID


def _validity(seen: ClinicSeen) -> Validity | None:
    certificate = seen.clinic.spec.certificate
    return Validity(parse(certificate.issued_at), parse(certificate.expires_at)) if certificate else None


def _again(seen: ClinicSeen, lease_end: datetime | None) -> float | None:
    """The seconds until time alone changes what is decided here."""
    validity = _validity(seen)
    dates = [lease_end] if lease_end else []
    dates += [validity.renew_at, validity.ends] if validity else []
    left = [(date - seen.now).total_seconds() for date in dates if date > seen.now]
    return min((*left, LONGEST_PAUSE_SECONDS)) if left else None


def _with(seen: ClinicSeen, conditions: list[Condition], type_: str, value: _Value, reason: Reason) -> list[Condition]:
    generation = seen.clinic.metadata.generation
    return with_condition(conditions, type_, value, reason, reason.advice, generation=generation, now=seen.now)


def _annotations(seen: ClinicSeen) -> dict[str, str]:
    return (seen.lease or {}).get("metadata", {}).get("annotations") or {}


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
