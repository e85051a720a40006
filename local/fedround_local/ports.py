"""Free ports for servers of this machine that keep theirs over restarts.

None is from the range that systems take for outgoing connections (Linux from 32768, macOS from 49152): such a
connection could hold the port of a server that is stopped.
"""

import functools
import itertools
import os
import random
import re
import socket
from collections.abc import Iterator

from fedround_local.cluster_flags import LOOPBACK
from fedround_local.errors import PortOccupied

VARIABLE = "FEDROUND_PORTS"
_USUAL = "20000-29999"


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on right now; this process is given none twice before all were tried.

    Raises:
        PortOccupied: so many are not to be had.
    """
    told = os.environ.get(VARIABLE) or _USUAL
    ports = _range(told)
    tried = itertools.islice(_candidates(ports), len(ports))
    found = list(itertools.islice(filter(_is_free, tried), count))
    if len(found) < count:
        raise PortOccupied(f"not {count} of the ports {told} are free: name others by {VARIABLE}=LOWEST-HIGHEST")
    return found


def _range(told: str) -> range:
    matched = re.fullmatch(r"(\d{1,5})-(\d{1,5})", told)
    if matched is None or not 1 <= int(matched[1]) <= int(matched[2]) <= 65535:
        raise PortOccupied(f"{VARIABLE}={told} names no ports: write LOWEST-HIGHEST, as in {_USUAL}")
    return range(int(matched[1]), int(matched[2]) + 1)


@functools.cache
def _candidates(ports: range) -> Iterator[int]:
    """Round and round, from a place of this process's own: two that start together seldom try the same."""
    start = random.randrange(len(ports))  # noqa: S311 - no secret
    return itertools.cycle([*ports[start:], *ports[:start]])


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
