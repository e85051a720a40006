"""The running gateway: who gets through the one door, to what, and what never does."""

import http.client
import io
import json
import socket
import ssl
import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from minio.error import S3Error

from fedround_local.objectstore import BUCKET
from fedround_operator.kit.pki import fingerprint
from support.gateway_fixture import LARGEST_UPLOAD_BYTES, Door, door

__all__ = ["door"]

OWN = "clinics/north/round-1/plain/update.safetensors"
FOREIGN = "clinics/south/round-1/plain/update.safetensors"
NEIGHBOUR = "clinics/north2/round-1/plain/update.safetensors"
PUBLISHED = "published/skin-lesion/0a1b.safetensors"
TOKEN = {"Authorization": "Bearer the-token"}
ROUNDS = "/apis/fedround.dev/v1alpha1/namespaces/clinic-north/clinicrounds"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/clinic-north/leases/agent"


def put(door: Door, key: str, content: bytes) -> None:
    door.hub.put_object(BUCKET, key, io.BytesIO(content), len(content))


def stored(door: Door, key: str) -> bytes | None:
    try:
        return door.hub.get_object(BUCKET, key).data
    except S3Error as error:
        if error.code != "NoSuchKey":
            raise
        return None


def until(look: Callable[[], bool], seconds: float = 10) -> None:
    """A reload may cut a connection that is just being made: clients try again, and so does this."""

    def seen() -> bool:
        try:
            return look()
        except ConnectionError:
            return False

    limit = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < limit, "not seen in time"
        time.sleep(0.05)


# --- the handshake


def refused(door: Door, context: ssl.SSLContext) -> bool:
    """Whether no answer comes: TLS 1.3 tells a client only after the handshake that its certificate was refused."""
    connection = door.connect(context)
    try:
        connection.request("GET", door.presigned("GET", PUBLISHED))
        connection.getresponse()
    except (ssl.SSLError, ConnectionError):
        return True
    finally:
        connection.close()
    return False


def test_without_a_certificate_there_is_no_answer(door: Door) -> None:
    assert refused(door, ssl.create_default_context(cafile=str(door.gateway.settings.federation_ca)))


def test_without_a_certificate_another_server_name_does_not_help(door: Door) -> None:
    context = ssl.create_default_context(cafile=str(door.gateway.settings.federation_ca))
    context.check_hostname = False
    settings = door.gateway.settings
    for name in ("localhost", "gateway", "127.0.0.1", None):
        with socket.create_connection((settings.bind, settings.port), timeout=10) as plain:
            try:
                with context.wrap_socket(plain, server_hostname=name) as tls:
                    tls.sendall(b"GET /version HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\n\r\n")
                    answer = tls.recv(100)
            except (ssl.SSLError, ConnectionError):
                answer = b""
        assert answer == b"", name


def test_a_certificate_of_another_authority_gets_no_answer(door: Door) -> None:
    door.install("impostor", door.stranger.issue_client("north", "clinics"))
    assert refused(door, door.context("impostor"))


def test_tls_1_2_is_refused(door: Door) -> None:
    context = door.context("old-tls")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert refused(door, context)


def test_a_certificate_that_names_no_clinic_opens_nothing(door: Door) -> None:
    door.install("no-clinic", door.authority.issue_client("north"))
    for target in (door.presigned("GET", PUBLISHED), "/version"):
        assert door.ask("no-clinic", "GET", target, headers=TOKEN).status == 403


# --- objects


def test_a_clinic_writes_and_reads_its_own_objects_by_presigned_url(door: Door) -> None:
    assert door.ask("north", "PUT", door.presigned("PUT", OWN), b"masked").status == 200
    assert stored(door, OWN) == b"masked"
    assert door.ask("north", "GET", door.presigned("GET", OWN)).body == b"masked"
    assert door.ask("north", "HEAD", door.presigned("HEAD", OWN)).status == 200


