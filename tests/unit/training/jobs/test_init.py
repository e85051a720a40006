"""`init` with a checkpoint of the network's own: what is published, and by which error everything else is refused."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import InitialFile, InitInput, JobReport, Role
from fedround_api.kinds.clinic_round import ModelShape
from fedround_training.errors import InputWrong, JobError
from fedround_training.jobs.init import publish_own, start
from fedround_training.models.checkpoint import Tensors
from fedround_training.models.registry import build, tensors_of
from support.job_inputs import ADDRESS, PICKLE, SHAPE, digest_of
from support.memory_store import MemoryStore

SEVEN = ModelShape.model_validate({**SHAPE.model_dump(), "classes": list("abcdefg"), "high_risk_classes": ["a"]})
WEIGHTS = tensors_of(build(SHAPE, seed=4))
# Another writer's file: text about it in the header, and so not the bytes that this project would write.
OWN = save(WEIGHTS, metadata={"from": "2025"})
FILE = "2025/own.safetensors"


class Hub:
    """A volume with a file, and a store in memory."""

    def __init__(self, folder: Path) -> None:
        self.volume, self.store = folder / "volume", MemoryStore()
        self.put(OWN)

    def put(self, content: bytes) -> None:
        path = self.volume / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def publish(self, path: str = FILE, digest: str = digest_of(OWN)) -> JobReport:
        return publish_own(SHAPE, InitialFile(path=path, digest=digest), self.volume, self.store)


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub(tmp_path)


def test_a_file_of_ones_own_is_published_byte_for_byte_under_its_digest(hub: Hub) -> None:
    report = hub.publish()

    assert report == JobReport(role=Role.INIT, digest=digest_of(OWN), bytes=len(OWN))
    assert hub.store.objects == {f"published/skin/{digest_of(OWN)}.safetensors": OWN}


def test_a_file_that_a_link_within_the_volume_leads_to_is_taken(hub: Hub) -> None:
    (hub.volume / "newest").symlink_to("2025")

    assert hub.publish("newest/own.safetensors").digest == digest_of(OWN)


def changed(**tensors: "np.ndarray | None") -> bytes:
    wanted = {**WEIGHTS, **tensors}
    return save({name: values for name, values in wanted.items() if values is not None})


def not_finite() -> bytes:
    bias = WEIGHTS["stages.3.1.bias"].copy()
    bias[7] = np.nan
    return changed(**{"stages.3.1.bias": bias})


def weights_of(shape: ModelShape) -> Tensors:
    return tensors_of(build(shape, seed=4))


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"", ExitCode.NOT_SAFETENSORS, "the initial checkpoint: not in the safetensors format"),
        (PICKLE, ExitCode.NOT_SAFETENSORS, "the initial checkpoint: not in the safetensors format"),
        (OWN[:-1], ExitCode.NOT_SAFETENSORS, "the initial checkpoint: not in the safetensors format"),
        (
            save(weights_of(SEVEN)),
            ExitCode.WRONG_SHAPE,
            "the initial checkpoint: tensor 'head.weight' has shape [7, 128], expected [2, 128]",
        ),
        (
            changed(**{"head.bias": None}),
            ExitCode.WRONG_SHAPE,
            "the initial checkpoint: tensor 'head.bias' is missing",
        ),
        (
            changed(extra=np.zeros(1, np.float32)),
            ExitCode.WRONG_SHAPE,
            "the initial checkpoint: tensor 'extra' is none of the model's",
        ),
        (
            changed(**{"head.bias": np.zeros(2, np.float16)}),
            ExitCode.WRONG_SHAPE,
            "the initial checkpoint: tensor 'head.bias' is of type F16, expected F32",
        ),
        (
            not_finite(),
            ExitCode.NOT_FINITE,
            "the initial checkpoint: tensor 'stages.3.1.bias' holds NaN or infinity",
        ),
        (
            OWN + bytes(70_000),
            ExitCode.TOO_LARGE,
            "the initial checkpoint: more than the 809864 bytes that it may have",
        ),
    ],
)
def test_a_file_that_is_no_checkpoint_of_the_model_is_refused(
    hub: Hub, content: bytes, code: ExitCode, message: str
) -> None:
    hub.put(content)

    with pytest.raises(JobError) as caught:
        hub.publish(digest=digest_of(content))
    assert (caught.value.exit_code, str(caught.value)) == (code, message)
    assert hub.store.objects == {}


def test_a_file_that_is_not_the_named_one_is_refused(hub: Hub) -> None:
    with pytest.raises(JobError) as caught:
        hub.publish(digest="0a" * 32)
    assert caught.value.exit_code is ExitCode.DIGEST_MISMATCH
    assert str(caught.value) == f"the initial checkpoint: sha256 {digest_of(OWN)}, expected {'0a' * 32}"
    assert hub.store.objects == {}


def nothing(volume: Path) -> None:
    (volume / FILE).unlink()


def a_folder(volume: Path) -> None:
    nothing(volume)
    (volume / FILE).mkdir()


def a_pipe(volume: Path) -> None:
    nothing(volume)
    os.mkfifo(volume / FILE)


def a_circle(volume: Path) -> None:
    nothing(volume)
    (volume / FILE).symlink_to("own.safetensors")


def a_link_out(volume: Path) -> None:
    (volume / FILE).rename(volume.parent / "elsewhere")
    (volume / FILE).symlink_to("../../elsewhere")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (nothing, f"there is no file {FILE} on its volume"),
        (a_folder, f"there is no file {FILE} on its volume"),
        (a_pipe, f"there is no file {FILE} on its volume"),
        (a_circle, f"there is no file {FILE} on its volume"),
        (a_link_out, f"the path {FILE} leads out of its volume"),
    ],
)
def test_what_is_no_file_of_the_volume_is_refused(hub: Hub, spoil: Callable[[Path], None], message: str) -> None:
    spoil(hub.volume)

    with pytest.raises(InputWrong) as caught:
        hub.publish()
    assert str(caught.value) == f"the initial checkpoint: {message}"


@pytest.mark.parametrize("path", ["../elsewhere", "/etc/hostname", "2025/../../elsewhere", "", ".", "2025/.own"])
def test_a_path_out_of_the_volume_is_refused_whatever_is_there(hub: Hub, path: str) -> None:
    (hub.volume.parent / "elsewhere").write_bytes(OWN)
    (hub.volume / "2025/.own").write_bytes(OWN)

    with pytest.raises(InputWrong, match="has to be relative"):
        hub.publish(path)


def test_what_the_volume_answers_when_it_refuses_is_told(hub: Hub) -> None:
    """A name that no file system takes; a file without rights would not be refused to root."""
    with pytest.raises(InputWrong, match=r"^the initial checkpoint: x{300} cannot be read: File name too long$"):
        hub.publish("x" * 300)


def test_a_job_without_the_volume_of_its_file_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "access-key").write_text("access")
    (tmp_path / "secret-key").write_text("secret")
    initial = InitialFile(path=FILE, digest=digest_of(OWN))
    given = InitInput(store=ADDRESS, model=SHAPE, seed=1, initial=initial)

    with pytest.raises(InputWrong, match="FEDROUND_INITIAL names no folder"):
        start({"FEDROUND_INPUT": given.text(), "FEDROUND_STORE": str(tmp_path)})
