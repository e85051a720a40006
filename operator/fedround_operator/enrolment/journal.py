"""The journal of the federation's authority: one line for each certificate issued or withdrawn, beside its ca.crt.

It outlives every hub, as it lies where the authority lies, and has no secret in it. `approve` and `revoke` write it,
`restore` and `readmit` read it: `replay` says what follows from it. A line stands on the disk before what it tells of
is on the hub, so that no certificate is out that the journal does not know.
"""

import errno
import fcntl
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.enrolment.replay import Entry
from fedround_operator.kit.privatefiles import sync_folder

log = logging.getLogger(__name__)

JOURNAL = "journal.jsonl"


class Journal:
    """The journal in the folder of an authority."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL

    @property
    def is_there(self) -> bool:
        """Whether anything was ever written."""
        return self.path.exists()

    def entries(self, network: str) -> list[Entry]:
        """What was done in a network, the oldest first.

        Raises:
            EnrolmentError: the folder is no authority's, or a line cannot be read.
        """
        return [entry for entry in self._all() if entry.network == network]

    def add(self, entry: Entry) -> None:
        """Write a line, on the disk when this returns; what the clinic's last one says is not written again.

        Raises:
            EnrolmentError: the folder is no authority's, or a line of before cannot be read.
        """
        self._require_authority()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            _lock(file)
            before = _whole_lines(file.read())
            if any(_is_same(one, entry) for one in _last_of(entry, self._parsed(before))):
                return
            file.truncate(len(before))
            file.write(entry.text().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if not before:
            sync_folder(self.path.parent)

    def _all(self) -> list[Entry]:
        self._require_authority()
        return self._parsed(_whole_lines(self.path.read_bytes())) if self.is_there else []

    def _require_authority(self) -> None:
        if not self.path.with_name("ca.crt").exists():
            raise EnrolmentError(f"{self.path.parent} has no ca.crt: name the folder of the federation's authority")

    def _parsed(self, lines: bytes) -> list[Entry]:
        found = []
        for number, line in enumerate(lines.splitlines(), start=1):
            try:
                found.append(Entry.model_validate_json(line))
            except ValidationError as error:
                raise EnrolmentError(
                    f"line {number} of {self.path} cannot be read: bring the file back from a copy of the folder"
                ) from error
        return found


def _lock(file: BinaryIO) -> None:
    """Else what somebody else is about to write would look like a line that broke off."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        # Shares without locks: an approval must not fail for it, and two administrators at once are rare.
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        log.warning("the folder of the authority has no locks: let one administrator at a time work with it")


def _last_of(entry: Entry, entries: Sequence[Entry]) -> Sequence[Entry]:
    """The last line of the same clinic, if there is one."""
    return [one for one in entries if (one.network, one.clinic) == (entry.network, entry.clinic)][-1:]


def _is_same(one: Entry, other: Entry) -> bool:
    return (one.what, one.fingerprints, one.labels) == (other.what, other.fingerprints, other.labels)


def _whole_lines(content: bytes) -> bytes:
    """Without a last line that a power cut broke off: what it began to tell of was not done."""
    return content[: content.rfind(b"\n") + 1]
