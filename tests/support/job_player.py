"""Plays a cluster that runs Jobs: ends those that an operator made on a fake API, with the report that they owe."""

import json
from typing import Any

from fedround_api.names import ROLE_LABEL
from fedround_operator.kit.resources import JOBS, PODS, Object
from support.builders import UPDATE_DIGEST, make_job_condition, make_pod
from support.fake_api import FakeApi


class JobPlayer:
    """The Jobs of one namespace."""

    def __init__(self, api: FakeApi, namespace: str) -> None:
        self._api, self._namespace = api, namespace

    def running(self) -> list[Object]:
        """The Jobs that have no ended pod, ordered by name."""
        return [job for job in self.all() if not self._pods(job)]

    def all(self) -> list[Object]:
        """All Jobs, ordered by name; not recorded as a call of the operator's."""
        return self._api.peek(JOBS, self._namespace)

    def roles(self) -> list[str]:
        """The names of all Jobs, cut down to role and attempt: `train-a1`."""
        names = (job["metadata"]["name"] for job in self.all())
        return [f"{name.rsplit('-', 3)[1]}-{name.rsplit('-', 1)[1]}" for name in names]

    def end(self, role: str, code: int = 0, *, message: str | None = None, at: str = "2026-11-24T12:30:00Z") -> None:
        """End the running Job of a role: well by default, with the report that it owes, or with another message."""
        job = next(job for job in self.running() if job["metadata"]["labels"][ROLE_LABEL] == role)
        text = json.dumps(report_of(job)) if message is None and code == 0 else message or ""
        self._api.put(PODS, self._namespace, make_pod(job, exit_code=code, message=text, at=at))
        condition = make_job_condition("Failed" if code else "Complete", at=at)
        self._api.put(JOBS, self._namespace, {**job, "status": {"conditions": [condition]}})

    def end_all(self) -> None:
        """End every running Job well."""
        for job in self.running():
            self.end(job["metadata"]["labels"][ROLE_LABEL])

    def _pods(self, job: Object) -> list[Object]:
        label = "batch.kubernetes.io/job-name"
        name = job["metadata"]["name"]
        return [pod for pod in self._api.peek(PODS, self._namespace) if pod["metadata"]["labels"].get(label) == name]


def input_of(job: Object) -> dict[str, Any]:
    """What a Job was given."""
    variables = job["spec"]["template"]["spec"]["containers"][0]["env"]
    given: dict[str, Any] = json.loads(
        next(variable["value"] for variable in variables if variable["name"] == "FEDROUND_INPUT")
    )
    return given


def report_of(job: Object) -> dict[str, Any]:
    """The report of a clinic's Job that went well."""
    role, given = job["metadata"]["labels"][ROLE_LABEL], input_of(job)
    if role == "train":
        trained = {"digest": UPDATE_DIGEST, "bytes": 770_100, "steps": 24, "cases": 384}
        return {"role": role, "exitCode": 0, **trained, "locked": ["Files", "Network"]}
    return {"role": role, "exitCode": 0, "digest": given["digest"], "bytes": given["bytes"]}
