"""What a clinic from a backup becomes by the authority's journal: nobody is let in again, nothing is forgotten."""

from datetime import UTC, datetime

import pytest

from fedround_api.kinds import ClinicCertificate, ClinicSpec
from fedround_operator.enrolment.replay import Entry, What, caught_up, expected, refused

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def certificate(number: int, *, until: str = "2027-11-01", revoked: bool = False) -> ClinicCertificate:
    """The clinic's certificate of that number, each of another key, a day after the one before."""
    return ClinicCertificate(
        sha256=f"{number:064x}",
        key_sha256=f"{number + 100:064x}",
        issued_at=f"2026-11-{number:02d}T08:00:00Z",
        expires_at=f"{until}T08:00:00Z",
        revoked=revoked,
        pem=f"certificate {number}",
    )


def entry(what: What, *certificates: ClinicCertificate, clinic: str = "north", **labels: str) -> Entry:
    return Entry(
        at="2026-11-24T12:00:00Z",
        network="skin-network",
        clinic=clinic,
        what=what,
        certificates=list(certificates),
        labels=labels,
    )


def spec(*certificates: ClinicCertificate, suspended: bool = False) -> ClinicSpec:
    return ClinicSpec(certificates=list(certificates), suspended=suspended)


def ended(one: ClinicCertificate) -> ClinicCertificate:
    return one.model_copy(update={"revoked": True})


FIRST, SECOND, THIRD = certificate(1), certificate(2), certificate(3)


def test_who_was_revoked_since_is_revoked_and_suspended() -> None:
    found = caught_up(spec(FIRST), [entry(What.ISSUED, FIRST), entry(What.REVOKED, FIRST)], NOW)

    assert found.spec == spec(ended(FIRST), suspended=True)
    assert [one.what for one in found.missed] == [What.REVOKED]


def test_a_certificate_that_was_issued_since_is_on_record() -> None:
    found = caught_up(spec(FIRST), [entry(What.ISSUED, FIRST), entry(What.ISSUED, SECOND)], NOW)

    assert found.spec == spec(FIRST, SECOND)
    assert found.missed == [entry(What.ISSUED, SECOND)]


def test_a_key_that_was_replaced_since_is_revoked_and_the_clinic_stays_a_member() -> None:
    entries = [entry(What.ISSUED, FIRST), entry(What.REPLACED, FIRST), entry(What.ISSUED, SECOND, region="ontario")]

    found = caught_up(spec(FIRST), entries, NOW)

    assert found.spec == spec(ended(FIRST), SECOND)
    assert found.labels == {"region": "ontario"}


BACK = [
    entry(What.ISSUED, FIRST),
    entry(What.REVOKED, FIRST),
    entry(What.REPLACED, FIRST),
    entry(What.ISSUED, SECOND),
]


def test_who_was_revoked_is_not_let_in_again_by_a_certificate_alone() -> None:
    entries = [entry(What.ISSUED, FIRST), entry(What.REVOKED, FIRST), entry(What.ISSUED, SECOND)]

    for before in (spec(FIRST), spec(ended(FIRST), suspended=True)):
        assert caught_up(before, entries, NOW).spec == spec(ended(FIRST), ended(SECOND), suspended=True)


def test_a_clinic_that_was_revoked_and_taken_in_again_is_a_member() -> None:
    entries = BACK

    assert caught_up(spec(FIRST), entries, NOW).spec == spec(ended(FIRST), SECOND)


def test_a_suspension_by_the_administrator_outlives_a_new_key() -> None:
    entries = [entry(What.ISSUED, FIRST), entry(What.REPLACED, FIRST), entry(What.ISSUED, SECOND)]

    assert caught_up(spec(FIRST, suspended=True), entries, NOW).spec == spec(ended(FIRST), SECOND, suspended=True)


def test_a_suspension_ends_with_the_membership_that_had_it() -> None:
    entries = BACK

    for before in (spec(FIRST, suspended=True), spec(ended(FIRST), suspended=True)):
        assert caught_up(before, entries, NOW).spec == spec(ended(FIRST), SECOND)


