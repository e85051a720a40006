"""The world as one reconcile sees it: a frozen value, made by ``gather``, read by ``decide``."""

from dataclasses import dataclass
from datetime import datetime

from fedround_api.jobs import Role
from fedround_api.kinds import ClinicRound
from fedround_api.kinds.policy import ClinicPolicy
from fedround_operator.kit.jobseen import JobSeen
from fedround_operator.kit.resources import Object


@dataclass(frozen=True)
class PartSeen:
    """A clinic's part in a round, its Jobs, and what the clinic's other parts are about.

    ``owner`` is the reference that Jobs carry to what must be there for them to run. ``policy`` is None while the file
    cannot be understood. ``busy`` holds the roles of which a Job of another part runs, ``keep`` the UIDs of other parts
    that still need their folder.
    """

    part: ClinicRound
    jobs: tuple[JobSeen, ...]
    owner: Object
    policy: ClinicPolicy | None
    busy: frozenset[Role]
    keep: tuple[str, ...]
    now: datetime
