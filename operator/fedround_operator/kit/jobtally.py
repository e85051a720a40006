"""How long Jobs took: each attempt that has ended is counted once.

A process counts what ended since it began: a counter that begins anew with the process must not count again what the
one before it has counted.
"""

from collections.abc import Hashable, Iterable
from datetime import datetime

from fedround_api.jobs import Role
from fedround_operator.kit import metrics
from fedround_operator.kit.jobseen import JobSeen, JobState


class JobTally:
    """The Jobs that one process has counted, by the object that they are for."""

    def __init__(self, since: datetime, roles: Iterable[Role]) -> None:
        """`roles` are those of the Jobs that will come."""
        self._since = since
        self._counted: dict[Hashable, frozenset[str]] = {}
        for role in roles:
            for state in (JobState.SUCCEEDED, JobState.FAILED):
                # A series that began with its first failure would show no increase by it.
                metrics.JOB_SECONDS.labels(role.value, state.value)

    def count(self, owner: Hashable, jobs: Iterable[JobSeen]) -> None:
        """Count those of all Jobs of an owner that have ended and were not counted yet."""
        ended = {job.name: job for job in jobs if job.finished_at is not None and job.finished_at >= self._since}
        before = self._counted.get(owner, frozenset())
        for job in ended.values():
            if job.name not in before and job.began_at is not None and job.finished_at is not None:
                took = max(0.0, (job.finished_at - job.began_at).total_seconds())
                metrics.JOB_SECONDS.labels(job.role.value, job.state.value).observe(took)
        self._counted[owner] = before | ended.keys()

    def forget(self, owner: Hashable) -> None:
        """The owner is gone, or settled: its Jobs are not looked at again."""
        self._counted.pop(owner, None)
