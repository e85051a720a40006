"""The clinic's transfers, against a server that speaks TLS 1.3, demands a certificate and answers as it is told."""

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fedround_operator.kit.pki import Authority, Credential
from fedround_training.errors import InputWrong, JobError, StoreRefused, StoreUnavailable, TooLarge
from fedround_training.store.presigned import Gateway


@dataclass
class Door:
    """A server that answers with `statuses` in turn, the last one for ever, and remembers what it was sent."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    declared_bytes: int = 7
    bodies: list[bytes] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)

    def answer(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


def certificate_folder(folder: Path, authority: Authority, credential: Credential) -> Path:
    folder.mkdir()
    (folder / "tls.crt").write_bytes(credential.certificate_pem)
    (folder / "tls.key").write_bytes(credential.key_pem)
    (folder / "ca.crt").write_bytes(authority.certificate_pem)
    return folder


@pytest.fixture
def authority() -> Authority:
    return Authority.create("federation")


@pytest.fixture
def door(tmp_path: Path, authority: Authority) -> Iterator[Door]:
    yield from serve(tmp_path / "server", authority, ssl.TLSVersion.TLSv1_3)


def serve(folder: Path, authority: Authority, version: ssl.TLSVersion) -> Iterator[Door]:
    door = Door()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(door.answer())
            self.send_header("Content-Length", str(door.declared_bytes))
            self.end_headers()
            self.wfile.write(b"weights")

        def do_PUT(self) -> None:
            certificate = self.connection.getpeercert()
            door.subjects.append(dict(pair[0] for pair in certificate["subject"])["commonName"])
            door.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(door.answer())
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    credential = authority.issue_server("gateway", ("127.0.0.1",))
    files = certificate_folder(folder, authority, credential)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / "tls.crt", files / "tls.key")
    context.load_verify_locations(files / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        door.url = (
            f"https://127.0.0.1:{server.server_address[1]}/federation/clinics/north/update?X-Amz-Signature=secret"
        )
        yield door
        server.shutdown()
        thread.join()


@pytest.fixture
def gateway(tmp_path: Path, authority: Authority) -> Gateway:
    return Gateway(certificate_folder(tmp_path / "clinic", authority, authority.issue_client("north", "clinics")), 0)


def test_a_checkpoint_is_fetched(door: Door, gateway: Gateway, tmp_path: Path) -> None:
    assert gateway.get(door.url, tmp_path / "got", 7).bytes == 7
    assert (tmp_path / "got").read_bytes() == b"weights"


def test_an_update_is_put_with_the_clinics_certificate(door: Door, gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "update").write_bytes(b"update")

    gateway.put(door.url, tmp_path / "update")

    assert (door.bodies, door.subjects) == ([b"update"], ["north"])


def test_a_server_that_fails_for_a_moment_is_asked_again_with_the_whole_body(
    door: Door, gateway: Gateway, tmp_path: Path
) -> None:
    (tmp_path / "update").write_bytes(b"update")
    door.statuses = [503, 200]

    gateway.put(door.url, tmp_path / "update")

    assert door.bodies == [b"update", b"update"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, StoreRefused),
        (404, StoreRefused),
        (302, StoreRefused),
        (413, TooLarge),
        (429, StoreUnavailable),
        (500, StoreUnavailable),
        (503, StoreUnavailable),
    ],
)
def test_every_other_answer_has_its_error_and_keeps_the_url_secret(
    door: Door, gateway: Gateway, tmp_path: Path, status: int, error: type[JobError]
) -> None:
    (tmp_path / "update").write_bytes(b"update")
    door.statuses = [status]

    with pytest.raises(error) as caught:
        gateway.put(door.url, tmp_path / "update")
    assert "secret" not in str(caught.value)
    assert str(status) in str(caught.value) or error is TooLarge


def test_more_than_was_announced_is_refused(door: Door, gateway: Gateway, tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        gateway.get(door.url, tmp_path / "got", 6)
    assert not (tmp_path / "got").exists()


def test_a_transfer_that_breaks_off_is_worth_another_attempt(door: Door, gateway: Gateway, tmp_path: Path) -> None:
    door.declared_bytes = 100

    with pytest.raises(StoreUnavailable, match="broke off"):
        gateway.get(door.url, tmp_path / "got", 100)
    assert not (tmp_path / "got").exists()


def test_nobody_listening_is_worth_another_attempt(gateway: Gateway, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        gateway.get("https://127.0.0.1:9/checkpoint", tmp_path / "got", 7)


def test_a_server_of_another_authority_is_not_trusted(door: Door, tmp_path: Path) -> None:
    stranger = Authority.create("another federation")
    folder = certificate_folder(tmp_path / "stranger", stranger, stranger.issue_client("north", "clinics"))

    with pytest.raises(StoreRefused, match="certificates"):
        Gateway(folder, 0).get(door.url, tmp_path / "got", 7)


def test_an_older_version_of_tls_is_refused(tmp_path: Path, authority: Authority, gateway: Gateway) -> None:
    for door in serve(tmp_path / "old", authority, ssl.TLSVersion.TLSv1_2):
        with pytest.raises(StoreRefused):
            gateway.get(door.url, tmp_path / "got", 7)


def test_a_url_without_tls_is_refused(gateway: Gateway, tmp_path: Path) -> None:
    with pytest.raises(InputWrong, match="https"):
        gateway.get("http://127.0.0.1:9/checkpoint", tmp_path / "got", 7)


def test_a_folder_without_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputWrong, match=r"tls\.crt"):
        Gateway(tmp_path)
