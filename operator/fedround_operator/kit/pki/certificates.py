"""What a certificate says, and whether it is the one that is needed."""

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes

from fedround_operator.kit.pki.errors import CertificateUnusable
from fedround_operator.kit.pki.keys import public_key_digest
from fedround_operator.kit.validity import Validity

# The organization in the subject of every clinic's certificate.
CLINICS = "clinics"


@dataclass(frozen=True)
class CertificateSeen:
    """What a certificate says; who signed it is another question (`require_clinic_certificate`)."""

    subject: str
    sha256: str
    key_sha256: str
    validity: Validity
    pem: bytes


def read_certificate(pem: bytes) -> CertificateSeen:
    """What a certificate says.

    Raises:
        CertificateUnusable: it is no certificate.
    """
    found = load_certificate(pem)
    validity = Validity(found.not_valid_before_utc, found.not_valid_after_utc)
    digest = found.fingerprint(hashes.SHA256()).hex()
    return CertificateSeen(found.subject.rfc4514_string(), digest, public_key_digest(found.public_key()), validity, pem)


def require_clinic_certificate(
    pem: bytes, *, clinic: str, key_sha256: str | None, ca_pem: bytes, now: datetime.datetime
) -> CertificateSeen:
    """What the certificate says, after it was found to be of this clinic, for this key, by this authority, valid now.

    `ca_pem` may hold several authorities. `key_sha256` None: the key does not matter.

    Raises:
        CertificateUnusable: it is not.
    """
    seen = read_certificate(pem)
    if seen.subject != f"CN={clinic},O={CLINICS}":
        raise CertificateUnusable(f"the certificate names {seen.subject!r}, not clinic {clinic}")
    if key_sha256 is not None and seen.key_sha256 != key_sha256:
        raise CertificateUnusable("the certificate is for another private key than the one that is here")
    if not is_issued_by(pem, ca_pem):
        raise CertificateUnusable("the certificate is not signed by the federation's authority")
    if not seen.validity.holds(now):
        raise CertificateUnusable(
            f"the certificate holds from {seen.validity.begins:%Y-%m-%d %H:%M} to {seen.validity.ends:%Y-%m-%d %H:%M} "
            "UTC, not now"
        )
    return seen


def is_issued_by(pem: bytes, ca_pem: bytes) -> bool:
    """Whether one of the authorities in `ca_pem` has signed the certificate."""
    found = load_certificate(pem)
    for authority in _load_authorities(ca_pem):
        try:
            found.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def require_authorities(ca_pem: bytes) -> None:
    """Passes for one or more certificates in PEM form.

    Raises:
        CertificateUnusable: there is none.
    """
    _load_authorities(ca_pem)


def fingerprint(certificate_pem: bytes) -> str:
    """SHA-256 of the certificate as lower-case hex: what the gateway's revocation list and Clinic objects hold."""
    return read_certificate(certificate_pem).sha256


def load_certificate(pem: bytes) -> x509.Certificate:
    """The first certificate of a PEM file.

    Raises:
        CertificateUnusable: there is none.
    """
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CertificateUnusable("it is no certificate in PEM form") from error


def _load_authorities(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise CertificateUnusable("the authority is no certificate in PEM form") from error
