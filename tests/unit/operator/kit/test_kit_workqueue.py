"""The work queue: each key once, one worker a key, the earliest of later requests, a growing pause after failures."""

import threading

import pytest

from fedround_operator.kit.workqueue import WorkQueue


class Clock:
    """Time that only the test moves."""

    def __init__(self) -> None:
        self.now, self.asked = 100.0, 0

    def __call__(self) -> float:
        self.asked += 1
        return self.now


class Queue:
    """A queue with its clock; ``ready`` drains what a worker would get now, without waiting."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.queue = WorkQueue[str](self.clock)

    def until_asked(self, times: int) -> None:
        while self.clock.asked < times or self.queue.depth():
            pass

    def ready(self) -> list[str]:
        taken: list[str] = []
        # A probe never lets `take` wait, and when it is the last one nothing else was ready or due.
        self.queue.add("probe")
        while True:
            key = self.queue.take()
            assert key is not None
            self.queue.done(key)
            if key != "probe":
                taken.append(key)
            elif self.queue.depth() == 0:
                return taken
            else:
                self.queue.add("probe")


@pytest.fixture
def it() -> Queue:
    return Queue()


def test_a_key_that_is_added_twice_is_given_once(it: Queue) -> None:
    it.queue.add("a")
    it.queue.add("b")
    it.queue.add("a")

    assert it.ready() == ["a", "b"]
    assert it.ready() == []


def test_a_key_that_is_added_while_a_worker_has_it_comes_again_when_that_is_done(it: Queue) -> None:
    it.queue.add("a")
    assert it.queue.take() == "a"

    it.queue.add("a")
    it.queue.add("a")

    assert it.queue.depth() == 0
    it.queue.done("a")
    assert it.ready() == ["a"]


def test_a_key_that_was_not_added_meanwhile_does_not_come_again(it: Queue) -> None:
    it.queue.add("a")
    it.queue.take()

    it.queue.done("a")

    assert it.ready() == []


def test_a_later_request_comes_when_it_is_due(it: Queue) -> None:
    it.queue.add_after("a", 10.0)

    it.clock.now += 9.9
    assert it.ready() == []
    it.clock.now += 0.1
    assert it.ready() == ["a"]


@pytest.mark.parametrize("delays", [(10.0, 30.0), (30.0, 10.0), (30.0, 10.0, 20.0), (10.0, 10.0)])
def test_of_several_later_requests_the_earliest_is_kept_and_no_other(it: Queue, delays: tuple[float, ...]) -> None:
    for delay in delays:
        it.queue.add_after("a", delay)

    it.clock.now += 10.0
    assert it.ready() == ["a"]
    it.clock.now += 100.0
    assert it.ready() == []


def test_a_later_request_after_an_earlier_one_was_served_is_a_new_one(it: Queue) -> None:
    it.queue.add_after("a", 10.0)
    it.clock.now += 10.0
    assert it.ready() == ["a"]

    it.queue.add_after("a", 10.0)

    it.clock.now += 10.0
    assert it.ready() == ["a"]


def test_later_requests_of_several_keys_come_in_the_order_in_which_they_are_due(it: Queue) -> None:
    it.queue.add_after("late", 20.0)
    it.queue.add_after("early", 10.0)

    it.clock.now += 30.0

    assert it.ready() == ["early", "late"]


def test_a_later_request_that_falls_due_while_a_worker_has_the_key_waits_for_it(it: Queue) -> None:
    it.queue.add("a")
    it.queue.take()
    it.queue.add_after("a", 5.0)
    it.clock.now += 5.0

    assert it.ready() == []
    it.queue.done("a")
    assert it.ready() == ["a"]


def test_a_delay_of_no_time_or_less_is_at_once(it: Queue) -> None:
    it.queue.add_after("a", 0.0)
    it.queue.add_after("b", -5.0)

    assert it.ready() == ["a", "b"]


def test_the_pause_after_failures_doubles_up_to_half_a_minute_and_starts_anew_after_a_success(it: Queue) -> None:
    it.queue.add("a")
    it.queue.take()
    pauses = []
    for _ in range(9):
        pauses.append(it.queue.failed("a"))
        it.clock.now += pauses[-1]
        assert it.queue.take() == "a"

    assert pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    it.queue.done("a")
    it.queue.add("a")
    it.queue.take()
    assert it.queue.failed("a") == 0.25


def test_a_key_that_failed_is_not_given_before_its_pause_is_over(it: Queue) -> None:
    it.queue.add("a")
    it.queue.take()

    it.queue.failed("a")

    assert it.ready() == []
    it.clock.now += 0.25
    assert it.ready() == ["a"]


def test_a_very_late_request_does_not_break_the_wait_of_a_worker(it: Queue) -> None:
    """A wait longer than the platform can count raises OverflowError."""
    it.queue.add_after("a", 1e12)

    taken: list[str | None] = []
    worker = threading.Thread(target=lambda: taken.append(it.queue.take()))
    worker.start()
    it.queue.add("b")
    worker.join(5)

    assert taken == ["b"]


def test_keys_that_fall_due_together_wake_as_many_workers() -> None:
    it = Queue()
    taken: list[str | None] = []
    workers = [threading.Thread(target=lambda: taken.append(it.queue.take()), daemon=True) for _ in range(3)]
    for worker in workers:
        worker.start()
    # A worker asks the clock under the queue's lock just before it waits: then all wait.
    it.until_asked(3)
    it.queue.add_after("a", 1000.0)
    it.until_asked(5)
    it.queue.add_after("b", 1000.0)
    it.until_asked(7)
    it.clock.now += 1000.0

    it.queue.add("c")

    for worker in workers:
        worker.join(5)
    assert sorted(map(str, taken)) == ["a", "b", "c"]


def test_closing_sends_waiting_workers_home() -> None:
    queue = WorkQueue[str]()
    taken: list[str | None] = []
    worker = threading.Thread(target=lambda: taken.append(queue.take()))
    worker.start()

    queue.close()

    worker.join(5)
    assert taken == [None]
    queue.add("a")
    assert queue.take() is None


def test_two_workers_never_have_the_same_key() -> None:
    queue, lock = WorkQueue[int](), threading.Lock()
    having: set[int] = set()
    twice: list[int] = []
    done: list[int] = []

    def work() -> None:
        while (key := queue.take()) is not None:
            with lock:
                if key in having:
                    twice.append(key)
                having.add(key)
            queue.add((key + 1) % 5)
            with lock:
                having.discard(key)
                done.append(key)
                if len(done) >= 300:
                    queue.close()
            queue.done(key)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for key in range(5):
        queue.add(key)
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)

    assert twice == []
    assert len(done) >= 300


def test_the_wait_of_a_key_is_counted_from_when_it_was_due() -> None:
    clock, waits = Clock(), list[float]()
    queue = WorkQueue[str](clock, waits.append)
    queue.add("a")
    clock.now += 3
    queue.add("a")  # it waits already

    assert queue.take() == "a"
    queue.add("a")  # again, when its worker is done
    clock.now += 10
    queue.done("a")
    clock.now += 1
    assert queue.take() == "a"

    assert waits == [3, 1]
