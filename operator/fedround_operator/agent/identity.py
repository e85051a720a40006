"""The clinic's identity at the gateway: its key, its certificate, and how the next ones come to be. Pure but for keys.

It is kept in one Secret of the clinic's namespace; what enters it is checked here, whoever offers it:

    first      `fedround clinic request` makes tls.key; the bundle of the administrator brings tls.crt and ca.crt
    renewal    next.key is made a month before the end, or by `fedround clinic rotate`; its request, signed by the
               present key, goes into the agent's Lease; the administrator's answer there makes next.key the key

A certificate that is for another key or clinic, of another authority or older than the present one is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from fedround_api import names
from fedround_operator.kit import pki

KEY, CERTIFICATE, CA, NEXT_KEY = "tls.key", "tls.crt", "ca.crt", "next.key"


@dataclass(frozen=True)
class Identity:
    """What the Secret holds; all PEM. Without a certificate the clinic has not been admitted yet."""

    key: bytes
    certificate: bytes | None = None
    ca: bytes | None = None
    next_key: bytes | None = None


@dataclass(frozen=True)
class Membership:
    """What the administrator's bundle has brought into the clinic's cluster."""

    certificate: bytes
    ca: bytes


def read_identity(data: Mapping[str, bytes]) -> Identity | None:
    """The identity in a Secret's data, or nothing where there is no key."""
    if not data.get(KEY):
        return None
    return Identity(data[KEY], data.get(CERTIFICATE) or None, data.get(CA) or None, data.get(NEXT_KEY) or None)


def with_membership(identity: Identity, offered: Membership, clinic: str, now: datetime) -> Identity:
    """The identity with the bundle's certificate and authorities, if they are its own and bring something newer.

    A bundle stays where it is for years, while certificates are renewed past it: one that is for a former key, or no
    newer than what is there, changes nothing.

    Raises:
        CertificateUnusable: there is no certificate yet, and the bundle's is not for this key, clinic and time.
    """
    present = pki.read_certificate(identity.certificate) if identity.certificate else None
    try:
        seen = pki.require_clinic_certificate(
            offered.certificate,
            clinic=clinic,
            key_sha256=pki.key_digest(identity.key),
            ca_pem=offered.ca,
            now=now,
        )
    except pki.CertificateUnusable:
        if present is None:
            raise
        seen = present
    if present is None or seen.validity.ends > present.validity.ends:
        # What was asked for in place of the one before is no longer needed.
        return Identity(identity.key, offered.certificate, offered.ca)
    if identity.certificate and pki.is_issued_by(identity.certificate, offered.ca):
        return replace(identity, ca=offered.ca)
    return identity


def with_renewal(identity: Identity, certificate: bytes, clinic: str, now: datetime) -> Identity:
    """The identity after its key and certificate were replaced by the next ones.

    Raises:
        CertificateUnusable: the certificate is not for the next key, this clinic and now, or not by its authority.
    """
    if identity.next_key is None or identity.ca is None:
        raise pki.CertificateUnusable("a certificate was offered, and none was asked for")
    pki.require_clinic_certificate(
        certificate, clinic=clinic, key_sha256=pki.key_digest(identity.next_key), ca_pem=identity.ca, now=now
    )
    return Identity(identity.next_key, certificate, identity.ca)


def needs_next_key(identity: Identity, now: datetime) -> bool:
    """Whether it is time to ask for the next certificate, and no key was made for it yet."""
    if identity.certificate is None or identity.next_key is not None:
        return False
    return pki.read_certificate(identity.certificate).validity.renew_at <= now


def renewal_request(identity: Identity, clinic: str) -> dict[str, str | None]:
    """The annotations of the Lease that ask for the next certificate; None takes one away.

    Signatures differ each time: the caller keeps them as long as the key is the same.
    """
    if identity.next_key is None or identity.certificate is None:
        return dict.fromkeys(
            (
                names.RENEWAL_REQUEST_ANNOTATION,
                names.RENEWAL_SIGNATURE_ANNOTATION,
                names.RENEWED_CERTIFICATE_ANNOTATION,
            )
        )
    request = pki.request_for(clinic, identity.next_key)
    return {
        names.RENEWAL_REQUEST_ANNOTATION: request.decode(),
        names.RENEWAL_SIGNATURE_ANNOTATION: pki.sign_renewal(request, identity.key),
    }
