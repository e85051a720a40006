"""Admits, renews, revokes and lists the members of a network, over the hub's API, as its administrator.

Every step may be repeated: what an interrupted call has left is completed by the next one.
"""

import base64
import binascii
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from fedround_api.kinds import Clinic, ClinicCertificate, ClinicSpec
from fedround_operator.enrolment import certificates as rules
from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.enrolment.records import AdminApi, Member, Records
from fedround_operator.enrolment.replay import Entry, What, by_clinic, caught_up, refused
from fedround_operator.kit import pki
from fedround_operator.kit.conflicts import retried
from fedround_operator.kit.instants import parse, text_of

# The hub's control plane fills a token in within a second; a hub whose controller does not run never does.
TOKEN_SECONDS = 30.0
_LOOK_SECONDS = 0.2


class Revocations(Protocol):
    """The gateway's list."""

    def add(self, fingerprints: Iterable[str]) -> None: ...


class Notes(Protocol):
    """The journal of the authority."""

    def add(self, entry: Entry) -> None: ...

    def entries(self, network: str) -> list[Entry]: ...


def _nobody(_: Sequence[ClinicCertificate]) -> None:
    """Told of a revocation where there is no journal."""


@dataclass(frozen=True)
class Terms:
    """On what terms a request is admitted; ``labels`` are those of the Clinic, by which rounds choose."""

    lifetime: timedelta
    labels: Mapping[str, str] = field(default_factory=dict)
    replace_key: bool = False


