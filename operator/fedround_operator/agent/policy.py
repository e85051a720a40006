"""The clinic's policy as the file says it now; the one door to YAML in the agent.

A file that cannot be understood counts as no policy: the agent then takes no step. It does not go on with the last
policy that it understood, since the clinic may just have tried to forbid something.
"""

import logging
from pathlib import Path

import yaml

from fedround_api.kinds.policy import ClinicPolicy
from fedround_api.policyfile import PolicyInvalid, read_policy

log = logging.getLogger(__name__)

_Stamp = tuple[int, int, int] | None


def load_policy(path: Path) -> ClinicPolicy:
    """The policy in a file.

    Raises:
        PolicyInvalid: the file is missing, is no YAML or says something wrong.
    """
    try:
        return parse_policy(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyInvalid(f"cannot be read: {error}") from error


def parse_policy(text: str) -> ClinicPolicy:
    """The policy in the text of a file.

    Raises:
        PolicyInvalid: it is no YAML or says something wrong.
    """
    try:
        return read_policy(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise PolicyInvalid(f"is not YAML: {' '.join(str(error).split())}") from error


class PolicyFile:
    """The policy of a file that may change at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[_Stamp, ClinicPolicy | None] | None = None

    def current(self) -> ClinicPolicy | None:
        """The policy as it stands, or nothing while the file cannot be understood. The file is read when it changes."""
        stamp = self._stamp()
        if self._read is None or self._read[0] != stamp:
            self._read = (stamp, self._load())
        return self._read[1]

    def _load(self) -> ClinicPolicy | None:
        try:
            policy = load_policy(self._path)
        except PolicyInvalid as error:
            log.error("policy unusable, no work is started until it is mended file=%s error=%s", self._path, error)
            return None
        log.info(
            "policy read file=%s case_volume=%d allow_none=%s report_case_counts=%s allow_unlocked=%s",
            self._path,
            policy.spec.case_volume,
            policy.spec.privacy.allow_none,
            policy.spec.privacy.report_case_counts,
            policy.spec.training.allow_unlocked,
        )
        return policy

    def _stamp(self) -> _Stamp:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
