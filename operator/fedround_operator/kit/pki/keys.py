"""P-256 keys in PEM form, and the digest by which a key is told from another."""

from typing import TypeGuard

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from fedround_operator.kit.pki.errors import CertificateUnusable


def make_key() -> ec.EllipticCurvePrivateKey:
    """A private key."""
    return ec.generate_private_key(ec.SECP256R1())


def new_key() -> bytes:
    """A private key, PEM."""
    return private_pem(make_key())


def key_digest(key_pem: bytes) -> str:
    """SHA-256 of the public half of a private key (DER, SubjectPublicKeyInfo), lower-case hex.

    Raises:
        CertificateUnusable: it is no P-256 key.
    """
    return public_key_digest(load_private_key(key_pem).public_key())


def signing_key() -> tuple[bytes, bytes]:
    """(private, public) P-256 key pair, PEM: signs ServiceAccount tokens."""
    key = make_key()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private_pem(key), public


def private_pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    """The key, encrypted where there is a passphrase."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def load_private_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """The key of a PEM file.

    Raises:
        CertificateUnusable: it is no P-256 key.
    """
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise CertificateUnusable("it is no private key in PEM form") from error
    if not is_private_p256(key):
        raise CertificateUnusable("the private key is not a P-256 key")
    return key


def is_private_p256(key: object) -> TypeGuard[ec.EllipticCurvePrivateKey]:
    """Whether it is a private key on the one curve in use."""
    return isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)


def is_public_p256(key: object) -> TypeGuard[ec.EllipticCurvePublicKey]:
    """Whether it is a public key on the one curve in use."""
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def public_key_digest(key: CertificatePublicKeyTypes) -> str:
    """SHA-256 of a public key (DER, SubjectPublicKeyInfo), lower-case hex."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize().hex()
