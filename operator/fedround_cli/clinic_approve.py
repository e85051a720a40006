"""`fedround clinic approve`: admit a clinic by its request, answer agents that ask for certificates, list those."""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from fedround_api import names
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.enrolling import ClinicError, authorities, authority_of, members_of
from fedround_cli.failures import UsageProblem
from fedround_cli.plain import columns
from fedround_operator.enrolment.bundle import Bundle
from fedround_operator.enrolment.certificates import short
from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.enrolment.members import Members, Terms
from fedround_operator.enrolment.records import Member
from fedround_operator.kit import pki
from fedround_operator.kit.errors import Conflict
from fedround_operator.kit.privatefiles import write_private


def run(options: argparse.Namespace) -> int:
    """Admit, renew or list; the exit code."""
    if options.file is not None and options.renewals:
        raise UsageProblem("give FILE to admit a clinic or --renewals to renew certificates, not both")
    if options.file is not None:
        return _admit(options)
    return _renew(options) if options.renewals else _list(options)


def _admit(options: argparse.Namespace) -> int:
    if options.state is not None:
        raise UsageProblem("a federation on this machine has admitted its clinics itself: name a hub by --kubeconfig")
    if options.gateway is None:
        raise UsageProblem("give --gateway HOST:PORT: the clinic has to know where the hub is")
    request = _request(options.file)
    authority = authority_of(options)
    ca = authorities(authority.certificate_pem, options.gateway_ca)
    terms = Terms(timedelta(days=options.days), dict(options.label or ()), options.replace_key)
    output: Path = options.output or Path(f"{request.clinic}-membership.yaml")
    with members_of(options) as members:
        certificate = admit(members, request, authority, terms)
        token = members.token(request.clinic)
    bundle = Bundle(request.clinic, options.gateway, ca.decode(), certificate.decode(), token)
    write_private(output, bundle.text().encode())
    seen = pki.read_certificate(certificate)
    if options.json:
        print(json.dumps({"admitted": _told(request.clinic, seen), "bundle": str(output)}))
        return CommandExit.DONE
    print(f"clinic {request.clinic} is a member, its certificate holds until {seen.validity.ends:%Y-%m-%d}")
    print(f"digest of its key, which the clinic must tell you too:\n  {short(request.key_sha256)}")
    print(
        f"next: send {output} to the clinic, which gives it to its chart:\n"
        "      helm install fedround charts/fedround-clinic --namespace fedround --values VALUES "
        f"--values {output.name}"
    )
    return CommandExit.DONE


def admit(members: Members, request: pki.Request, authority: pki.Authority, terms: Terms) -> bytes:
    """The certificate (PEM). Before anything is signed and noted, the network must be there: -n may name another one.

    Raises:
        EnrolmentError: it is not, or the clinic cannot be admitted.
    """
    members.require_network()
    return members.admit(request, authority, terms)


def _renew(options: argparse.Namespace) -> int:
    authority, lifetime = authority_of(options), timedelta(days=options.days)
    with members_of(options) as members:
        renewals = renew(members, authority, lifetime, _nothing if options.json else _say)
    if options.json:
        print(json.dumps({"renewed": renewals.renewed, "refused": renewals.refused}))
    elif not renewals.renewed and not renewals.refused:
        print("no agent asks for a certificate")
    return CommandExit.FAILED if renewals.refused else CommandExit.DONE


@dataclass
class Renewals:
    """What was renewed, and by clinic why not."""

    renewed: list[dict[str, Any]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def renew(members: Members, authority: pki.Authority, lifetime: timedelta, say: Callable[[str], None]) -> Renewals:
    """Each by itself, and told at once: one that is refused, or a hub that goes away, hides none of the others."""
    found = Renewals()
    for member in _asking(members):
        name = member.name
        try:
            issued = members.renew(member, authority, lifetime)
        except (EnrolmentError, pki.RequestRefused) as error:
            found.refused[name] = str(error)
        except Conflict:
            found.refused[name] = "somebody goes on changing its Clinic: call again, and look who writes its Lease"
        else:
            seen = _told(name, pki.read_certificate(issued.pem.encode()))
            found.renewed.append(seen)
            say(f"renewed {name} until {seen['expiresAt'][:10]}: its agent takes it over within half a minute")
            continue
        say(f"refused {name}: {found.refused[name]}")
    return found


def _say(line: str) -> None:
    print(line, flush=True)


def _nothing(line: str) -> None:
    """For programs the document at the end has it."""


def _list(options: argparse.Namespace) -> int:
    with members_of(options) as members:
        waiting = [_waiting(member) for member in _asking(members)]
    if options.json:
        print(json.dumps({"waiting": waiting}))
    elif not waiting:
        print("no agent asks for a certificate")
    else:
        rows = [(one["clinic"], one["expiresAt"] or "", one["key"]) for one in waiting]
        print("\n".join(columns(("NAME", "CERTIFICATE UNTIL", "KEY ASKED FOR"), rows)))
        print("next: `fedround clinic approve --renewals --ca DIR`")
    return CommandExit.DONE


def _asking(members: Members) -> list[Member]:
    return [member for member in members.all() if member.asks_for_renewal]


def _waiting(member: Member) -> dict[str, Any]:
    certificate = member.clinic.spec.certificate
    try:
        request = pki.read_request(member.annotations[names.RENEWAL_REQUEST_ANNOTATION].encode())
        key = short(request.key_sha256)
    except pki.RequestRefused as error:
        key = str(error)
    return {"clinic": member.name, "expiresAt": certificate.expires_at if certificate else None, "key": key}


def _told(clinic: str, seen: pki.CertificateSeen) -> dict[str, Any]:
    return {
        "clinic": clinic,
        "sha256": seen.sha256,
        "keySha256": seen.key_sha256,
        "expiresAt": f"{seen.validity.ends:%Y-%m-%dT%H:%M:%SZ}",
    }


def _request(path: Path) -> pki.Request:
    try:
        return pki.read_request(path.read_bytes())
    except pki.RequestRefused as error:
        raise ClinicError(f"{path} is refused: {error}; the clinic makes it by `fedround clinic request`") from error