def test_every_clinic_reads_what_is_published_and_none_writes_it(door: Door) -> None:
    put(door, PUBLISHED, b"checkpoint")
    assert door.ask("north", "GET", door.presigned("GET", PUBLISHED)).body == b"checkpoint"
    assert door.ask("south", "GET", door.presigned("GET", PUBLISHED)).body == b"checkpoint"
    assert door.ask("north", "PUT", door.presigned("PUT", PUBLISHED), b"spoiled").status == 403
    assert stored(door, PUBLISHED) == b"checkpoint"


@pytest.mark.parametrize("key", [FOREIGN, NEIGHBOUR, "rounds/round-1/candidate.safetensors", "clinics/north"])
def test_a_valid_presigned_url_of_somebody_else_is_refused(door: Door, key: str) -> None:
    put(door, key, b"secret")
    assert door.ask("north", "GET", door.presigned("GET", key)).status == 403
    assert door.ask("north", "PUT", door.presigned("PUT", key), b"spoiled").status == 403
    assert stored(door, key) == b"secret"


def test_a_url_is_worth_nothing_without_its_signature_or_for_another_object_or_operation(door: Door) -> None:
    put(door, OWN, b"before")
    signed = door.presigned("PUT", OWN)
    query = signed.partition("?")[2]
    targets = [
        signed.partition("?")[0],
        f"/{BUCKET}/{OWN}?X-Amz-Signature=0",
        f"/{BUCKET}/clinics/north/round-1/plain/other.safetensors?{query}",
        *(
            f"{signed}&{extra}"
            for extra in ("acl", "tagging", "uploads", "retention", "uploadId=1&partNumber=1", "x=1")
        ),
        *(f"/{BUCKET}/{OWN}?{extra}" for extra in ("acl", "tagging", "policy", "uploads")),
        door.presigned("GET", OWN),
    ]
    for target in targets:
        assert door.ask("north", "PUT", target, b"after").status == 403, target
    assert stored(door, OWN) == b"before"


def test_an_expired_url_is_refused(door: Door) -> None:
    target = door.presigned("PUT", "clinics/north/late", seconds=1)
    until(lambda: door.ask("north", "PUT", target, b"late").status == 403)


