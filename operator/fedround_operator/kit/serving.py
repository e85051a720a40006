"""The one port that operator and agent serve: metrics for Prometheus, and the probes of Kubernetes.

/metrics    what `kit.metrics` counts
/healthz    200, or 503 with a sentence on what a restart could mend
/readyz     200, or 503 with a sentence on what keeps the process from its work
"""

import threading
from collections.abc import Callable, Iterable
from socket import AF_INET6
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from fedround_operator.kit import metrics
from fedround_operator.kit.health import Health

Respond = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[dict[str, Any], Respond], Iterable[bytes]]


class _Server(ThreadingMixIn, WSGIServer):
    # A scrape that hangs must not keep the process from ending.
    daemon_threads = True


class _ServerOnV6(_Server):
    address_family = AF_INET6


class _Handler(WSGIRequestHandler):
    # A connection that says nothing gives its thread back.
    timeout = 10.0

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that it has in the library
        """Nothing: probes come every few seconds."""


def serve(port: int, address: str, health: Health, registry: metrics.Registry) -> WSGIServer:
    """Serve in a thread of its own, for as long as the process runs; port 0 is one that is free."""
    kind = _ServerOnV6 if ":" in address else _Server
    server = make_server(address, port, _application(health, registry), kind, _Handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def _application(health: Health, registry: metrics.Registry) -> Application:
    scrape = metrics.application(registry)

    def answer(environ: dict[str, Any], respond: Respond) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                return scrape(environ, respond)
            case "/healthz":
                return _told(health.why_not_alive(), respond)
            case "/readyz":
                return _told(health.why_not_ready(), respond)
            case _:
                return _text("404 Not Found", "there is /metrics, /healthz and /readyz", respond)

    return answer


def _told(problem: str, respond: Respond) -> Iterable[bytes]:
    return _text("503 Service Unavailable", problem, respond) if problem else _text("200 OK", "ok", respond)


def _text(status: str, text: str, respond: Respond) -> Iterable[bytes]:
    respond(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{text}\n".encode()]