class Members:
    """The members of one network. Without a journal nobody is told of what is issued."""

    def __init__(
        self,
        api: AdminApi,
        network: str,
        *,
        revocations: Revocations,
        clock: Callable[[], datetime],
        journal: Notes | None = None,
    ) -> None:
        self._records, self._revocations, self._clock = Records(api, network), revocations, clock
        self._journal = journal

    def all(self) -> list[Member]:
        """Every member by name."""
        return self._records.all()

    def require_network(self) -> None:
        """Raises EnrolmentError where the hub has no such network; else nobody is admitted to it half-way."""
        self._records.require_network()

    def admit(self, request: pki.Request, authority: pki.Authority, terms: Terms) -> bytes:
        """The certificate (PEM) of a clinic that is a member from now on, or was one with the same key already.

        Raises:
            EnrolmentError: the name is another key's, or the key was revoked.
            Conflict: somebody else changed the Clinic in between.
        """
        name = request.clinic
        clinic = self._records.find(name)
        spec = clinic.spec if clinic else ClinicSpec()
        rules.require_admissible(request, spec, replace_key=terms.replace_key)
        # A member who comes back is no longer suspended; one whom the administrator has suspended stays so.
        kept = spec.model_copy(update={"suspended": spec.suspended and not spec.revoked})
        if self._has_another_key(request, spec):
            kept = self._replaced(name, kept)
        issued = self._issue(request, terms, authority, clinic, kept)
        self._records.open_door(name)
        return issued.pem.encode()

    def reopen(self, name: str) -> bytes:
        """Make what a member has on the hub where it is missing, as on one that was restored; its certificate (PEM).

        Raises:
            EnrolmentError: there is no such clinic, or it has no certificate that holds.
        """
        certificate = self._records.known(name).spec.certificate
        if certificate is None:
            raise EnrolmentError(f"clinic {name} was revoked, or never admitted: it needs a request of its own")
        if parse(certificate.expires_at) <= self._clock():
            ended = certificate.expires_at[:10]
            raise EnrolmentError(f"the certificate of clinic {name} ended on {ended}: it needs a request of its own")
        self._records.open_door(name)
        return certificate.pem.encode()

    def token(self, clinic: str) -> str:
        """The token of the clinic's agent, once the control plane has made it.

        Raises:
            EnrolmentError: it does not.
        """
        until = time.monotonic() + TOKEN_SECONDS
        while True:
            data = self._records.token_secret(clinic).get("data") or {}
            if data.get("token"):
                return _decoded(data["token"])
            if time.monotonic() > until:
                raise EnrolmentError(
                    f"the hub's control plane has made no token for clinic {clinic} in {TOKEN_SECONDS:.0f} s: look "
                    "whether its controller manager runs, then call again"
                )
            time.sleep(_LOOK_SECONDS)

    def renew(self, member: Member, authority: pki.Authority, lifetime: timedelta) -> ClinicCertificate:
        """Answer the request in a member's Lease; the certificate.

        Raises:
            EnrolmentError, RequestRefused: the request is not the clinic's own.
            Conflict: somebody else changed the Clinic in between.
        """
        request, clinic = member.request(), self._records.known(member.name)
        rules.require_renewal(
            request, member.signature, clinic=member.name, spec=clinic.spec, authority=authority, now=self._clock()
        )
        issued = self._issue(request, Terms(lifetime), authority, clinic, clinic.spec)
        self._records.answer(member.name, issued)
        return issued

    def revoke(self, name: str, *, out: Callable[[list[ClinicCertificate]], None] = _nobody) -> list[ClinicCertificate]:
        """End a membership: what was revoked. The gateway refuses its certificates, the API its token.

        `out` is told as soon as the clinic is no member any more, whatever fails afterwards, so that the journal gets
        to know it. It is not written here: an authority that is locked away must not hold a revocation up.

        Raises:
            EnrolmentError: there is no such clinic.
            Conflict: somebody else goes on changing the Clinic; the gateway refuses it already.
        """
        # Whatever somebody else has decided meanwhile: after this it is out.
        ended = retried(lambda: self._end(name))
        out(ended)
        self._records.close_door(name)
        self._refuse_all()
        return ended

    def catch_up(self, entries: Sequence[Entry]) -> list[Entry]:
        """Have the members be as the journal says, as far as the hub has them; the entries that it did not know.

        Raises:
            EnrolmentError: a clinic would have more certificates than it can.
            Conflict: somebody else changed a Clinic in between.
        """
        self._revocations.add(refused(entries))
        missed: list[Entry] = []
        for name, own in by_clinic(entries).items():
            clinic = self._records.find(name)
            if clinic is not None:
                missed += self._catch_up(clinic, own)
        self._refuse_all()
        return missed

    def _catch_up(self, clinic: Clinic, entries: Sequence[Entry]) -> Sequence[Entry]:
        name = clinic.metadata.name
        found = caught_up(clinic.spec, entries, self._clock())
        if found.missed:
            self._records.write(name, clinic, found.spec, found.labels)
        if found.spec.revoked:
            self._records.close_door(name)
        return found.missed

    def _has_another_key(self, request: pki.Request, spec: ClinicSpec) -> bool:
        """Whether the name had one: on record, or, where somebody has deleted the Clinic, by the journal."""
        if spec.certificates:
            return spec.certificates[-1].key_sha256 != request.key_sha256
        known = self._journal.entries(self._records.network) if self._journal is not None else []
        keys = [one.key_sha256 for entry in known if entry.clinic == request.clinic for one in entry.certificates]
        return bool(keys) and keys[-1] != request.key_sha256

    def _end(self, name: str) -> list[ClinicCertificate]:
        clinic = self._records.known(name)
        ended = rules.revoked(clinic.spec.certificates)
        # The gateway first: it is what the clinic has to pass for everything else.
        self._revocations.add(one.sha256 for one in ended)
        self._records.write(name, clinic, clinic.spec.model_copy(update={"suspended": True, "certificates": ended}))
        return ended

    def _replaced(self, name: str, spec: ClinicSpec) -> ClinicSpec:
        """The clinic without the key that it had. Nothing of it is of use any more, its token neither."""
        ended = rules.revoked(spec.certificates)
        self._note(name, What.REPLACED, ended)
        self._revocations.add(one.sha256 for one in ended)
        self._records.end_token(name)
        self._refuse_all()
        return spec.model_copy(update={"certificates": ended})

    def _issue(
        self, request: pki.Request, terms: Terms, authority: pki.Authority, clinic: Clinic | None, kept: ClinicSpec
    ) -> ClinicCertificate:
        """The certificate that the key has, or another one; the clinic has it on record, and is else as `kept`."""
        now = self._clock()
        issued = rules.usable(request, kept, authority, now)
        if issued is None:
            issued = rules.record_of(authority.sign_clinic(request.pem, terms.lifetime))
        # First: a certificate that is in the journal can be revoked, whatever happens next.
        self._note(request.clinic, What.ISSUED, [issued], terms.labels)
        spec = kept.model_copy(update={"certificates": rules.with_certificate(kept, issued, now)})
        self._records.write(request.clinic, clinic, spec, terms.labels)
        return issued

    def _note(
        self, name: str, what: What, certificates: Sequence[ClinicCertificate], labels: Mapping[str, str] | None = None
    ) -> None:
        if self._journal is not None:
            self._journal.add(
                Entry(
                    at=text_of(self._clock()),
                    network=self._records.network,
                    clinic=name,
                    what=what,
                    certificates=list(certificates),
                    labels=dict(labels or {}),
                )
            )

    def _refuse_all(self) -> None:
        """Have the gateway refuse all that was ever revoked: a list that was lost comes back whole."""
        self._revocations.add(self._records.revoked())


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise EnrolmentError("the hub's Secret with the clinic's token cannot be read") from error
