"""Credentials that are renewed while the client runs: used from the next request on, and never in parts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fedround_operator.kit.api import Credentials, connect_with
from fedround_operator.kit.errors import ApiUnreachable
from fedround_operator.kit.gatewayfiles import GatewayFiles, connect_gateway
from fedround_operator.kit.resources import LEASES
from support.http_stub import HttpStub


class Files:
    """A clinic's files: a link to a folder, and a token."""

    def __init__(self, folder: Path) -> None:
        self.link, self.token = folder / "current", folder / "token"
        self.lay_out("one")
        self.token.write_text("first\n")
        self.gateway = GatewayFiles("gateway:443", self.link, self.token)

    def lay_out(self, name: str) -> None:
        folder = self.link.with_name(name)
        folder.mkdir()
        for file in ("tls.crt", "tls.key", "ca.crt"):
            (folder / file).write_text(name)
        part = self.link.with_name("part")
        part.symlink_to(name)
        part.replace(self.link)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_the_files_are_named_by_their_own_folder_not_by_the_link(files: Files, tmp_path: Path) -> None:
    assert files.gateway.read() == Credentials(
        server="https://gateway:443",
        ca_file=str(tmp_path / "one" / "ca.crt"),
        certificate_file=str(tmp_path / "one" / "tls.crt"),
        key_file=str(tmp_path / "one" / "tls.key"),
        token="first",
    )


def test_nothing_is_renewed_while_nothing_changes(files: Files) -> None:
    files.gateway.read()

    assert files.gateway.renewed() is None


def test_another_folder_is_a_renewal_once(files: Files, tmp_path: Path) -> None:
    files.gateway.read()

    files.lay_out("two")

    renewed = files.gateway.renewed()
    assert renewed is not None
    assert renewed.key_file == str(tmp_path / "two" / "tls.key")
    assert files.gateway.renewed() is None


def test_another_token_is_a_renewal(files: Files) -> None:
    files.gateway.read()

    files.token.unlink()
    files.token.write_text("second")

    renewed = files.gateway.renewed()
    assert renewed is not None
    assert renewed.token == "second"


def test_files_that_are_away_for_a_moment_change_nothing(files: Files) -> None:
    files.gateway.read()

    files.token.unlink()
    assert files.gateway.renewed() is None

    files.token.write_text("second")
    assert files.gateway.renewed() is not None


def test_a_renewal_that_cannot_be_read_yet_is_taken_up_when_it_can(files: Files, tmp_path: Path) -> None:
    files.gateway.read()

    files.lay_out("two")
    (tmp_path / "two").rename(tmp_path / "late")
    assert files.gateway.renewed() is None

    (tmp_path / "late").rename(tmp_path / "two")
    renewed = files.gateway.renewed()
    assert renewed is not None
    assert renewed.key_file == str(tmp_path / "two" / "tls.key")


def test_a_clinic_without_files_cannot_connect(tmp_path: Path) -> None:
    with pytest.raises(ApiUnreachable, match=r"https://gateway:443: .*token cannot be read"):
        connect_gateway("gateway:443", tmp_path / "current", tmp_path / "token")


@pytest.fixture
def stub() -> Iterator[HttpStub]:
    made = HttpStub()
    yield made
    made.close()


def test_a_client_uses_what_was_renewed_from_its_next_request_on(stub: HttpStub) -> None:
    def credentials(token: str) -> Credentials:
        return Credentials(stub.address, None, None, None, token)

    news: list[Credentials] = []
    api = connect_with(credentials("first"), lambda: news.pop() if news else None)

    api.get(LEASES, "clinic-north", "agent")
    news.append(credentials("second"))
    api.get(LEASES, "clinic-north", "agent")
    api.get(LEASES, "clinic-north", "agent")

    assert [one.headers["authorization"] for one in stub.asked] == ["Bearer first", "Bearer second", "Bearer second"]
    assert (api.credentials.token, api.credentials.valid_seconds) == ("second", 300.0)


def test_credentials_that_nobody_renews_hold_for_ever(stub: HttpStub) -> None:
    api = connect_with(Credentials(stub.address, None, None, None, "only"))

    assert api.credentials.valid_seconds is None
