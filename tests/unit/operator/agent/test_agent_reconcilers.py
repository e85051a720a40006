"""The agent over two API servers in memory: whole parts, turns, ended and forgotten Jobs."""

from datetime import timedelta
from typing import Any

import pytest

from fedround_operator.agent.gather import is_settled
from fedround_operator.agent.reconcilers import ENDED_JOBS_KEY, SWEEP_KEY
from fedround_operator.kit import metrics
from fedround_operator.kit.controller import Key
from fedround_operator.kit.errors import ApiUnreachable, Conflict, NotFound
from fedround_operator.kit.resources import CLINIC_ROUNDS, JOBS, PODS, SERVICE_ACCOUNTS
from support.builders import make_clinic_round, make_policy
from support.clinic_world import PART, ClinicWorld
from support.job_player import input_of

OTHER, OTHER_UID = "skin-2026-w49-99999999", "0a0b0c0d-0000-4000-8000-000000000002"


def test_a_part_goes_from_the_assignment_to_the_submission() -> None:
    world = ClinicWorld()
    world.assign()

    status = world.finish()

    assert world.jobs.roles() == ["fetch-a1", "submit-a1", "train-a1"]
    assert [(one["type"], one["status"]) for one in status["conditions"]] == [
        ("Accepted", "True"),
        ("Succeeded", "True"),
        ("Fetched", "True"),
        ("Trained", "True"),
        ("Submitted", "True"),
    ]
    trained = {"updateDigest": "0dd5" * 16, "updateBytes": 770_100}
    assert status["result"] == {**trained, "locked": ["Files", "Network"]}
    assert status["attempts"] == {"fetch": 1, "train": 1, "submit": 1}


def test_each_job_belongs_to_the_account_as_it_is_when_the_job_is_made() -> None:
    world = ClinicWorld()
    world.assign()
    world.settle()
    account = {"metadata": {"name": "fedround-agent", "uid": "acc0c0de-0000-4000-8000-000000000002"}}
    world.local.put(SERVICE_ACCOUNTS, "north", account)

    world.finish()

    owners = [(one["kind"], one["uid"]) for job in world.jobs.all() for one in job["metadata"]["ownerReferences"]]
    assert owners == [
        ("ServiceAccount", "acc0c0de-0000-4000-8000-000000000001"),
        ("ServiceAccount", "acc0c0de-0000-4000-8000-000000000002"),
        ("ServiceAccount", "acc0c0de-0000-4000-8000-000000000002"),
    ]


def test_no_job_is_made_once_the_account_is_gone() -> None:
    world = ClinicWorld()
    world.assign()
    world.local.delete(SERVICE_ACCOUNTS, "north", "fedround-agent")

    with pytest.raises(NotFound):
        world.reconcile()

    assert world.jobs.roles() == []


def test_what_alerts_look_at_is_told_before_it_goes_wrong_for_the_first_time() -> None:
    metrics.JOB_SECONDS.clear()
    metrics.STATUS_WRITE_ERRORS.clear()

    ClinicWorld()

    def told(name: str, **labels: str) -> float | None:
        return metrics.REGISTRY.get_sample_value(f"fedround_{name}", labels)

    for role in ("fetch", "train", "submit"):
        assert told("job_duration_seconds_count", role=role, outcome="Failed") == 0
    for code in ("403", "404", "409", "422", "unreachable", "other"):
        assert told("status_write_errors_total", resource="clinicrounds", code=code) == 0


def test_the_same_view_is_not_written_twice() -> None:
    world = ClinicWorld()
    world.assign()
    world.reconcile()
    world.reconcile()
    written = len([call for call in world.hub.calls if call.verb == "patch"])

    for _ in range(3):
        world.reconcile()

    assert len([call for call in world.hub.calls if call.verb == "patch"]) == written


def test_a_status_that_was_written_meanwhile_is_not_overwritten() -> None:
    world = ClinicWorld()
    world.assign()
    world.local.after = lambda call: world.change(suspended=True) if call.verb == "create" else None

    with pytest.raises(Conflict):
        world.reconcile()


