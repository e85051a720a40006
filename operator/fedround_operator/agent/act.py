"""Carries out decisions about a part. Every action may be repeated."""

import logging
from typing import Protocol

from fedround_operator.agent.actions import Action, MakeJob, RemoveJob
from fedround_operator.kit.resources import JOBS, Resource
from fedround_operator.kit.writing import Makes, ensure

log = logging.getLogger(__name__)


class MakesAndRemoves(Makes, Protocol):
    """What acting needs of the clinic's API server."""

    def delete(self, resource: Resource, namespace: str, name: str) -> None: ...


def act(local: MakesAndRemoves, namespace: str, action: Action) -> None:
    """Carry out one action in the clinic's cluster."""
    match action:
        case MakeJob(manifest):
            ensure(local, JOBS, manifest)
        case RemoveJob(name):
            local.delete(JOBS, namespace, name)
            log.info("removed job=%s", name)