def test_the_hubs_own_key_in_a_header_is_not_passed_on(door: Door) -> None:
    put(door, OWN, b"mine")
    header = {"Authorization": "AWS4-HMAC-SHA256 Credential=x", "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}
    assert door.ask("north", "GET", f"/{BUCKET}/{OWN}", headers=header).status == 403


def test_an_upload_cannot_be_turned_into_a_copy_of_another_clinics_object(door: Door) -> None:
    put(door, FOREIGN, b"secret of south")
    header = {"x-amz-copy-source": f"/{BUCKET}/{FOREIGN}", "x-amz-metadata-directive": "COPY"}
    door.ask("north", "PUT", door.presigned("PUT", OWN), b"own", header)
    assert stored(door, OWN) == b"own"


@pytest.mark.parametrize("method", ["DELETE", "POST", "PATCH", "OPTIONS", "PROPFIND"])
def test_no_other_method_reaches_the_store(door: Door, method: str) -> None:
    put(door, OWN, b"mine")
    signed_method = method if method in ("DELETE", "POST") else "GET"
    assert door.ask("north", method, door.presigned(signed_method, OWN)).status == 403
    assert stored(door, OWN) == b"mine"


@pytest.mark.parametrize(
    "target",
    [
        f"/{BUCKET}",
        f"/{BUCKET}/",
        f"/{BUCKET}?list-type=2",
        f"/{BUCKET}?list-type=2&prefix=clinics/north/",
        "/",
        "/metrics",
    ],
)
def test_listing_is_refused(door: Door, target: str) -> None:
    put(door, OWN, b"mine")
    query = door.presigned("GET", OWN).partition("?")[2]
    for attempt in (target, f"{target}{'&' if '?' in target else '?'}{query}"):
        reply = door.ask("north", "GET", attempt)
        assert reply.status == 403
        assert b"update.safetensors" not in reply.body


@pytest.mark.parametrize(
    "path",
    [
        "/fedround/clinics/north/../south/round-1/plain/update.safetensors",
        "/fedround/clinics/south/../north/round-1/plain/update.safetensors",
        "/fedround/clinics/north/%2e%2e/south/round-1/plain/update.safetensors",
        "/fedround/clinics/north%2f..%2fsouth/round-1/plain/update.safetensors",
        "/fedround/clinics/north/..%2fsouth/round-1/plain/update.safetensors",
        "/fedround/clinics/%73outh/round-1/plain/update.safetensors",
        "/fedround//clinics/north/round-1/plain/update.safetensors",
        "/fedround/clinics/north//round-1/plain/update.safetensors",
        "//fedround/clinics/north/round-1/plain/update.safetensors",
        "/fedround/clinics/./north/round-1/plain/update.safetensors",
        "/fedround/published/../clinics/south/round-1/plain/update.safetensors",
        "/fedround/published/%2e%2e/clinics/south/round-1/plain/update.safetensors",
        "/fedround/clinics/NORTH/round-1/plain/update.safetensors",
        "/FEDROUND/clinics/north/round-1/plain/update.safetensors",
        "/fedround/clinics/north/.hidden",
        "/fedround/clinics/north\\..\\south/round-1/plain/update.safetensors",
        "/fedround/clinics/north;/round-1/plain/update.safetensors",
        "/fedround/clinics/north/round-1/plain/update.safetensors%00",
        "https://127.0.0.1/fedround/clinics/north/round-1/plain/update.safetensors",
    ],
)
def test_path_tricks_are_refused_at_the_gateway(door: Door, path: str) -> None:
    put(door, FOREIGN, b"secret")
    query = door.presigned("GET", FOREIGN).partition("?")[2]
    reply = door.ask("north", "GET", f"{path}?{query}")
    assert reply.status in (400, 403)
    assert b"secret" not in reply.body
    assert b"<Error>" not in reply.body, "the store answered, not the gateway"


def test_an_upload_above_the_limit_is_refused_and_leaves_nothing(door: Door) -> None:
    key = "clinics/north/round-1/plain/large"
    reply = door.ask("north", "PUT", door.presigned("PUT", key), bytes(LARGEST_UPLOAD_BYTES + 1))
    assert reply.status == 413
    assert b"at most 25165824 bytes" in reply.body
    assert stored(door, key) is None


def test_an_upload_of_unknown_length_is_cut_at_the_limit(door: Door) -> None:
    key = "clinics/north/round-1/plain/endless"
    connection = door.connect(door.context("north"))
    chunks = (bytes(2**20) for _ in range(LARGEST_UPLOAD_BYTES // 2**20 + 1))
    try:
        connection.request("PUT", door.presigned("PUT", key), body=chunks, encode_chunked=True)
        assert connection.getresponse().status >= 400
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        connection.close()
    assert stored(door, key) is None


def test_an_upload_at_the_limit_is_taken(door: Door) -> None:
    key = "clinics/north/round-1/plain/just-fits"
    assert door.ask("north", "PUT", door.presigned("PUT", key), bytes(LARGEST_UPLOAD_BYTES)).status == 200
    assert len(stored(door, key) or b"") == LARGEST_UPLOAD_BYTES


def test_an_update_can_be_written_once_only(door: Door) -> None:
    key = "clinics/north/round-2/plain/update.safetensors"
    once = {"If-None-Match": "*"}
    assert door.ask("north", "PUT", door.presigned("PUT", key), b"first", once).status == 200
    assert door.ask("north", "PUT", door.presigned("PUT", key), b"second", once).status == 412
    assert stored(door, key) == b"first"


# --- the hub's Kubernetes API


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", ROUNDS),
        ("GET", f"{ROUNDS}?limit=500&resourceVersion=0"),
        ("PATCH", f"{ROUNDS}/skin-2026-w48-0a1b2c3d/status"),
        ("GET", LEASE),
        ("PATCH", LEASE),
        ("PUT", LEASE),
        *(("GET", path) for path in ("/version", "/api", "/apis", "/api/v1", "/apis/fedround.dev/v1alpha1")),
        ("GET", "/apis/coordination.k8s.io"),
        ("GET", "/apis/batch/v1"),
    ],
)
def test_what_an_agent_needs_of_the_api_passes_with_its_token(door: Door, method: str, target: str) -> None:
    body = b'{"status":{}}' if method != "GET" else None
    reply = door.ask("north", method, target, body, TOKEN)
    assert (reply.status, json.loads(reply.body)) == (200, {"path": target})
    seen = door.api.seen[-1]
    assert (seen.method, seen.path, seen.body) == (method, target, body or b"")
    assert seen.headers["authorization"] == "Bearer the-token"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", ROUNDS.replace("clinic-north", "clinic-south")),
        ("GET", ROUNDS.replace("clinic-north", "clinic-north2")),
        ("GET", ROUNDS.replace("clinic-north", "skin-network")),
        ("GET", ROUNDS.replace("clinic-north", "clinic-north/../clinic-south")),
        ("GET", ROUNDS.replace("clinic-north", "clinic-north%2f..%2fclinic-south")),
        ("GET", ROUNDS.replace("clinic-north", "Clinic-North")),
        ("GET", "/apis/fedround.dev/v1alpha1/clinicrounds"),
        ("GET", "/apis/fedround.dev/v1alpha1/namespaces/clinic-north"),
        ("GET", "/apis/fedround.dev/v1beta1/namespaces/clinic-north/clinicrounds"),
        ("DELETE", f"{ROUNDS}/one"),
        ("POST", ROUNDS),
        ("GET", "/apis/coordination.k8s.io/v1/namespaces/clinic-south/leases/agent"),
        ("GET", "/api/v1/namespaces/clinic-north/secrets"),
        ("GET", "/api/v1/namespaces/clinic-north"),
        ("GET", "/apis/batch/v1/jobs"),
        ("GET", "/apis/batch/v1/namespaces/clinic-north/jobs"),
        ("POST", "/apis"),
        *(("GET", path) for path in ("/metrics", "/healthz", "/openapi/v2", "/logs", "/api/v1/nodes", "/version/x")),
    ],
)
def test_nothing_else_of_the_api_is_reached(door: Door, method: str, target: str) -> None:
    before = len(door.api.seen)
    assert door.ask("north", method, target, headers=TOKEN).status == 403
    assert len(door.api.seen) == before


