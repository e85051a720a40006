"""Certificates: what they say, who may use them for what, and which requests are refused."""

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fedround_local import pki
from fedround_local.errors import RequestRefused


def _read(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def test_a_clinics_certificate_reads_as_the_gateway_expects() -> None:
    authority = pki.Authority.create("federation")
    _key, request = pki.request_certificate("north")

    certificate = _read(authority.sign_clinic(request))

    assert certificate.subject.rfc4514_string() == "CN=north,O=clinics"
    certificate.verify_directly_issued_by(_read(authority.certificate_pem))


def test_the_private_key_of_a_request_fits_the_certificate() -> None:
    key_pem, request = pki.request_certificate("north")
    certificate = _read(pki.Authority.create("federation").sign_clinic(request))
    key = serialization.load_pem_private_key(key_pem, password=None)
    assert key.public_key() == certificate.public_key()


def test_what_a_request_wants_beside_its_name_is_left_out() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
        x509.NameAttribute(NameOID.COMMON_NAME, "north"),
    ]
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name(names))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate = _read(
        pki.Authority.create("federation").sign_clinic(request.public_bytes(serialization.Encoding.PEM))
    )
    assert certificate.subject.rfc4514_string() == "CN=north,O=clinics"
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


@pytest.mark.parametrize("name", ["North", "north/../south", "north,O=clinics", "-north", "north-", "a" * 64])
def test_a_name_that_is_no_clinics_is_refused(name: str) -> None:
    _key, request = pki.request_certificate(name)
    with pytest.raises(RequestRefused, match="does not name one clinic"):
        pki.Authority.create("federation").sign_clinic(request)


def test_a_request_on_another_curve_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "north")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    with pytest.raises(RequestRefused, match="not a P-256 key"):
        pki.Authority.create("federation").sign_clinic(request.public_bytes(serialization.Encoding.PEM))


def test_a_server_certificate_names_its_hosts_and_is_no_clients() -> None:
    certificate = _read(
        pki.Authority.create("federation").issue_server("gateway", ("localhost", "127.0.0.1")).certificate_pem
    )
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [one.dotted_string for one in usage] == ["1.3.6.1.5.5.7.3.1"]


def test_a_client_certificate_carries_user_and_group_and_is_no_servers() -> None:
    certificate = _read(pki.Authority.create("cluster").issue_client("admin", "system:masters").certificate_pem)
    assert certificate.subject.rfc4514_string() == "CN=admin,O=system:masters"
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [one.dotted_string for one in usage] == ["1.3.6.1.5.5.7.3.2"]


def test_an_authority_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    first = pki.Authority.ensure(tmp_path / "pki", "ca", "federation")
    second = pki.Authority.ensure(tmp_path / "pki", "ca", "federation")
    assert second.certificate_pem == first.certificate_pem
    assert stat.S_IMODE((tmp_path / "pki" / "ca.key").stat().st_mode) == 0o600
    issued = _read(second.issue_client("north").certificate_pem)
    issued.verify_directly_issued_by(_read(first.certificate_pem))


def test_a_fingerprint_is_the_sha256_of_the_certificate_in_hex() -> None:
    pem = pki.Authority.create("federation").certificate_pem
    assert pki.fingerprint(pem) == _read(pem).fingerprint(hashes.SHA256()).hex()
    assert len(pki.fingerprint(pem)) == 64
