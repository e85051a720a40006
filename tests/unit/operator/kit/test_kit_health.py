"""Signs of life: what has stopped, what never came, and which of it a restart could mend."""

from dataclasses import dataclass

import pytest

from fedround_operator.kit.health import Health, Pulse, Turns, Watches
from fedround_operator.kit.metrics import REGISTRY
from fedround_operator.kit.resources import CLINICS, ROUNDS


@dataclass
class Clock:
    """Seconds that only tests move."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_pulse_that_never_came_is_missing_but_has_not_stopped(clock: Clock) -> None:
    pulse = Pulse("no beat", 10, clock)

    clock.now += 60

    assert (pulse.missing(), pulse.stopped()) == ("no beat yet", "")


@pytest.mark.parametrize(("passed", "told"), [(0.0, ""), (10.0, ""), (10.6, "no beat for 11 s")])
def test_a_pulse_has_stopped_when_its_limit_has_passed(passed: float, told: str, clock: Clock) -> None:
    pulse = Pulse("no beat", 10, clock)
    pulse.beat()

    clock.now += passed

    assert (pulse.missing(), pulse.stopped()) == (told, told)


def test_a_reconcile_that_does_not_end_is_told_by_its_key_though_others_go_on(clock: Clock) -> None:
    turns = Turns(clock)
    turns.start()
    turns.begin("Clinic skin/north")
    for _ in range(6):
        turns.begin("Clinic skin/east")
        clock.now += 51
        assert turns.end("Clinic skin/east") == 51.0

    assert turns.stopped() == "the reconcile of Clinic skin/north has not ended for 306 s"

    turns.end("Clinic skin/north")
    assert turns.stopped() == ""


def test_workers_that_get_nothing_to_do_any_more_are_told(clock: Clock) -> None:
    turns = Turns(clock)
    assert turns.stopped() == ""
    turns.start()

    clock.now += 301

    assert turns.stopped() == "nothing was reconciled for 301 s"


def test_a_watch_is_missing_until_the_api_server_has_answered_it(clock: Clock) -> None:
    watches = Watches([ROUNDS, CLINICS], clock)

    watches.answered("federatedrounds")
    assert watches.missing() == "the API server has not answered the watch of clinics yet"

    watches.answered("clinics")
    assert watches.missing() == ""


def test_an_api_server_that_is_away_stops_no_watch_that_is_still_tried(clock: Clock) -> None:
    watches = Watches([ROUNDS], clock)
    watches.tried("federatedrounds")
    watches.answered("federatedrounds")

    clock.now += 250
    watches.tried("federatedrounds")
    clock.now += 100

    assert watches.stopped() == ""
    assert watches.missing() == "the API server has not answered the watch of federatedrounds for 350 s"


def test_a_watch_that_is_no_longer_tried_has_stopped(clock: Clock) -> None:
    watches = Watches([ROUNDS, CLINICS], clock)
    watches.tried("federatedrounds")
    watches.tried("clinics")

    clock.now += 301
    watches.tried("federatedrounds")

    assert watches.stopped() == "the watch of clinics was not tried for 301 s"


def test_requests_for_other_things_are_no_watches() -> None:
    watches = Watches([ROUNDS])

    watches.tried("v1alpha1")
    watches.answered("v1alpha1")

    name = "fedround_watch_last_answer_timestamp_seconds"
    assert REGISTRY.get_sample_value(name, {"resource": "v1alpha1"}) is None


def test_what_a_restart_could_mend_comes_before_what_keeps_from_work() -> None:
    def check(problem: str) -> Health:
        return Health(alive=(lambda: "", lambda: problem), ready=(lambda: "no Lease",))

    assert (check("").why_not_alive(), check("").why_not_ready()) == ("", "no Lease")
    assert (check("stuck").why_not_alive(), check("stuck").why_not_ready()) == ("stuck", "stuck")
