"""What may become a clinic's identity, whoever offers it: the bundle, the hub, somebody who can write to either."""

from datetime import datetime, timedelta

import pytest

from fedround_api import names
from fedround_operator.agent.identity import (
    Identity,
    Membership,
    needs_next_key,
    read_identity,
    renewal_request,
    with_membership,
    with_renewal,
)
from fedround_operator.kit import pki
from support.identities import YEAR, Held, Registry, now

REGISTRY = Registry()


def held(lifetime: timedelta = YEAR) -> Held:
    return REGISTRY.hold("north", lifetime=lifetime)


def identity_of(clinic: Held, next_key: bytes | None = None) -> Identity:
    return Identity(clinic.key, clinic.certificate, REGISTRY.ca, next_key)


class TestMembership:
    def test_the_bundle_completes_a_key_without_a_certificate(self) -> None:
        north = held()

        found = with_membership(Identity(north.key), Membership(north.certificate, REGISTRY.ca), "north", now())

        assert found == Identity(north.key, north.certificate, REGISTRY.ca)

    @pytest.mark.parametrize(
        ("offered", "sentence"),
        [
            (REGISTRY.hold("north").certificate, "for another private key"),
            (REGISTRY.hold("south").certificate, "names 'CN=south,O=clinics', not clinic north"),
            (b"not a certificate", "no certificate in PEM form"),
        ],
    )
    def test_a_bundle_for_another_key_or_clinic_is_refused(self, offered: bytes, sentence: str) -> None:
        with pytest.raises(pki.CertificateUnusable, match=sentence):
            with_membership(Identity(held().key), Membership(offered, REGISTRY.ca), "north", now())

    def test_a_bundle_of_an_authority_that_did_not_sign_is_refused(self) -> None:
        north = held()

        with pytest.raises(pki.CertificateUnusable, match="not signed by the federation's authority"):
            with_membership(Identity(north.key), Membership(north.certificate, Registry().ca), "north", now())

    def test_a_newer_certificate_for_the_same_key_is_taken_and_what_was_asked_for_is_dropped(self) -> None:
        north = held(timedelta(days=10))
        newer = REGISTRY.certify(north.key)

        found = with_membership(
            identity_of(north, next_key=pki.new_key()), Membership(newer, REGISTRY.ca), "north", now()
        )

        assert found == Identity(north.key, newer, REGISTRY.ca)

    def test_a_replayed_older_certificate_of_the_same_key_changes_nothing(self) -> None:
        north = held()
        older = REGISTRY.certify(north.key, lifetime=timedelta(days=300))

        found = with_membership(identity_of(north), Membership(older, REGISTRY.ca), "north", now())

        assert found == identity_of(north)

    def test_the_first_bundle_changes_nothing_after_a_renewal(self) -> None:
        first, renewed = held(), held()

        found = with_membership(identity_of(renewed), Membership(first.certificate, REGISTRY.ca), "north", now())

        assert found == identity_of(renewed)

    def test_another_authority_of_the_gateway_is_taken_beside_the_one_that_signed(self) -> None:
        north, both = held(), Registry().ca + REGISTRY.ca

        assert with_membership(identity_of(north), Membership(north.certificate, both), "north", now()).ca == both

    def test_an_authority_that_did_not_sign_the_present_certificate_is_not_taken(self) -> None:
        north, other = held(), Registry().ca

        found = with_membership(identity_of(north), Membership(north.certificate, other), "north", now())

        assert found == identity_of(north)


class TestRenewal:
    def test_the_answer_for_the_next_key_replaces_key_and_certificate_together(self) -> None:
        north, next_key = held(), pki.new_key()
        answer = REGISTRY.certify(next_key)

        found = with_renewal(identity_of(north, next_key), answer, "north", now())

        assert found == Identity(next_key, answer, REGISTRY.ca)

    @pytest.mark.parametrize(
        ("answer", "sentence"),
        [
            (lambda north, _: north.certificate, "for another private key"),
            (lambda _, next_key: REGISTRY.certify(next_key, "south"), "not clinic north"),
            (lambda _, next_key: Registry().certify(next_key), "not signed by the federation's authority"),
            (lambda _, __: held().certificate, "for another private key"),
            (lambda _, __: b"x", "no certificate"),
        ],
    )
    def test_any_other_certificate_in_the_lease_is_refused(self, answer: object, sentence: str) -> None:
        assert callable(answer)
        north, next_key = held(), pki.new_key()

        with pytest.raises(pki.CertificateUnusable, match=sentence):
            with_renewal(identity_of(north, next_key), answer(north, next_key), "north", now())

    def test_an_answer_that_nobody_asked_for_is_refused(self) -> None:
        with pytest.raises(pki.CertificateUnusable, match="none was asked for"):
            with_renewal(identity_of(held()), held().certificate, "north", now())

    def test_an_answer_that_has_ended_is_refused(self) -> None:
        north, next_key = held(), pki.new_key()
        answer = REGISTRY.certify(next_key, lifetime=timedelta(days=2))

        with pytest.raises(pki.CertificateUnusable, match="UTC, not now"):
            with_renewal(identity_of(north, next_key), answer, "north", now() + timedelta(days=3))

    def test_the_request_names_the_clinic_and_the_next_key_and_is_signed_by_the_present_one(self) -> None:
        north, next_key = held(), pki.new_key()

        asked = renewal_request(identity_of(north, next_key), "north")

        request = pki.read_request((asked[names.RENEWAL_REQUEST_ANNOTATION] or "").encode())
        assert (request.clinic, request.key_sha256) == ("north", pki.key_digest(next_key))
        assert pki.is_renewal_of(request, asked[names.RENEWAL_SIGNATURE_ANNOTATION] or "", north.certificate)
        assert names.RENEWED_CERTIFICATE_ANNOTATION not in asked
        assert b"PRIVATE" not in str(asked).encode()

    def test_without_a_next_key_request_and_answer_are_taken_away(self) -> None:
        assert renewal_request(identity_of(held()), "north") == {
            "fedround.dev/certificate-request": None,
            "fedround.dev/certificate-request-signature": None,
            "fedround.dev/certificate": None,
        }


def at(days_left: float) -> datetime:
    return now() + YEAR - timedelta(days=days_left)


@pytest.mark.parametrize(("days_left", "is_time"), [(300, False), (30.1, False), (29.9, True), (1, True), (-1, True)])
def test_a_next_key_is_needed_from_a_month_before_the_end(days_left: float, is_time: bool) -> None:
    north = identity_of(held())

    assert needs_next_key(north, at(days_left)) is is_time


def test_a_next_key_is_made_once_and_not_before_there_is_a_certificate() -> None:
    assert not needs_next_key(identity_of(held(), pki.new_key()), at(1))
    assert not needs_next_key(Identity(pki.new_key()), at(1))


def test_a_secret_without_a_key_holds_no_identity() -> None:
    assert read_identity({"ca.crt": b"x", "tls.crt": b"y"}) is None
    assert read_identity({"tls.key": b"k", "tls.crt": b"", "other": b"z"}) == Identity(b"k")
