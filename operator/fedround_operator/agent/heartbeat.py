"""Renews the clinic's Lease on the hub: the sign of life by which the hub knows that it may count on the clinic.

The Lease also carries what the hub has to know before a round, the agent's version and the declared case volume, and
the request for the agent's next certificate; the agent may not read it, but sees what it holds after each renewal. One
that fails is tried again at the next beat; nothing in the clinic waits for it.
"""

import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from fedround_api.kinds.policy import ClinicPolicy
from fedround_api.names import AGENT_VERSION_ANNOTATION, CASE_VOLUME_ANNOTATION, LEASE_NAME
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit import metrics
from fedround_operator.kit.errors import ApiError
from fedround_operator.kit.health import Pulse
from fedround_operator.kit.leases import renewal
from fedround_operator.kit.resources import LEASES, Object, Resource

log = logging.getLogger(__name__)

# Three renewals may be lost before the hub counts the clinic as away; the hub takes one small write each beat.
BEAT_SECONDS = 10.0
LEASE_SECONDS = 40
# Clinics that were started together, or cut off together, must not come back in step.
JITTER = 0.1


class Patches(Protocol):
    """What a heartbeat needs of the hub's API server."""

    def patch(self, resource: Resource, namespace: str, name: str, body: Object) -> Object: ...


class Renews(Protocol):
    """What asks for the agent's next certificate by way of the Lease, and gets it there."""

    def lease_annotations(self) -> dict[str, str | None]: ...

    def offered(self, lease: Object) -> None: ...


class Heartbeat:
    """The renewal of one clinic's Lease."""

    def __init__(
        self,
        hub: Patches,
        settings: AgentSettings,
        *,
        version: str,
        policy: Callable[[], ClinicPolicy | None],
        clock: Callable[[], datetime],
        renewals: Pulse,
        generator: random.Random,
        identity: Renews | None = None,
    ) -> None:
        self._hub, self._settings, self._version = hub, settings, version
        self._policy, self._clock, self._generator = policy, clock, generator
        self._renewals = renewals
        self._identity = identity
        self._failing = False

    def run(self, stop: threading.Event) -> None:
        """Renew now and at every beat, until stopped."""
        while not stop.is_set():
            self.beat()
            stop.wait(self.pause_seconds())

    def beat(self) -> bool:
        """Renew once; whether the hub took it. An outage is told once, and its end."""
        try:
            self._renew()
        except ApiError as error:
            if not self._failing:
                log.warning("lease was not renewed, tried again at every beat error=%s", error)
            self._failing = True
            return False
        if self._failing:
            log.info("lease renewed again")
        self._failing = False
        return True

    def pause_seconds(self) -> float:
        """The time until the next beat, drawn anew each time."""
        return BEAT_SECONDS * self._generator.uniform(1 - JITTER, 1 + JITTER)

    def _renew(self) -> None:
        annotations: dict[str, str | None] = {AGENT_VERSION_ANNOTATION: self._version}
        policy = self._policy()
        if policy is not None:
            annotations[CASE_VOLUME_ANNOTATION] = str(policy.spec.case_volume)
        if self._identity is not None:
            annotations |= self._identity.lease_annotations()
        body = renewal(self._settings.clinic, LEASE_SECONDS, self._clock(), annotations=annotations)
        lease = self._hub.patch(LEASES, self._settings.hub_namespace, LEASE_NAME, body)
        if self._identity is not None:
            self._identity.offered(lease)
        self._renewals.beat()
        metrics.HEARTBEAT.set(self._clock().timestamp())
