"""A stand-in for the hub's API server, for tests of the gateway: it answers everything and remembers what it was asked.

A path that ends with `watch=1` is answered as a stream of two lines, the second one only when the test says so.
"""

import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Seen:
    """One request as it arrived; header names in lower case. `certificate` is what the client showed, or None."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    certificate: Any


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A request that the gateway cuts off is what some tests are about."""


@dataclass
class ApiStub:
    """Serves until `close`. `port` is free; `seen` grows."""

    certificate: Path
    key: Path
    client_ca: Path
    seen: list[Seen] = field(default_factory=list)
    second_line: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        # As an API server does: it asks for a certificate and goes on without one.
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(self.client_ca)
        self._server = _QuietServer(("127.0.0.1", 0), _handler(self))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.second_line.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(stub: ApiStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            connection: Any = self.connection
            stub.seen.append(Seen(self.command, self.path, headers, body, connection.getpeercert() or None))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            if self.path.endswith("watch=1"):
                self._stream()
                return
            answer = json.dumps({"path": self.path}).encode()
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        def _stream(self) -> None:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"6\r\nfirst\n\r\n")
            self.wfile.flush()
            stub.second_line.wait(60)
            self.wfile.write(b"7\r\nsecond\n\r\n0\r\n\r\n")

        do_GET = do_HEAD = do_PUT = do_PATCH = do_POST = do_DELETE = _answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Tests read `seen`."""

    return Handler
