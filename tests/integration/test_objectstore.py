"""The running object store: without credentials nothing goes in or out, by any of its ports; and it outlives a kill."""

import http.client
import io
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from minio import Minio
from minio.error import S3Error

from fedround_local.objectstore import BUCKET, NAME, REGION, ObjectStore, StoreKey, grpc_sockets, weed_binary
from fedround_local.processes import Processes
from fedround_operator.kit.pki import Authority

KEY = "clinics/north/round-1/plain/update.safetensors"
SECRET = os.urandom(64).hex().encode()
PATHS = (
    "/",
    "/fedround",
    f"/fedround/{KEY}",
    "/fedround?list-type=2",
    "/buckets/fedround/",
    f"/buckets/fedround/{KEY}",
    f"/buckets/fedround/{KEY}?metadata=true",
    "/dir/assign",
    "/dir/lookup?volumeId=1",
    "/dir/status",
    "/vol/status",
    "/vol/grow?count=1",
    "/col/delete?collection=fedround",
    "/cluster/status",
    "/stats/counter",
    "/status",
    "/metrics",
    "/ui/index.html",
    "/debug/pprof/",
    "/.tus/",
    *(f"/{volume},{needle}" for volume in (1, 2, 3) for needle in ("01", "0100000000")),
)
TLS_PATHS = ("/", "/dir/status", "/status", f"/buckets/fedround/{KEY}")


@dataclass
class Running:
    store: ObjectStore
    folder: Path

    def client(self, key: StoreKey) -> Minio:
        return Minio(self.store.address, key.access_key, key.secret_key, secure=False, region=REGION)

    def ports(self) -> set[int]:
        """Every TCP port that its process listens on, as the kernel tells it."""
        pid = self.store.processes.pid(NAME)
        assert pid is not None
        listening = [one for one in psutil.Process(pid).net_connections("tcp") if one.status == psutil.CONN_LISTEN]
        assert {one.laddr.ip for one in listening} == {"127.0.0.1"}
        return {one.laddr.port for one in listening}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("store")
    store = ObjectStore(folder / "objects", Processes(folder))
    try:
        store.start()
        started = Running(store, folder)
        started.client(store.keys.hub).put_object(BUCKET, KEY, io.BytesIO(SECRET), len(SECRET))
        yield started
    finally:
        store.stop()


def unverified() -> ssl.SSLContext:
    """An intruder does not care whose server it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def contexts(folder: Path) -> list[ssl.SSLContext | None]:
    """Plain text, TLS without a certificate, and TLS with the certificate of a clinic."""
    anonymous = unverified()
    clinic = unverified()
    pair = Authority.create("fedround-federation").issue_client("north", "clinics").write(folder, "clinic")
    clinic.load_cert_chain(*pair)
    return [None, anonymous, clinic]


def answer(port: int, context: ssl.SSLContext | None, method: str, path: str) -> tuple[int, bytes]:
    """(status, headers and body), or (0, b"") if there was no HTTP answer."""
    connection = (
        http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        if context is None
        else http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
    )
    try:
        connection.request(method, path, body=b"intruder" if method in ("PUT", "POST") else None)
        reply = connection.getresponse()
        return reply.status, str(reply.headers).encode() + reply.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def test_it_listens_on_the_ports_that_it_owns_and_on_no_other(running: Running) -> None:
    assert running.ports() == set(vars(running.store.ports).values())


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
def test_no_port_tells_or_takes_anything_without_credentials(running: Running, method: str) -> None:
    for port in running.ports():
        for context in contexts(running.folder):
            # What TLS refuses it refuses before any path is named.
            for path in PATHS if context is None else TLS_PATHS:
                status, text = answer(port, context, method, path)
                where = f"{method} {path} at {port} with {context}: {status} {text!r}"
                # S3's probe of life is the one thing that answers, with an empty body.
                alive = port == running.store.ports.s3 and path == "/status" and method in ("GET", "HEAD")
                assert (status in (0, 400, 403, 405)) or (alive and status == 200), where
                assert SECRET not in text, where
                assert alive or status != 200, where
    hub = running.client(running.store.keys.hub)
    assert [one.object_name for one in hub.list_objects(BUCKET, recursive=True)] == [KEY]
    assert hub.get_object(BUCKET, KEY).data == SECRET


def test_the_grpc_ports_ask_for_a_certificate_of_their_own_authority(running: Running) -> None:
    ports = running.store.ports
    for port in (ports.master_grpc, ports.volume_grpc, ports.filer_grpc, ports.s3_grpc):
        assert not grpc_speaks(port, None)
        for context in contexts(running.folder)[1:]:
            assert context is not None
            assert not grpc_speaks(port, context)
        own = unverified()
        own.load_cert_chain(running.store.folder / "pki" / "store.crt", running.store.folder / "pki" / "store.key")
        assert grpc_speaks(port, own), "the test must be able to see an open port"


def grpc_speaks(port: int, context: ssl.SSLContext | None) -> bool:
    """Whether the server answers the preface of HTTP/2 with its settings frame."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        try:
            if context is None:
                plain.sendall(preface)
                return plain.recv(9)[3:4] == b"\x04"
            context.set_alpn_protocols(["h2"])
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
                tls.sendall(preface)
                return tls.recv(9)[3:4] == b"\x04"
        except OSError:
            return False


