"""Presigned URLs, by `minio`. Signing is arithmetic: the operator sends nothing to the store."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from minio import Minio

from fedround_api import keys
from fedround_api.kinds import TransferUrls
from fedround_operator.kit.instants import text_of


class Signer(Protocol):
    """Makes the URLs for a clinic's part in a round."""

    def sign(self, model: str, base_digest: str, clinic: str, round_uid: str, now: datetime) -> TransferUrls: ...


@dataclass(frozen=True)
class StoreKeys:
    """Credentials of the store."""

    access_key: str
    secret_key: str


def read_keys(folder: Path) -> StoreKeys:
    """The credentials in a mounted Secret: files ``access-key`` and ``secret-key``."""
    return StoreKeys(*(folder.joinpath(name).read_text().strip() for name in ("access-key", "secret-key")))


class UrlSigner:
    """Signs for the Host header that the store will see: the gateway's address, unless the store insists on its own."""

    def __init__(
        self,
        gateway: str,
        bucket: str,
        region: str,
        store_keys: StoreKeys,
        lifetime_seconds: int,
        *,
        store_host: str = "",
    ) -> None:
        # With a region given, minio does not ask the store for one.
        self._client = Minio(
            store_host or gateway,
            access_key=store_keys.access_key,
            secret_key=store_keys.secret_key,
            secure=True,
            region=region,
        )
        # The gateway knows whose objects are meant by the path, so the bucket must be in it, on AWS too.
        self._client.disable_virtual_style_endpoint()  # type: ignore[no-untyped-call]
        self._client.disable_dualstack_endpoint()  # type: ignore[no-untyped-call]
        self._gateway = gateway if store_host else ""
        self._bucket = bucket
        self._lifetime = timedelta(seconds=lifetime_seconds)

    def sign(self, model: str, base_digest: str, clinic: str, round_uid: str, now: datetime) -> TransferUrls:
        """URLs to read the checkpoint and to write the update, valid from now for the lifetime."""
        checkpoint = keys.published_checkpoint(model, base_digest)
        update = keys.update(clinic, round_uid)
        return TransferUrls(
            checkpoint=self._presigned("GET", checkpoint, now),
            update=self._presigned("PUT", update, now),
            signed_at=text_of(now),
            expires_at=text_of(now + self._lifetime),
        )

    def _presigned(self, method: str, key: str, now: datetime) -> str:
        url = self._client.get_presigned_url(method, self._bucket, key, expires=self._lifetime, request_date=now)
        return urlsplit(url)._replace(netloc=self._gateway).geturl() if self._gateway else url
