"""Whose name is whose: which requests get a certificate, first ones and renewals."""

from datetime import timedelta

import pytest

from fedround_api.kinds import ClinicCertificate, ClinicSpec
from fedround_operator.enrolment.certificates import (
    record_of,
    require_admissible,
    require_renewal,
    revoked,
    short,
    usable,
    with_certificate,
)
from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.kit import pki
from support.identities import YEAR, Held, Registry, now

REGISTRY = Registry()
NORTH = REGISTRY.hold("north")


def request_of(key: bytes, clinic: str = "north") -> pki.Request:
    return pki.read_request(pki.request_for(clinic, key))


def spec_of(*held: Held) -> ClinicSpec:
    return ClinicSpec(certificates=[record_of(one.certificate) for one in held])


def revoked_spec(*held: Held) -> ClinicSpec:
    return ClinicSpec(certificates=revoked(spec_of(*held).certificates))


def test_what_is_on_record_of_a_certificate_is_what_it_says() -> None:
    seen = pki.read_certificate(NORTH.certificate)

    record = record_of(NORTH.certificate)

    assert (record.sha256, record.key_sha256, record.revoked) == (seen.sha256, pki.key_digest(NORTH.key), False)
    assert record.pem == NORTH.certificate.decode()
    assert record.expires_at == f"{seen.validity.ends:%Y-%m-%dT%H:%M:%SZ}"


class TestFirstRequests:
    @pytest.mark.parametrize("spec", [ClinicSpec(), spec_of(NORTH)])
    def test_a_new_name_and_the_same_key_again_are_admitted(self, spec: ClinicSpec) -> None:
        require_admissible(request_of(NORTH.key), spec, replace_key=False)

    def test_a_name_that_is_known_with_another_key_is_refused_unless_the_administrator_says_so(self) -> None:
        request = request_of(pki.new_key())

        with pytest.raises(EnrolmentError) as caught:
            require_admissible(request, spec_of(NORTH), replace_key=False)

        assert str(caught.value) == (
            f"clinic north is known with another key ({short(pki.key_digest(NORTH.key))}; this request has "
            f"{short(request.key_sha256)}): make sure by telephone that the clinic itself has made a new one, then "
            "call again with --replace-key, which revokes the one before"
        )
        require_admissible(request, spec_of(NORTH), replace_key=True)

    def test_a_name_stays_another_keys_after_its_certificate_has_ended(self) -> None:
        ended = record_of(REGISTRY.certify(NORTH.key)).model_copy(update={"expires_at": "2020-01-01T00:00:00Z"})

        with pytest.raises(EnrolmentError, match="known with another key"):
            require_admissible(request_of(pki.new_key()), ClinicSpec(certificates=[ended]), replace_key=False)

    @pytest.mark.parametrize("replace_key", [False, True])
    def test_a_revoked_key_is_never_admitted_again(self, replace_key: bool) -> None:
        with pytest.raises(EnrolmentError, match="was revoked for clinic north: have the clinic make a new one"):
            require_admissible(request_of(NORTH.key), revoked_spec(NORTH), replace_key=replace_key)

    def test_a_revoked_key_is_remembered_after_its_certificate_is_over(self) -> None:
        later, north = now() + 2 * YEAR, revoked_spec(NORTH)
        second = record_of(REGISTRY.certify(pki.new_key(), lifetime=3 * YEAR))

        spec = ClinicSpec(certificates=with_certificate(north, second, later))

        assert [(one.key_sha256, one.pem) for one in spec.certificates] == [
            (pki.key_digest(NORTH.key), ""),
            (second.key_sha256, second.pem),
        ]
        with pytest.raises(EnrolmentError, match="was revoked for clinic north: have the clinic make a new one"):
            require_admissible(request_of(NORTH.key), spec, replace_key=True)

    def test_of_more_revoked_keys_than_there_is_room_for_the_oldest_are_forgotten(self) -> None:
        gone = record_of(NORTH.certificate).model_copy(update={"revoked": True, "expires_at": "2020-01-01T00:00:00Z"})
        old = [gone.model_copy(update={"sha256": f"{n:064x}", "key_sha256": f"{n:064x}"}) for n in range(16)]
        current = [record_of(NORTH.certificate), record_of(REGISTRY.certify(pki.new_key()))]

        found = with_certificate(ClinicSpec(certificates=[*old[1:], current[0]]), current[1], now())
        again = with_certificate(ClinicSpec(certificates=[old[0], *old[2:]]), current[1], now())

        assert [one.key_sha256 for one in found] == [f"{n:064x}" for n in range(2, 16)] + [
            one.key_sha256 for one in current
        ]
        assert len(again) == 16

    def test_an_old_request_of_a_key_that_was_replaced_is_refused(self) -> None:
        with pytest.raises(EnrolmentError, match="was replaced by a newer one"):
            require_admissible(request_of(NORTH.key), spec_of(NORTH, REGISTRY.hold()), replace_key=False)


