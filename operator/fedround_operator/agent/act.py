"""Carries out decisions about a part. Every action may be repeated."""

import logging
from typing import Protocol

from fedround_api.kinds import ClinicRound, ClinicRoundStatus
from fedround_operator.agent.actions import Action, MakeJob, RemoveJob
from fedround_operator.kit.errors import AlreadyExists
from fedround_operator.kit.patches import merge_patch
from fedround_operator.kit.resources import CLINIC_ROUNDS, JOBS, Object, Resource

log = logging.getLogger(__name__)


class MakesAndRemoves(Protocol):
    """What acting needs of the clinic's API server."""

    def create(self, resource: Resource, namespace: str, body: Object) -> Object: ...

    def delete(self, resource: Resource, namespace: str, name: str) -> None: ...


class Patches(Protocol):
    """What telling needs of the hub's API server."""

    def patch(
        self, resource: Resource, namespace: str, name: str, body: Object, subresource: str | None = None
    ) -> Object: ...


def act(local: MakesAndRemoves, namespace: str, action: Action) -> None:
    """Carry out one action in the clinic's cluster."""
    match action:
        case MakeJob(manifest):
            _make(local, namespace, manifest)
        case RemoveJob(name):
            local.delete(JOBS, namespace, name)
            log.info("removed job=%s", name)


def _make(local: MakesAndRemoves, namespace: str, manifest: Object) -> None:
    name = manifest["metadata"]["name"]
    try:
        local.create(JOBS, namespace, manifest)
    except AlreadyExists:
        # The name carries the part's UID, the role and the attempt: it is the Job that is wanted.
        log.debug("already there job=%s", name)
    else:
        log.info("made job=%s", name)


def write_status(hub: Patches, part: ClinicRound, status: ClinicRoundStatus) -> bool:
    """Write a part's status in one patch if it differs, and only if nobody wrote in between; whether it was written.

    Raises:
        Conflict: somebody did.
    """
    patch = merge_patch(part.status.dump(), status.dump())
    if not patch:
        return False
    meta = part.metadata
    body = {"metadata": {"resourceVersion": meta.resource_version}, "status": patch}
    hub.patch(CLINIC_ROUNDS, meta.namespace, meta.name, body, "status")
    return True
