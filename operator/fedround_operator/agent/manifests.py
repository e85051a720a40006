"""The Jobs of a clinic, each with the least that it needs. Pure.

fetch    rounds of the workspace (write), certificate
train    workspace (write), images (read)      no URL, no certificate: it has nobody to talk to
submit   rounds of the workspace (read), certificate

Only `train` sees the whole workspace: beside the rounds it holds decoded images and an index of their names. All belong
to the agent's account: when the chart is uninstalled, the cluster ends those that run.
"""

from collections.abc import Sequence

from fedround_api import names
from fedround_api.fields import ClosedPart
from fedround_api.jobs import (
    CERTIFICATE_VARIABLE,
    IMAGES_VARIABLE,
    WORKSPACE_VARIABLE,
    FetchInput,
    Role,
    SubmitInput,
    TrainInput,
)
from fedround_api.kinds import ClinicResult
from fedround_operator.agent.seen import PartSeen
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit.instants import parse
from fedround_operator.kit.jobmanifests import JobRequest, Mount, job
from fedround_operator.kit.resources import Object

# The folder of the workspace that has one for each part, named by its UID.
_ROUNDS = "rounds"
# Readable by the group that Jobs run as, and by nobody else.
_SECRET_MODE = 0o440


def fetch_job(seen: PartSeen, attempt: int, settings: AgentSettings) -> Object:
    """The Job that brings the checkpoint."""
    spec = seen.part.spec
    given = FetchInput(
        folder=seen.part.metadata.uid,
        url=spec.urls.checkpoint,
        digest=spec.base.digest,
        bytes=spec.base.bytes,
        keep=list(seen.keep),
    )
    mounts = (workspace_mount(settings, read_only=False, sub_path=_ROUNDS), certificate_mount(settings))
    return _job(seen, Role.FETCH, given, attempt=attempt, mounts=mounts, settings=settings)


def train_job(seen: PartSeen, attempt: int, settings: AgentSettings) -> Object:
    """The Job that trains; the only one that sees images."""
    spec = seen.part.spec
    given = TrainInput(
        folder=f"{_ROUNDS}/{seen.part.metadata.uid}",
        clinic=spec.clinic,
        model=spec.model,
        base=spec.base,
        training=spec.training,
        cases_until=spec.cases_until,
        allow_unlocked=seen.policy is not None and seen.policy.spec.training.allow_unlocked,
    )
    mounts = (workspace_mount(settings, read_only=False), images_mount(settings))
    return _job(seen, Role.TRAIN, given, attempt=attempt, mounts=mounts, settings=settings)


def submit_job(seen: PartSeen, result: ClinicResult, attempt: int, settings: AgentSettings) -> Object:
    """The Job that uploads the update, with the URL that the spec gives now."""
    given = SubmitInput(
        folder=seen.part.metadata.uid,
        url=seen.part.spec.urls.update,
        digest=result.update_digest,
        bytes=result.update_bytes,
    )
    mounts = (workspace_mount(settings, read_only=True, sub_path=_ROUNDS), certificate_mount(settings))
    return _job(seen, Role.SUBMIT, given, attempt=attempt, mounts=mounts, settings=settings)


def _job(
    seen: PartSeen, role: Role, given: ClosedPart, *, attempt: int, mounts: tuple[Mount, ...], settings: AgentSettings
) -> Object:
    uid, spec = seen.part.metadata.uid, seen.part.spec
    return job(
        JobRequest(
            name=names.job_name(spec.round.name, role, uid, attempt),
            namespace=settings.namespace,
            role=role,
            attempt=attempt,
            image=settings.image,
            input_json=given.text(),
            deadline_seconds=int((parse(spec.deadline_at) - seen.now).total_seconds()),
            labels={names.CLINIC_ROUND_UID_LABEL: uid, names.ROUND_LABEL: spec.round.name},
            mounts=mounts,
            owner=seen.owner,
            run_as=settings.run_as,
        )
    )


def workspace_mount(settings: AgentSettings, *, read_only: bool, sub_path: str | None = None) -> Mount:
    """The volume that Jobs work on, or a folder of it."""
    source = {"persistentVolumeClaim": {"claimName": settings.workspace_claim}}
    return Mount("workspace", "/workspace", source, WORKSPACE_VARIABLE, read_only, sub_path)


def images_mount(settings: AgentSettings) -> Mount:
    """The volume with the images, read-only."""
    claim = {"claimName": settings.images_claim, "readOnly": True}
    return Mount("images", "/images", {"persistentVolumeClaim": claim}, IMAGES_VARIABLE)


def certificate_mount(settings: AgentSettings, *, optional: bool = False) -> Mount:
    """Key, certificate and authority; a Job for which they are optional starts without them too."""
    # Not the key that a renewal waits with: nothing is signed by it yet.
    source = secret_source(settings.certificate_secret, ("tls.crt", "tls.key", "ca.crt"), optional=optional)
    return Mount("certificate", "/certificate", source, CERTIFICATE_VARIABLE)


def secret_source(name: str, keys: Sequence[str], *, optional: bool = False) -> Object:
    """A volume of these keys of a Secret, as files of the same names."""
    items = [{"key": key, "path": key} for key in keys]
    secret: Object = {"secretName": name, "defaultMode": _SECRET_MODE, "items": items}
    return {"secret": {**secret, "optional": True} if optional else secret}
