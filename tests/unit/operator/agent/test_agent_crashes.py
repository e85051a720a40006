"""The agent may end or lose the network at any call, and see events in any order: the part ends the same."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedround_operator.kit.errors import ApiError, ApiUnreachable, Conflict
from fedround_operator.kit.resources import JOBS
from support.clinic_world import PART, ClinicWorld, Crash, Fault
from support.fake_api import Call

# An undisturbed part takes so many calls.
CALLS = 33


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("error", [Crash, ApiUnreachable])
@pytest.mark.parametrize("number", range(CALLS + 1))
def test_a_fault_at_any_call_changes_nothing_of_the_end(number: int, error: Any, carried_out: bool) -> None:
    world = ClinicWorld()
    world.assign()
    fault = Fault(number, error, world.hub, world.local, carried_out=carried_out)

    status = world.finish()

    assert fault.struck is (number < CALLS)
    assert world.jobs.roles() == ["fetch-a1", "submit-a1", "train-a1"]
    assert status["attempts"] == {"fetch": 1, "train": 1, "submit": 1}
    trained = {"updateDigest": "0dd5" * 16, "updateBytes": 770_100}
    assert status["result"] == {**trained, "locked": ["Files", "Network"]}
    assert world.succeeded() == "True"


@pytest.mark.parametrize("number", range(12))
def test_a_fault_while_a_part_is_stopped_leaves_no_job_running(number: int) -> None:
    world = ClinicWorld()
    world.assign()
    world.settle()
    world.jobs.end_all()
    world.settle()
    world.change(closed=True)
    Fault(number, Crash, world.hub, world.local, carried_out=True)

    world.finish()

    assert world.jobs.running() == []
    assert world.succeeded() == "False"


def _kill(world: ClinicWorld) -> None:
    for job in world.jobs.running()[:1]:
        world.jobs.end(job["metadata"]["labels"]["fedround.dev/role"], 137, at=world.now.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _remove(world: ClinicWorld) -> None:
    for job in world.jobs.all()[:1]:
        world.local.delete(JOBS, "north", job["metadata"]["name"])


def _reconcile(world: ClinicWorld) -> None:
    try:
        world.reconcile()
    except Crash:
        world.restart()
    except ApiError:
        pass


def _pass_time(world: ClinicWorld) -> None:
    world.now += timedelta(seconds=40)


def _let_pass(_: Call) -> None:
    """A hook that does nothing: no fault is left to strike."""


def _crash_soon(world: ClinicWorld) -> None:
    Fault(3, Crash, world.hub, world.local, carried_out=True)


def _conflict_soon(world: ClinicWorld) -> None:
    Fault(2, Conflict, world.hub, carried_out=False)


EVENTS: dict[str, Callable[[ClinicWorld], None]] = {
    "reconcile": _reconcile,
    "restart": ClinicWorld.restart,
    "jobs end": lambda world: world.jobs.end_all(),
    "a job is killed": _kill,
    "a job is removed": _remove,
    "time passes": _pass_time,
    "suspend": lambda world: world.change(suspended=True),
    "resume": lambda world: world.change(suspended=False),
    "crash soon": _crash_soon,
    "conflict soon": _conflict_soon,
    "close": lambda world: world.change(closed=True),
}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(sorted(EVENTS)), max_size=40))
def test_events_in_any_order_leave_one_job_at_a_time_and_a_settled_part_settled(events: list[str]) -> None:
    world = ClinicWorld()
    world.assign()
    settled = None
    for event in events:
        trained_before = world.status().get("attempts", {}).get("train", 0)
        had_result = "result" in world.status()
        try:
            EVENTS[event](world)
        except (Crash, ApiError):
            world.restart()

        assert len(world.jobs.running()) <= 1
        if had_result:
            assert world.status()["attempts"]["train"] == trained_before
        if settled is not None:
            assert world.status() == settled
        elif world.succeeded() != "Unknown":
            settled = world.status()
    world.hub.before = world.hub.after = world.local.after = _let_pass
    world.change(suspended=False)
    end = world.finish(PART)
    assert settled in (None, end)
