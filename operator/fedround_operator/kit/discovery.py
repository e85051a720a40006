"""Waits until an API server serves what is to be watched.

kopf reads discovery once, when it starts, and silently never watches what is not there yet: a definition that was made
a moment ago, or is made after us.
"""

import logging
import threading
from collections.abc import Iterable
from typing import Protocol

from fedround_operator.kit.errors import ApiError
from fedround_operator.kit.resources import Resource

log = logging.getLogger(__name__)

# A definition is served a second or two after it was made, and the wait for one that is missing may last for days.
LOOK_SECONDS = 1.0


class Serves(Protocol):
    """What the wait needs of an API server."""

    def serves(self, resource: Resource) -> bool: ...


def await_served(api: Serves, watched: Iterable[Resource], stop: threading.Event) -> bool:
    """Whether all are served: True once they are, False if `stop` was set before."""
    for resource in watched:
        told = ""
        while not stop.is_set():
            missing = _missing(api, resource)
            if not missing:
                break
            if missing != told:
                log.warning("waiting for the API server resource=%s.%s %s", resource.plural, resource.group, missing)
                told = missing
            stop.wait(LOOK_SECONDS)
    return not stop.is_set()


def _missing(api: Serves, resource: Resource) -> str:
    """What is in the way of watching the resource; empty when nothing is."""
    try:
        return "" if api.serves(resource) else "reason=NotServed"
    except ApiError as error:
        return f"error={error}"
