"""Looks how long the certificate of the hub's gateway holds: once it has ended, no clinic reaches the hub any more.

Agent and operator do, each in a thread of its own: nothing else depends on it, and a gateway that is away is asked
again.
"""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

# Certificates hold for weeks or more, and each look is a connection of its own.
LOOK_SECONDS = 3600.0
AGAIN_SECONDS = 60.0


def watch_gateway(certificate_end: Callable[[], float], tell: Callable[[float], None], stop: threading.Event) -> None:
    """Look now and each hour, until stopped; `certificate_end` gives Unix seconds, or raises OSError."""
    while not stop.is_set():
        stop.wait(_look(certificate_end, tell))


def _look(certificate_end: Callable[[], float], tell: Callable[[float], None]) -> float:
    """The seconds until the next look."""
    try:
        tell(certificate_end())
    except OSError as error:
        # Its end as it was seen last stays: for an agent, an end that has passed is the likeliest cause.
        log.debug("the gateway's certificate was not seen error=%s", error)
        return AGAIN_SECONDS
    return LOOK_SECONDS
