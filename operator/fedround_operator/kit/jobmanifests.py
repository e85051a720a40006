"""Job manifests as return values. Pure.

What every fedround Job has in common stands here: it runs once, without a service-account token, as no one in
particular, on a read-only root, with fixed thread counts, and reports by its termination message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fedround_api.exitcodes import final_codes
from fedround_api.jobs import INPUT_VARIABLE, REPORT_VARIABLE, Role
from fedround_api.names import ATTEMPT_LABEL, PART_OF, PART_OF_VALUE, ROLE_LABEL
from fedround_operator.kit.resources import Object

CONTAINER = "job"
TERMINATION_LOG = "/dev/termination-log"
# The hub copies a Job's report within seconds; a day leaves people time to read the log of one that failed.
TTL_SECONDS = 86_400
# The same inputs must give the same bytes: sums depend on how many threads share them.
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Mount:
    """A volume, or a folder of it, and where the Job sees it; ``variable`` tells the Job the path."""

    name: str
    path: str
    source: Mapping[str, Any]
    variable: str
    read_only: bool = True
    sub_path: str | None = None


@dataclass(frozen=True)
class Needs:
    """What a Job asks of a node."""

    cpu: str
    memory: str


NEEDS = {
    Role.INIT: Needs("500m", "2Gi"),
    Role.FETCH: Needs("50m", "256Mi"),
    Role.TRAIN: Needs("1", "3Gi"),
    Role.SUBMIT: Needs("50m", "256Mi"),
    Role.AGGREGATE: Needs("100m", "1Gi"),
    Role.VALIDATE: Needs("1", "3Gi"),
}


@dataclass(frozen=True)
class RunAs:
    """Whom the processes of Jobs run as, and whose volumes are that can be written; None: the cluster chooses."""

    user: int | None
    group: int | None
    fs_group: int | None

    @classmethod
    def read(cls, text: str) -> "RunAs":
        """From `USER:GROUP:FSGROUP`, each of which may be empty. Raises ValueError for another text."""
        user, group, fs_group = (int(part) if part else None for part in text.split(":"))
        return cls(user, group, fs_group)

    @property
    def text(self) -> str:
        """What `read` takes."""
        return ":".join("" if one is None else str(one) for one in (self.user, self.group, self.fs_group))

    def fields(self) -> Object:
        """Those of a pod's security context."""
        found = {"runAsUser": self.user, "runAsGroup": self.group, "fsGroup": self.fs_group}
        return {name: number for name, number in found.items() if number is not None}


# As the images have it.
NOBODY = RunAs(65532, 65532, 65532)


@dataclass(frozen=True)
class JobRequest:
    """One attempt of a Job.

    `arguments` take the role's place, and `command` that of the image's own program: for Jobs that make a role's checks
    with its labels, resources and rights.
    """

    name: str
    namespace: str
    role: Role
    attempt: int
    image: str
    input_json: str
    deadline_seconds: int
    arguments: tuple[str, ...] | None = None
    command: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    owner: Mapping[str, Any] | None = None
    run_as: RunAs = NOBODY


def job(request: JobRequest) -> Object:
    """The Job object for the request."""
    labels = {
        PART_OF: PART_OF_VALUE,
        ROLE_LABEL: request.role.value,
        ATTEMPT_LABEL: str(request.attempt),
        **request.labels,
    }
    metadata: Object = {"name": request.name, "namespace": request.namespace, "labels": labels}
    if request.owner:
        metadata["ownerReferences"] = [dict(request.owner)]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": max(1, request.deadline_seconds),
            "ttlSecondsAfterFinished": TTL_SECONDS,
            "podFailurePolicy": {
                "rules": [
                    {
                        "action": "FailJob",
                        "onExitCodes": {"containerName": CONTAINER, "operator": "In", "values": final_codes()},
                    }
                ]
            },
            "template": {"metadata": {"labels": labels}, "spec": _pod(request)},
        },
    }


def _pod(request: JobRequest) -> Object:
    scratch = {"name": "scratch", "emptyDir": {}}
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 10,
        "securityContext": {
            "runAsNonRoot": True,
            **request.run_as.fields(),
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(request)],
        "volumes": [scratch, *({"name": mount.name, **mount.source} for mount in request.mounts)],
    }


def _container(request: JobRequest) -> Object:
    needs = NEEDS[request.role]
    variables = {
        INPUT_VARIABLE: request.input_json,
        REPORT_VARIABLE: TERMINATION_LOG,
        "HOME": "/tmp",  # noqa: S108 - the emptyDir mounted below
        "TMPDIR": "/tmp",  # noqa: S108
        **_THREADS,
        **{mount.variable: mount.path for mount in request.mounts},
    }
    arguments = (request.role.value,) if request.arguments is None else request.arguments
    return {
        "name": CONTAINER,
        "image": request.image,
        **({"command": list(request.command)} if request.command else {}),
        "args": list(arguments),
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "resources": {
            "requests": {"cpu": needs.cpu, "memory": needs.memory},
            "limits": {"memory": needs.memory},
        },
        "terminationMessagePath": TERMINATION_LOG,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108
            *map(_volume_mount, request.mounts),
        ],
    }


def _volume_mount(mount: Mount) -> Object:
    found: Object = {"name": mount.name, "mountPath": mount.path}
    if mount.read_only:
        found["readOnly"] = True
    if mount.sub_path:
        found["subPath"] = mount.sub_path
    return found
