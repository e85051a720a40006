"""The door to the API server: JSON in, JSON out, one watch. Called by the loop; the only module with a connection.

On urllib3 rather than the `kubernetes` client: the node stays for as long as the federation does, and its five requests
would pay 25 MB and a second of imports for it. It reads only kubeconfigs that this package writes.
"""

import base64
import json
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import urllib3

from fedround_local.node.pod import Json

_MERGE = "application/strategic-merge-patch+json"
# Below the five to ten minutes after which an API server ends a watch itself; longer only delays noticing a dead one.
_WATCH_SECONDS = 280


class ApiError(Exception):
    """The API server said no, or nothing (status 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """Requests as the user of one kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        document = json.loads(kubeconfig.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self._server = cluster["server"]
        self._pool = urllib3.PoolManager(
            ssl_context=_tls(cluster, user),
            retries=False,
            timeout=urllib3.Timeout(connect=5, read=15),
        )

    def get(self, path: str) -> Json:
        return self._call("GET", path)

    def create(self, path: str, body: Json) -> Json:
        return self._call("POST", path, body)

    def patch(self, path: str, body: Json) -> Json:
        """A strategic merge patch: lists with a key are merged by it. A uid in the body must be the object's."""
        return self._call("PATCH", path, body, content_type=_MERGE)

    def delete(self, path: str, options: Json) -> Json:
        return self._call("DELETE", path, {"apiVersion": "v1", "kind": "DeleteOptions", **options})

    def watch(self, path: str, resource_version: str) -> Iterator[tuple[str, Json]]:
        """(ADDED | MODIFIED | DELETED | BOOKMARK, object) from that version on, until the server ends it.

        Raises ApiError, with status 410 when the version is too old: then list again.
        """
        query = urlencode(
            {
                "watch": "1",
                "resourceVersion": resource_version,
                "allowWatchBookmarks": "true",
                "timeoutSeconds": _WATCH_SECONDS,
            }
        )
        timeout = urllib3.Timeout(connect=5, read=_WATCH_SECONDS + 20)
        try:
            answer = self._pool.request("GET", f"{self._server}{path}?{query}", preload_content=False, timeout=timeout)
            try:
                _refuse(answer.status, answer.read() if answer.status >= 400 else b"")
                for line in _lines(answer):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ApiError(event["object"].get("code", 0), event["object"].get("message", "watch failed"))
                    yield event["type"], event["object"]
            finally:
                # Half read: it must not go back to the pool.
                answer.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiError(0, str(error)) from error

    def _call(self, method: str, path: str, body: Json | None = None, content_type: str = "application/json") -> Json:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        try:
            answer = self._pool.request(method, self._server + path, body=content, headers=headers)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiError(0, str(error)) from error
        _refuse(answer.status, answer.data)
        document: Json = json.loads(answer.data)
        return document


def _refuse(status: int, content: bytes) -> None:
    if status < 400:
        return
    try:
        message = json.loads(content)["message"]
    except (ValueError, KeyError, TypeError):
        message = content[:200].decode(errors="replace")
    raise ApiError(status, message)


def _lines(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    buffer = b""
    for chunk in answer.stream(amt=None):
        *whole, buffer = (buffer + chunk).split(b"\n")
        yield from filter(None, whole)


def _tls(cluster: Mapping[str, str], user: Mapping[str, str]) -> ssl.SSLContext:
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    # The ssl module takes a client certificate from files only.
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder) / "client.pem"
        pair.touch(mode=0o600)
        parts = (user["client-certificate-data"], user["client-key-data"])
        pair.write_bytes(b"".join(base64.b64decode(one) for one in parts))
        context.load_cert_chain(pair)
    return context
