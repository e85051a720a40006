"""What `helm test` and the bucket's maker do, with a real gateway and a real object store."""

import hashlib
import io
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from minio import Minio

from fedround_api.checks import CheckFailed, made, read_checks
from fedround_api.jobs import StoreAddress
from fedround_local.objectstore import BUCKET, REGION, StoreKey
from fedround_operator.agent import check as agent_check
from fedround_operator.agent.entrance import NEEDS, Entrance
from fedround_operator.hub import check as hub_check
from fedround_operator.hub.bucket import Bucket, StoreUnusable
from fedround_operator.hub.gatewayshown import shown_certificate_end
from fedround_operator.hub.prepare import ensure
from fedround_operator.kit.checks import patient
from fedround_operator.kit.pki import Authority, fingerprint, read_certificate, request_certificate
from fedround_operator.kit.process import utc_now
from support.api_stub import ApiStub
from support.federation_fixture import wait_for
from support.gateway_fixture import Door, door

__all__ = ["door"]


def bucket_of(door: Door, folder: Path, key: StoreKey, name: str = BUCKET, endpoint: str = "") -> Bucket:
    (folder / "access-key").write_text(key.access_key)
    (folder / "secret-key").write_text(key.secret_key)
    return Bucket(
        StoreAddress(endpoint=endpoint or door.store.address, bucket=name, region=REGION, https=False), folder
    )


@pytest.fixture
def bucket(door: Door, tmp_path: Path) -> Bucket:
    return bucket_of(door, tmp_path, door.store.keys.hub)


# --- the bucket


def test_a_missing_bucket_is_made_once(door: Door, tmp_path: Path) -> None:
    made = bucket_of(door, tmp_path, door.store.keys.admin, "fedround-new")

    assert made.ensure() is True
    assert made.ensure() is False
    made.probe()


def test_the_maker_waits_for_a_store_that_is_not_there_yet(door: Door, tmp_path: Path) -> None:
    away = bucket_of(door, tmp_path, door.store.keys.hub, endpoint="127.0.0.1:9")
    stop = threading.Event()
    waiting = threading.Thread(target=ensure, args=(away, stop, 0.01))
    waiting.start()

    waiting.join(timeout=0.3)
    assert waiting.is_alive()
    stop.set()
    waiting.join(timeout=10)
    assert not waiting.is_alive()
    assert ensure(bucket_of(door, tmp_path, door.store.keys.hub), threading.Event()) is True


def test_the_stores_check_leaves_nothing_behind(door: Door, bucket: Bucket) -> None:
    assert hub_check.store(bucket) == "an object was written, read and removed"

    admin = door.store.keys.admin
    client = Minio(door.store.address, admin.access_key, admin.secret_key, secure=False, region=REGION)
    assert [one.object_name for one in client.list_objects(BUCKET, "rounds/", recursive=True)] == []


def test_keys_that_the_store_does_not_know_are_told(door: Door, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="refuses to write an object in fedround: InvalidAccessKeyId"):
        hub_check.store(bucket_of(door, tmp_path, StoreKey("NOBODY", "secret")))


def test_a_store_that_is_away_is_told(door: Door, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="did not write an object"):
        hub_check.store(bucket_of(door, tmp_path, door.store.keys.hub, endpoint="127.0.0.1:9"))


def test_a_test_set_is_known_by_its_manifest(door: Door, bucket: Bucket) -> None:
    content = b'{"images": {}}'
    digest = hashlib.sha256(content).hexdigest()
    door.hub.put_object(BUCKET, "test-sets/ontario/manifest.json", io.BytesIO(content), len(content))

    assert digest in hub_check.test_set(bucket, "test-sets/ontario", digest)
    with pytest.raises(CheckFailed, match=f"has the sha256 {digest}, not 0000"):
        hub_check.test_set(bucket, "test-sets/ontario", "0" * 64)
    with pytest.raises(CheckFailed, match="Copy the test set to test-sets/quebec/ of the bucket"):
        hub_check.test_set(bucket, "test-sets/quebec", digest)
    with pytest.raises(StoreUnusable, match="NoSuchKey"):
        bucket.digest_of("test-sets/quebec/manifest.json")


# --- the gateway


@pytest.fixture
def trusting(tmp_path: Path) -> Callable[[Path], Path]:
    """A folder with the certificate of one authority."""

    def trust(authority: Path) -> Path:
        folder = tmp_path / "authorities"
        folder.mkdir()
        (folder / "ca.crt").write_bytes(authority.read_bytes())
        return folder

    return trust


Trusting = Callable[[Path], Path]


def test_a_gateway_that_proves_itself_and_lets_nobody_in_passes(door: Door, trusting: Trusting) -> None:
    settings = door.gateway.settings
    said = hub_check.gateway(settings.address, settings.address, trusting(settings.federation_ca))

    assert said == "it proves to be 127.0.0.1 and refuses callers without a certificate"


