"""Nothing is watched before the API server serves it, and a wait that is cut short says so."""

import threading
from dataclasses import dataclass, field

import pytest

from fedround_operator.kit import discovery
from fedround_operator.kit.discovery import await_served
from fedround_operator.kit.errors import ApiUnreachable
from fedround_operator.kit.resources import CLINIC_ROUNDS, CLINICS, Resource


@dataclass
class Server:
    """Answers one after the other; when none is left, everything is served."""

    answers: list[bool | ApiUnreachable] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def serves(self, resource: Resource) -> bool:
        self.asked.append(resource.plural)
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, ApiUnreachable):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "LOOK_SECONDS", 0.0)


def test_what_is_served_is_not_waited_for() -> None:
    server = Server()

    assert await_served(server, (CLINIC_ROUNDS, CLINICS), threading.Event())
    assert server.asked == ["clinicrounds", "clinics"]


def test_each_is_asked_for_until_it_is_served_and_each_obstacle_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    gone = ApiUnreachable("GET /apis: no answer")
    server = Server([False, False, gone, gone, False, True, False])

    assert await_served(server, (CLINIC_ROUNDS, CLINICS), threading.Event())
    assert server.asked == ["clinicrounds"] * 6 + ["clinics"] * 2
    assert [record.getMessage().split(" ", 5)[5] for record in caplog.records] == [
        "resource=clinicrounds.fedround.dev reason=NotServed",
        "resource=clinicrounds.fedround.dev error=GET /apis: no answer",
        "resource=clinicrounds.fedround.dev reason=NotServed",
        "resource=clinics.fedround.dev reason=NotServed",
    ]


def test_a_signal_ends_the_wait() -> None:
    stop = threading.Event()
    stop.set()

    assert not await_served(Server([False] * 9), (CLINIC_ROUNDS,), stop)
