"""The kubelet's log endpoint, so that `kubectl logs` works: HTTPS on loopback, for the API server's certificate only.

    GET /containerLogs/<namespace>/<pod>/<container>[?follow=true&tailLines=N]

Called by `__main__`; reads sandboxes and nothing else.
"""

import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from fedround_local.node.sandbox import Sandbox, sandboxes

_POLL_SECONDS = 0.1
_CHUNK_BYTES = 65_536


def serve_logs(state: Path, tls: ssl.SSLContext, client_name: str) -> int:
    """The port it listens on, from now until the process ends."""

    class Handler(_LogHandler):
        folder = state
        allowed = client_name

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    # The handshake happens with the first read, in the request's own thread: a silent client holds up nobody.
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, name="logs", daemon=True).start()
    return int(server.server_address[1])


class _LogHandler(BaseHTTPRequestHandler):
    folder: ClassVar[Path]
    allowed: ClassVar[str]
    timeout = 300

    def do_GET(self) -> None:
        if common_name(self.connection.getpeercert()) != self.allowed:
            self.send_error(403)
            return
        parts = urlsplit(self.path)
        match parts.path.strip("/").split("/"):
            case ["containerLogs", namespace, pod, _container]:
                self._send(_newest(self.folder, namespace, pod), parse_qs(parts.query))
            case _:
                self.send_error(404)

    def _send(self, sandbox: Sandbox | None, query: dict[str, list[str]]) -> None:
        if sandbox is None or "previous" in query:
            self.send_error(404, "no such log")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        lines = query.get("tailLines")
        position = tail_start(sandbox.log, int(lines[0])) if lines else 0
        try:
            for chunk in log_chunks(sandbox, position, follow=query.get("follow") == ["true"]):
                self.wfile.write(chunk)
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Requests for logs are not logged."""


def common_name(certificate: Any) -> str | None:
    """The CN in the ssl module's form of a peer certificate."""
    subject = (certificate or {}).get("subject", ())
    return next((value for parts in subject for key, value in parts if key == "commonName"), None)


def tail_start(log: Path, lines: int) -> int:
    """Where the last `lines` lines of a log begin."""
    try:
        content = log.read_bytes()
    except FileNotFoundError:
        return 0
    position = len(content)
    for _ in range(lines + (1 if content.endswith(b"\n") else 0)):
        position = content.rfind(b"\n", 0, position)
        if position < 0:
            return 0
    return min(position + 1, len(content))


def log_chunks(sandbox: Sandbox, position: int, *, follow: bool) -> Iterator[bytes]:
    """The log from `position` on; with `follow` until the process has ended and all of it was read."""
    while True:
        running = follow and sandbox.process() is not None
        try:
            with sandbox.log.open("rb") as file:
                # It was cut because it grew too long: go on with what is left.
                position = position if position <= sandbox.log.stat().st_size else 0
                file.seek(position)
                while chunk := file.read(_CHUNK_BYTES):
                    position += len(chunk)
                    yield chunk
        except FileNotFoundError:
            return
        if not running:
            return
        time.sleep(_POLL_SECONDS)


def _newest(state: Path, namespace: str, pod: str) -> Sandbox | None:
    found = [one for one in sandboxes(state).values() if one.owner() == (namespace, pod)]
    return max(found, key=lambda one: one.folder.stat().st_mtime, default=None)
