"""The hub's object store over the S3 API: the only module that imports minio.

Called by the hub's Jobs with the folder of FEDROUND_STORE: `access-key`, `secret-key`, and where the store speaks https
the `ca.crt` of its authority.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError

from fedround_api.jobs import StoreAddress
from fedround_training.errors import InputWrong, ObjectGone, StoreRefused, StoreUnavailable
from fedround_training.store.files import Content, save_stream

_CHUNK_BYTES = 1 << 20
_PART_BYTES = 16 << 20
# Three attempts within about two seconds bridge a restart of a proxy. What lasts longer is for the next attempt of the
# Job.
_RETRY = urllib3.Retry(total=3, backoff_factor=0.5, status_forcelist=(500, 502, 503, 504), allowed_methods=None)
_TIMEOUT = urllib3.Timeout(connect=10, read=60)

T = TypeVar("T")


class MinioStore:
    """An ObjectStore in a bucket of an S3 server."""

    def __init__(self, client: Minio, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def get(self, key: str, path: Path, limit_bytes: int) -> Content:
        return _answered(key, lambda: self._get(key, path, limit_bytes))

    def _get(self, key: str, path: Path, limit_bytes: int) -> Content:
        response = self._client.get_object(self._bucket, key)
        try:
            return save_stream(path, response.stream(_CHUNK_BYTES), limit_bytes)
        finally:
            response.close()
            response.release_conn()

    def put(self, key: str, path: Path) -> None:
        _answered(key, lambda: self._client.fput_object(self._bucket, key, str(path), part_size=_PART_BYTES))

    def put_text(self, key: str, text: str, content_type: str = "application/json") -> None:
        content = text.encode()
        _answered(
            key,
            lambda: self._client.put_object(
                self._bucket, key, io.BytesIO(content), len(content), content_type=content_type
            ),
        )


def open_store(address: StoreAddress, folder: Path) -> MinioStore:
    """The store at an address, with the credentials in a folder. Raises InputWrong where one of them is missing."""
    authority = folder / "ca.crt"
    pool = urllib3.PoolManager(
        timeout=_TIMEOUT,
        retries=_RETRY,
        cert_reqs="CERT_REQUIRED",
        ca_certs=str(authority) if address.https and authority.exists() else None,
    )
    client = Minio(
        address.endpoint,
        access_key=_secret(folder, "access-key"),
        secret_key=_secret(folder, "secret-key"),
        secure=address.https,
        region=address.region,
        http_client=pool,
    )
    return MinioStore(client, address.bucket)


def _secret(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text().strip()
    except OSError as error:
        raise InputWrong(f"the folder of the store's credentials has no readable {name}") from error


def _answered(key: str, call: Callable[[], T]) -> T:
    """The result of a call, or one of our errors. Only S3's short codes go into messages, never an answer's text."""
    try:
        return call()
    except S3Error as error:
        status = error.response.status if error.response is not None else 0
        if status >= 500 or error.code in ("SlowDown", "RequestTimeout"):
            raise StoreUnavailable(f"the object store failed with {error.code} for {key}") from error
        refusal = ObjectGone if error.code == "NoSuchKey" else StoreRefused
        raise refusal(f"the object store refused {key}: {error.code}") from error
    except (InvalidResponseError, ServerError) as error:
        raise StoreUnavailable(f"the object store gave no sensible answer for {key}") from error
    except MinioException as error:
        raise StoreRefused(f"the object store's client refused {key}: {type(error).__name__}") from error
    except urllib3.exceptions.HTTPError as error:
        raise StoreUnavailable(f"the object store did not answer for {key}: {type(error).__name__}") from error
