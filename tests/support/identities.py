"""Keys and certificates for tests: real ones, of an authority that lives as long as the test."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fedround_operator.kit.pki import Authority, new_key, request_for
from fedround_operator.kit.resources import Object

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Held:
    """A clinic's key, and the certificate that an authority gave it."""

    clinic: str
    key: bytes
    certificate: bytes


@dataclass
class Registry:
    """An authority, and whom it has certified."""

    authority: Authority = field(default_factory=lambda: Authority.create("fedround-federation"))

    @property
    def ca(self) -> bytes:
        return self.authority.certificate_pem

    def hold(self, clinic: str = "north", key: bytes | None = None, lifetime: timedelta = YEAR) -> Held:
        """A clinic with a key, a new one unless it is given, and a certificate for it."""
        key = key or new_key()
        return Held(clinic, key, self.certify(key, clinic, lifetime))

    def certify(self, key: bytes, clinic: str = "north", lifetime: timedelta = YEAR) -> bytes:
        return self.authority.sign_clinic(request_for(clinic, key), lifetime)


def now() -> datetime:
    return datetime.now(UTC)


def make_secret(name: str = "fedround-certificate", namespace: str = "north", **files: bytes | None) -> Object:
    """A Secret; `tls_key` stands for tls.key, `next_key` for next.key. What is None is left out."""
    data = {key.replace("_", "."): encoded(content) for key, content in files.items() if content}
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def files_in(secret: Mapping[str, object]) -> dict[str, bytes]:
    """The files of a Secret."""
    data = secret.get("data")
    assert isinstance(data, dict)
    return {name: base64.b64decode(value) for name, value in data.items()}