class TestSameAnswer:
    def test_a_key_that_has_a_certificate_keeps_it(self) -> None:
        known = usable(request_of(NORTH.key), spec_of(NORTH), REGISTRY.authority, now())

        assert known is not None
        assert known.pem.encode() == NORTH.certificate

    def test_near_its_end_it_gets_a_new_one(self) -> None:
        soon = now() + YEAR - timedelta(days=29)

        assert usable(request_of(NORTH.key), spec_of(NORTH), REGISTRY.authority, soon) is None

    @pytest.mark.parametrize(
        "spec",
        [
            ClinicSpec(),
            revoked_spec(NORTH),
            spec_of(NORTH, REGISTRY.hold()),
            # Forged on the hub: another certificate's text under the key's digest, another authority's certificate.
            ClinicSpec(
                certificates=[
                    record_of(NORTH.certificate).model_copy(update={"pem": REGISTRY.hold().certificate.decode()})
                ]
            ),
            spec_of(Held("north", NORTH.key, Registry().certify(NORTH.key))),
        ],
    )
    def test_what_is_not_its_own_certificate_by_this_authority_is_not_given_to_it(self, spec: ClinicSpec) -> None:
        assert usable(request_of(NORTH.key), spec, REGISTRY.authority, now()) is None


class TestRenewals:
    def ask(self, spec: ClinicSpec, *, by: bytes, clinic: str = "north", named: str = "north") -> pki.Request:
        request = request_of(pki.new_key(), named)
        signature = pki.sign_renewal(request.pem, by)
        require_renewal(request, signature, clinic=clinic, spec=spec, authority=REGISTRY.authority, now=now())
        return request

    def test_one_that_the_present_key_has_signed_is_granted(self) -> None:
        self.ask(spec_of(NORTH), by=NORTH.key)

    def test_a_request_for_another_clinics_name_is_refused_though_the_clinic_has_signed_it(self) -> None:
        with pytest.raises(EnrolmentError, match="the Lease of clinic south asks for the name north"):
            self.ask(spec_of(REGISTRY.hold("south")), by=NORTH.key, clinic="south", named="north")

    def test_a_request_that_the_hub_has_put_into_the_lease_is_refused(self) -> None:
        """Who can write Leases has no key of the clinic: any other signature is worth nothing."""
        with pytest.raises(EnrolmentError, match="is not signed by a key that has a valid certificate of it"):
            self.ask(spec_of(NORTH), by=pki.new_key())

    def test_a_record_that_the_hub_has_forged_does_not_help_it(self) -> None:
        forged = Registry().hold("north")

        with pytest.raises(EnrolmentError, match="is not signed by a key that has a valid certificate of it"):
            self.ask(spec_of(NORTH, forged), by=forged.key)

    def test_another_clinics_certificate_in_the_record_does_not_help_either(self) -> None:
        south = REGISTRY.hold("south")

        with pytest.raises(EnrolmentError, match="is not signed by a key that has a valid certificate of it"):
            self.ask(spec_of(NORTH, south), by=south.key)

    def test_a_revoked_certificate_renews_nothing(self) -> None:
        with pytest.raises(EnrolmentError, match="is not signed by a key that has a valid certificate of it"):
            self.ask(revoked_spec(NORTH), by=NORTH.key)

    def test_a_revoked_key_is_not_renewed_by_one_that_came_after(self) -> None:
        later = REGISTRY.hold("north")
        spec = ClinicSpec(certificates=[*revoked_spec(NORTH).certificates, *spec_of(later).certificates])
        request = request_of(NORTH.key)

        with pytest.raises(EnrolmentError, match="for a key that was revoked"):
            require_renewal(
                request,
                pki.sign_renewal(request.pem, later.key),
                clinic="north",
                spec=spec,
                authority=REGISTRY.authority,
                now=now(),
            )

    def test_a_certificate_that_has_ended_renews_nothing(self) -> None:
        request = request_of(pki.new_key())

        with pytest.raises(EnrolmentError, match="is not signed by a key that has a valid certificate of it"):
            require_renewal(
                request,
                pki.sign_renewal(request.pem, NORTH.key),
                clinic="north",
                spec=spec_of(NORTH),
                authority=REGISTRY.authority,
                now=now() + YEAR,
            )


def issued(number: int, expires_at: str = "2099-01-01T00:00:00Z") -> ClinicCertificate:
    return record_of(NORTH.certificate).model_copy(update={"sha256": f"{number:064x}", "expires_at": expires_at})


def test_certificates_that_have_ended_leave_the_record_and_the_newest_is_the_last() -> None:
    spec = ClinicSpec(certificates=[issued(1, "2020-01-01T00:00:00Z"), issued(2), issued(3)])

    found = with_certificate(spec, issued(2), now())

    assert [one.sha256[-1] for one in found] == ["3", "2"]


def test_a_record_never_grows_beyond_what_the_hub_takes() -> None:
    full = ClinicSpec(certificates=[issued(number) for number in range(16)])

    with pytest.raises(EnrolmentError, match="has 16 certificates that are not over"):
        with_certificate(full, issued(16), now())
    assert len(with_certificate(full, issued(15), now())) == 16


def test_a_digest_is_read_out_in_groups_of_four() -> None:
    assert short("0123456789abcdef" * 4) == "0123 4567 89ab cdef 0123 4567 89ab cdef"
