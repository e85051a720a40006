"""The end of the gateway's certificate: looked for again and again, and kept when the gateway is away."""

import threading

from fedround_operator.kit import gatewaywatch
from fedround_operator.kit.gatewaywatch import watch_gateway


class Stop(threading.Event):
    """Notes how long each pause would be, and stops after the second look."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0.0)
        if len(self.pauses) == 2:
            self.set()
        return self.is_set()


def test_a_gateway_that_is_away_is_asked_again_soon_and_its_last_known_end_stays() -> None:
    answers: list[float | OSError] = [1_800_000_000.0, OSError("no route")]
    stop = Stop()

    def certificate_end() -> float:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    told: list[float] = []
    watch_gateway(certificate_end, told.append, stop)

    assert stop.pauses == [gatewaywatch.LOOK_SECONDS, gatewaywatch.AGAIN_SECONDS]
    assert told == [1_800_000_000.0]
