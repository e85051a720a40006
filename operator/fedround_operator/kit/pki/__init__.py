"""The one door to `cryptography`: P-256 keys, certificate requests and certificates.

    authority        an authority, and what it issues
    requests         what a clinic asks for: its first certificate, and the next ones
    certificates     what a certificate says, and whether it is the one that is needed
    keys, errors

Two authorities use this: a cluster's own (in the embedded federation), which names the users of its API, and the
federation's, which names the clinics at the gateway. It knows no paths but those it is given, no clock but for what it
issues, and nothing about Kubernetes. A private key is made where it is used: a clinic hands over only a request.
"""

from fedround_operator.kit.pki.authority import BACKDATED, LONG, Authority, Credential
from fedround_operator.kit.pki.certificates import (
    CertificateSeen,
    fingerprint,
    is_issued_by,
    read_certificate,
    require_authorities,
    require_clinic_certificate,
)
from fedround_operator.kit.pki.errors import AuthorityUnusable, CertificateUnusable, PkiError, RequestRefused
from fedround_operator.kit.pki.keys import key_digest, new_key, signing_key
from fedround_operator.kit.pki.requests import (
    LARGEST_PEM_BYTES,
    Request,
    is_renewal_of,
    read_request,
    request_certificate,
    request_for,
    sign_renewal,
)

__all__ = [
    "BACKDATED",
    "LARGEST_PEM_BYTES",
    "LONG",
    "Authority",
    "AuthorityUnusable",
    "CertificateSeen",
    "CertificateUnusable",
    "Credential",
    "PkiError",
    "Request",
    "RequestRefused",
    "fingerprint",
    "is_issued_by",
    "is_renewal_of",
    "key_digest",
    "new_key",
    "read_certificate",
    "read_request",
    "request_certificate",
    "request_for",
    "require_authorities",
    "require_clinic_certificate",
    "sign_renewal",
    "signing_key",
]