def test_without_a_bearer_token_the_api_is_not_asked(door: Door) -> None:
    before = len(door.api.seen)
    assert door.ask("north", "GET", ROUNDS).status == 403
    assert door.ask("north", "GET", "/version", headers={"Authorization": "Basic eDp5"}).status == 403
    assert len(door.api.seen) == before


def test_no_identity_but_the_token_reaches_the_api(door: Door) -> None:
    forged = {
        "X-Remote-User": "admin",
        "X-Remote-Group": "system:masters",
        "X-Remote-Extra-Scopes": "all",
        "x_remote_user": "admin",
        "Impersonate-User": "admin",
        "Impersonate-Group": "system:masters",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-User": "admin",
        "Forwarded": "for=10.0.0.1",
        "Cookie": "session=1",
    }
    assert door.ask("north", "GET", ROUNDS, headers={**TOKEN, **forged}).status == 200
    seen = door.api.seen[-1]
    assert seen.certificate is None
    allowed = {"host", "user-agent", "accept-encoding", "authorization", "via", "x_remote_user"}
    assert set(seen.headers) <= allowed


def test_a_large_body_for_the_api_is_refused(door: Door) -> None:
    assert door.ask("north", "PATCH", f"{ROUNDS}/one/status", bytes(2**20 + 1), TOKEN).status == 413


def test_a_watch_delivers_each_event_as_it_happens(door: Door) -> None:
    door.api.second_line.clear()
    connection = door.connect(door.context("north"))
    try:
        connection.request("GET", f"{ROUNDS}?watch=1", headers=TOKEN)
        answer = connection.getresponse()
        assert answer.readline() == b"first\n"
        door.api.second_line.set()
        assert answer.readline() == b"second\n"
    finally:
        connection.close()


# --- revocation, refusals, logs