def test_a_certificate_for_another_name_is_told(door: Door, trusting: Trusting) -> None:
    settings = door.gateway.settings
    with pytest.raises(CheckFailed, match=r"clinics will not trust the gateway as fedround\.example\.org"):
        hub_check.gateway(settings.address, "fedround.example.org:443", trusting(settings.federation_ca))


def test_a_certificate_by_another_authority_is_told(door: Door, trusting: Trusting) -> None:
    settings = door.gateway.settings
    with pytest.raises(CheckFailed, match="and be by the federation's authority"):
        hub_check.gateway(settings.address, settings.address, trusting(settings.api_ca))


def test_a_door_that_opens_without_a_certificate_is_told(door: Door, trusting: Trusting) -> None:
    """The API server's stand-in asks for a certificate and goes on without one."""
    address = door.api.address.removeprefix("https://")
    with pytest.raises(CheckFailed, match="answers callers that show no certificate"):
        hub_check.gateway(address, address, trusting(door.gateway.settings.api_ca))


def test_the_operator_sees_when_the_gateways_certificate_ends(door: Door) -> None:
    settings = door.gateway.settings

    end = shown_certificate_end(settings.address, "fedround.example.org:443")

    assert end == read_certificate(settings.certificate.read_bytes()).validity.ends.timestamp()


def test_the_operator_sees_also_an_end_that_has_passed(door: Door, tmp_path: Path) -> None:
    short = door.authority.issue_server("gateway", ("127.0.0.1",), lifetime=timedelta(seconds=1))
    certificate, key = short.write(tmp_path, "short")
    wanted = read_certificate(certificate.read_bytes()).validity.ends.timestamp()
    wait_for(lambda: time.time() > wanted, "the certificate has ended", 10)
    stub = ApiStub(certificate, key, client_ca=door.gateway.settings.federation_ca)
    try:
        end = shown_certificate_end(stub.address.removeprefix("https://"), "127.0.0.1:443")
    finally:
        stub.close()

    assert end == wanted


@pytest.mark.parametrize("address", ["127.0.0.1:9", "no-port", f"{'a' * 64}.example.org:443", "127.0.0.1:99999"])
def test_a_gateway_that_cannot_be_asked_is_an_error_that_the_watch_takes(address: str) -> None:
    """Another one would end the thread, and so the operator."""
    with pytest.raises(OSError):  # noqa: PT011 - the operating system's own words
        shown_certificate_end(address, "fedround.example.org:443")


def test_a_gateway_that_is_away_is_told(door: Door, trusting: Trusting) -> None:
    with pytest.raises(CheckFailed, match="look at the gateway's log"):
        hub_check.gateway("127.0.0.1:9", "127.0.0.1:9", trusting(door.gateway.settings.federation_ca))


def test_what_is_no_certificate_is_told(door: Door, tmp_path: Path) -> None:
    (tmp_path / "gateway.crt").write_text("not one")
    address = door.gateway.settings.address
    with pytest.raises(CheckFailed, match=r"gateway\.crt is no certificate of an authority"):
        hub_check.gateway(address, address, tmp_path)


# --- the clinic


@pytest.fixture
def mounted(door: Door, tmp_path: Path) -> Callable[[str], Path]:
    """A clinic's Secret and membership as the kubelet lays them out: files behind a link that is replaced as one."""

    def mount(clinic: str) -> Path:
        folder = tmp_path / clinic / "..2026_11_28"
        folder.mkdir(parents=True)
        key, request = request_certificate(clinic)
        for name, content in (
            ("tls.key", key),
            ("tls.crt", door.authority.sign_clinic(request)),
            ("ca.crt", door.authority.certificate_pem),
            ("token", b"the-token"),
        ):
            (folder / name).write_bytes(content)
            (folder.parent / name).symlink_to(f"..data/{name}")
        (folder.parent / "..data").symlink_to(folder.name)
        return folder.parent

    return mount


def entrance(door: Door, folder: Path, clinic: str = "north", gateway: str = "") -> Entrance:
    return Entrance(clinic, gateway or door.gateway.settings.address, folder, folder, utc_now)


def _raised(defect: Exception) -> None:
    raise defect


def test_a_clinic_that_the_hub_lets_in_passes_every_check(door: Door, mounted: Callable[[str], Path]) -> None:
    address, folder = door.gateway.settings.address, mounted("north")

    found = {one.name: one for one in made(entrance(door, folder).checks(), NEEDS, log_defect=_raised)}

    assert list(found) == ["certificate", "address", "connection", "tls", "clock", "hub", "store"]
    assert {one.result.value for one in found.values()} == {"ok"}, found
    assert found["hub"].message == f"{address} lets north in; it has a part in 0 rounds"
    assert found["store"].message == f"the object store behind {address} answers"
    assert door.api.seen[-1].path.startswith("/apis/fedround.dev/v1alpha1/namespaces/clinic-north/clinicrounds?")
    assert door.api.seen[-1].headers["authorization"] == "Bearer the-token"


