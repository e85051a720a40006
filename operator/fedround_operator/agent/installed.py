"""A clinic's installation, read back from the objects of its chart: what the agent was told, and so its Jobs. Pure."""

from collections.abc import Mapping

from fedround_api.policyfile import PolicyInvalid
from fedround_operator.agent.policy import parse_policy
from fedround_operator.agent.preflight import Installed
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit.jobmanifests import RunAs
from fedround_operator.kit.resources import Object

#: What tells the agent's Deployment from others.
LABELS = {"app.kubernetes.io/name": "fedround-clinic", "app.kubernetes.io/component": "agent"}
POLICY_FILE = "policy.yaml"


class InstallationUnusable(Exception):
    """The objects are not those of the clinic's chart: one sentence on what is wrong."""


def policy_of(deployment: Object) -> str:
    """The name of the ConfigMap with the clinic's policy.

    Raises:
        InstallationUnusable: the Deployment has none.
    """
    name = _volume(deployment, "policy").get("configMap", {}).get("name")
    if not name:
        raise _unknown(deployment, "a policy")
    return str(name)


def installed_by(deployment: Object, policy: Object) -> Installed:
    """The installation.

    Raises:
        InstallationUnusable: the Deployment is of another version of the chart, or the policy cannot be used.
    """
    container = _pod(deployment)["containers"][0]
    told = {one["name"]: str(one.get("value", "")) for one in container.get("env", [])}
    try:
        given = parse_policy(policy.get("data", {}).get(POLICY_FILE, "")).spec
        return Installed(
            settings=_settings(told),
            gateway=told["FEDROUND_GATEWAY"],
            agent_image=container["image"],
            membership_secret=_volume(deployment, "membership")["secret"]["secretName"],
            allow_unlocked=given.training.allow_unlocked,
            allow_none=given.privacy.allow_none,
        )
    except KeyError as error:
        raise _unknown(deployment, str(error)) from error
    except PolicyInvalid as error:
        name = policy["metadata"]["name"]
        raise InstallationUnusable(f"the policy in ConfigMap {name} cannot be used: {error}") from error


def _unknown(deployment: Object, what: str) -> InstallationUnusable:
    name = deployment["metadata"]["name"]
    return InstallationUnusable(
        f"Deployment {name} says nothing of {what}: is it of this version of the clinic's chart?"
    )


def _settings(told: Mapping[str, str]) -> AgentSettings:
    return AgentSettings(
        clinic=told["FEDROUND_CLINIC"],
        namespace=told["FEDROUND_NAMESPACE"],
        image=told["FEDROUND_IMAGE"],
        workspace_claim=told["FEDROUND_WORKSPACE_CLAIM"],
        images_claim=told["FEDROUND_IMAGES_CLAIM"],
        certificate_secret=told["FEDROUND_CERTIFICATE_SECRET"],
        account=told["FEDROUND_ACCOUNT"],
        run_as=RunAs.read(told["FEDROUND_RUN_AS"]),
    )


def _pod(deployment: Object) -> Object:
    found: Object = deployment["spec"]["template"]["spec"]
    return found


def _volume(deployment: Object, name: str) -> Object:
    found: Object = next((one for one in _pod(deployment).get("volumes", []) if one["name"] == name), {})
    return found
