"""Looks how long the certificate of the hub's gateway holds: once it has ended, no clinic reaches the hub any more.

The clinic sees it first, since only those who call the gateway see what it shows. Nothing else in the agent depends on
this; a gateway that is away is asked again.
"""

import logging
import threading
from collections.abc import Callable

from fedround_operator.kit import metrics

log = logging.getLogger(__name__)

# Certificates hold for weeks or more, and each look is a connection of its own.
LOOK_SECONDS = 3600.0
AGAIN_SECONDS = 60.0


def watch_gateway(certificate_end: Callable[[], float], stop: threading.Event) -> None:
    """Look now and each hour, until stopped; `certificate_end` gives Unix seconds, or raises OSError."""
    while not stop.is_set():
        stop.wait(_look(certificate_end))


def _look(certificate_end: Callable[[], float]) -> float:
    """The seconds until the next look."""
    try:
        metrics.GATEWAY_CERTIFICATE_END.set(certificate_end())
    except OSError as error:
        # Its end as it was seen last stays: an end that has passed is the likeliest cause.
        log.debug("the gateway's certificate was not seen error=%s", error)
        return AGAIN_SECONDS
    return LOOK_SECONDS