def test_a_clinic_with_another_clinics_certificate_is_told_to_ask(door: Door, mounted: Callable[[str], Path]) -> None:
    found = entrance(door, mounted("south"))

    with pytest.raises(CheckFailed, match=r"the hub refuses this clinic: .* Ask the network's administrator"):
        found.check_hub()


def test_a_clinic_without_its_files_or_without_a_hub_is_told(
    door: Door, mounted: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(CheckFailed, match="token cannot be read"):
        entrance(door, tmp_path).check_hub()
    with pytest.raises(CheckFailed, match="key, certificate and authority cannot be used together"):
        entrance(door, tmp_path).check_tls()
    away = entrance(door, mounted("north"), gateway="127.0.0.1:9")
    with pytest.raises(CheckFailed, match="let the firewall pass TCP to it"):
        away.check_connection()
    with pytest.raises(CheckFailed, match="what your firewall lets out"):
        away.check_hub()


def replaced(folder: Path, **contents: bytes) -> Path:
    """The mounted files, some of them with other content."""
    for name, content in contents.items():
        path = folder / name.replace("_", ".")
        path.unlink()
        path.write_bytes(content)
    return folder


def test_a_gateway_by_an_authority_that_the_clinic_does_not_know_is_told(
    door: Door, mounted: Callable[[str], Path]
) -> None:
    folder = replaced(mounted("north"), ca_crt=door.stranger.certificate_pem)

    with pytest.raises(CheckFailed, match=r"127\.0\.0\.1 does not prove who it is: .* a bundle with the authority of"):
        entrance(door, folder).check_tls()


def test_a_certificate_of_another_federation_is_told(door: Door, mounted: Callable[[str], Path]) -> None:
    key, request = request_certificate("north")
    folder = replaced(mounted("north"), tls_key=key, tls_crt=door.stranger.sign_clinic(request))

    with pytest.raises(CheckFailed, match="the gateway broke off when this clinic's certificate was shown"):
        entrance(door, folder).check_tls()


def test_a_revoked_certificate_is_told(door: Door, mounted: Callable[[str], Path]) -> None:
    folder = mounted("north")
    door.gateway.revoke([fingerprint((folder / "tls.crt").read_bytes())])
    try:
        wait_for(lambda: _refused(entrance(door, folder)), "the gateway takes the list", 10)
        with pytest.raises(CheckFailed, match=r"which is revoked: .*request north --new-key"):
            entrance(door, folder).check_tls()
    finally:
        door.gateway.revoke([])


def test_a_check_that_is_tried_again_asks_again(door: Door, mounted: Callable[[str], Path]) -> None:
    folder = mounted("north")
    found = entrance(door, folder)
    door.gateway.revoke([fingerprint((folder / "tls.crt").read_bytes())])
    try:
        wait_for(lambda: _refused(found), "the gateway takes the list", 10)
    finally:
        door.gateway.revoke([])

    tried = patient({"tls": found.check_tls, "store": found.check_store}, seconds=20, pause_seconds=0.1)
    defects: list[Exception] = []
    assert [one.result.value for one in made(tried, log_defect=defects.append)] == ["ok", "ok"], defects


def _refused(found: Entrance) -> bool:
    try:
        found.check_tls()
    except CheckFailed:
        return True
    return False


def test_what_is_no_gateway_of_fedround_is_told(door: Door, mounted: Callable[[str], Path]) -> None:
    """The API server's stand-in, which takes certificates of its own authority, answers with its own words."""
    authority = Authority.ensure(door.folder / "pki", "cluster", "fedround-cluster")
    key, request = request_certificate("north")
    files = {"tls_key": key, "tls_crt": authority.sign_clinic(request), "ca_crt": authority.certificate_pem}
    stub = entrance(door, replaced(mounted("north"), **files), gateway=door.api.address.removeprefix("https://"))

    with pytest.raises(CheckFailed, match="look at the address, and whether a proxy stands in between"):
        stub.check_store()


def test_the_clinics_helm_test_says_what_failed_and_reports_where_it_is_a_job(
    door: Door, mounted: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mounted("north")
    monkeypatch.setenv("FEDROUND_REPORT", str(tmp_path / "termination-log"))
    options = {"clinic": "north", "gateway": "127.0.0.1:9", "certificate": folder, "membership": folder}

    # The third of its checks: of certificate, address and connection.
    assert agent_check.main([f"--{name}={value}" for name, value in options.items()]) == 3

    found = read_checks((tmp_path / "termination-log").read_text())
    assert [one.result.value for one in found] == ["ok", "ok", "failed", *["skipped"] * 4]
