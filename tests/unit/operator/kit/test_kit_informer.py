"""What kopf is told of credentials that are renewed while it watches, and what is seen of its requests."""

import asyncio
from datetime import UTC, datetime

import pytest

from fedround_operator.kit.api import Credentials
from fedround_operator.kit.health import Watches
from fedround_operator.kit.informer import connection_info, session
from fedround_operator.kit.resources import ROUNDS
from support.http_stub import HttpStub, answer

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


class Asked:
    """An API server that answers as a test says, asked through the session that kopf gets."""

    def __init__(self, status: int) -> None:
        self.stub = HttpStub(lambda _: answer(status))
        self.watches = Watches([ROUNDS])

    def get(self, path: str) -> None:
        async def call() -> None:
            made = session(
                connection_info(Credentials(self.stub.address, None, None, None, "a-token"), NOON), self.watches
            )
            async with made.aiohttp_session as client, client.get(f"{made.server}{path}"):
                """The answer's head is enough."""

        asyncio.run(call())
        self.stub.close()


@pytest.mark.parametrize(
    "path",
    [
        "/apis/fedround.dev/v1alpha1/federatedrounds?watch=true&timeoutSeconds=60",
        "/apis/fedround.dev/v1alpha1/namespaces/skin/federatedrounds",
    ],
)
def test_a_listing_or_a_watch_that_is_answered_is_a_sign_of_life(path: str) -> None:
    asked = Asked(200)

    asked.get(path)

    assert asked.watches.missing() == ""
    assert asked.stub.asked[0].headers["authorization"] == "Bearer a-token"


@pytest.mark.parametrize(
    ("status", "path"), [(503, "/apis/fedround.dev/v1alpha1/federatedrounds"), (200, "/apis/fedround.dev/v1alpha1")]
)
def test_a_refusal_and_an_answer_about_something_else_are_none(status: int, path: str) -> None:
    asked = Asked(status)

    asked.get(path)

    assert asked.watches.missing() == "the API server has not answered the watch of federatedrounds yet"
