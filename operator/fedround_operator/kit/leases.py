"""Leases (coordination.k8s.io/v1) as values: who holds one, whether it has run out, how to renew it. Pure."""

from datetime import datetime, timedelta
from typing import Any

from fedround_operator.kit.instants import micro_text_of, parse
from fedround_operator.kit.resources import Object


def renewed_at(lease: Object) -> datetime | None:
    """When the holder last gave a sign of life; a time that cannot be read is none, since its holder wrote it."""
    text = lease.get("spec", {}).get("renewTime")
    try:
        return parse(text) if text else None
    except (ValueError, OverflowError):
        return None


def expires_at(lease: Object) -> datetime | None:
    """When the Lease runs out unless it is renewed."""
    renewed = renewed_at(lease)
    if renewed is None:
        return None
    try:
        return renewed + timedelta(seconds=int(lease["spec"].get("leaseDurationSeconds") or 0))
    except OverflowError:
        return None


def may_take(lease: Object, identity: str, now: datetime) -> bool:
    """Whether this identity may hold the Lease: it does already, nobody does, or the holder is silent."""
    holder = lease.get("spec", {}).get("holderIdentity")
    expiry = expires_at(lease)
    return not holder or holder == identity or expiry is None or expiry <= now


def renewal(identity: str, duration_seconds: int, now: datetime, **metadata: Any) -> Object:
    """The merge patch that renews a Lease."""
    spec = {"holderIdentity": identity, "leaseDurationSeconds": duration_seconds, "renewTime": micro_text_of(now)}
    return {"metadata": metadata, "spec": spec} if metadata else {"spec": spec}
