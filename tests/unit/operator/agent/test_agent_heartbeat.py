"""The sign of life."""

import logging
import random
from datetime import UTC, datetime

import pytest

from fedround_api.kinds.policy import ClinicPolicy
from fedround_api.policyfile import read_policy
from fedround_operator.agent.heartbeat import Heartbeat
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit.errors import ApiUnreachable
from fedround_operator.kit.health import Pulse
from fedround_operator.kit.leases import expires_at
from fedround_operator.kit.resources import LEASES
from support.builders import make_lease, make_policy
from support.fake_api import FakeApi

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
GENERATOR = random.Random(7)  # noqa: S311 - jitter


def make_heartbeat(hub: FakeApi, policy: ClinicPolicy | None, renewals: Pulse | None = None) -> Heartbeat:
    return Heartbeat(
        hub,
        AgentSettings(clinic="north", namespace="north", image="image"),
        version="0.1.0",
        policy=lambda: policy,
        clock=lambda: NOON,
        renewals=renewals or Pulse("no renewal", 40),
        generator=GENERATOR,
    )


def test_a_beat_renews_the_lease_and_carries_version_and_case_volume() -> None:
    hub = FakeApi()
    hub.put(LEASES, "clinic-north", make_lease())

    assert make_heartbeat(hub, read_policy(make_policy(case_volume=1200))).beat() is True

    (lease,) = hub.peek(LEASES, "clinic-north")
    assert lease["metadata"]["annotations"] == {
        "fedround.dev/agent-version": "0.1.0",
        "fedround.dev/case-volume": "1200",
    }
    assert lease["spec"]["holderIdentity"] == "north"
    assert expires_at(lease) == datetime(2026, 11, 24, 12, 0, 40, tzinfo=UTC)


def test_a_beat_without_a_policy_leaves_the_case_volume_as_it_was() -> None:
    hub = FakeApi()
    hub.put(LEASES, "clinic-north", make_lease())
    make_heartbeat(hub, read_policy(make_policy(case_volume=1200))).beat()

    make_heartbeat(hub, None).beat()

    (lease,) = hub.peek(LEASES, "clinic-north")
    assert lease["metadata"]["annotations"]["fedround.dev/case-volume"] == "1200"


def test_an_outage_is_told_once_and_its_end(caplog: pytest.LogCaptureFixture) -> None:
    hub = FakeApi()
    hub.put(LEASES, "clinic-north", make_lease())
    heartbeat = make_heartbeat(hub, None)
    caplog.set_level(logging.INFO)

    def away(_: object) -> None:
        raise ApiUnreachable("no answer")

    hub.before = away
    assert [heartbeat.beat() for _ in range(3)] == [False, False, False]
    hub.before = lambda _: None
    assert [heartbeat.beat() for _ in range(2)] == [True, True]

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_hub_without_the_lease_does_not_end_the_agent() -> None:
    assert make_heartbeat(FakeApi(), None).beat() is False


def test_pauses_differ_and_stay_near_ten_seconds() -> None:
    heartbeat = make_heartbeat(FakeApi(), None)

    pauses = [heartbeat.pause_seconds() for _ in range(50)]

    assert len(set(pauses)) == 50
    assert min(pauses) >= 9.0
    assert max(pauses) <= 11.0


def test_only_a_renewal_that_the_hub_took_counts_as_one() -> None:
    hub, renewals = FakeApi(), Pulse("no renewal", 40)
    heartbeat = make_heartbeat(hub, None, renewals)

    assert heartbeat.beat() is False
    assert renewals.missing() == "no renewal yet"

    hub.put(LEASES, "clinic-north", make_lease())
    assert heartbeat.beat() is True
    assert renewals.missing() == ""
