"""Files are whole or absent, and their digests are told on the way."""

from pathlib import Path

import pytest

from fedround_training.errors import TooLarge
from fedround_training.store.files import Content, content_of, save_stream, save_whole, whole_file

# sha256 of b"abcdef".
ABCDEF = "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721"


def test_a_stream_tells_digest_and_size(tmp_path: Path) -> None:
    assert save_stream(tmp_path / "file", [b"abc", b"def"], 6) == Content(ABCDEF, 6)
    assert content_of(tmp_path / "file") == Content(ABCDEF, 6)


def test_a_stream_beyond_its_limit_leaves_the_older_file(tmp_path: Path) -> None:
    save_whole(tmp_path / "file", b"older")

    with pytest.raises(TooLarge):
        save_stream(tmp_path / "file", [b"abc", b"def"], 5)

    assert (tmp_path / "file").read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_block_that_fails_leaves_the_older_file(tmp_path: Path) -> None:
    save_whole(tmp_path / "file", b"older")

    def write_half() -> None:
        with whole_file(tmp_path / "file") as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()

    assert (tmp_path / "file").read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_job_left_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".file.part").write_bytes(b"left by a killed job, longer than the new content")

    save_whole(tmp_path / "file", b"new")

    assert (tmp_path / "file").read_bytes() == b"new"
