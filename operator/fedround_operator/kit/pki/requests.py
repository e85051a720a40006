"""What a clinic asks an authority for: its first certificate, and the next ones."""

import base64
import binascii
import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fedround_operator.kit.pki.certificates import CLINICS, load_certificate
from fedround_operator.kit.pki.errors import RequestRefused
from fedround_operator.kit.pki.keys import is_public_p256, load_private_key, new_key, public_key_digest

# As long as the name of a Clinic object may be.
_CLINIC_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")
# A request with a P-256 key has some 500 bytes, a certificate 800: what is far longer is not looked into.
LARGEST_PEM_BYTES = 16_384
# Says what the signature is about: one that was made for anything else never fits.
_RENEWAL_CONTEXT = b"fedround certificate renewal v1\0"


@dataclass(frozen=True)
class Request:
    """A clinic's request that is signed by its own key. `key_sha256` tells the key, to programs and on the phone."""

    clinic: str
    key_sha256: str
    pem: bytes


def request_for(clinic: str, key_pem: bytes) -> bytes:
    """The certificate request (PEM) of a key: all that leaves the clinic.

    Raises:
        CertificateUnusable: it is no P-256 key.
    """
    subject = subject_of(clinic, CLINICS)
    request = (
        x509.CertificateSigningRequestBuilder().subject_name(subject).sign(load_private_key(key_pem), hashes.SHA256())
    )
    return request.public_bytes(serialization.Encoding.PEM)


def request_certificate(clinic: str) -> tuple[bytes, bytes]:
    """(private key, certificate request), both PEM, of a new key."""
    key = new_key()
    return key, request_for(clinic, key)


def read_request(csr_pem: bytes) -> Request:
    """Whom a request names and with which key.

    Raises:
        RequestRefused: no request, a broken signature, another curve, or a name that is no clinic's.
    """
    clinic, key = opened(csr_pem)
    return Request(clinic, public_key_digest(key), csr_pem)


def opened(csr_pem: bytes) -> tuple[str, ec.EllipticCurvePublicKey]:
    """The clinic and the key of a request, after all that `read_request` demands."""
    if len(csr_pem) > LARGEST_PEM_BYTES:
        raise RequestRefused("it is far too long for a certificate request")
    try:
        request = x509.load_pem_x509_csr(csr_pem)
        key, is_signed = request.public_key(), request.is_signature_valid
        names = [str(one.value) for one in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise RequestRefused("it is no certificate request in PEM form") from error
    if not is_public_p256(key):
        raise RequestRefused("the request's key is not a P-256 key")
    if not is_signed:
        raise RequestRefused("the request is not signed by its own key")
    if len(names) != 1 or not _CLINIC_NAME.fullmatch(names[0]):
        raise RequestRefused(f"the request does not name one clinic: {names}")
    return names[0], key


def sign_renewal(csr_pem: bytes, key_pem: bytes) -> str:
    """A signature over a request by the clinic's present key, base64: the next key is wanted by who has this one."""
    der = x509.load_pem_x509_csr(csr_pem).public_bytes(serialization.Encoding.DER)
    signature = load_private_key(key_pem).sign(_RENEWAL_CONTEXT + der, ec.ECDSA(hashes.SHA256()))
    return base64.b64encode(signature).decode()


def is_renewal_of(request: Request, signature: str, certificate_pem: bytes) -> bool:
    """Whether the holder of this certificate's key signed the request by `sign_renewal`."""
    key = load_certificate(certificate_pem).public_key()
    der = x509.load_pem_x509_csr(request.pem).public_bytes(serialization.Encoding.DER)
    if not is_public_p256(key):
        return False
    try:
        signed = base64.b64decode(signature, validate=True)
        key.verify(signed, _RENEWAL_CONTEXT + der, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def subject_of(common_name: str, organization: str | None) -> x509.Name:
    """A subject; in Kubernetes the common name is the user and the organization its group."""
    # RFC 4514 prints the last attribute first: this order reads CN=north,O=clinics, as the gateway's map expects.
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
