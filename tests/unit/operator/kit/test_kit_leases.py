"""Leases: who may hold one, and one operator at a time."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from fedround_operator.kit import leader
from fedround_operator.kit.errors import ApiUnreachable, Conflict
from fedround_operator.kit.leader import Leadership
from fedround_operator.kit.leases import expires_at, may_take, renewal, renewed_at
from fedround_operator.kit.resources import LEASES, Object
from support.fake_api import Call, FakeApi

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def lease(
    holder: str | None = "hub-1", renewed: str | None = "2026-11-24T12:00:00.000000Z", seconds: int = 15
) -> Object:
    spec = {"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": seconds}
    return {"metadata": {"name": "x"}, "spec": {key: value for key, value in spec.items() if value is not None}}


@pytest.mark.parametrize(
    ("found", "after", "taken"),
    [
        (lease(), 0, False),
        (lease(), 14.9, False),
        (lease(), 15, True),
        (lease("hub-2"), 1, True),
        (lease(None), 1, True),
        (lease(""), 1, True),
        (lease(renewed=None), 1, True),
        ({"metadata": {"name": "x"}}, 1, True),
    ],
)
def test_a_lease_is_taken_by_its_holder_or_when_the_holder_is_silent(found: Object, after: float, taken: bool) -> None:
    assert may_take(found, "hub-2", NOON + timedelta(seconds=after)) is taken


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59.999999Z", "0000-01-01T00:00:00.000000Z", "soon", "99999999"])
def test_no_time_that_a_clinic_can_write_stops_who_reads_it(text: str) -> None:
    """An agent may write its own Lease, and the hub reads it."""
    found = lease(renewed=text, seconds=2**31 - 1)

    renewed_at(found)
    expires_at(found)


def test_a_renewal_names_holder_time_and_duration() -> None:
    assert renewal("hub-1", 15, NOON, resourceVersion="7") == {
        "metadata": {"resourceVersion": "7"},
        "spec": {
            "holderIdentity": "hub-1",
            "leaseDurationSeconds": 15,
            "renewTime": "2026-11-24T12:00:00.000000Z",
        },
    }
    assert "metadata" not in renewal("hub-1", 15, NOON)


class Election:
    """Two operators over one API server, and a clock that only tests move."""

    def __init__(self) -> None:
        self.now, self.api = NOON, FakeApi()
        self.first, self.second = self.candidate("hub-1"), self.candidate("hub-2")

    def candidate(self, identity: str) -> Leadership:
        return Leadership(self.api, "fedround", "fedround-operator", identity, lambda: self.now)

    def holder(self) -> str:
        (found,) = self.api.peek(LEASES, "fedround")
        return str(found["spec"]["holderIdentity"])


def test_the_first_takes_the_lease_and_the_second_waits_until_the_first_is_silent() -> None:
    it = Election()

    assert it.first.try_take() is True
    assert it.second.try_take() is False
    it.now += timedelta(seconds=10)
    assert it.first.try_take() is True
    it.now += timedelta(seconds=10)
    assert it.second.try_take() is False
    it.now += timedelta(seconds=5)
    assert it.second.try_take() is True
    assert it.first.try_take() is False
    assert it.holder() == "hub-2"


def test_of_two_that_see_a_silent_holder_one_gets_the_lease() -> None:
    it = Election()
    it.candidate("hub-0").try_take()
    it.now += timedelta(minutes=1)
    raced: list[bool] = []

    def race(call: Call) -> None:
        if call.verb == "patch" and not raced:
            raced.append(False)
            raced[0] = it.second.try_take()

    it.api.before = race

    assert it.first.try_take() is False
    assert raced == [True]
    assert it.holder() == "hub-2"


def test_of_two_that_see_no_lease_one_gets_it() -> None:
    it = Election()
    raced: list[bool] = []

    def race(call: Call) -> None:
        if call.verb == "create" and not raced:
            raced.append(False)
            raced[0] = it.second.try_take()

    it.api.before = race

    assert it.first.try_take() is False
    assert it.holder() == "hub-2"


def test_waiting_for_the_lease_ends_when_the_process_is_stopped() -> None:
    it = Election()
    it.first.try_take()
    stop = threading.Event()

    def stop_at_the_first_look(_: Call) -> None:
        stop.set()

    it.api.after = stop_at_the_first_look

    assert it.second.acquire(stop) is False


@pytest.mark.parametrize("error", [ApiUnreachable, Conflict])
def test_an_error_while_waiting_for_the_lease_is_no_lease(error: type[Exception]) -> None:
    it = Election()
    stop = threading.Event()

    def fail(call: Call) -> None:
        stop.set()
        raise error(str(call))

    it.api.before = fail

    assert it.second.acquire(stop) is False
    assert it.api.peek(LEASES, "fedround") == []


def test_a_free_lease_is_acquired_at_once() -> None:
    it = Election()

    assert it.first.acquire(threading.Event()) is True
    assert it.holder() == "hub-1"


def test_a_request_that_hangs_does_not_keep_a_lease_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "RENEW_SECONDS", 0.0)
    monkeypatch.setattr(leader, "LOST_SECONDS", 0.2)
    it, answer, stop, lost = Election(), threading.Event(), threading.Event(), threading.Event()
    assert it.first.acquire(stop) is True

    def hang(_: Call) -> None:
        answer.wait(30)

    it.api.before = hang

    it.first.keep(stop, lost.set)

    assert lost.is_set()
    answer.set()
    stop.set()


def test_a_lease_that_is_renewed_is_kept_until_the_process_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "RENEW_SECONDS", 0.0)
    it, stop, lost = Election(), threading.Event(), threading.Event()
    assert it.first.acquire(stop) is True
    renewed: list[Call] = []

    def count(call: Call) -> None:
        renewed.append(call)
        if len(renewed) > 20:
            stop.set()

    it.api.after = count
    it.first.keep(stop, lost.set)

    assert not lost.is_set()
    assert it.holder() == "hub-1"


def test_a_renewal_that_is_under_way_does_not_take_again_what_was_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "RENEW_SECONDS", 0.0)
    it, asked, answer, stop = Election(), threading.Event(), threading.Event(), threading.Event()
    assert it.first.acquire(stop) is True

    take = it.first.try_take

    def hang_at_first() -> bool:
        asked.set()
        answer.wait(30)
        return take()

    monkeypatch.setattr(it.first, "try_take", hang_at_first)
    keeper = threading.Thread(target=it.first.keep, args=(stop,))
    keeper.start()
    assert asked.wait(30)
    stop.set()
    (renewals,) = (one for one in threading.enumerate() if one.name == "lease-renewals")
    join = renewals.join

    def answered_to_who_waits(timeout: float | None = None) -> None:
        answer.set()
        join(timeout)

    monkeypatch.setattr(renewals, "join", answered_to_who_waits)

    it.first.release()

    answer.set()
    keeper.join(30)
    join(30)
    assert it.holder() == ""


def test_a_renewal_that_hangs_holds_up_no_process_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "RENEW_SECONDS", 0.0)
    monkeypatch.setattr(leader, "RELEASE_SECONDS", 0.01)
    it, asked, answer, stop = Election(), threading.Event(), threading.Event(), threading.Event()
    assert it.first.acquire(stop) is True

    def hang() -> bool:
        asked.set()
        return not answer.wait(30)

    monkeypatch.setattr(it.first, "try_take", hang)
    keeper = threading.Thread(target=it.first.keep, args=(stop,))
    keeper.start()
    assert asked.wait(30)
    stop.set()

    it.first.release()

    assert it.holder() == "hub-1"
    answer.set()
    keeper.join(30)
