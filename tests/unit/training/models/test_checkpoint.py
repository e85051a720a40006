"""What is accepted as a checkpoint, and with which error everything else is refused."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from fedround_training.errors import ContentRefused, DigestMismatch, NotFinite, NotSafetensors, TooLarge, WrongShape
from fedround_training.models.checkpoint import open_checkpoint, read_checkpoint, save_checkpoint, size_limit
from support.job_inputs import PICKLE, digest_of, safetensors

NAN = float("nan")
SHAPES = {"bias": (2,), "weight": (2, 2)}
GOOD = safetensors(weight=[[1, 2], [3, 4]], bias=[0.5, -0.5])


def zip_file() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("archive/data.pkl", PICKLE)
    return content.getvalue()


def read(folder: Path, content: bytes) -> None:
    path = folder / "received"
    path.write_bytes(content)
    read_checkpoint(path, digest_of(content), size_limit(SHAPES), SHAPES)


def test_the_same_tensors_make_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    weight, bias = np.ones((2, 2), np.float32), np.zeros(2, np.float32)

    one = save_checkpoint(tmp_path / "one", {"weight": weight, "bias": bias})
    other = save_checkpoint(tmp_path / "other", {"bias": bias, "weight": weight})

    assert one == other
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    saved = {"weight": np.array([[1, 2], [3, 4]], np.float32), "bias": np.array([0.5, -0.5], np.float32)}
    content = save_checkpoint(tmp_path / "file", saved)

    found = read_checkpoint(tmp_path / "file", content.digest, content.bytes, SHAPES)

    assert {name: values.tolist() for name, values in found.items()} == {
        "weight": [[1.0, 2.0], [3.0, 4.0]],
        "bias": [0.5, -0.5],
    }


def test_a_slice_with_an_offset_is_the_right_one(tmp_path: Path) -> None:
    content = save_checkpoint(tmp_path / "file", {"a": np.arange(5, dtype=np.float32), "b": np.full(3, 9, np.float32)})
    stored = open_checkpoint(tmp_path / "file", content.digest, content.bytes)

    assert stored.values(stored.tensor("a"), 1, 4).tolist() == [1.0, 2.0, 3.0]
    assert stored.values(stored.tensor("b"), 0, 3).tolist() == [9.0, 9.0, 9.0]


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (PICKLE, NotSafetensors, "safetensors"),
        (zip_file(), NotSafetensors, "safetensors"),
        (b"", NotSafetensors, "safetensors"),
        (b"\xff" * 7, NotSafetensors, "safetensors"),
        (b"\x02" + b"\0" * 7 + b"{}" + b"left over", NotSafetensors, "safetensors"),
        (GOOD[:-1], NotSafetensors, "safetensors"),
        (GOOD + b"\0", NotSafetensors, "safetensors"),
        (safetensors(weight=[[1, 2], [3, 4]]), WrongShape, "'bias' is missing"),
        (safetensors(weight=[[1, 2], [3, 4]], bias=[0, 0], more=[1]), WrongShape, "'more' is none of the model's"),
        (safetensors(weight=[1, 2, 3, 4], bias=[0, 0]), WrongShape, r"'weight' has shape \[4\], expected \[2, 2\]"),
        (
            save({"weight": np.zeros((2, 2), np.float64), "bias": np.zeros(2, np.float32)}),
            WrongShape,
            "'weight' is of type F64, expected F32",
        ),
        (
            safetensors(weight=[[1.0, 2.0], [3.0, NAN]], bias=[0, 0]),
            NotFinite,
            "'weight' holds NaN or infinity",
        ),
        (safetensors(weight=[[1, 2], [3, 4]], bias=[float("-inf"), 0]), NotFinite, "'bias' holds NaN or infinity"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_anything_else_is_refused(tmp_path: Path, content: bytes, error: type[ContentRefused], words: str) -> None:
    with pytest.raises(error, match=words):
        read(tmp_path, content)


def test_the_good_file_of_these_tests_is_accepted(tmp_path: Path) -> None:
    read(tmp_path, GOOD)


def test_other_bytes_than_the_digest_says_are_refused_before_they_are_parsed(tmp_path: Path) -> None:
    (tmp_path / "received").write_bytes(PICKLE)

    with pytest.raises(DigestMismatch, match=f"sha256 {digest_of(PICKLE)}, expected {digest_of(GOOD)}"):
        read_checkpoint(tmp_path / "received", digest_of(GOOD), 1000, SHAPES)


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "received").write_bytes(GOOD)

    with pytest.raises(TooLarge):
        read_checkpoint(tmp_path / "received", "0" * 64, len(GOOD) - 1, SHAPES)


def test_a_long_name_of_a_tensor_does_not_fill_the_message(tmp_path: Path) -> None:
    content = safetensors(**{"x" * 5000: [1.0]})
    (tmp_path / "received").write_bytes(content)

    with pytest.raises(WrongShape) as caught:
        open_checkpoint(tmp_path / "received", digest_of(content), 100_000, {})
    assert len(str(caught.value)) < 100
