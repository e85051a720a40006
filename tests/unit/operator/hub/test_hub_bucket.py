"""The hub's look at its bucket, over HTTP: the address alone says whether the store speaks TLS."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedround_api.jobs import StoreAddress
from fedround_operator.hub.bucket import Bucket, StoreUnusable
from support.http_stub import Answer, HttpStub
from support.identities import Registry

CONTENT = b"a manifest"


@pytest.fixture
def store() -> Iterator[HttpStub]:
    stub = HttpStub(lambda asked: Answer(200, CONTENT))
    yield stub
    stub.close()


def bucket(store: HttpStub, folder: Path, *, https: bool) -> Bucket:
    """With an authority among the keys, as a Secret that others made may hold one."""
    files = {"access-key": b"HUB", "secret-key": b"s3cret", "ca.crt": Registry().authority.certificate_pem}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Bucket(StoreAddress(endpoint=store.address.removeprefix("http://"), bucket="skin", https=https), folder)


def test_a_store_without_tls_is_asked_without_it_though_its_secret_holds_an_authority(
    store: HttpStub, tmp_path: Path
) -> None:
    found = bucket(store, tmp_path, https=False).digest_of("test-sets/a/manifest.json")

    assert found == hashlib.sha256(CONTENT).hexdigest()
    assert [one.path for one in store.asked] == ["/skin/test-sets/a/manifest.json"]


def test_a_store_with_tls_is_never_asked_without_it(store: HttpStub, tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match=r"did not read test-sets/a/manifest\.json in skin"):
        bucket(store, tmp_path, https=True).digest_of("test-sets/a/manifest.json")

    assert store.asked == []
