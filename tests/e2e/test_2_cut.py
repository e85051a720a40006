"""A round that one clinic's network is pulled out of."""

import pytest

from support.e2e.network import Network, training, wait_for

pytestmark = pytest.mark.timeout(1200)

ROUND = "without-one"
# The two that are left are done in well under a minute; the round waits for the third until then.
DEADLINES = {"start": "2m", "training": "150s", "session": "5m", "validation": "5m"}


def test_a_round_goes_on_without_a_clinic_that_is_cut_off_and_the_clinic_comes_back(network: Network) -> None:
    *_, lost = network.clinics

    network.start_round(ROUND, training=training(epochs=2, seed=8), deadlines=DEADLINES)
    wait_for(lambda: network.round(ROUND).get("status", {}).get("phase") == "Training", "training", 120, network.told)
    with network.ground.cables.cut(lost):
        ended = network.ended_round(ROUND)
        wait_for(lambda: not network.is_available(lost), f"clinic {lost} is not available", 120, network.told)

    status = ended["status"]
    assert (status["phase"] in ("Promoted", "RolledBack"), status["participation"]) == (True, "2/3"), network.told()
    states = {one["name"]: one["state"] for one in status["participants"]}
    assert {name for name, state in states.items() if state == "Submitted"} == set(network.clinics) - {lost}
    wait_for(lambda: network.is_available(lost), f"clinic {lost} is available again", 120, network.told)
