"""The rights that the agent asks for are those that its calls need, and no others."""

import random
from datetime import timedelta

from fedround_operator.agent.heartbeat import Heartbeat
from fedround_operator.agent.reconcilers import ENDED_JOBS_KEY, SWEEP_KEY
from fedround_operator.agent.rights import hub_rules, local_rules
from fedround_operator.kit.health import Pulse
from fedround_operator.kit.resources import CLINIC_ROUNDS, Object
from support.clinic_world import PART, SETTINGS, ClinicWorld
from support.fake_api import FakeApi

# kopf's own: it lists, which the agent does too, and watches.
INFORMER = {("fedround.dev", "clinicrounds", "watch", None)}

Right = tuple[str, str, str, str | None]
GENERATOR = random.Random(7)  # noqa: S311 - jitter


def granted(rules: list[Object]) -> set[Right]:
    return {
        (group, resource, verb, name)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [None])
    }


def needed(api: FakeApi, namespace: str) -> set[Right]:
    """What the calls need; the name counts for Leases and accounts, of which the agent has one each."""
    assert {call.namespace for call in api.calls} == {namespace}
    return {
        (
            call.resource.group,
            call.resource.plural + (f"/{call.subresource}" if call.subresource else ""),
            call.verb,
            call.name if call.resource.plural in ("leases", "serviceaccounts") else None,
        )
        for call in api.calls
    }


def test_the_rights_are_those_that_a_whole_life_needs() -> None:
    world = ClinicWorld()
    Heartbeat(
        world.hub,
        SETTINGS,
        version="0.1.0",
        policy=lambda: world.policy,
        clock=lambda: world.now,
        renewals=Pulse("no renewal", 40),
        generator=GENERATOR,
    ).beat()
    world.assign()
    world.finish()
    world.assign("skin-2026-w49-99999999", "0a0b0c0d-0000-4000-8000-000000000002")
    world.settle("skin-2026-w49-99999999")
    world.agent.ended_jobs(ENDED_JOBS_KEY)
    calls = list(world.hub.calls)
    world.hub.delete(CLINIC_ROUNDS, "clinic-north", PART)
    world.hub.calls[:] = calls
    world.agent.sweep(SWEEP_KEY)
    world.now += timedelta(minutes=5)
    world.agent.sweep(SWEEP_KEY)

    assert granted(hub_rules()) == needed(world.hub, "clinic-north") | INFORMER
    assert granted(local_rules("fedround-agent")) == needed(world.local, "north")
