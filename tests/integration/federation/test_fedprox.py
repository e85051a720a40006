"""FedProx in a federation: the round's request reaches the clinics, and what they make is not what FedAvg makes."""

from pathlib import Path

import pytest
import yaml

from support.federation_fixture import TRAINING, Network, message, outcome

pytestmark = pytest.mark.timeout(600)

EXAMPLE = Path(__file__).parents[3] / "examples" / "round-fedprox.yaml"


def test_the_server_takes_the_example(network: Network) -> None:
    assert "fedprox-round" in network.kubectl("apply", "--dry-run=server", "-f", str(EXAMPLE))


@pytest.mark.parametrize("changes", [{"algorithm": "FedAvg"}, {"proximalMu": None}, {"proximalMu": "0"}])
def test_the_server_refuses_a_pull_without_fedprox_and_fedprox_without_a_pull(
    network: Network, changes: dict[str, str | None]
) -> None:
    document = yaml.safe_load(EXAMPLE.read_text())
    training = {**document["spec"]["training"], **changes}
    document["spec"]["training"] = {name: value for name, value in training.items() if value is not None}

    refused = network.try_kubectl("apply", "--dry-run=server", "-f", "-", given=yaml.safe_dump(document))

    assert refused.returncode == 1
    assert "proximalMu" in refused.stderr


def test_a_round_with_fedprox_makes_another_checkpoint_than_fedavg(network: Network, undisturbed: str) -> None:
    network.make_model("drawn-back")
    example = yaml.safe_load(EXAMPLE.read_text())["spec"]["training"]
    training = {**example, **TRAINING, "proximalMu": "1"}

    ended = network.run_round("drawn-back", "drawn-back", training=training)

    assert ended.status.candidate is not None, f"{outcome(ended)}: {message(ended)}"
    assert ended.status.candidate.digest != undisturbed
    for clinic, part in network.parts("drawn-back").items():
        assert (part.spec.training.algorithm, part.spec.training.proximal_mu) == ("FedProx", "1"), clinic