def test_a_revoked_certificate_is_refused_after_a_reload_and_the_others_are_not(door: Door) -> None:
    revoked = door.install("revoked", door.authority.issue_client("east", "clinics"))
    door.install("renewed", door.authority.issue_client("east", "clinics"))
    put(door, PUBLISHED, b"checkpoint")
    assert door.ask("revoked", "GET", door.presigned("GET", PUBLISHED)).status == 200
    door.gateway.revoke([fingerprint(revoked.certificate_pem)])
    try:
        until(lambda: door.ask("revoked", "GET", door.presigned("GET", PUBLISHED)).status == 403)
        assert door.ask("revoked", "GET", ROUNDS.replace("north", "east"), headers=TOKEN).status == 403
        assert door.ask("renewed", "GET", door.presigned("GET", PUBLISHED)).status == 200
        assert door.ask("north", "GET", door.presigned("GET", PUBLISHED)).status == 200
    finally:
        door.gateway.revoke([])
    until(lambda: door.ask("revoked", "GET", door.presigned("GET", PUBLISHED)).status == 200)


def test_a_revocation_is_in_force_at_once_while_another_clinic_watches(door: Door) -> None:
    revoked = door.install("gone", door.authority.issue_client("far-east", "clinics"))
    door.api.second_line.clear()
    connection = door.connect(door.context("north"))
    try:
        connection.request("GET", f"{ROUNDS}?watch=1", headers=TOKEN)
        answer = connection.getresponse()
        assert answer.readline() == b"first\n"
        door.gateway.revoke(["0" * 64])
        door.gateway.revoke([fingerprint(revoked.certificate_pem)])
        until(lambda: door.ask("gone", "GET", "/version", headers=TOKEN).status == 403, seconds=3)
        door.api.second_line.set()
        assert answer.readline() == b"second\n", "the watch of the other clinic went on"
    finally:
        door.gateway.revoke([])
        connection.close()


def stays_open(door: Door) -> http.client.HTTPSConnection:
    """A connection of the clinic `listening` that has had an answer and stays: while the gateway goes over to a list
    that a test before has changed, it closes each after its answer."""
    kept: list[http.client.HTTPSConnection] = []

    def look() -> bool:
        connection = door.connect(door.context("listening"))
        connection.request("GET", door.presigned("GET", PUBLISHED))
        assert connection.getresponse().read() == b"checkpoint"
        if connection.sock is None:
            return False
        kept.append(connection)
        return True

    until(look)
    return kept[0]


def test_a_connection_that_was_open_before_the_revocation_does_not_go_on(door: Door) -> None:
    revoked = door.install("listening", door.authority.issue_client("west", "clinics"))
    put(door, PUBLISHED, b"checkpoint")
    connection = stays_open(door)
    try:
        plain: Any = connection.sock
        door.gateway.revoke([fingerprint(revoked.certificate_pem)])
        until(lambda: door.ask("listening", "GET", door.presigned("GET", PUBLISHED)).status == 403)
        assert plain.recv(1) == b"", "the gateway closes what was open and idle"
    finally:
        connection.close()
        door.gateway.revoke([])
    until(lambda: door.ask("listening", "GET", door.presigned("GET", PUBLISHED)).status == 200)


def test_a_refusal_says_what_is_allowed(door: Door) -> None:
    reply = door.ask("north", "GET", "/fedround/clinics/south/x")
    assert b"'north' opens /fedround/clinics/north/ (GET, HEAD, PUT)" in reply.body


def test_no_signature_or_token_is_in_a_log(door: Door) -> None:
    door.ask("north", "PUT", door.presigned("PUT", OWN), b"logged")
    door.ask("north", "GET", f"{ROUNDS}?fieldSelector=planted", headers=TOKEN)
    access = door.gateway.settings.access_log
    until(lambda: "clinicrounds?-" in access.read_text())
    text = access.read_text() + door.gateway.processes.log_path("gateway").read_text()
    assert f'"uri":"/{BUCKET}/{OWN}?-"' in text
    assert '"client_common_name":"north"' in text
    for secret in ("X-Amz-", "the-token", "planted", "fieldSelector"):
        assert secret not in text, secret


def test_an_upstream_that_is_away_gives_502_and_logs_no_secret(door: Door) -> None:
    door.store.stop()
    try:
        assert door.ask("north", "PUT", door.presigned("PUT", OWN), b"x").status == 502
    finally:
        door.store.start()
    assert "X-Amz-" not in door.gateway.processes.log_path("gateway").read_text()
