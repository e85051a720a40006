"""A model that starts from a file of its own: version 0 is that file, and a wrong one is named in its status."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from fedround_api import keys, names
from fedround_api.kinds import find_condition
from fedround_local.federation import layout, objects
from support.federation_fixture import NETWORK, Network, message, wait_for

pytestmark = pytest.mark.timeout(300)

CLAIM, FILE = "checkpoints", "2025/own.safetensors"


@pytest.fixture(scope="module")
def own(network: Network) -> bytes:
    """A checkpoint as another program writes it, on a volume in the network's namespace."""
    current = network.model(layout.MODEL).status.current
    assert current is not None
    stored = network.stored(keys.published_checkpoint(layout.MODEL, current.digest))
    assert stored is not None
    tensors = {name: values + np.float32(0.01) for name, values in load(stored).items()}
    content = bytes(save(tensors, metadata={"trained": "in 2025"}))
    path = network.federation.place.volume(NETWORK, CLAIM) / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    network.apply(objects.claim(NETWORK, CLAIM))
    return content


def initial(content: bytes) -> dict[str, str]:
    return {"claimName": CLAIM, "path": FILE, "sha256": hashlib.sha256(content).hexdigest()}


def test_version_0_is_the_file_byte_for_byte(network: Network, own: bytes) -> None:
    model = network.make_model("own", initialCheckpoint=initial(own))

    current = model.status.current
    assert current is not None
    assert (current.version, current.digest, current.bytes) == (0, hashlib.sha256(own).hexdigest(), len(own))
    assert network.stored(keys.published_checkpoint("own", current.digest)) == own


def test_a_version_is_fetched_as_the_file_that_another_network_can_start_from(
    network: Network, own: bytes, tmp_path: Path
) -> None:
    network.make_model("source", initialCheckpoint=initial(own))
    state, file = network.federation.place.state, tmp_path / "base.safetensors"
    command = [sys.executable, "-m", "fedround_cli.main", "checkpoint", "source", "--json"]

    done = subprocess.run(
        [*command, "--state", str(state), "--output", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert file.read_bytes() == own
    told = json.loads(done.stdout)
    assert (told["version"], told["sha256"]) == (0, hashlib.sha256(own).hexdigest())
    assert told["classes"] == network.model("source").spec.classes


def test_another_file_than_the_named_one_ends_as_init_failed_and_is_not_tried_again(
    network: Network, own: bytes
) -> None:
    network.create_model("mistaken", initialCheckpoint=initial(b"another file"))

    def failed() -> bool:
        ready = find_condition(network.model("mistaken").status.conditions, "Ready")
        return ready is not None and ready.reason == "InitFailed"

    wait_for(failed, "model mistaken is InitFailed", 120)
    model = network.model("mistaken")
    assert message(model, "Ready") == (
        f"DigestMismatch: the initial checkpoint: sha256 {hashlib.sha256(own).hexdigest()}, "
        f"expected {hashlib.sha256(b'another file').hexdigest()}"
    )
    assert (model.status.current, model.status.init_attempts) == (None, 1)
    assert network.exit_codes(names.job_name("mistaken", "init", model.metadata.uid, 1), NETWORK) == [78]
