"""What the commands of `fedround clinic` have in common: the members of a hub, the authority, errors as sentences."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fedround_cli.connection import HubError, connect_cluster
from fedround_local.errors import LocalError
from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.enrolment.journal import Journal
from fedround_operator.enrolment.members import Members, Revocations
from fedround_operator.enrolment.replay import Entry, What
from fedround_operator.enrolment.revocations import ConfigMapRevocations
from fedround_operator.kit.errors import ApiError, ApiUnreachable, Conflict, Forbidden, NotFound, ObjectUnreadable
from fedround_operator.kit.pki import Authority, AuthorityUnusable, CertificateUnusable, PkiError, require_authorities
from fedround_operator.kit.revokedlist import revoked_in

_DONE = {What.ISSUED: "{} issued", What.REPLACED: "{} revoked, for a new key", What.REVOKED: "revoked, {}"}


class ClinicError(LocalError):
    """Says why a clinic was not admitted, renewed or revoked, and what to do."""


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


@contextmanager
def told(advice: str = "") -> Iterator[None]:
    """Failures as sentences; `advice` says what to do where the API server gives no answer."""
    try:
        yield
    except (EnrolmentError, PkiError) as error:
        raise ClinicError(str(error)) from error
    except ApiUnreachable as error:
        raise HubError(f"the API server does not answer: {advice}") from error
    except Forbidden as error:
        raise HubError(f"the API server refuses: {error}; ask its administrator for the right") from error
    except NotFound as error:
        raise HubError(
            f"{error}: look which cluster the kubeconfig leads to, and whether the namespace is right"
        ) from error
    except Conflict as error:
        raise HubError("somebody else changed the same object at the same time: call again") from error
    except ObjectUnreadable as error:
        raise HubError(f"the hub is of another version than this program ({error}): install the hub's") from error
    except ApiError as error:
        raise HubError(f"the API server refuses: {error}") from error


@contextmanager
def members_of(options: argparse.Namespace) -> Iterator[Members]:
    """The members of the hub that the options name."""
    connection = connect_cluster(options)
    with told(connection.advice):
        revocations: Revocations
        if options.state is not None:
            revocations = _LocalRevocations(options.state)
        else:
            namespace = getattr(options, "gateway_namespace", "")
            revocations = ConfigMapRevocations(connection.api, namespace)
        journal = journal_of(options)
        yield Members(connection.api, options.namespace, revocations=revocations, clock=now, journal=journal)


def journal_of(options: argparse.Namespace) -> Journal | None:
    """The journal beside the authority that the options name; a federation on this machine is kept by its folder."""
    folder: Path | None = getattr(options, "ca", None)
    return Journal(folder) if folder is not None and options.state is None else None


def missed_lines(missed: Sequence[Entry]) -> Iterator[str]:
    """What was taken from the journal, for people."""
    for one in missed:
        count = f"{len(one.certificates)} certificate{'s' * (len(one.certificates) != 1)}"
        yield f"  {one.at[:10]} {one.clinic}: {_DONE[one.what].format(count)}"


def missed_data(missed: Sequence[Entry]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {"at": one.at, "clinic": one.clinic, "what": str(one.what), "sha256": sorted(one.fingerprints)}
        for one in missed
    ]


def authority_of(options: argparse.Namespace) -> Authority:
    """The federation's authority, with its key.

    Raises:
        ClinicError: it is not there, or does not open.
    """
    folder: Path | None = options.ca
    if folder is None and options.state is not None:
        from fedround_local.federation.layout import Layout  # noqa: PLC0415

        folder = Layout(options.state.absolute()).authority
    if folder is None:
        raise ClinicError("give --ca DIR, the folder of the federation's authority; `fedround clinic ca DIR` makes one")
    try:
        return Authority.load(folder, passphrase=passphrase_of(options))
    except AuthorityUnusable as error:
        raise ClinicError(
            f"{error}: name the folder of the authority that the gateway trusts, or make one by `fedround clinic ca`"
        ) from error


def authorities(federation: bytes, gateway_ca: Path | None) -> bytes:
    """What a clinic trusts: the federation's authority, and the gateway's where that is another one.

    Raises:
        ClinicError: the file holds no certificate.
    """
    if gateway_ca is None:
        return federation
    other = gateway_ca.read_bytes()
    try:
        require_authorities(other)
    except CertificateUnusable as error:
        raise ClinicError(f"{gateway_ca} holds no certificate in PEM form: name the gateway's authority") from error
    return federation + other.rstrip() + b"\n"


def passphrase_of(options: argparse.Namespace) -> bytes | None:
    """The first line of the passphrase's file.

    Raises:
        ClinicError: there is nothing in it.
    """
    path: Path | None = options.passphrase_file
    if path is None:
        return None
    lines = path.read_bytes().splitlines()
    if not lines or not lines[0]:
        raise ClinicError(f"{path} holds no passphrase: write it into the first line")
    return lines[0]


class _LocalRevocations:
    """The list of a federation on this machine, whose gateway takes it from a file."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def add(self, fingerprints: Iterable[str]) -> None:
        from fedround_local.federation.federation import Federation  # noqa: PLC0415

        federation = Federation(self._state, print)
        gateway = federation.parts(federation.record()).gateway
        gateway.revoke({*fingerprints, *revoked_in(gateway.settings.revoked_list.read_text())})