def test_a_part_that_is_gone_or_being_removed_asks_for_nothing() -> None:
    world = ClinicWorld()
    assert world.reconcile().again_seconds is None

    going = make_clinic_round()
    going["metadata"]["deletionTimestamp"] = "2026-11-24T12:00:00Z"
    world.hub.put(CLINIC_ROUNDS, "clinic-north", going)

    assert world.reconcile().again_seconds is None
    assert world.jobs.all() == []


def test_a_failed_job_is_made_again_with_fresh_urls() -> None:
    world = ClinicWorld()
    world.assign()
    world.settle()
    world.jobs.end("fetch", 76, at="2026-11-24T12:00:00Z")
    urls = {"checkpoint": "https://gateway/base?fresh", "update": "https://gateway/update?fresh"}
    world.change(urls={**urls, "signedAt": "2026-11-24T12:00:00Z", "expiresAt": "2026-11-24T13:00:00Z"})
    world.now += timedelta(seconds=1)

    world.settle()

    (second,) = world.jobs.running()
    assert input_of(second)["url"] == "https://gateway/base?fresh"


def test_a_second_part_fetches_and_trains_when_its_turn_comes() -> None:
    world = ClinicWorld()
    world.assign()
    world.assign(OTHER, OTHER_UID)
    world.settle(PART)
    world.settle(OTHER)
    assert world.jobs.roles() == ["fetch-a1"]
    assert world.status(OTHER)["phase"] == "Waiting"

    world.jobs.end_all()
    world.settle(PART)
    world.settle(OTHER)

    assert sorted(world.jobs.roles()) == ["fetch-a1", "fetch-a1", "train-a1"]
    assert world.finish(OTHER)["phase"] == "Submitted"


def test_a_fetch_is_told_to_keep_what_other_parts_need() -> None:
    world = ClinicWorld()
    world.assign(OTHER, OTHER_UID)
    world.assign()
    ended = make_clinic_round("skin-2026-w47-11111111", uid="eeeeeeee-0000-4000-8000-000000000003")
    ended["status"] = {
        "conditions": [
            {"type": "Succeeded", "status": "False", "reason": "BadData", "lastTransitionTime": "2026-11-24T12:00:00Z"}
        ]
    }
    world.hub.put(CLINIC_ROUNDS, "clinic-north", ended)

    world.settle()

    (fetch,) = world.jobs.running()
    assert input_of(fetch)["keep"] == ["0a0b0c0d-0000-4000-8000-000000000002"]


def test_the_folder_of_a_job_without_a_part_is_kept_while_it_runs() -> None:
    world = ClinicWorld()
    world.assign(OTHER, OTHER_UID)
    world.settle(OTHER)
    world.jobs.end_all()
    world.settle(OTHER)
    world.hub.delete(CLINIC_ROUNDS, "clinic-north", OTHER)
    world.assign()

    world.settle()

    fetch = next(job for job in world.jobs.running() if "-fetch-" in job["metadata"]["name"])
    assert input_of(fetch)["keep"] == ["0a0b0c0d-0000-4000-8000-000000000002"]


class TestEndedJobs:
    def test_nothing_is_looked_at_while_the_clinic_is_idle(self) -> None:
        world = ClinicWorld()

        outcome = world.agent.ended_jobs(ENDED_JOBS_KEY)

        assert (outcome.again_seconds, outcome.wake) == (None, ())
        assert world.local.calls == []

    def test_the_first_part_starts_the_look_out_once(self) -> None:
        world = ClinicWorld()
        world.assign()

        assert world.reconcile().wake == (ENDED_JOBS_KEY,)
        world.agent.ended_jobs(ENDED_JOBS_KEY)

        assert world.reconcile().wake == ()

    def test_a_job_that_ended_wakes_its_part_within_a_second_without_asking_the_hub(self) -> None:
        world = ClinicWorld()
        world.assign()
        world.settle()
        world.agent.ended_jobs(ENDED_JOBS_KEY)
        first = world.agent.ended_jobs(ENDED_JOBS_KEY)
        asked = len(world.hub.calls)

        world.jobs.end("fetch")
        second = world.agent.ended_jobs(ENDED_JOBS_KEY)

        assert (first.again_seconds, first.wake) == (1.0, ())
        assert (second.again_seconds, second.wake) == (1.0, (Key("ClinicRound", "clinic-north", PART),))
        assert len(world.hub.calls) == asked

    def test_a_job_that_ended_before_the_first_look_wakes_its_part(self) -> None:
        world = ClinicWorld()
        world.assign()
        world.reconcile()
        world.jobs.end("fetch")

        outcome = world.agent.ended_jobs(ENDED_JOBS_KEY)

        assert outcome.wake == (Key("ClinicRound", "clinic-north", PART),)

    def test_the_look_out_starts_though_the_first_write_was_refused(self) -> None:
        world = ClinicWorld()
        world.assign()
        world.local.after = lambda call: world.change(suspended=True) if call.verb == "create" else None
        with pytest.raises(Conflict):
            world.reconcile()
        world.local.after = lambda _: None

        assert world.reconcile().wake == (ENDED_JOBS_KEY,)

    def test_the_look_out_ends_with_the_last_part(self) -> None:
        world = ClinicWorld(make_policy(allow_none=False))
        world.assign()
        world.reconcile()
        world.reconcile()

        assert world.agent.ended_jobs(ENDED_JOBS_KEY).again_seconds is None


