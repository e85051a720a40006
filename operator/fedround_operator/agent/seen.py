"""The world as one reconcile sees it: a frozen value, made by ``gather``, read by ``decide``."""

from dataclasses import dataclass
from datetime import datetime

from fedround_api.jobs import Role
from fedround_api.kinds import ClinicRound
from fedround_api.kinds.policy import ClinicPolicy
from fedround_operator.kit.jobseen import JobSeen


def folder(uid: str) -> str:
    """The folder of a part on the workspace volume, relative to it."""
    return f"rounds/{uid}"


@dataclass(frozen=True)
class PartSeen:
    """A clinic's part in a round, its Jobs, and what the clinic's other parts are about.

    ``policy`` is None while the file cannot be understood. ``busy`` holds the roles of which a Job of another part
    runs, ``keep`` the folders that other parts still need.
    """

    part: ClinicRound
    jobs: tuple[JobSeen, ...]
    policy: ClinicPolicy | None
    busy: frozenset[Role]
    keep: tuple[str, ...]
    now: datetime
