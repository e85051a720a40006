"""The hub may end or lose its API server at any call: round and model end the same, and nothing happens twice."""

from typing import Any

import pytest

from fedround_operator.kit.errors import ApiUnreachable, Conflict
from fedround_operator.kit.resources import ROUNDS, Object
from support.fake_api import Call
from support.hub_builders import FAILED, ROLL_BACK
from support.hub_world import Crash, Fault, HubWorld

CLINICS = ("east", "north")
EVENTS = [
    "skin-2026-w48.00000006.aggregating.1",
    "skin-2026-w48.00000006.pending.1",
    "skin-2026-w48.00000006.promoted.1",
    "skin-2026-w48.00000006.training.1",
    "skin-2026-w48.00000006.validating.1",
]


def without_times(value: Any) -> Any:
    """The value without its instants, and without the order of its conditions."""
    if isinstance(value, dict):
        kept = {key: without_times(part) for key, part in value.items() if not key.endswith(("At", "Time"))}
        if "conditions" in kept:
            kept["conditions"].sort(key=lambda condition: condition["type"])
        return kept
    return [without_times(part) for part in value] if isinstance(value, list) else value


def started(**changes: Any) -> HubWorld:
    """A world in which a round was just created."""
    world = HubWorld(CLINICS, **changes)
    world.apply()
    return world


def undisturbed() -> tuple[Object, Object, list[Call]]:
    """How round and model end when nothing goes wrong, and the calls that it takes."""
    world = started()
    status = world.finish()
    return without_times(status), without_times(world.model()), world.api.calls


STATUS, MODEL, CALLS = undisturbed()
WRITES = [number for number, call in enumerate(CALLS) if call.verb in ("create", "patch", "delete")]
# A read that was answered and one that was not leave the same world behind.
FAULTS: list[tuple[int, type[Exception], bool]] = [
    *((number, Crash, False) for number in range(len(CALLS))),
    *((number, Crash, True) for number in WRITES),
    *((number, ApiUnreachable, False) for number in range(len(CALLS))),
    *((number, ApiUnreachable, True) for number in WRITES),
    *((number, Conflict, False) for number in WRITES if CALLS[number].verb == "patch"),
]


def fault_name(fault: tuple[int, type[Exception], bool]) -> str:
    number, error, carried_out = fault
    call = CALLS[number]
    return f"{error.__name__}-{'after' if carried_out else 'before'}-{number}-{call.verb}-{call.resource.plural}"


def test_an_undisturbed_round_is_promoted_once() -> None:
    assert (STATUS["phase"], STATUS["reason"]) == ("Promoted", "GatePassed")
    assert MODEL["current"]["version"] == 4
    assert [version["version"] for version in MODEL["history"]] == [4, 3]
    assert len(WRITES) > 20


@pytest.mark.parametrize("fault", FAULTS, ids=fault_name)
def test_a_fault_at_any_call_changes_nothing_of_the_end(fault: tuple[int, type[Exception], bool]) -> None:
    world = started()
    number, error, carried_out = fault
    injected = Fault(world, number, error, carried_out=carried_out)

    status = world.finish()

    assert injected.struck
    assert without_times(status) == STATUS
    assert without_times(world.model()) == MODEL
    assert world.job_names() == ["aggregate-a1", "validate-a1"]
    # A fault may join the first two steps of a round: then it was never seen pending.
    assert world.event_names() in (EVENTS, [name for name in EVENTS if ".pending." not in name])
    assert all(part["spec"]["closed"] is False for part in world.parts())


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(10))
def test_a_crash_while_the_first_checkpoint_is_made_leaves_one_version_0(number: int, carried_out: bool) -> None:
    world = HubWorld(CLINICS, ready=False)
    Fault(world, number, Crash, carried_out=carried_out)

    for _ in range(3):
        world.settle()
        world.jobs_end()
        world.restart()

    assert world.job_names() == ["init-a1"]
    assert world.model()["current"]["version"] == 0
    assert len(world.model()["history"]) == 1


@pytest.mark.parametrize("number", range(0, 60, 2))
def test_a_crash_in_a_round_that_is_rolled_back_counts_one_evaluation(number: int) -> None:
    world = started()
    world.verdict = ROLL_BACK
    world.settle()
    world.clinics_work()
    Fault(world, number, Crash, carried_out=True)

    status = world.finish()

    assert (status["phase"], status["reason"]) == ("RolledBack", "HighRiskCasesLost")
    assert world.model()["current"]["version"] == 3
    assert world.model()["evaluations"] == 6


@pytest.mark.parametrize("number", range(0, 30, 2))
def test_a_crash_while_a_round_fails_leaves_no_clinic_at_work(number: int) -> None:
    world = started()
    world.settle()
    world.behaviour["north"] = FAILED
    world.behaviour["east"] = "working"
    world.clinics_work()
    Fault(world, number, Crash, carried_out=True)

    status = world.finish()

    assert (status["phase"], status["reason"]) == ("Failed", "QuorumNotMet")
    open_parts = [part for part in world.parts() if not part.get("status") and not part["spec"]["closed"]]
    assert open_parts == []
    assert world.model()["current"]["version"] == 3


def test_somebody_who_touches_the_round_between_event_and_status_repeats_no_event() -> None:
    world = started()
    world.settle()
    world.clinics_work()
    touched: list[bool] = []

    def touch(call: Call, carried_out: bool) -> None:
        if call.verb == "create" and call.resource.plural == "events" and carried_out and not touched:
            touched.append(True)
            patch = {"metadata": {"annotations": {"note": "looked at"}}}
            world.api.patch(ROUNDS, "skin-network", "skin-2026-w48", patch)

    world.fault = touch

    world.finish()

    assert touched == [True]
    assert world.event_names() == EVENTS
