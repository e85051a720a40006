"""Certificates (P-256) for the clusters and for the federation, made with `cryptography`.

Two authorities use this: the cluster's own, which names the users of its API, and the federation's, which names the
clinics at the gateway. Called by the cluster and by the federation's set-up. It knows no paths but those it is given,
and nothing about Kubernetes.

A private key is made where it is used: a clinic calls `request_certificate` and hands over only the request.
"""

import datetime
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fedround_local.errors import RequestRefused

# A federation on one machine has nobody who renews certificates; its state folder must still start after a year.
_LIFETIME = datetime.timedelta(days=3650)
# Clocks of a laptop jump; a certificate from the future is refused by every peer.
_BACKDATED = datetime.timedelta(hours=1)
CLINICS = "clinics"
_CLINIC_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Credential:
    """A private key and its certificate, both PEM."""

    key_pem: bytes
    certificate_pem: bytes

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """(`folder/name.crt`, `folder/name.key`), the key readable by its owner only."""
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        write_private(key, self.key_pem)
        certificate.write_bytes(self.certificate_pem)
        return certificate, key


class Authority:
    """A certificate authority: its key, and what it issues."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificate = certificate

    @classmethod
    def create(cls, common_name: str) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        signs = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        certificate = (
            _validity(x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(signs, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    @classmethod
    def ensure(cls, folder: Path, name: str, common_name: str) -> "Authority":
        """The authority stored as `folder/name.{crt,key}`; made there at the first call."""
        certificate_path, key_path = folder / f"{name}.crt", folder / f"{name}.key"
        if certificate_path.exists() and key_path.exists():
            key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise RequestRefused(f"{key_path} is not a P-256 key")
            return cls(key, x509.load_pem_x509_certificate(certificate_path.read_bytes()))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority = cls.create(common_name)
        Credential(private_key_pem(authority._key), authority.certificate_pem).write(folder, name)
        return authority

    @property
    def certificate_pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue_client(self, common_name: str, organization: str | None = None) -> Credential:
        """A client certificate; in Kubernetes the common name is the user and the organization its group."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(common_name, organization)
        certificate = self._issue(subject, key.public_key(), ExtendedKeyUsageOID.CLIENT_AUTH, ())
        return Credential(private_key_pem(key), certificate)

    def issue_server(self, common_name: str, hosts: tuple[str, ...], *, also_client: bool = False) -> Credential:
        """A server certificate for `hosts` (names or addresses); etcd's peers need it to be a client's as well."""
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.SERVER_AUTH] + [ExtendedKeyUsageOID.CLIENT_AUTH] * also_client
        certificate = self._issue(_subject(common_name, None), key.public_key(), usages, hosts)
        return Credential(private_key_pem(key), certificate)

    def sign_clinic(self, csr_pem: bytes) -> bytes:
        """The certificate (PEM, subject `CN=<clinic>,O=clinics`) for a clinic's request.

        Only the name and the key are taken from the request: whatever else it asks for is left out.
        Raises RequestRefused for a broken signature, another curve or a name that is no clinic's.
        """
        request = x509.load_pem_x509_csr(csr_pem)
        key = request.public_key()
        if not request.is_signature_valid:
            raise RequestRefused("the request is not signed by its own key")
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise RequestRefused("the request's key is not a P-256 key")
        names = [str(one.value) for one in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if len(names) != 1 or not _CLINIC_NAME.fullmatch(names[0]):
            raise RequestRefused(f"the request does not name one clinic: {names}")
        return self._issue(_subject(names[0], CLINICS), key, ExtendedKeyUsageOID.CLIENT_AUTH, ())

    def _issue(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        usage: x509.ObjectIdentifier | list[x509.ObjectIdentifier],
        hosts: tuple[str, ...],
    ) -> bytes:
        usages = usage if isinstance(usage, list) else [usage]
        signs = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        builder = (
            _validity(x509.CertificateBuilder().subject_name(subject).issuer_name(self._certificate.subject))
            .public_key(key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(signs, critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if hosts:
            names = x509.SubjectAlternativeName([_host(one) for one in hosts])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def request_certificate(name: str) -> tuple[bytes, bytes]:
    """(private key, certificate request), both PEM: made in the clinic, only the second one leaves it."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(_subject(name, CLINICS)).sign(key, hashes.SHA256())
    return private_key_pem(key), request.public_bytes(serialization.Encoding.PEM)


def signing_key() -> tuple[bytes, bytes]:
    """(private, public) P-256 key pair, PEM: signs ServiceAccount tokens."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private_key_pem(key), public


def fingerprint(certificate_pem: bytes) -> str:
    """SHA-256 of the certificate as lower-case hex: what the gateway's revocation list and Clinic objects hold."""
    return x509.load_pem_x509_certificate(certificate_pem).fingerprint(hashes.SHA256()).hex()


def private_key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, in one step: a half-written key is never seen."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    part.replace(path)


def _subject(common_name: str, organization: str | None) -> x509.Name:
    # RFC 4514 prints the last attribute first: this order reads CN=north,O=clinics, as the gateway's map expects.
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _validity(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _LIFETIME)
    )
