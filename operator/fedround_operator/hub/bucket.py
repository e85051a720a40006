"""The hub's own look at its bucket in the object store: that it is there, can be used, and holds a test set.

Called by `prepare` before the operator starts, and by `check` after it. The operator itself never talks to the store.
"""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from fedround_api.jobs import StoreAddress
from fedround_operator.hub.signing import read_keys

T = TypeVar("T")

_PROBE = "rounds/installation-check"
_LARGEST_MANIFEST_BYTES = 64 * 2**20


class StoreUnusable(Exception):
    """The store does not answer, or refuses what the hub must be able to do; the message says which."""


class Bucket:
    """One bucket, with the hub's credentials."""

    def __init__(self, address: StoreAddress, folder: Path) -> None:
        """`folder` holds `access-key`, `secret-key`, and where the store speaks https the authority's `ca.crt`."""
        keys, authority = read_keys(folder), folder / "ca.crt"
        self._name = address.bucket
        self._client = Minio(
            address.endpoint,
            access_key=keys.access_key,
            secret_key=keys.secret_key,
            secure=address.https,
            region=address.region,
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=5, read=20),
                retries=False,
                ca_certs=str(authority) if address.https and authority.exists() else None,
            ),
        )

    def ensure(self) -> bool:
        """Make the bucket if it is missing; whether it was.

        Raises:
            StoreUnusable: it cannot be made, or nobody answers.
        """
        return self._answered("make the bucket", self._ensure)

    def probe(self) -> None:
        """Write an object, read it back and remove it.

        Raises:
            StoreUnusable: one of the three was refused.
        """
        content = b"fedround"
        self._answered("write an object", lambda: self._client.put_object(self._name, _PROBE, io.BytesIO(content), 8))
        if self._answered("read an object", lambda: self._read(_PROBE, 8)) != content:
            raise StoreUnusable(f"the object store gave back other bytes than were written to {self._name}/{_PROBE}")
        self._answered("remove an object", lambda: self._client.remove_object(self._name, _PROBE))

    def digest_of(self, key: str) -> str:
        """The sha256 of an object.

        Raises:
            StoreUnusable: it cannot be read.
        """
        return hashlib.sha256(
            self._answered(f"read {key}", lambda: self._read(key, _LARGEST_MANIFEST_BYTES))
        ).hexdigest()

    def _ensure(self) -> bool:
        if self._client.bucket_exists(self._name):
            return False
        self._client.make_bucket(self._name)
        return True

    def _read(self, key: str, limit_bytes: int) -> bytes:
        response = self._client.get_object(self._name, key)
        try:
            return response.read(limit_bytes)
        finally:
            response.close()

    def _answered(self, what: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except S3Error as error:
            raise StoreUnusable(f"the object store refuses to {what} in {self._name}: {error.code}") from error
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            raise StoreUnusable(f"the object store did not {what} in {self._name}: {error}") from error
