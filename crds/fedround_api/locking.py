"""What the process that reads images gives up before it opens the first one, for good. Jobs tell it, people read it."""

from enum import StrEnum


class LockPart(StrEnum):
    """A part of the lock. A clinic's training is locked in when all are there."""

    NETWORK = "Network"
    FILES = "Files"

    @property
    def meaning(self) -> str:
        """What the process can no longer do, as it follows on "could"."""
        return _MEANINGS[self]


_MEANINGS = {
    LockPart.NETWORK: "open sockets and reach into other processes",
    LockPart.FILES: "open files outside its volumes and its program",
}


def possible_without(missing: list[LockPart]) -> str:
    """What a process can do that lacks these parts; empty where it lacks none."""
    return ", and ".join(part.meaning for part in missing)


def missing_parts(locked: list[LockPart] | None) -> list[LockPart]:
    """The parts that are not there, in a fixed order; where nothing is told, none is."""
    return [part for part in LockPart if part not in (locked or [])]
