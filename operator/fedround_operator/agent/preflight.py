"""The Jobs of `fedround clinic preflight`, made as the agent makes its own, and what is seen of them. Pure.

train     volumes, limits, lock and lack of a network of `train`; the training image makes the checks
gateway   network and certificate of `fetch`; the agent's image makes the checks, as it knows certificates

They carry the labels by which network policies choose, and none of a round: the agent passes over them. Called by the
command line; the agent itself never makes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fedround_api import names
from fedround_api.checks import PREFLIGHT, CheckReport, CheckResult, PreflightInput, read_checks, told
from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import MEMBERSHIP_VARIABLE, Role, read_report
from fedround_operator.agent.manifests import certificate_mount, images_mount, secret_source, workspace_mount
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit.jobmanifests import NEEDS, JobRequest, Mount, job
from fedround_operator.kit.resources import Object

TRAIN, GATEWAY = "train", "gateway"
#: What is found without a Job.
POLICY = "policy"
_UNITS = {"Mi": 2**20, "Gi": 2**30}
# What a pod waits for without hope: another look finds the same.
_HOPELESS = frozenset(
    {
        *("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"),
        *("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
    }
)


@dataclass(frozen=True)
class Installed:
    """A clinic's installation, as far as its Jobs depend on it."""

    settings: AgentSettings
    gateway: str
    agent_image: str
    membership_secret: str
    allow_unlocked: bool
    allow_none: bool


@dataclass(frozen=True)
class Trying:
    """What is tried: a training of such images in such batches. `mark` tells the Jobs from others."""

    mark: str
    image_size: int
    batch_size: int
    deadline_seconds: int


def policy_check(installed: Installed) -> CheckReport:
    """Whether the clinic's policy lets it take part at all: None is the only mechanism of this version."""
    if installed.allow_none:
        message = "takes part in rounds whose updates are not noised: meant for public or drawn images"
        return told(POLICY, CheckResult.OK, message)
    message = (
        "privacy.allowNone is false, so this clinic takes part in no round of this version, whose updates are not "
        "noised: set it to true for public or drawn images, and for no others"
    )
    return told(POLICY, CheckResult.NOTE, message)


def train_job(installed: Installed, trying: Trying) -> Object:
    """The Job that makes the checks of `train`."""
    settings = installed.settings
    given = PreflightInput(
        image_size=trying.image_size,
        batch_size=trying.batch_size,
        memory_bytes=_bytes(NEEDS[Role.TRAIN].memory),
        allow_unlocked=installed.allow_unlocked,
    )
    request = _request(installed, trying, TRAIN, role=Role.TRAIN, image=settings.image, input_json=given.text())
    mounts = (workspace_mount(settings, read_only=False), images_mount(settings))
    return job(replace(request, arguments=(PREFLIGHT,), mounts=mounts))


def gateway_job(installed: Installed, trying: Trying) -> Object:
    """The Job that makes the checks of the way to the hub. It sees no volume but its Secrets."""
    settings = installed.settings
    # What is missing is for the check to tell, not for a pod that never starts.
    token = secret_source(installed.membership_secret, ("token",), optional=True)
    request = _request(installed, trying, GATEWAY, role=Role.FETCH, image=installed.agent_image, input_json="{}")
    return job(
        replace(
            request,
            command=("python", "-m", "fedround_operator.agent.check"),
            arguments=("--clinic", settings.clinic, "--gateway", installed.gateway),
            mounts=(
                certificate_mount(settings, optional=True),
                Mount("membership", "/membership", token, MEMBERSHIP_VARIABLE),
            ),
        )
    )


def job_name(name: str, mark: str) -> str:
    """The name of one of the two Jobs."""
    return f"preflight-{name}-{mark}"


def is_training(made: Object) -> bool:
    """Whether this is a Job of a round that trains, or may begin to, at this moment."""
    labels = made["metadata"].get("labels", {})
    return labels.get(names.ROLE_LABEL) == Role.TRAIN and names.PREFLIGHT_LABEL not in labels and not _finished(made)


def has_ended(made: Object, pods: Sequence[Object]) -> bool:
    """Whether all of a Job is known that will be."""
    return _finished(made) or _ended(pods) is not None


def hindrance(pods: Sequence[Object], events: Sequence[Object]) -> tuple[str, bool]:
    """(why the Job does not run, whether waiting is pointless); empty where nothing is in its way, or it runs."""
    if not pods:
        # Quotas and admission refuse pods; the Job's controller tells of it in an event.
        return next((str(one.get("message", "")) for one in events if one.get("reason") == "FailedCreate"), ""), False
    for pod in pods:
        status = pod.get("status", {})
        for container in status.get("containerStatuses", []):
            waiting = container.get("state", {}).get("waiting", {})
            if waiting.get("reason") in _HOPELESS:
                return f"{waiting['reason']}: {waiting.get('message', '')}", True
            if "running" in container.get("state", {}):
                return "", False
        for condition in status.get("conditions", []):
            if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
                return f"{condition.get('reason', '')}: {condition.get('message', '')}", False
    mounting = [one for one in events if one.get("reason") in ("FailedMount", "FailedAttachVolume")]
    return (str(mounting[-1].get("message", "")) if mounting else ""), False


def checks_of(name: str, pods: Sequence[Object]) -> list[CheckReport]:
    """What the ended Job has told, and that it was ended before it was through."""
    ended = _ended(pods) or {}
    found = read_checks(ended.get("message"))
    failed = any(one.result is CheckResult.FAILED for one in found)
    code = int(ended.get("exitCode", ExitCode.KILLED))
    if ended.get("reason") == "OOMKilled":
        needs = NEEDS[Role.TRAIN if name == TRAIN else Role.FETCH].memory
        message = f"killed, as it needed more than the {needs} of memory that its Job may take: {_MEMORY_ADVICE}"
        return [*found, told("memory", CheckResult.FAILED, message)]
    # Checks end with the number of one that failed, far below the codes of Jobs and signals.
    if not found or (code != 0) != failed or code >= ExitCode.BAD_INPUT:
        return [*found, told(name, CheckResult.FAILED, _broken_off(code, ended.get("message")))]
    return found


_MEMORY_ADVICE = "ask the network for smaller images or batches (--image-size, --batch-size say what was tried)"


def _broken_off(code: int, message: str | None) -> str:
    report = read_report(message)
    why = report.message if report and report.message else "its log says why"
    return (
        f"the Job ended with exit code {code} before its checks were through: {why}; call again with --keep to read it"
    )


def _request(installed: Installed, trying: Trying, name: str, *, role: Role, image: str, input_json: str) -> JobRequest:
    return JobRequest(
        name=job_name(name, trying.mark),
        namespace=installed.settings.namespace,
        role=role,
        attempt=1,
        image=image,
        input_json=input_json,
        deadline_seconds=trying.deadline_seconds,
        labels={names.PREFLIGHT_LABEL: trying.mark},
        run_as=installed.settings.run_as,
    )


def _finished(made: Object) -> bool:
    conditions = made.get("status", {}).get("conditions", [])
    return any(one.get("type") in ("Complete", "Failed") and one.get("status") == "True" for one in conditions)


def _ended(pods: Sequence[Object]) -> Object | None:
    states = (one.get("state", {}) for pod in pods for one in pod.get("status", {}).get("containerStatuses", []))
    return next((state["terminated"] for state in states if "terminated" in state), None)


def _bytes(quantity: str) -> int:
    return int(quantity[:-2]) * _UNITS[quantity[-2:]]
