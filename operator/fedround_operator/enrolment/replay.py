"""What a hub that was restored has missed of its members, by the journal of the authority. Pure.

A backup knows the members of its moment. Who was revoked since would be let in again by it, and a certificate that was
issued since would pass the gateway while no record of it is there to be revoked. The journal lies with the authority,
which no hub can lose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from fedround_api.fields import ClosedPart, Instant
from fedround_api.kinds import ClinicCertificate, ClinicSpec
from fedround_operator.enrolment.certificates import revoked, with_certificate
from fedround_operator.kit.instants import parse


class What(StrEnum):
    """What was done: a certificate issued; all that the clinic had withdrawn, for a new key or for good."""

    ISSUED = "issued"
    REPLACED = "replaced"
    REVOKED = "revoked"


class Entry(ClosedPart):
    """One line of the journal; `certificates` are those issued or withdrawn, `labels` those given with an admission."""

    at: Instant
    network: str
    clinic: str
    what: What
    certificates: list[ClinicCertificate]
    labels: dict[str, str] = Field(default_factory=dict)

    @property
    def fingerprints(self) -> frozenset[str]:
        """By which its certificates are told from others."""
        return frozenset(one.sha256 for one in self.certificates)


@dataclass(frozen=True)
class CaughtUp:
    """A clinic after the journal; `missed` are the entries that it did not know, `labels` what these add."""

    spec: ClinicSpec
    missed: Sequence[Entry]

    @property
    def labels(self) -> Mapping[str, str]:
        return {name: value for entry in self.missed for name, value in entry.labels.items()}


def caught_up(spec: ClinicSpec, entries: Sequence[Entry], now: datetime) -> CaughtUp:
    """The clinic as its own entries, in their order, leave it. One that has caught up already stays as it is.

    Raises:
        EnrolmentError: it would have more certificates than a Clinic can hold.
    """
    missed: list[Entry] = []
    named: frozenset[str] = frozenset()
    for entry in entries:
        named |= entry.fingerprints
        after = _issued(spec, entry, now) if entry.what is What.ISSUED else _withdrawn(spec, entry, named, now)
        if after != spec:
            spec = after
            missed.append(entry)
    return CaughtUp(spec, missed)


def refused(entries: Sequence[Entry]) -> frozenset[str]:
    """The certificates that the gateway has to refuse by these entries, of whichever clinics."""
    named: dict[str, frozenset[str]] = {}
    found: frozenset[str] = frozenset()
    for entry in entries:
        named[entry.clinic] = named.get(entry.clinic, frozenset()) | entry.fingerprints
        if entry.what is not What.ISSUED:
            found |= named[entry.clinic]
    return found


def expected(entries: Sequence[Entry]) -> frozenset[str]:
    """The clinics that these entries leave as members."""
    last = {entry.clinic: entry.what for entry in entries}
    return frozenset(name for name, what in last.items() if what is not What.REVOKED)


def by_clinic(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """The entries of each clinic, in their order."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.clinic, []).append(entry)
    return found


def _issued(spec: ClinicSpec, entry: Entry, now: datetime) -> ClinicSpec:
    after = spec
    for one in _unknown(spec, entry, now):
        after = after.model_copy(update={"certificates": _by_age(with_certificate(after, one, now))})
    is_back = after != spec and spec.revoked
    return after.model_copy(update={"suspended": False}) if is_back else after


def _withdrawn(spec: ClinicSpec, entry: Entry, named: frozenset[str], now: datetime) -> ClinicSpec:
    """`named` is what the journal names up to here: a certificate whose record broke off is withdrawn too."""
    unknown = revoked(_unknown(spec, entry, now))
    if not unknown and all(one.revoked for one in spec.certificates if one.sha256 in named):
        return spec
    known = [one.model_copy(update={"revoked": one.revoked or one.sha256 in named}) for one in spec.certificates]
    suspended = spec.suspended or entry.what is What.REVOKED
    return spec.model_copy(update={"certificates": _by_age([*known, *unknown]), "suspended": suspended})


def _unknown(spec: ClinicSpec, entry: Entry, now: datetime) -> list[ClinicCertificate]:
    """Those that the clinic has not on record; one that is over needs no record."""
    known = {one.sha256 for one in spec.certificates}
    return [one for one in entry.certificates if one.sha256 not in known and parse(one.expires_at) > now]


def _by_age(certificates: Sequence[ClinicCertificate]) -> list[ClinicCertificate]:
    return sorted(certificates, key=lambda one: one.issued_at)
