"""The gateway's companion without a gateway: which text it writes, whom it tells, and when files count as renewed."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedround_operator import revocations
from fedround_operator.kit.errors import ApiUnreachable
from fedround_operator.kit.resources import Object, Resource
from fedround_operator.revocations import lists, save, signal_processes, stamps, text_of, watch_files

ONE, OTHER = "a1" * 32, "b2" * 32


class Watches:
    """An API server that answers each watch with the next of the given series; the last one stops the follower."""

    def __init__(self, stop: threading.Event, *series: list[Object | None] | ApiUnreachable) -> None:
        self._series, self._stop = list(series), stop

    def watch(self, resource: Resource, namespace: str, name: str, seconds: int) -> Iterator[Object | None]:
        assert (resource.plural, namespace, name) == ("configmaps", "hub", "fedround-revoked")
        found = self._series.pop(0)
        if not self._series:
            self._stop.set()
        if isinstance(found, ApiUnreachable):
            raise found
        yield from found


def config_map(*lines: str) -> Object:
    return {"data": {"revoked.list": "\n".join(lines) + "\n"}}


def test_the_list_is_written_as_the_gateway_reads_it() -> None:
    assert text_of(config_map(f"{OTHER} yes", f"{ONE} yes")).splitlines()[1:] == [f"{ONE} yes", f"{OTHER} yes"]
    assert text_of({"data": None}).splitlines()[1:] == []


def test_a_line_that_the_gateway_cannot_read_is_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    text = text_of(config_map("# a comment", f"{ONE} yes", f"{OTHER} no", "import /etc/passwd"))

    assert text.splitlines()[1:] == [f"{ONE} yes"]
    assert "cannot be understood count=2" in caplog.text


def test_an_error_and_a_deletion_are_told_and_followed_by_the_next_list(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(revocations, "PAUSE_SECONDS", 0)
    stop = threading.Event()
    away = ApiUnreachable("no answer")
    api = Watches(stop, [config_map(f"{ONE} yes")], away, away, [None], [config_map(f"{OTHER} yes")])

    with caplog.at_level(logging.INFO):
        found = list(lists(api, "hub", stop))

    assert [text.splitlines()[1:] for text in found] == [[f"{ONE} yes"], [f"{OTHER} yes"]]
    assert caplog.text.count("cannot be watched error=no answer") == 1
    assert caplog.text.count("was deleted") == 1


def test_a_list_only_grows_whatever_becomes_of_its_config_map(tmp_path: Path) -> None:
    path = tmp_path / "revoked.list"

    assert save(path, text_of(config_map())) is True
    assert save(path, text_of(config_map(f"{ONE} yes"))) is True
    assert save(path, text_of(config_map(f"{ONE} yes"))) is False
    assert save(path, text_of(config_map(f"{OTHER} yes"))) is True
    assert save(path, text_of(config_map())) is False
    assert path.read_text().splitlines()[1:] == [f"{ONE} yes", f"{OTHER} yes"]


def test_processes_of_the_name_are_told_and_no_others(tmp_path: Path) -> None:
    for number, name in ((7, "caddy"), (8, "python"), (9, "caddy-other"), (10, "caddy")):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "comm").write_text(f"{name}\n")
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "comm").write_text("caddy\n")
    told: list[tuple[int, int]] = []

    assert signal_processes("caddy", tmp_path, lambda number, sent: told.append((number, sent))) == 2

    assert sorted(told) == [(7, signal.SIGUSR1), (10, signal.SIGUSR1)]


def test_a_process_that_ends_just_then_keeps_no_other_from_being_told(tmp_path: Path) -> None:
    for number in (7, 8):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "comm").write_text("caddy\n")
    told: list[int] = []

    def send(number: int, sent: int) -> None:
        told.append(number)
        raise ProcessLookupError(number)

    signal_processes("caddy", tmp_path, send)

    assert sorted(told) == [7, 8]


def test_a_file_that_is_replaced_is_told_three_times_as_the_gateway_may_see_it_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "FILES_SECONDS", 0.01)
    certificate, absent = tmp_path / "tls.crt", tmp_path / "ca.crt"
    certificate.write_text("one")
    before = stamps([certificate, absent])
    stop, told = threading.Event(), threading.Semaphore(0)
    follower = threading.Thread(target=watch_files, args=([certificate, absent], stop, told.release))
    follower.start()
    try:
        assert not told.acquire(timeout=0.1)
        renewed = tmp_path / "renewed"
        renewed.write_text("two")
        os.utime(renewed, ns=(1, 1))
        renewed.replace(certificate)
        assert all(told.acquire(timeout=10) for _ in range(3))
        assert not told.acquire(timeout=0.1)
    finally:
        stop.set()
        follower.join()
    assert stamps([certificate, absent]) != before
