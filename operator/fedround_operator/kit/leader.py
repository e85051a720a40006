"""One operator at a time: a Lease decides, and a process that loses it ends.

A second process waits until the Lease is free or its holder silent. The holder renews every few seconds; when that
has failed for two thirds of the Lease's time it ends itself, since another may take over soon. Who looks at that is a
thread that asks nobody: a request may hang for longer than the Lease lasts.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from fedround_operator.kit import metrics
from fedround_operator.kit.errors import AlreadyExists, ApiError, Conflict, NotFound
from fedround_operator.kit.health import Pulse
from fedround_operator.kit.leases import may_take, renewal
from fedround_operator.kit.resources import LEASES, Object, Resource

log = logging.getLogger(__name__)

DURATION_SECONDS = 15
RENEW_SECONDS = 3.0
LOST_SECONDS = DURATION_SECONDS * 2 / 3
#: To connect and to answer. With the usual time-outs one request could outlast the Lease, and none would be left.
TIMEOUT_SECONDS = (2.0, 2.0)
# A process that is told to end has half a minute for all that it does.
RELEASE_SECONDS = 5.0
_LOOK_SECONDS = 0.5


class LeaseApi(Protocol):
    """What the election needs of an API server."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object: ...

    def create(self, resource: Resource, namespace: str, body: Object) -> Object: ...

    def patch(
        self, resource: Resource, namespace: str, name: str, body: Object, subresource: str | None = None
    ) -> Object: ...


def _end_this_process() -> None:
    log.critical("the lease is lost: this process ends")
    logging.shutdown()
    os._exit(75)


class Leadership:
    """Holds a Lease of one name for one identity."""

    def __init__(self, api: LeaseApi, namespace: str, name: str, identity: str, clock: Callable[[], datetime]) -> None:
        self._api, self._namespace, self._name = api, namespace, name
        self._identity, self._clock = identity, clock
        # When the last request that renewed it was begun: from then on others count its time.
        self._held = time.monotonic()
        self._renewing: threading.Thread | None = None
        self.renewals = Pulse("the Lease was not taken or renewed", LOST_SECONDS)

    def try_take(self) -> bool:
        """Take or renew the Lease if it may be had; whether this identity holds it now."""
        try:
            lease = self._api.get(LEASES, self._namespace, self._name)
        except NotFound:
            return self._create()
        now = self._clock()
        if not may_take(lease, self._identity, now):
            return False
        version = lease["metadata"].get("resourceVersion")
        body = renewal(self._identity, DURATION_SECONDS, now, resourceVersion=version)
        try:
            self._api.patch(LEASES, self._namespace, self._name, body)
        except Conflict:
            return False
        return True

    def acquire(self, stop: threading.Event) -> bool:
        """Wait for the Lease; False when stopped before."""
        told = False
        while not stop.is_set():
            try:
                if self._renew():
                    metrics.LEADER.set(1)
                    return True
            except ApiError as error:
                log.warning("lease cannot be read error=%s", error)
            if not told:
                log.info("waiting for the lease namespace=%s name=%s", self._namespace, self._name)
                told = True
            stop.wait(RENEW_SECONDS)
        return False

    def keep(self, stop: threading.Event, lost: Callable[[], object] = _end_this_process) -> None:
        """Renew until stopped; `lost` is called when that has not succeeded for too long."""
        self._renewing = threading.Thread(target=self._renew_until, args=(stop,), name="lease-renewals", daemon=True)
        self._renewing.start()
        while not stop.wait(_LOOK_SECONDS):
            if time.monotonic() - self._held > LOST_SECONDS:
                lost()
                return

    def _renew_until(self, stop: threading.Event) -> None:
        while not stop.wait(RENEW_SECONDS):
            try:
                self._renew()
            except ApiError as error:
                log.warning("lease was not renewed error=%s", error)

    def _renew(self) -> bool:
        begun = time.monotonic()
        if not self.try_take():
            return False
        self._held = begun
        self.renewals.beat()
        return True

    def release(self) -> None:
        """Give the Lease back once it is kept no more, so that the next process need not wait until it runs out."""
        if self._renewing is not None:
            # A renewal that is under way would take the Lease again.
            self._renewing.join(RELEASE_SECONDS)
        metrics.LEADER.set(0)
        if self._renewing is not None and self._renewing.is_alive():
            log.warning("lease was not given back: a renewal of it hangs")
            return
        try:
            lease = self._api.get(LEASES, self._namespace, self._name)
            if lease.get("spec", {}).get("holderIdentity") == self._identity:
                version = lease["metadata"].get("resourceVersion")
                body = {"metadata": {"resourceVersion": version}, "spec": {"holderIdentity": ""}}
                self._api.patch(LEASES, self._namespace, self._name, body)
        except ApiError as error:
            log.warning("lease was not given back error=%s", error)

    def _create(self) -> bool:
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            **renewal(self._identity, DURATION_SECONDS, self._clock()),
        }
        try:
            self._api.create(LEASES, self._namespace, body)
        except AlreadyExists:
            return False
        return True
