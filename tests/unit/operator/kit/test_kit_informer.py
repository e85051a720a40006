"""What kopf is told of credentials that are renewed while it watches."""

from datetime import UTC, datetime

import pytest

from fedround_operator.kit.api import Credentials
from fedround_operator.kit.informer import connection_info

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("valid_seconds", "expiration"), [(300.0, datetime(2026, 11, 24, 12, 5, 0, tzinfo=UTC)), (None, None)]
)
def test_credentials_that_are_renewed_are_asked_for_again(
    valid_seconds: float | None, expiration: datetime | None
) -> None:
    found = connection_info(Credentials("https://gateway:443", "ca", "crt", "key", "token", valid_seconds), NOON)

    assert found.expiration == expiration
    assert (found.server, found.ca_path, found.certificate_path, found.private_key_path, found.token) == (
        "https://gateway:443",
        "ca",
        "crt",
        "key",
        "token",
    )
