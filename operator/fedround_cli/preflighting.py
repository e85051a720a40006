"""Runs the two Jobs of a preflight in a clinic's cluster, and brings what they tell. Called by `clinic_preflight`."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from fedround_api import names
from fedround_api.checks import CheckReport, CheckResult, told
from fedround_api.jobs import Role
from fedround_cli.enrolling import ClinicError
from fedround_operator.agent import preflight
from fedround_operator.agent.preflight import GATEWAY, POLICY, TRAIN, Installed, Trying
from fedround_operator.kit.resources import EVENTS, JOBS, PODS, Object, Resource

# A registry or a scheduler may need a second try; after that a person has to look.
HOPELESS_SECONDS = 15.0
# A cluster that adds nodes, or attaches a volume elsewhere, needs minutes.
HINDERED_SECONDS = 180.0
_LOOK_SECONDS = 0.5


class ClusterApi(Protocol):
    """What is asked of the clinic's API server."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object: ...

    def list(
        self, resource: Resource, namespace: str | None = None, labels: dict[str, str] | None = None, fields: str = ""
    ) -> list[Object]: ...

    def create(self, resource: Resource, namespace: str, body: Object) -> Object: ...

    def delete(self, resource: Resource, namespace: str, name: str) -> None: ...


@dataclass(frozen=True)
class Ways:
    """How to wait, and whom to tell of it: seconds, sleeping, a line for people."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    say: Callable[[str], None] = lambda line: None


def checks_made(
    api: ClusterApi, installed: Installed, trying: Trying, ways: Ways, *, keep: bool
) -> list[tuple[str, CheckReport]]:
    """(Job, check) for all checks, after both Jobs have ended or cannot start; they are removed unless kept.

    Raises:
        ClinicError: a training of a round runs: both would need the memory and the volumes.
    """
    namespace = installed.settings.namespace
    _refuse_beside_training(api, namespace)
    made = {GATEWAY: preflight.gateway_job(installed, trying), TRAIN: preflight.train_job(installed, trying)}
    with _removed_after([preflight.job_name(name, trying.mark) for name in made], api, namespace, keep=keep):
        for body in made.values():
            api.create(JOBS, namespace, body)
        until = ways.clock() + trying.deadline_seconds
        found = [
            (name, one)
            for name, body in made.items()
            for one in _Watch(api, namespace, name, body["metadata"]["name"]).checks(until, ways)
        ]
    # The policy was read already.
    return [(POLICY, preflight.policy_check(installed)), *found]


def _refuse_beside_training(api: ClusterApi, namespace: str) -> None:
    labels = {names.PART_OF: names.PART_OF_VALUE, names.ROLE_LABEL: Role.TRAIN.value}
    for made in api.list(JOBS, namespace, labels):
        if preflight.is_training(made):
            raise ClinicError(
                f"a round trains here now (Job {made['metadata']['name']}), and would have to share its memory: call "
                "again when it has ended"
            )


@contextmanager
def _removed_after(jobs: Sequence[str], api: ClusterApi, namespace: str, *, keep: bool) -> Iterator[None]:
    try:
        yield
    finally:
        for name in [] if keep else jobs:
            api.delete(JOBS, namespace, name)


@dataclass
class _Watch:
    """One Job, looked at until it has ended or will not."""

    api: ClusterApi
    namespace: str
    name: str
    job: str
    why: str = ""
    since: float = 0.0

    def checks(self, until: float, ways: Ways) -> list[CheckReport]:
        while True:
            made = self.api.get(JOBS, self.namespace, self.job)
            pods = self.api.list(PODS, self.namespace, {"batch.kubernetes.io/job-name": self.job})
            if preflight.has_ended(made, pods):
                return preflight.checks_of(self.name, pods)
            why, hopeless = preflight.hindrance(pods, self._events(pods))
            now = ways.clock()
            if why != self.why:
                self.why, self.since = why, now
                ways.say(f"Job {self.job} waits: {why}" if why else f"Job {self.job} runs")
            if why and now - self.since >= (HOPELESS_SECONDS if hopeless else HINDERED_SECONDS):
                return [told(self.name, CheckResult.FAILED, f"the Job cannot start: {why}")]
            if now >= until:
                return [told(self.name, CheckResult.FAILED, "the Job was not done in time: give more --minutes")]
            ways.sleep(_LOOK_SECONDS)

    def _events(self, pods: Sequence[Object]) -> list[Object]:
        """What was said of the Job and its pods, the newest last."""
        about = [self.job, *(pod["metadata"]["name"] for pod in pods)]
        found = [
            event
            for name in about
            for event in self.api.list(EVENTS, self.namespace, fields=f"involvedObject.name={name}")
        ]
        return sorted(found, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
