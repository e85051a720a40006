"""`--initial`: a file is checked, and refused in one sentence, before anything starts."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from fedround_api.kinds.federated_model import Gate
from fedround_cli.main import main
from fedround_local.demo.demo import DemoRequest, start
from fedround_local.errors import CheckpointUnusable
from fedround_local.federation import objects
from fedround_local.federation.dataplan import DataPlan, DataRequest
from fedround_local.federation.federation import Federation, SetUp
from fedround_local.federation.initial import lay_initial, require_checkpoint
from fedround_local.federation.layout import Layout
from fedround_training.models.shapes import shapes_of
from support.job_inputs import PICKLE, digest_of, lesions

PLAN = DataPlan({"north": 3}, ("mel", "nv"), ("mel",), 2, "7e57" * 16, ())
SHAPE = objects.shape(PLAN, 32)


def weights(classes: int = 2, value: float = 0.25) -> bytes:
    shape = SHAPE.model_copy(update={"classes": list("abcdefg"[:classes])})
    return save({name: np.full(size, value, np.float32) for name, size in shapes_of(shape).items()})


GOOD = weights()


def written(folder: Path, content: bytes) -> Path:
    (folder / "own.safetensors").write_bytes(content)
    return folder / "own.safetensors"


def test_a_good_file_is_laid_on_the_volume_that_the_model_names(tmp_path: Path) -> None:
    initial = lay_initial(written(tmp_path, GOOD), SHAPE, Layout(tmp_path / "state"))

    assert initial.dump() == {
        "claimName": "initial",
        "path": "checkpoint.safetensors",
        "sha256": digest_of(GOOD),
    }
    laid = tmp_path / "state/volumes/skin-network/initial/checkpoint.safetensors"
    assert laid.read_bytes() == GOOD


def test_a_model_that_starts_from_a_file_comes_after_the_claim_of_it(tmp_path: Path) -> None:
    initial = lay_initial(written(tmp_path, GOOD), SHAPE, Layout(tmp_path / "state"))

    claim, model = objects.model(PLAN, 32, 0, Gate(), initial)

    assert (claim["kind"], claim["metadata"]) == (
        "PersistentVolumeClaim",
        {"name": "initial", "namespace": "skin-network"},
    )
    assert model["spec"]["initialCheckpoint"] == initial.dump()


def test_a_model_that_starts_from_its_seed_needs_no_claim() -> None:
    (model,) = objects.model(PLAN, 32, 0, Gate())

    assert "initialCheckpoint" not in model["spec"]


def changed(name: str, values: np.ndarray) -> bytes:
    return save({name_: np.zeros(size, np.float32) for name_, size in shapes_of(SHAPE).items()} | {name: values})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (PICKLE, "cannot be the model's first checkpoint: not in the safetensors format"),
        (b"", "cannot be the model's first checkpoint: not in the safetensors format"),
        (GOOD[:-1], "cannot be the model's first checkpoint: not in the safetensors format"),
        (
            weights(classes=6),
            "cannot be the model's first checkpoint: tensor 'head.weight' has shape [6, 128], expected [2, 128]; "
            "the model has the classes of the images (mel, nv)",
        ),
        (
            changed("extra", np.zeros(1, np.float32)),
            "cannot be the model's first checkpoint: tensor 'extra' is none of the model's; "
            "the model has the classes of the images (mel, nv)",
        ),
        (
            changed("head.bias", np.array([0, np.inf], np.float32)),
            "cannot be the model's first checkpoint: tensor 'head.bias' holds NaN or infinity; "
            "the model has the classes of the images (mel, nv)",
        ),
        (
            changed("extra", np.zeros(100_000, np.float32)),
            "cannot be the model's first checkpoint: 1145544 bytes, more than the 809864 that it may have; "
            "the model has the classes of the images (mel, nv)",
        ),
    ],
)
def test_a_file_that_is_no_checkpoint_of_the_model_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = written(tmp_path, content)

    with pytest.raises(CheckpointUnusable) as caught:
        lay_initial(file, SHAPE, Layout(tmp_path / "state"))
    assert str(caught.value) == f"{file} {sentence}"
    assert not (tmp_path / "state").exists()


def nothing(path: Path) -> None:
    """There is nothing."""


@pytest.mark.parametrize("make", [nothing, Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "own")

    with pytest.raises(CheckpointUnusable, match=f"there is no file {tmp_path}/own: --initial names a safetensors"):
        require_checkpoint(tmp_path / "own")


def silent(_line: str) -> None:
    """Nobody listens."""


@pytest.mark.parametrize(("content", "divided"), [(PICKLE, False), (weights(classes=6), True)])
def test_a_wrong_file_ends_a_set_up_before_any_process_is_started(
    tmp_path: Path, content: bytes, divided: bool
) -> None:
    """What can be seen without knowing the classes is seen before the images are divided."""
    lesions(tmp_path / "images", 40)
    federation = Federation(tmp_path / "state", silent)
    set_up = SetUp(DataRequest(tmp_path / "images", 2, None, 0), initial=written(tmp_path, content))

    with pytest.raises(CheckpointUnusable):
        federation.up(set_up)
    assert federation.processes.names() == ()
    assert (tmp_path / "state/volumes").exists() is divided
    assert not (tmp_path / "state/etcd").exists()


def test_a_demo_does_not_draw_its_images_for_a_wrong_file(tmp_path: Path) -> None:
    request = DemoRequest(tmp_path / "state", None, None, 3, 1, 0, initial=written(tmp_path, PICKLE))

    with pytest.raises(CheckpointUnusable):
        start(Federation(request.state, silent), request, silent)
    assert not request.state.exists()


def test_what_the_docs_say_of_other_classes_makes_a_file_that_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old.safetensors").write_bytes(weights(classes=7))
    document = (Path(__file__).parents[3] / "docs" / "base-model.md").read_text()
    (script,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    monkeypatch.chdir(tmp_path)

    exec(script.replace("CLASSES = 6", "CLASSES = 2"), {})  # noqa: S102 - the script under test

    initial = lay_initial(tmp_path / "base.safetensors", SHAPE, Layout(tmp_path / "state"))
    assert initial.sha256 == digest_of((tmp_path / "base.safetensors").read_bytes())


def test_a_federation_that_goes_on_takes_no_other_first_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"

    assert main(["local", "up", "--state", str(state), "--initial", str(written(tmp_path, GOOD))]) == 2
    assert "--initial is for a new federation: give --data DIR and --clinics N too" in capsys.readouterr().err
    assert not state.exists()
