"""When a certificate's next one is asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from fedround_operator.kit.validity import Validity

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ends", "renew_at"),
    [
        (datetime(2027, 1, 1, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC)),
        (datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)),
        (datetime(2026, 1, 4, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)),
    ],
)
def test_the_next_one_is_asked_for_a_month_before_the_end_or_in_the_last_third(
    ends: datetime, renew_at: datetime
) -> None:
    assert Validity(BEGINS, ends).renew_at == renew_at


def test_it_holds_from_its_first_moment_until_before_its_last() -> None:
    validity = Validity(BEGINS, BEGINS + timedelta(days=1))

    moments = [BEGINS - timedelta(seconds=1), BEGINS, BEGINS + timedelta(hours=23), BEGINS + timedelta(days=1)]

    assert [validity.holds(moment) for moment in moments] == [False, True, True, False]
