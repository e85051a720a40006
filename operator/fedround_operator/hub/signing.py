"""The operator's one door to `minio`: presigned URLs. Signing is arithmetic; nothing is sent to the store."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

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
    """Signs for the gateway's address, since the Host header is part of a signature."""

    def __init__(self, gateway: str, bucket: str, region: str, store_keys: StoreKeys, lifetime_seconds: int) -> None:
        # With a region given, minio does not ask the store for one.
        self._client = Minio(
            gateway, access_key=store_keys.access_key, secret_key=store_keys.secret_key, secure=True, region=region
        )
        self._bucket = bucket
        self._lifetime = timedelta(seconds=lifetime_seconds)

    def sign(self, model: str, base_digest: str, clinic: str, round_uid: str, now: datetime) -> TransferUrls:
        """URLs to read the checkpoint and to write the update, valid from now for the lifetime."""
        checkpoint = keys.published_checkpoint(model, base_digest)
        update = keys.update(clinic, round_uid)
        return TransferUrls(
            checkpoint=self._client.presigned_get_object(
                self._bucket, checkpoint, expires=self._lifetime, request_date=now
            ),
            update=self._client.get_presigned_url(
                "PUT", self._bucket, update, expires=self._lifetime, request_date=now
            ),
            signed_at=text_of(now),
            expires_at=text_of(now + self._lifetime),
        )
