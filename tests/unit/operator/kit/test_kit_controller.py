"""The reconcile loop: what a reconciler returns or raises decides when its key comes again."""

import threading

import pytest

from fedround_operator.kit.controller import Controller, Key, Outcome
from fedround_operator.kit.errors import ApiUnreachable, Conflict, NotFound
from fedround_operator.kit.health import Turns

KEY = Key("Clinic", "skin", "north")
OTHER = Key("Clinic", "skin", "east")


def run(outcome: Outcome | Exception, key: Key = KEY) -> Controller:
    """A controller that has reconciled the key once, on the test's thread."""

    def reconcile(_: Key) -> Outcome:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    controller = Controller({"Clinic": reconcile}, Turns())
    controller.queue.add(key)
    assert controller.queue.take() == key
    controller.reconcile(key)
    return controller


def test_a_key_that_asks_for_nothing_is_done() -> None:
    assert run(Outcome()).queue.depth() == 0


def test_a_key_that_asks_to_come_at_once_comes_at_once() -> None:
    assert run(Outcome(again_seconds=0.0)).queue.take() == KEY


def test_the_keys_that_an_outcome_wakes_are_given_out() -> None:
    controller = run(Outcome(wake=(OTHER, KEY)))

    assert [controller.queue.take(), controller.queue.take()] == [OTHER, KEY]


@pytest.mark.parametrize("error", [ApiUnreachable("x"), Conflict("x"), NotFound("x")])
def test_a_key_that_failed_comes_back_after_a_pause(error: Exception) -> None:
    controller = run(error)

    assert controller.queue.depth() == 0
    assert controller.queue.take() == KEY  # a quarter of a second later


def test_a_defect_is_not_swallowed() -> None:
    with pytest.raises(KeyError):
        run(KeyError("a defect"))


def test_workers_reconcile_what_is_added_until_they_are_stopped() -> None:
    seen: list[Key] = []
    done = threading.Event()

    def reconcile(key: Key) -> Outcome:
        seen.append(key)
        if key == OTHER:
            done.set()
            return Outcome()
        return Outcome(wake=(OTHER,))

    controller = Controller({"Clinic": reconcile}, Turns())
    controller.start()
    controller.queue.add(KEY)

    assert done.wait(10)
    controller.stop()
    assert seen == [KEY, OTHER]
    assert controller.queue.take() is None
