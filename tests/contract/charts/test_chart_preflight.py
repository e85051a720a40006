"""The preflight finds in the clinic's chart what it needs, and its Jobs have the network of those they stand for."""

import json

import pytest

from fedround_api.jobs import Role
from fedround_operator.agent.installed import LABELS, InstallationUnusable, installed_by, policy_of
from fedround_operator.agent.preflight import Installed, Trying, gateway_job, train_job
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit.jobmanifests import JobRequest, job
from support.charts import CLINIC, VARIANTS, Object, of_kind, rendered

EVERY = [variant for chart, variant in VARIANTS if chart == CLINIC]


def installation(variant: str) -> tuple[Object, Object]:
    """(Deployment of the agent, ConfigMap of the policy) of a variant."""
    objects = rendered(CLINIC, variant)
    (deployment,) = of_kind(objects, "Deployment")
    (policy,) = of_kind(objects, "ConfigMap", policy_of(deployment))
    return deployment, policy


@pytest.mark.parametrize("variant", EVERY)
def test_the_agents_deployment_is_found_by_its_labels(variant: str) -> None:
    found = [
        one["kind"]
        for one in rendered(CLINIC, variant)
        if LABELS.items() <= one["metadata"]["labels"].items() and one["kind"] == "Deployment"
    ]
    assert found == ["Deployment"]


def test_the_installation_is_read_back_from_what_helm_made() -> None:
    assert installed_by(*installation("every part")) == Installed(
        settings=AgentSettings(
            clinic="ottawa",
            namespace="fedround",
            image="registry.example.org/fedround-training:0.1.0",
            workspace_claim="agent-workspace",
            images_claim="skin-images",
            certificate_secret="ottawa-certificate",
            account="agent-agent",
        ),
        gateway="fedround.example.org:8443",
        agent_image="registry.example.org/fedround-operator:0.1.0",
        membership_secret="membership",
        allow_unlocked=True,
        allow_none=True,
    )
    assert installed_by(*installation("bundle")).membership_secret == "fedround-membership"
    assert installed_by(*installation("bundle")).allow_unlocked is False
    assert installed_by(*installation("bundle")).allow_none is False


def test_the_jobs_of_a_preflight_run_as_whom_the_agents_jobs_run_as() -> None:
    installed, trying = installed_by(*installation("least")), Trying("a1b2c3", 64, 32, 600)

    for made in (train_job(installed, trying), gateway_job(installed, trying)):
        security = made["spec"]["template"]["spec"]["securityContext"]
        assert (security["runAsUser"], security["runAsGroup"]) == (1_000_650_000, 2000)
        assert security["fsGroup"] == 1_000_650_001


def test_a_policy_that_cannot_be_used_and_another_deployment_are_told() -> None:
    deployment, policy = installation("bundle")
    with pytest.raises(InstallationUnusable, match=f"ConfigMap {policy['metadata']['name']} cannot be used"):
        installed_by(deployment, {**policy, "data": {"policy.yaml": "kind: Nonsense"}})
    other = json.loads(json.dumps(deployment).replace("FEDROUND_GATEWAY", "GATEWAY").replace('"policy"', '"p"'))
    with pytest.raises(InstallationUnusable, match="says nothing of 'FEDROUND_GATEWAY': is it of this version"):
        installed_by(other, policy)
    with pytest.raises(InstallationUnusable, match="says nothing of a policy"):
        policy_of(other)


def _policies(made: Object) -> set[str]:
    """The NetworkPolicies of the chart that choose the Job's pod."""
    labels = made["spec"]["template"]["metadata"]["labels"]
    return {
        one["metadata"]["name"]
        for one in of_kind(rendered(CLINIC, "bundle"), "NetworkPolicy")
        if _chooses(one["spec"]["podSelector"], labels)
    }


def _chooses(selector: Object, labels: dict[str, str]) -> bool:
    by_values = all(labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", []))
    return by_values and selector.get("matchLabels", {}).items() <= labels.items()


def test_the_jobs_of_a_preflight_have_the_network_of_those_that_they_stand_for() -> None:
    installed, trying = installed_by(*installation("bundle")), Trying("a1b2c3", 64, 32, 600)
    round_jobs = {role: job(JobRequest("r", "fedround", role, 1, "image", "{}", 60)) for role in Role}

    assert _policies(train_job(installed, trying)) == _policies(round_jobs[Role.TRAIN]) == {"fedround-deny"}
    assert _policies(gateway_job(installed, trying)) == _policies(round_jobs[Role.FETCH])
    assert _policies(gateway_job(installed, trying)) == {"fedround-deny", "fedround-transfer"}
