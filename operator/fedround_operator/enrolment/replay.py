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
    """A clinic after the journal; `missed` are the entries that it did not know, `labels` what is to be added."""

    spec: ClinicSpec
    missed: Sequence[Entry]
    labels: Mapping[str, str]


def caught_up(spec: ClinicSpec, entries: Sequence[Entry], now: datetime) -> CaughtUp:
    """The clinic as its own entries, in their order, leave it. One that has caught up already stays as it is.

    Raises:
        EnrolmentError: it would have more certificates than a Clinic can hold.
    """
    found, missed = spec, list[Entry]()
    labels: dict[str, str] = {}
    named: frozenset[str] = frozenset()
    is_out = spec.revoked
    for entry in entries:
        named |= entry.fingerprints
        is_out = _is_out_after(entry, spec, before=is_out)
        if entry.what is What.ISSUED:
            after = _issued(found, entry, now, withdrawn=is_out)
        else:
            after = _withdrawn(found, entry, named, now)
        if after != found:
            found = after
            missed.append(entry)
        if missed:
            # Other labels for the same certificate cannot be seen of the clinic: who missed one line missed the next.
            labels |= entry.labels
    if found.revoked:
        suspended = spec.suspended or any(entry.what is What.REVOKED for entry in missed)
    else:
        # As `approve` does it: a new membership begins without a suspension, the same one keeps what it has.
        suspended = spec.suspended and not _has_left(spec, entries)
    return CaughtUp(found.model_copy(update={"suspended": suspended}), missed, labels)


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
    is_out: dict[str, bool] = {}
    for entry in entries:
        is_out[entry.clinic] = _is_out_after(entry, ClinicSpec(), before=is_out.get(entry.clinic, False))
    return frozenset(name for name, out in is_out.items() if not out)


def by_clinic(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """The entries of each clinic, in their order."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.clinic, []).append(entry)
    return found


def _is_out_after(entry: Entry, spec: ClinicSpec, *, before: bool) -> bool:
    """Whether the clinic is no member after an entry, by the journal and by what was on record when it was read.

    A line of a certificate alone lets nobody in again: its call may have broken off before the hub had it, and the
    clinic have been revoked since. Who is taken in again has had its key replaced.
    """
    if entry.what is not What.ISSUED:
        return entry.what is What.REVOKED
    recorded = [one.revoked for one in spec.certificates if one.sha256 in entry.fingerprints]
    return all(recorded) if recorded else before


def _issued(spec: ClinicSpec, entry: Entry, now: datetime, *, withdrawn: bool) -> ClinicSpec:
    after = spec
    unknown = _unknown(spec, entry, now)
    for one in revoked(unknown) if withdrawn else unknown:
        after = after.model_copy(update={"certificates": _by_age(with_certificate(after, one, now))})
    return after


def _withdrawn(spec: ClinicSpec, entry: Entry, named: frozenset[str], now: datetime) -> ClinicSpec:
    """`named` is what the journal names up to here: a certificate whose record broke off is withdrawn too."""
    unknown = revoked(_unknown(spec, entry, now))
    if not unknown and not any(_holds(one, named) for one in spec.certificates):
        return spec
    known = [one.model_copy(update={"revoked": one.revoked or one.sha256 in named}) for one in spec.certificates]
    return spec.model_copy(update={"certificates": _by_age([*known, *unknown])})


def _has_left(spec: ClinicSpec, entries: Sequence[Entry]) -> bool:
    """Whether the membership that is on record has ended. A revocation that was on record too is none of it."""
    named: frozenset[str] = frozenset()
    for entry in entries:
        named |= entry.fingerprints
        if entry.what is What.REVOKED and any(_holds(one, named) for one in spec.certificates):
            return True
    return spec.revoked


def _holds(one: ClinicCertificate, named: frozenset[str]) -> bool:
    return one.sha256 in named and not one.revoked


def _unknown(spec: ClinicSpec, entry: Entry, now: datetime) -> list[ClinicCertificate]:
    """Those that the clinic has not on record; one that is over needs no record."""
    known = {one.sha256 for one in spec.certificates}
    return [one for one in entry.certificates if one.sha256 not in known and parse(one.expires_at) > now]


def _by_age(certificates: Sequence[ClinicCertificate]) -> list[ClinicCertificate]:
    # Of one second the one that holds: a call that broke off and the next one may have issued both.
    return sorted(certificates, key=lambda one: (one.issued_at, not one.revoked))