@dataclass(frozen=True)
class Tool:
    """One of weed's own programs. `success` is in its output when it got through."""

    argv: tuple[str, ...]
    stdin: str
    success: bytes

    def run(self, running: Running, configuration: Path, file: Path) -> bytes:
        argv = [one.format(file=file, **vars(running.store.ports)) for one in self.argv]
        environment = {"HOME": str(file.parent), "PATH": ""}
        command = [str(weed_binary()), f"-config_dir={configuration}", *argv]
        try:
            done = subprocess.run(
                command,
                input=self.stdin.encode(),
                capture_output=True,
                cwd=configuration,
                env=environment,
                timeout=4,
                check=False,
            )
        except subprocess.TimeoutExpired as expired:
            # A tool that waits for an answer for ever has got none.
            return expired.stdout or b""
        return done.stdout


TOOLS = {
    "shell": Tool(
        ("shell", "-master=127.0.0.1:{master}.{master_grpc}", "-filer=127.0.0.1:{filer}.{filer_grpc}"),
        "fs.tree /buckets\n",
        b"update.safetensors",
    ),
    "upload": Tool(
        ("upload", "-master=127.0.0.1:{master}.{master_grpc}", "-maxMB=4", "{file}"), "", b'"fileName":"intruder.txt"'
    ),
}


@pytest.mark.parametrize("name", TOOLS)
def test_its_own_tools_get_through_with_its_certificates_only(running: Running, tmp_path: Path, name: str) -> None:
    file = tmp_path / "intruder.txt"
    file.write_bytes(b"intruder")
    assert TOOLS[name].success in TOOLS[name].run(running, running.store.folder, file)
    said = TOOLS[name].run(running, tmp_path, file)
    assert TOOLS[name].success not in said
    assert b"fid" not in said
    assert b"clinics" not in said


def test_the_filers_socket_asks_for_a_token_too(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(running.store.folder)
    for line in (f"GET /buckets/fedround/{KEY}", "GET /buckets/fedround/", "GET /", f"DELETE /buckets/fedround/{KEY}"):
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(5)
            plain.connect("filer.sock")
            plain.sendall(f"{line} HTTP/1.0\r\nAccept: application/json\r\n\r\n".encode())
            reply = b"".join(iter(lambda: plain.recv(65536), b""))
        assert b" 401 " in reply.splitlines()[0], (line, reply)
        assert SECRET not in reply


def test_its_sockets_and_secrets_belong_to_its_owner_only(running: Running) -> None:
    folder = running.store.folder
    assert folder.stat().st_mode & 0o077 == 0
    for name in ("keys.json", "s3.json", "security.toml", "pki/store.key", "pki/ca.key"):
        assert (folder / name).stat().st_mode & 0o077 == 0, name


def test_a_wrong_key_is_refused_and_the_hubs_key_cannot_remove_the_bucket_or_make_another(running: Running) -> None:
    hub = running.client(running.store.keys.hub)
    wrong = running.client(StoreKey(running.store.keys.hub.access_key, "wrong"))
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        wrong.get_object(BUCKET, KEY)
    with pytest.raises(S3Error, match="AccessDenied"):
        hub.make_bucket("another-bucket")
    with pytest.raises(S3Error, match="AccessDenied"):
        hub.remove_bucket(BUCKET)


def test_what_was_written_is_there_after_a_stop_and_after_a_kill(running: Running) -> None:
    store = running.store
    for number in range(2):
        content = os.urandom(5 * 2**20)
        key = f"published/model/{number}"
        running.client(store.keys.hub).put_object(BUCKET, key, io.BytesIO(content), len(content))
        before = (store.ports, store.keys)
        pid = store.processes.pid(NAME)
        assert pid is not None
        if number == 0:
            assert all(socket.exists() for socket in grpc_sockets(store.ports))
            store.stop()
            assert not any(socket.exists() for socket in grpc_sockets(store.ports))
        else:
            os.kill(pid, signal.SIGKILL)
            psutil.Process(pid).wait(10)
        again = ObjectStore(store.folder, store.processes)
        again.start()
        running.store = again
        assert (again.ports, again.keys) == before
        hub = running.client(again.keys.hub)
        assert hub.get_object(BUCKET, key).data == content
        assert hub.get_object(BUCKET, KEY).data == SECRET
        hub.put_object(BUCKET, f"{key}-more", io.BytesIO(b"more"), 4)
        hub.remove_object(BUCKET, f"{key}-more")
        hub.remove_object(BUCKET, key)
