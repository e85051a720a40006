"""The gateway's door as agent, operator and checks knock at it: TLS to an address that is written host:port."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 10.0


def host_and_port(address: str) -> tuple[str, int]:
    """Host, without the brackets of an IPv6 address, and port of `host:port`; 443 where none is named.

    Raises:
        OSError: it is no such address; nobody answers there.
    """
    try:
        place = urlsplit(f"//{address}")
        host, port = place.hostname, place.port
        # Sockets encode a name so, and their UnicodeError is no OSError.
        (host or "").encode("idna")
    except ValueError as error:
        raise OSError(f"{address!r} is no host:port: {error}") from error
    if not host or place.netloc != address:
        raise OSError(f"{address!r} is no host:port")
    return host, 443 if port is None else port


@contextmanager
def opened(address: str, context: ssl.SSLContext, shown_as: str = "") -> Iterator[ssl.SSLSocket]:
    """A connection to `address` after the handshake; the server is asked for `shown_as` if it is called differently.

    Raises:
        OSError: it does not answer, or proves nothing that the context accepts.
    """
    place, name = host_and_port(address), host_and_port(shown_as or address)[0]
    with (
        socket.create_connection(place, timeout=TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=name) as door,
    ):
        yield door
