"""The store of the hub's Jobs, over HTTP: the address alone says whether it speaks TLS."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fedround_api.jobs import StoreAddress
from fedround_operator.kit.pki import Authority
from fedround_training.errors import StoreUnavailable
from fedround_training.store import minio_store
from fedround_training.store.minio_store import MinioStore, open_store
from support.http_stub import Answer, HttpStub


@pytest.fixture
def server() -> Iterator[HttpStub]:
    stub = HttpStub(lambda asked: Answer(200, b"an update"))
    yield stub
    stub.close()


def opened(server: HttpStub, folder: Path, *, https: bool) -> MinioStore:
    """With an authority among the keys, as a Secret that others made may hold one."""
    files = {"access-key": b"HUB", "secret-key": b"s3cret", "ca.crt": Authority.create("federation").certificate_pem}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return open_store(StoreAddress(endpoint=server.address.removeprefix("http://"), bucket="skin", https=https), folder)


def test_a_store_without_tls_is_asked_without_it_though_its_secret_holds_an_authority(
    server: HttpStub, tmp_path: Path
) -> None:
    opened(server, tmp_path, https=False).get("clinics/north/update", tmp_path / "got", 100)

    assert (tmp_path / "got").read_bytes() == b"an update"


def test_a_store_with_tls_is_never_asked_without_it(
    server: HttpStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minio_store, "_RETRY", False)  # one attempt shows it

    with pytest.raises(StoreUnavailable):
        opened(server, tmp_path, https=True).get("clinics/north/update", tmp_path / "got", 100)

    assert server.asked == []
