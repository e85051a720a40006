"""Reads the world for one reconcile: the clinic's parts from the hub, Jobs and pods from the clinic's cluster.

Below ``gather`` nobody reads anything. One list of each resource is enough, since a clinic has few of them.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from fedround_api.jobs import Role
from fedround_api.kinds import ClinicRound
from fedround_api.kinds.policy import ClinicPolicy
from fedround_api.names import CLINIC_ROUND_UID_LABEL, PART_OF, PART_OF_VALUE
from fedround_operator.agent.progress import SUCCEEDED
from fedround_operator.agent.seen import PartSeen
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit.jobseen import JobSeen, JobState, jobs_seen
from fedround_operator.kit.reading import read_kind
from fedround_operator.kit.resources import CLINIC_ROUNDS, JOBS, PODS, SERVICE_ACCOUNTS, Object, Resource


class Reads(Protocol):
    """An API of which single objects can be read too."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object: ...

    def list(
        self, resource: Resource, namespace: str | None = None, labels: dict[str, str] | None = None
    ) -> list[Object]: ...


class Lists(Protocol):
    """An API that can be read."""

    def list(
        self, resource: Resource, namespace: str | None = None, labels: dict[str, str] | None = None
    ) -> list[Object]:
        """All objects that match."""
        ...


def gather(
    hub: Lists, local: Reads, name: str, settings: AgentSettings, *, policy: ClinicPolicy | None, now: datetime
) -> PartSeen | None:
    """What the next step of a part depends on, or nothing when there is no such part any more."""
    parts = hub.list(CLINIC_ROUNDS, settings.hub_namespace)
    found = next((part for part in parts if part["metadata"]["name"] == name), None)
    if found is None or found["metadata"].get("deletionTimestamp"):
        return None
    part = read_kind(ClinicRound, found)
    by_part = clinic_jobs(local, settings.namespace)
    own = by_part.pop(part.metadata.uid, ())
    running = {uid: jobs for uid, jobs in by_part.items() if any(job.state is JobState.RUNNING for job in jobs)}
    unfinished = {other["metadata"]["uid"] for other in parts if other is not found and not is_settled(other)}
    return PartSeen(
        part=part,
        jobs=own,
        owner=_owner(local, settings),
        policy=policy,
        busy=_running_roles(running.values()),
        # A Job may outlive its part's object for a while: its folder stays too.
        keep=tuple(sorted(unfinished | running.keys())),
        now=now,
    )


def clinic_jobs(local: Lists, namespace: str) -> dict[str, tuple[JobSeen, ...]]:
    """The Jobs of the clinic by the UID of the part that they belong to."""
    labels = {PART_OF: PART_OF_VALUE}
    jobs = local.list(JOBS, namespace, labels)
    pods = local.list(PODS, namespace, labels)
    by_part: dict[str, list[Object]] = {}
    for job in jobs:
        if uid := job["metadata"]["labels"].get(CLINIC_ROUND_UID_LABEL):
            by_part.setdefault(uid, []).append(job)
    return {uid: jobs_seen(owned, pods) for uid, owned in by_part.items()}


def _owner(local: Reads, settings: AgentSettings) -> Object:
    """The reference to the agent's account, read each time: one that was made anew has another UID.

    It blocks no deletion: where an API server guards that, it would take a right of its own.
    """
    account = local.get(SERVICE_ACCOUNTS, settings.namespace, settings.account)
    return {"apiVersion": "v1", "kind": "ServiceAccount", "name": settings.account, "uid": account["metadata"]["uid"]}


def _running_roles(parts: Iterable[tuple[JobSeen, ...]]) -> frozenset[Role]:
    return frozenset(job.role for jobs in parts for job in jobs if job.state is JobState.RUNNING)


def is_settled(part: Object) -> bool:
    """Whether a part is settled. Read from the raw object: one that cannot be understood must not stop the others."""
    status = part.get("status")
    conditions = status.get("conditions") if isinstance(status, dict) else None
    known = (one for one in conditions if isinstance(one, dict)) if isinstance(conditions, list) else ()
    return any(one.get("type") == SUCCEEDED and one.get("status") != "Unknown" for one in known)