@pytest.mark.parametrize("suspended", [False, True])
def test_a_member_stays_what_it_is_though_a_certificate_of_an_earlier_membership_never_reached_the_hub(
    suspended: bool,
) -> None:
    """FIRST was issued and its record broke off; the clinic had SECOND then, was revoked, and came back with THIRD."""
    entries = [
        entry(What.ISSUED, FIRST),
        entry(What.ISSUED, SECOND),
        entry(What.REVOKED, SECOND),
        entry(What.ISSUED, THIRD),
    ]

    found = caught_up(spec(ended(SECOND), THIRD, suspended=suspended), entries, NOW)

    assert found.spec == spec(ended(FIRST), ended(SECOND), THIRD, suspended=suspended)


def test_labels_that_were_given_anew_for_the_same_certificate_are_the_last_ones() -> None:
    entries = [entry(What.ISSUED, FIRST, region="ontario"), entry(What.ISSUED, FIRST, region="quebec", kind="school")]

    assert caught_up(spec(), entries, NOW).labels == {"region": "quebec", "kind": "school"}
    assert caught_up(spec(FIRST), entries, NOW).labels == {}


def test_a_certificate_that_was_renewed_and_then_revoked_with_the_rest_is_revoked() -> None:
    entries = [entry(What.ISSUED, FIRST), entry(What.ISSUED, SECOND), entry(What.REVOKED, FIRST, SECOND)]

    assert caught_up(spec(FIRST), entries, NOW).spec == spec(ended(FIRST), ended(SECOND), suspended=True)


def test_a_certificate_whose_record_on_the_hub_broke_off_is_revoked_with_the_rest() -> None:
    """Its line stands in the journal, and the hub of then did not know it when it revoked the clinic."""
    entries = [entry(What.ISSUED, FIRST), entry(What.ISSUED, SECOND), entry(What.REVOKED, SECOND)]

    assert caught_up(spec(), entries, NOW).spec == spec(ended(FIRST), ended(SECOND), suspended=True)
    assert refused(entries) == {FIRST.sha256, SECOND.sha256}


def test_a_revocation_of_what_a_journal_has_no_admission_of_counts() -> None:
    assert caught_up(spec(), [entry(What.REVOKED, FIRST)], NOW).spec == spec(ended(FIRST), suspended=True)


def test_a_backup_that_is_younger_than_the_journal_stays_as_it_is() -> None:
    present = spec(ended(FIRST), SECOND, suspended=True)
    entries = [entry(What.ISSUED, FIRST), entry(What.REVOKED, FIRST), entry(What.ISSUED, SECOND)]

    found = caught_up(present, entries, NOW)

    assert (found.spec, found.missed) == (present, [])


def test_who_has_caught_up_has_nothing_more_to_catch_up_on() -> None:
    entries = [entry(What.ISSUED, FIRST), entry(What.REPLACED, FIRST), entry(What.ISSUED, SECOND)]
    once = caught_up(spec(), entries, NOW).spec

    again = caught_up(once, entries, NOW)

    assert (again.spec, again.missed) == (once, [])


def test_what_is_over_needs_no_record() -> None:
    over = certificate(1, until="2026-11-27")

    found = caught_up(spec(SECOND), [entry(What.ISSUED, over), entry(What.REVOKED, over)], NOW)

    assert (found.spec, found.missed) == (spec(SECOND), [])


def test_the_newest_certificate_is_the_last_though_an_older_one_comes_from_the_journal() -> None:
    assert caught_up(spec(FIRST, THIRD), [entry(What.ISSUED, SECOND)], NOW).spec == spec(FIRST, SECOND, THIRD)


def test_the_gateway_refuses_what_was_withdrawn_and_not_what_came_after_it_or_is_another_clinics() -> None:
    entries = [
        entry(What.ISSUED, FIRST),
        entry(What.ISSUED, THIRD, clinic="south"),
        entry(What.REPLACED, FIRST),
        entry(What.ISSUED, SECOND),
    ]

    assert refused(entries) == {FIRST.sha256}


def test_a_member_is_whose_last_line_is_no_revocation() -> None:
    entries = [
        entry(What.ISSUED, FIRST),
        entry(What.REVOKED, FIRST),
        entry(What.ISSUED, FIRST, clinic="south"),
        entry(What.REVOKED, SECOND, clinic="east"),
        entry(What.REPLACED, SECOND, clinic="east"),
        entry(What.ISSUED, THIRD, clinic="east"),
    ]

    assert expected(entries) == {"south", "east"}
