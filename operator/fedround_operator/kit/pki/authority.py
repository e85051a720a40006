"""A certificate authority: its key, and what it issues."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fedround_operator.kit.pki.certificates import CLINICS
from fedround_operator.kit.pki.errors import AuthorityUnusable
from fedround_operator.kit.pki.keys import is_private_p256, make_key, private_pem
from fedround_operator.kit.pki.requests import opened, subject_of
from fedround_operator.kit.privatefiles import write_private

# An authority, and whatever a federation on one machine issues to itself: nobody is there who would renew it.
LONG = datetime.timedelta(days=3650)
# Clocks of a laptop jump, and a certificate from the future is refused by every peer; a short life gives a tenth.
BACKDATED = datetime.timedelta(hours=1)


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
        key = make_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        signs = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        certificate = (
            _validity(x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()), LONG)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(signs, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    @classmethod
    def load(cls, folder: Path, name: str = "ca", passphrase: bytes | None = None) -> "Authority":
        """The authority stored as `folder/name.{crt,key}`.

        Raises:
            AuthorityUnusable: there is none, its key does not open, or certificate and key do not belong together.
        """
        certificate_path, key_path = folder / f"{name}.crt", folder / f"{name}.key"
        try:
            key = serialization.load_pem_private_key(key_path.read_bytes(), password=passphrase)
            certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        except FileNotFoundError as error:
            raise AuthorityUnusable(
                f"there is no certificate authority in {folder}: {error.filename} is missing"
            ) from error
        except TypeError as error:
            kind = "is not encrypted, and a passphrase was given" if passphrase else "is encrypted: give its passphrase"
            raise AuthorityUnusable(f"{key_path} {kind}") from error
        except ValueError as error:
            raise AuthorityUnusable(f"{folder} does not open: wrong passphrase, or no PEM files") from error
        if not is_private_p256(key):
            raise AuthorityUnusable(f"{key_path} is not a P-256 key")
        if key.public_key() != certificate.public_key():
            raise AuthorityUnusable(f"{key_path} is not the key of {certificate_path}")
        return cls(key, certificate)

    @classmethod
    def ensure(cls, folder: Path, name: str, common_name: str, passphrase: bytes | None = None) -> "Authority":
        """The authority stored as `folder/name.{crt,key}`; made there at the first call.

        Raises:
            AuthorityUnusable: one of the two is missing, or `load` refuses them.
        """
        if any((folder / f"{name}.{ending}").exists() for ending in ("crt", "key")):
            return cls.load(folder, name, passphrase)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority = cls.create(common_name)
        Credential(private_pem(authority._key, passphrase), authority.certificate_pem).write(folder, name)
        return authority

    @property
    def certificate_pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue_client(self, common_name: str, organization: str | None = None) -> Credential:
        """A client certificate; in Kubernetes the common name is the user and the organization its group."""
        key = make_key()
        subject = subject_of(common_name, organization)
        certificate = self._issue(subject, key.public_key(), [ExtendedKeyUsageOID.CLIENT_AUTH], (), LONG)
        return Credential(private_pem(key), certificate)

    def issue_server(
        self,
        common_name: str,
        hosts: tuple[str, ...],
        *,
        also_client: bool = False,
        lifetime: datetime.timedelta = LONG,
    ) -> Credential:
        """A server certificate for `hosts` (names or addresses); etcd's peers need it to be a client's as well."""
        key = make_key()
        usages = [ExtendedKeyUsageOID.SERVER_AUTH] + [ExtendedKeyUsageOID.CLIENT_AUTH] * also_client
        certificate = self._issue(subject_of(common_name, None), key.public_key(), usages, hosts, lifetime)
        return Credential(private_pem(key), certificate)

    def sign_clinic(self, csr_pem: bytes, lifetime: datetime.timedelta = LONG) -> bytes:
        """The certificate (PEM, subject `CN=<clinic>,O=clinics`) for a clinic's request.

        Only the name and the key are taken from the request: whatever else it asks for is left out.
        Raises RequestRefused as `read_request` does.
        """
        clinic, key = opened(csr_pem)
        return self._issue(subject_of(clinic, CLINICS), key, [ExtendedKeyUsageOID.CLIENT_AUTH], (), lifetime)

    def _issue(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        usages: list[x509.ObjectIdentifier],
        hosts: tuple[str, ...],
        lifetime: datetime.timedelta,
    ) -> bytes:
        signs = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        builder = (
            _validity(x509.CertificateBuilder().subject_name(subject).issuer_name(self._certificate.subject), lifetime)
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


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _validity(builder: x509.CertificateBuilder, lifetime: datetime.timedelta) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - min(BACKDATED, lifetime / 10))
        .not_valid_after(now + lifetime)
    )
