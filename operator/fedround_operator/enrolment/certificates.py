"""Which certificate a request gets, and which requests are refused. Pure.

A name belongs to the key that was admitted under it. Another key gets it only if the administrator says so, by which
the one before is revoked, or if the one before has signed for it (a renewal).
"""

from collections.abc import Sequence
from datetime import datetime

from fedround_api.kinds import ClinicCertificate, ClinicSpec
from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.kit import pki
from fedround_operator.kit.instants import parse, text_of

# The length of the list in a Clinic.
MOST = 16


def record_of(certificate_pem: bytes) -> ClinicCertificate:
    """What a Clinic says of a certificate.

    Raises:
        CertificateUnusable: it is none.
    """
    seen = pki.read_certificate(certificate_pem)
    return ClinicCertificate(
        sha256=seen.sha256,
        key_sha256=seen.key_sha256,
        issued_at=text_of(seen.validity.begins),
        expires_at=text_of(seen.validity.ends),
        pem=certificate_pem.decode(),
    )


def require_admissible(request: pki.Request, spec: ClinicSpec, *, replace_key: bool) -> None:
    """Passes for a request whose key may have the name.

    Raises:
        EnrolmentError: the key was revoked or replaced, or the name is another key's.
    """
    if not spec.certificates:
        return
    newest = spec.certificates[-1]
    if newest.key_sha256 == request.key_sha256 and not newest.revoked:
        return
    same = [one for one in spec.certificates if one.key_sha256 == request.key_sha256]
    if any(one.revoked for one in same):
        raise EnrolmentError(
            f"the key of this request was revoked for clinic {request.clinic}: have the clinic make a new one with "
            f"`fedround clinic request {request.clinic} --new-key`"
        )
    if same:
        raise EnrolmentError(
            f"the key of this request was replaced by a newer one of clinic {request.clinic}: it is an old file; have "
            f"the clinic call `fedround clinic request {request.clinic}` again, with --new-key if it gives the same one"
        )
    if not replace_key:
        raise EnrolmentError(
            f"clinic {request.clinic} is known with another key ({short(newest.key_sha256)}; this request has "
            f"{short(request.key_sha256)}): make sure by telephone that the clinic itself has made a new one, then "
            "call again with --replace-key, which revokes the one before"
        )


def usable(request: pki.Request, spec: ClinicSpec, authority: pki.Authority, now: datetime) -> ClinicCertificate | None:
    """The certificate that the request's key has already, if it is far from its end."""
    newest = spec.certificate
    if newest is None or newest.key_sha256 != request.key_sha256:
        return None
    try:
        seen = _genuine(newest, request.clinic, authority, now)
    except pki.CertificateUnusable:
        return None
    return newest if seen.validity.renew_at > now else None


def require_renewal(
    request: pki.Request, signature: str, *, clinic: str, spec: ClinicSpec, authority: pki.Authority, now: datetime
) -> None:
    """Passes for a request for the clinic's next certificate that the holder of its present one has signed.

    The Lease in which it stands can be written by the hub, which is not trusted to make members: so the signature must
    be by a certificate that this authority has issued to this clinic, and that is neither revoked nor over.

    Raises:
        EnrolmentError: it is not.
    """
    if request.clinic != clinic:
        raise EnrolmentError(f"what stands in the Lease of clinic {clinic} asks for the name {request.clinic}")
    if any(one.key_sha256 == request.key_sha256 and one.revoked for one in spec.certificates):
        raise EnrolmentError(f"clinic {clinic} asks for a certificate for a key that was revoked")
    for one in spec.certificates:
        if one.revoked:
            continue
        try:
            seen = _genuine(one, clinic, authority, now)
        except pki.CertificateUnusable:
            continue
        if pki.is_renewal_of(request, signature, seen.pem):
            return
    raise EnrolmentError(
        f"the request in the Lease of clinic {clinic} is not signed by a key that has a valid certificate of it: do "
        "not approve it; look who can write Leases on the hub, or have the clinic call `fedround clinic request`"
    )


def with_certificate(spec: ClinicSpec, issued: ClinicCertificate, now: datetime) -> list[ClinicCertificate]:
    """The clinic's certificates with one more, the newest last. Of those that nobody can use any more it keeps which
    keys were revoked, as far as there is room.

    Raises:
        EnrolmentError: there are too many that can still be used.
    """
    others = [one for one in spec.certificates if one.sha256 != issued.sha256]
    over = [one for one in others if parse(one.expires_at) <= now]
    current = [one for one in others if one not in over]
    if len(current) >= MOST:
        raise EnrolmentError(
            f"the clinic has {len(current)} certificates that are not over: revoke it by `fedround clinic revoke`, "
            "then admit it with a new key"
        )
    room = MOST - 1 - len(current)
    return [*_remembered(over)[-room:], *current, issued] if room else [*current, issued]


def _remembered(over: Sequence[ClinicCertificate]) -> list[ClinicCertificate]:
    """What is kept of certificates that are over: which keys were revoked, the newest last."""
    by_key = {one.key_sha256: one.model_copy(update={"pem": ""}) for one in over if one.revoked}
    return list(by_key.values())


def revoked(certificates: Sequence[ClinicCertificate]) -> list[ClinicCertificate]:
    """The same, all revoked."""
    return [one.model_copy(update={"revoked": True}) for one in certificates]


def short(digest: str) -> str:
    """The beginning of a digest, in groups that can be read out on the telephone."""
    return " ".join(digest[start : start + 4] for start in range(0, 32, 4))


def _genuine(known: ClinicCertificate, clinic: str, authority: pki.Authority, now: datetime) -> pki.CertificateSeen:
    """What is on record, after it was found to be this authority's: the record itself anybody on the hub may change."""
    return pki.require_clinic_certificate(
        known.pem.encode(),
        clinic=clinic,
        key_sha256=known.key_sha256,
        ca_pem=authority.certificate_pem,
        now=now,
    )