class TestSweep:
    def test_jobs_of_a_part_that_is_gone_are_removed_after_five_minutes(self) -> None:
        world = ClinicWorld()
        world.assign()
        world.settle()
        world.hub.delete(CLINIC_ROUNDS, "clinic-north", PART)

        world.agent.sweep(SWEEP_KEY)
        world.now += timedelta(seconds=299)
        world.agent.sweep(SWEEP_KEY)
        assert world.jobs.roles() == ["fetch-a1"]

        world.now += timedelta(seconds=1)
        world.agent.sweep(SWEEP_KEY)
        assert world.jobs.roles() == []
        assert world.local.peek(PODS, "north") == []

    def test_a_part_that_comes_back_in_time_keeps_its_jobs(self) -> None:
        world = ClinicWorld()
        world.assign()
        world.settle()
        world.hub.delete(CLINIC_ROUNDS, "clinic-north", PART)
        world.agent.sweep(SWEEP_KEY)
        world.assign()
        world.now += timedelta(seconds=200)
        world.agent.sweep(SWEEP_KEY)
        world.hub.delete(CLINIC_ROUNDS, "clinic-north", PART)
        world.now += timedelta(seconds=200)

        world.agent.sweep(SWEEP_KEY)

        assert world.jobs.roles() == ["fetch-a1"]

    def test_a_hub_that_does_not_answer_says_nothing_about_parts(self) -> None:
        world = ClinicWorld()
        world.assign()
        world.settle()
        world.hub.delete(CLINIC_ROUNDS, "clinic-north", PART)
        world.agent.sweep(SWEEP_KEY)
        world.now += timedelta(hours=1)

        def away(_: object) -> None:
            raise ApiUnreachable("no answer")

        world.hub.before = away
        with pytest.raises(ApiUnreachable):
            world.agent.sweep(SWEEP_KEY)

        assert world.jobs.roles() == ["fetch-a1"]

    def test_jobs_that_belong_to_no_part_are_left_alone(self) -> None:
        world = ClinicWorld()
        labels = {"app.kubernetes.io/part-of": "fedround"}
        world.local.put(JOBS, "north", {"metadata": {"name": "by-hand", "labels": labels}})
        world.agent.sweep(SWEEP_KEY)
        world.now += timedelta(hours=1)

        world.agent.sweep(SWEEP_KEY)

        assert [job["metadata"]["name"] for job in world.jobs.all()] == ["by-hand"]

    def test_parts_that_are_not_settled_are_looked_at_though_no_event_came(self) -> None:
        world = ClinicWorld()
        world.assign(OTHER, OTHER_UID)
        world.finish(OTHER)
        world.assign()

        outcome = world.agent.sweep(SWEEP_KEY)

        assert (outcome.again_seconds, outcome.wake) == (60.0, (Key("ClinicRound", "clinic-north", PART),))


@pytest.mark.parametrize(
    "status", [None, 7, "text", [], {"conditions": 7}, {"conditions": None}, {"conditions": [7, None, "text"]}]
)
def test_a_part_whose_status_cannot_be_understood_is_not_settled(status: Any) -> None:
    assert is_settled({"status": status}) is False


def test_a_part_is_settled_by_its_condition_beside_what_cannot_be_understood() -> None:
    assert is_settled({"status": {"conditions": [7, {"type": "Succeeded", "status": "False"}]}})
