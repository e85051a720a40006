"""Writes to an API server that may be repeated: make an object once, write a status by compare-and-swap."""

import logging
from typing import Any, Protocol

from fedround_operator.kit import metrics
from fedround_operator.kit.errors import (
    AlreadyExists,
    ApiError,
    ApiUnreachable,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
)
from fedround_operator.kit.patches import merge_patch
from fedround_operator.kit.resources import Object, Resource

log = logging.getLogger(__name__)


class Makes(Protocol):
    """Creates objects."""

    def create(self, resource: Resource, namespace: str, body: Object) -> Object: ...


class Patches(Protocol):
    """Patches objects."""

    def patch(
        self, resource: Resource, namespace: str, name: str, body: Object, subresource: str | None = None
    ) -> Object: ...


def ensure(api: Makes, resource: Resource, manifest: Object) -> None:
    """Make an object; one of that name is fine, since names carry the owner's UID and the attempt."""
    meta = manifest["metadata"]
    try:
        api.create(resource, meta["namespace"], manifest)
    except AlreadyExists:
        log.debug("already there resource=%s name=%s", resource.plural, meta["name"])
    else:
        log.info("made resource=%s namespace=%s name=%s", resource.plural, meta["namespace"], meta["name"])


def count_refusals(*resources: Resource) -> None:
    """Begin to count the status writes of these kinds that fail.

    A series that began with its first refusal would show no increase by it.
    """
    for resource in resources:
        for error in (ApiError, ApiUnreachable, Forbidden, NotFound, Conflict, Invalid):
            metrics.STATUS_WRITE_ERRORS.labels(resource.plural, error.code)


def write_status(api: Patches, resource: Resource, before: Any, after: Object) -> bool:
    """Write the status of a kind in one patch if it differs, and only if nobody wrote in between; whether it did.

    Raises:
        Conflict: somebody did.
    """
    patch = merge_patch(before.status.dump(), after)
    if not patch:
        return False
    meta = before.metadata
    body = {"metadata": {"resourceVersion": meta.resource_version}, "status": patch}
    try:
        api.patch(resource, meta.namespace, meta.name, body, "status")
    except ApiError as error:
        metrics.STATUS_WRITE_ERRORS.labels(resource.plural, error.code).inc()
        raise
    return True
