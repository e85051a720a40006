"""Certificates: what they say, who may use them for what, and which requests are refused."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fedround_operator.kit import pki
from support.identities import Registry


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
    with pytest.raises(pki.RequestRefused, match="does not name one clinic"):
        pki.Authority.create("federation").sign_clinic(request)


def test_a_request_on_another_curve_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "north")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    with pytest.raises(pki.RequestRefused, match="not a P-256 key"):
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


@pytest.mark.parametrize("lost", ["ca.crt", "ca.key"])
def test_half_of_an_authority_is_told_and_never_replaced(tmp_path: Path, lost: str) -> None:
    pki.Authority.ensure(tmp_path, "ca", "federation")
    (tmp_path / lost).unlink()
    (kept,) = tmp_path.iterdir()
    content = kept.read_bytes()

    with pytest.raises(pki.AuthorityUnusable, match=f"{lost} is missing"):
        pki.Authority.ensure(tmp_path, "ca", "federation")

    assert [one.name for one in tmp_path.iterdir()] == [kept.name]
    assert kept.read_bytes() == content


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


def _now() -> datetime:
    return datetime.now(UTC)


def test_a_certificate_lasts_as_long_as_was_asked_and_has_begun_a_little_before() -> None:
    registry = Registry()
    year, minutes = (timedelta(days=365), timedelta(hours=1)), (timedelta(minutes=10), timedelta(minutes=1))

    for lifetime, backdated in (year, minutes):
        found = pki.read_certificate(registry.certify(pki.new_key(), lifetime=lifetime)).validity
        assert abs(found.ends - _now() - lifetime) < timedelta(seconds=10)
        assert abs(_now() - found.begins - backdated) < timedelta(seconds=10)


def test_a_request_of_the_same_key_has_the_same_digest_whatever_its_signature() -> None:
    key = pki.new_key()

    found = {pki.read_request(pki.request_for("north", key)).key_sha256 for _ in range(3)}

    assert found == {pki.key_digest(key)}
    assert pki.key_digest(pki.new_key()) not in found


@pytest.mark.parametrize(
    "content",
    [b"", b"north", b"\0" * 100, b"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"],
)
def test_what_is_no_request_is_refused(content: bytes) -> None:
    with pytest.raises(pki.RequestRefused, match="no certificate request"):
        pki.read_request(content)


def test_a_request_of_enormous_size_is_not_looked_into() -> None:
    with pytest.raises(pki.RequestRefused, match="far too long"):
        pki.read_request(pki.request_certificate("north")[1] + b"\n" * 16_384)


def test_a_request_whose_signature_was_made_by_another_key_is_refused() -> None:
    der = x509.load_pem_x509_csr(pki.request_certificate("north")[1]).public_bytes(serialization.Encoding.DER)
    # The last bytes are the signature's.
    forged = x509.load_der_x509_csr(der[:-4] + bytes(byte ^ 1 for byte in der[-4:]))

    with pytest.raises(pki.RequestRefused, match="not signed by its own key"):
        pki.read_request(forged.public_bytes(serialization.Encoding.PEM))


class TestRenewals:
    def test_the_holder_of_the_present_key_can_ask_for_the_next(self) -> None:
        held = Registry().hold()
        request = pki.request_for("north", pki.new_key())

        signature = pki.sign_renewal(request, held.key)

        assert pki.is_renewal_of(pki.read_request(request), signature, held.certificate)

    def test_nobody_else_can(self) -> None:
        registry = Registry()
        held, other = registry.hold(), registry.hold()
        request, another = pki.request_for("north", pki.new_key()), pki.request_for("north", pki.new_key())
        signature = pki.sign_renewal(request, held.key)

        for asked, signed, certificate in (
            (request, pki.sign_renewal(request, other.key), held.certificate),
            (another, signature, held.certificate),
            (request, signature, other.certificate),
            (request, "", held.certificate),
            (request, "no base64 at all", held.certificate),
            (request, signature[:-8] + "AAAAAAA=", held.certificate),
        ):
            assert not pki.is_renewal_of(pki.read_request(asked), signed, certificate)


class TestClinicCertificates:
    def test_one_that_fits_is_taken(self) -> None:
        registry = Registry()
        held = registry.hold()

        seen = pki.require_clinic_certificate(
            held.certificate, clinic="north", key_sha256=pki.key_digest(held.key), ca_pem=registry.ca, now=_now()
        )

        assert (seen.subject, seen.sha256) == ("CN=north,O=clinics", pki.fingerprint(held.certificate))

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"clinic": "south"}, "the certificate names 'CN=north,O=clinics', not clinic south"),
            ({"key_sha256": "0" * 64}, "for another private key"),
            ({"ca_pem": Registry().ca}, "not signed by the federation's authority"),
            ({"now": datetime(2020, 1, 1, tzinfo=UTC)}, "UTC, not now"),
            ({"now": datetime(2099, 1, 1, tzinfo=UTC)}, "UTC, not now"),
            ({"ca_pem": b"nothing"}, "the authority is no certificate"),
        ],
    )
    def test_one_that_does_not_fit_is_refused(self, changes: dict[str, Any], sentence: str) -> None:
        registry = Registry()
        held = registry.hold()
        wanted: dict[str, Any] = {
            "clinic": "north",
            "key_sha256": pki.key_digest(held.key),
            "ca_pem": registry.ca,
            "now": _now(),
        }

        with pytest.raises(pki.CertificateUnusable, match=sentence):
            pki.require_clinic_certificate(held.certificate, **(wanted | changes))

    def test_any_of_several_authorities_will_do(self) -> None:
        registry = Registry()

        assert pki.is_issued_by(registry.hold().certificate, Registry().ca + registry.ca)

    def test_a_clinics_certificate_is_no_authority(self) -> None:
        """A clinic that signs with its own key what it likes gets nowhere."""
        registry = Registry()
        held, key = registry.hold("south"), pki.new_key()
        impostor = pki.Authority(
            serialization.load_pem_private_key(held.key, password=None),  # type: ignore[arg-type]
            _read(held.certificate),
        )

        forged = impostor.sign_clinic(pki.request_for("north", key))

        assert not pki.is_issued_by(forged, registry.ca)


class TestStoredAuthority:
    def test_its_key_can_be_encrypted(self, tmp_path: Path) -> None:
        first = pki.Authority.ensure(tmp_path, "ca", "federation", b"a long passphrase")

        assert b"ENCRYPTED" in (tmp_path / "ca.key").read_bytes()
        assert pki.Authority.load(tmp_path, passphrase=b"a long passphrase").certificate_pem == first.certificate_pem

    @pytest.mark.parametrize(
        ("stored", "given", "sentence"),
        [
            (b"right", b"wrong", "wrong passphrase"),
            (b"right", None, "is encrypted: give its passphrase"),
            (None, b"any", "is not encrypted, and a passphrase was given"),
        ],
    )
    def test_a_passphrase_that_does_not_fit_says_so(
        self, tmp_path: Path, stored: bytes | None, given: bytes | None, sentence: str
    ) -> None:
        pki.Authority.ensure(tmp_path, "ca", "federation", stored)

        with pytest.raises(pki.AuthorityUnusable, match=sentence):
            pki.Authority.load(tmp_path, passphrase=given)

    def test_a_folder_without_one_says_what_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(pki.AuthorityUnusable, match=r"there is no certificate authority in .*ca\.key is missing"):
            pki.Authority.load(tmp_path)

    def test_a_key_of_another_authority_is_found_out(self, tmp_path: Path) -> None:
        pki.Authority.ensure(tmp_path / "one", "ca", "federation")
        pki.Authority.ensure(tmp_path / "two", "ca", "federation")
        (tmp_path / "one" / "ca.key").write_bytes((tmp_path / "two" / "ca.key").read_bytes())

        with pytest.raises(pki.AuthorityUnusable, match="is not the key of"):
            pki.Authority.load(tmp_path / "one")
