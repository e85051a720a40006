"""Writes that somebody else may be in the way of: made again from what is there then."""

from collections.abc import Callable
from typing import TypeVar

from fedround_operator.kit.errors import Conflict

# An operator writes what it sees of an object once a minute, people less often: four times running is no accident.
_ATTEMPTS = 4

T = TypeVar("T")


def retried(write: Callable[[], T]) -> T:
    """The result of a write that reads anew what it is made from, made again where somebody else was faster.

    Raises:
        Conflict: somebody goes on being faster.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return write()
        except Conflict:
            continue
    return write()
