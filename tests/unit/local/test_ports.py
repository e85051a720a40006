"""Ports for servers that keep them: free, outside of what connections take, never the same twice in a row."""

import socket

import pytest

from fedround_local.errors import PortOccupied
from fedround_local.ports import free_ports


def test_ports_are_below_those_that_systems_take_for_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEDROUND_PORTS", raising=False)

    assert all(20000 <= port <= 29999 for port in free_ports(20))


def test_who_asks_twice_is_given_others_though_nobody_listens_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDROUND_PORTS", "19100-19139")

    first, second = free_ports(20), free_ports(20)

    assert sorted(first + second) == list(range(19100, 19140))


def test_a_port_that_somebody_holds_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDROUND_PORTS", "19200-19202")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 19201))

        assert sorted(free_ports(2)) == [19200, 19202]


def test_too_few_free_ports_are_told_with_the_way_to_name_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDROUND_PORTS", "19300-19301")

    with pytest.raises(PortOccupied, match=r"not 3 of the ports 19300-19301 are free: .* FEDROUND_PORTS=LOWEST-HIGH"):
        free_ports(3)


@pytest.mark.parametrize("told", ["20000", "b-c", "20010-20000", "0-5", "1-65536"])
def test_a_range_that_is_none_is_told(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDROUND_PORTS", told)

    with pytest.raises(PortOccupied, match="names no ports"):
        free_ports(1)
