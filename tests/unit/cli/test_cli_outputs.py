"""What a person has asked for as a file: all of it or what was there before, whatever happens."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from fedround_cli.outputs import replacing, save


def test_a_file_is_written_with_the_rights_that_any_new_file_gets(tmp_path: Path) -> None:
    (tmp_path / "other").touch()

    save(tmp_path / "report.html", b"new")

    assert (tmp_path / "report.html").read_bytes() == b"new"
    assert (tmp_path / "report.html").stat().st_mode == (tmp_path / "other").stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "report.html"]


def test_a_file_that_was_there_is_replaced_and_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(b"old")
    path.chmod(0o600)

    save(path, b"new")

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_write_that_is_broken_off_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(b"old")

    def break_off() -> None:
        with replacing(path) as part:
            part.write_bytes(b"ne")
            raise error

    with pytest.raises(type(error)):
        break_off()

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_while_it_is_written_the_old_file_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "sheet.jpg"
    path.write_bytes(b"old")

    with replacing(path) as part:
        part.write_bytes(b"new")
        assert (path.read_bytes(), part.suffix) == (b"old", ".jpg")


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    kept = tmp_path / "elsewhere" / "report.html"
    kept.write_bytes(b"old")
    (tmp_path / "link.html").symlink_to(kept)

    save(tmp_path / "link.html", b"new")

    assert (tmp_path / "link.html").is_symlink()
    assert kept.read_bytes() == b"new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()

    save(pipe, b"new")

    reader.join(10)
    assert read == [b"new"]
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize(("name", "number"), [("missing/report.html", errno.ENOENT), ("", errno.EISDIR)])
def test_where_it_cannot_be_written_the_error_names_the_path_that_was_asked_for(
    tmp_path: Path, name: str, number: int
) -> None:
    path = tmp_path / name

    with pytest.raises(OSError) as caught:  # noqa: PT011 - its number is looked at below
        save(path, b"new")

    assert (caught.value.errno, caught.value.filename, caught.value.filename2) == (number, str(path), None)
    assert list(tmp_path.iterdir()) == []
