"""The clinic's door to the federation: presigned URLs over TLS 1.3 with the clinic's certificate.

Called by `fetch` and `submit` with the folder of FEDROUND_CERTIFICATE: `tls.crt`, `tls.key`, `ca.crt`. It knows nothing
of what is transferred. A URL is a secret and never part of a message.
"""

import ssl
from pathlib import Path
from typing import BinaryIO, Protocol

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError

from fedround_training.errors import InputWrong, JobError, StoreRefused, StoreUnavailable, TooLarge
from fedround_training.store.files import Content, save_stream

_CHUNK_BYTES = 1 << 20
# Up to three more attempts within about two seconds: enough for a reload of the gateway. What lasts longer is for the
# next attempt of the Job, which the agent makes.
_ATTEMPTS = 3
_BACKOFF_SECONDS = 0.3
_TIMEOUT = urllib3.Timeout(connect=10, read=120)


class Transfer(Protocol):
    """What `fetch` and `submit` need."""

    def get(self, url: str, path: Path, limit_bytes: int) -> Content:
        """The object in `path`. Raises TooLarge, StoreRefused or StoreUnavailable."""
        ...

    def put(self, url: str, path: Path) -> None:
        """The file as the URL's object. Raises TooLarge, StoreRefused or StoreUnavailable."""
        ...


class Gateway:
    """Transfers through the gateway, as the clinic whose certificate is in the folder."""

    def __init__(self, certificate: Path, backoff_seconds: float = _BACKOFF_SECONDS) -> None:
        retry = urllib3.Retry(
            total=_ATTEMPTS,
            backoff_factor=backoff_seconds,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=("GET", "PUT"),
            raise_on_status=False,
            redirect=False,
        )
        self._pool = urllib3.PoolManager(ssl_context=_context(certificate), retries=retry, timeout=_TIMEOUT)

    def get(self, url: str, path: Path, limit_bytes: int) -> Content:
        response = self._answer("GET", url, None)
        try:
            return save_stream(path, response.stream(_CHUNK_BYTES, decode_content=False), limit_bytes)
        except HTTPError as error:
            raise StoreUnavailable(f"the gateway broke off the transfer: {type(error).__name__}") from error
        finally:
            response.close()

    def put(self, url: str, path: Path) -> None:
        # The length is told up front: S3 refuses a body in chunks on a presigned URL.
        with path.open("rb") as file:
            response = self._answer("PUT", url, file, {"Content-Length": str(path.stat().st_size)})
            response.close()

    def _answer(
        self, method: str, url: str, body: BinaryIO | None, headers: dict[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        if not url.startswith("https://"):
            raise InputWrong("the URL of a transfer has to begin with https://")
        try:
            response = self._pool.request(
                method, url, body=body, headers=headers, preload_content=False, decode_content=False
            )
        except MaxRetryError as error:
            if isinstance(error.reason, SSLError):
                raise StoreRefused("the gateway and the clinic do not accept each other's certificates") from error
            raise StoreUnavailable(f"the gateway did not answer: {type(error.reason).__name__}") from error
        except HTTPError as error:
            raise StoreUnavailable(f"the gateway did not answer: {type(error).__name__}") from error
        if not 200 <= response.status < 300:
            response.close()
            raise _refusal(response.status)
        return response


def _refusal(status: int) -> JobError:
    if status == 413:
        return TooLarge("the gateway refused the upload as too large")
    if status >= 500 or status in (408, 429):
        return StoreUnavailable(f"the gateway answered with HTTP status {status}")
    return StoreRefused(f"the gateway refused with HTTP status {status}")


def _context(certificate: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(certificate / "ca.crt"))
        context.load_cert_chain(certificate / "tls.crt", certificate / "tls.key")
    except (OSError, ssl.SSLError) as error:
        raise InputWrong("the folder of the clinic's certificate has no usable tls.crt, tls.key and ca.crt") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
