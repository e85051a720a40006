"""The training code's adapters on a running store behind a running gateway: the contract of stores, and transfers."""

from pathlib import Path

import pytest

from contract.store_contract import StoreContract, put
from fedround_api.jobs import StoreAddress
from fedround_local.objectstore import BUCKET, REGION
from fedround_operator.kit.pki import request_certificate
from fedround_training.errors import ObjectGone, StoreRefused
from fedround_training.store.minio_store import MinioStore, open_store
from fedround_training.store.presigned import Gateway
from support.gateway_fixture import Door, door

__all__ = ["door"]

UPDATE_OF_NORTH = "clinics/north/r1/plain/update.safetensors"


def opened(door: Door, folder: Path, access_key: str, secret_key: str) -> MinioStore:
    folder.mkdir(exist_ok=True)
    (folder / "access-key").write_text(access_key)
    (folder / "secret-key").write_text(secret_key)
    return open_store(StoreAddress(endpoint=door.store.address, bucket=BUCKET, region=REGION, https=False), folder)


@pytest.fixture
def store(door: Door, tmp_path_factory: pytest.TempPathFactory) -> MinioStore:
    hub = door.store.keys.hub
    return opened(door, tmp_path_factory.mktemp("hub"), hub.access_key, hub.secret_key)


@pytest.fixture
def north(door: Door, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    folder = tmp_path_factory.mktemp("north")
    key, request = request_certificate("north")
    (folder / "tls.crt").write_bytes(door.authority.sign_clinic(request))
    (folder / "tls.key").write_bytes(key)
    (folder / "ca.crt").write_bytes(door.authority.certificate_pem)
    return Gateway(folder)


def url(door: Door, method: str, key: str) -> str:
    return f"https://{door.gateway.settings.address}{door.presigned(method, key, 300)}"


class TestMinioStore(StoreContract):
    pass


def test_who_may_not_read_is_not_told_that_an_object_is_gone(
    door: Door, store: MinioStore, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    put(store, tmp_path, "rounds/r1/report.json", b"{}")
    stranger = opened(door, tmp_path_factory.mktemp("stranger"), "nobody", "nothing that anybody knows")

    for key in ("rounds/r1/report.json", "rounds/r1/none.json"):
        with pytest.raises(StoreRefused) as refused:
            stranger.get(key, tmp_path / "got", 100)
        assert not isinstance(refused.value, ObjectGone)


def test_a_clinic_reads_what_is_published_and_the_hub_reads_what_the_clinic_submits(
    door: Door, north: Gateway, store: MinioStore, tmp_path: Path
) -> None:
    put(store, tmp_path, "published/skin/a.safetensors", b"weights")

    north.get(url(door, "GET", "published/skin/a.safetensors"), tmp_path / "got", 7)
    north.put(url(door, "PUT", UPDATE_OF_NORTH), tmp_path / "got")
    store.get(UPDATE_OF_NORTH, tmp_path / "back", 7)

    assert (tmp_path / "back").read_bytes() == b"weights"


def test_a_clinic_cannot_submit_under_another_name(door: Door, north: Gateway, tmp_path: Path) -> None:
    (tmp_path / "update").write_bytes(b"x")

    with pytest.raises(StoreRefused, match="403"):
        north.put(url(door, "PUT", "clinics/south/r1/plain/update.safetensors"), tmp_path / "update")


def test_an_update_of_twenty_megabytes_arrives_whole(
    door: Door, north: Gateway, store: MinioStore, tmp_path: Path
) -> None:
    (tmp_path / "update").write_bytes(bytes(20 << 20))

    north.put(url(door, "PUT", UPDATE_OF_NORTH), tmp_path / "update")

    assert store.get(UPDATE_OF_NORTH, tmp_path / "back", 20 << 20).bytes == 20 << 20


def test_a_hub_with_wrong_keys_is_refused(door: Door, tmp_path: Path) -> None:
    stranger = opened(door, tmp_path / "keys", "nobody", "nothing-nothing")

    with pytest.raises(StoreRefused):
        stranger.put_text("rounds/r1/report.json", "{}")
