"""An HTTP server on loopback that answers as a test says, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """A status and a body; ``hang`` answers only when the stub closes, ``drop`` ends the connection instead."""

    status: int = 200
    body: bytes = b"{}"
    hang: bool = False
    drop: bool = False


def answer(status: int = 200, **body: Any) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(body).encode())


@dataclass
class HttpStub:
    """Serves until `close`; ``reply`` gives the answer to a request."""

    reply: Callable[[Asked], Answer] = lambda asked: Answer()
    asked: list[Asked] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(stub: HttpStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, json.loads(body) if body else None)
            stub.asked.append(asked)
            given = stub.reply(asked)
            if given.hang:
                stub.closing.wait(30)
            if given.drop or given.hang:
                self.close_connection = True
                return
            self.send_response(given.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(given.body)))
            self.end_headers()
            self.wfile.write(given.body)

        do_GET = do_PATCH = do_POST = do_DELETE = _answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Tests read `asked`."""

    return Handler
