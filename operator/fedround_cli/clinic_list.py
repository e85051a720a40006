"""`fedround clinic list`: the members of a network."""

import argparse
import json
from datetime import datetime, timedelta
from typing import Any

from fedround_api import names
from fedround_api.kinds import find_condition
from fedround_api.kinds.clinic import AVAILABLE
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.enrolling import members_of, now
from fedround_cli.plain import columns
from fedround_operator.enrolment.records import Member
from fedround_operator.kit import pki
from fedround_operator.kit.instants import parse
from fedround_operator.kit.validity import Validity

# An agent takes an answer at its next sign of life: one that stands for longer is refused there, or nobody is there.
_TAKEN_WITHIN = timedelta(minutes=5)
_HEAD = ("NAME", "AVAILABLE", "CERTIFICATE", "AGENT", "REQUEST")


def run(options: argparse.Namespace) -> int:
    """List them; the exit code."""
    with members_of(options) as members:
        found = [as_data(member, now()) for member in members.all()]
    if options.json:
        print(json.dumps({"clinics": found}))
    elif not found:
        print(f"there are no clinics in namespace {options.namespace}: admit one by `fedround clinic approve`")
    else:
        print("\n".join(columns(_HEAD, map(row, found))))
    return CommandExit.DONE


def as_data(member: Member, at: datetime) -> dict[str, Any]:
    """A member for programs."""
    clinic, certificate = member.clinic, member.clinic.spec.certificate
    available = find_condition(clinic.status.conditions, AVAILABLE)
    return {
        "name": member.name,
        "available": available is not None and available.status == "True",
        "reason": available.reason if available else None,
        "suspended": clinic.spec.suspended,
        "certificate": _state(member, at),
        "expiresAt": certificate.expires_at if certificate else None,
        "certificates": [one.model_copy(update={"pem": ""}).dump() for one in clinic.spec.certificates],
        "agentVersion": clinic.status.agent_version,
        "lastSeen": clinic.status.last_seen,
        "request": _request(member, at),
    }


def _request(member: Member, at: datetime) -> str | None:
    """Where its agent's request for a certificate stands, in one word or two."""
    if not member.is_answered:
        return "waiting" if member.asks_for_renewal else None
    answer = member.annotations[names.RENEWED_CERTIFICATE_ANNOTATION]
    issued = next(parse(one.issued_at) for one in member.clinic.spec.certificates if one.pem == answer)
    return "answered" if at - issued <= pki.BACKDATED + _TAKEN_WITHIN else "not taken"


def _state(member: Member, at: datetime) -> str:
    """The state of its newest certificate, in one word."""
    spec = member.clinic.spec
    if spec.certificate is None:
        return "revoked" if spec.revoked else "missing"
    validity = Validity(parse(spec.certificate.issued_at), parse(spec.certificate.expires_at))
    if not validity.holds(at):
        return "expired"
    return "expires soon" if validity.renew_at <= at else "valid"


def row(one: dict[str, Any]) -> tuple[str, ...]:
    """A member for people: the cells of its line."""
    day = (one["expiresAt"] or "")[:10]
    told = {"valid": f"until {day}", "expires soon": f"until {day} (soon)", "expired": f"ended {day}"}
    available = "yes" if one["available"] else f"no ({one['reason'] or 'not seen yet'})"
    return (
        one["name"],
        f"{available}, suspended" if one["suspended"] else available,
        told.get(one["certificate"], one["certificate"]),
        one["agentVersion"] or "",
        one["request"] or "",
    )
