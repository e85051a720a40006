"""The cache gives what a decoding would give or nothing, holds no more than the newest training used, and no names."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fedround_training.data.cases import Case
from fedround_training.data.image_cache import ImageCache
from fedround_training.data.images import LoadedImages, load_images
from support.bad_data import photo, saved
from unit.training.data.lesions import make_case


class Folder:
    """Three photos and a cache beside them. Each call is a training of its own."""

    def __init__(self, place: Path) -> None:
        self.images, self.cache = place / "images", place / "cache"
        self.images.mkdir()
        for seed, name in enumerate(("Jane_Doe", "b", "c")):
            (self.images / f"{name}.jpg").write_bytes(saved(photo(seed=seed), "JPEG"))

    def load(self, size: int = 8, names: str = "Jane_Doe b c", **settings: object) -> LoadedImages[Case]:
        cache = ImageCache(self.cache, **{"reserve_bytes": 0, **settings})  # type: ignore[arg-type]
        loaded = load_images([make_case(name, path=self.images / f"{name}.jpg") for name in names.split()], size, cache)
        cache.keep_used()
        return loaded

    def spoil_decoder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From here on whatever is decoded is black."""
        black = np.zeros((8, 8, 3), np.uint8)
        monkeypatch.setattr("fedround_training.data.images.decode", lambda content, image_id, size: black)

    @property
    def entries(self) -> list[Path]:
        return sorted(self.cache.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_what_was_decoded_once_is_not_decoded_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = folder.load()
    folder.spoil_decoder(monkeypatch)
    second = folder.load()
    assert (second.pixels == first.pixels).all()
    assert first.pixels.any()


def test_entries_are_for_the_owner_only_and_name_nobody(folder: Folder) -> None:
    before = os.umask(0)
    try:
        folder.load()
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.cache.stat().st_mode) == 0o700
    assert [stat.S_IMODE(entry.stat().st_mode) for entry in folder.entries] == [0o600] * 3
    assert all(entry.name.startswith(tuple("0123456789abcdef")) for entry in folder.entries)
    assert not any(b"Jane" in entry.read_bytes() or "Jane" in entry.name for entry in folder.entries)


def test_a_cache_that_others_could_read_is_closed(folder: Folder) -> None:
    folder.cache.mkdir(mode=0o777)
    folder.load()
    assert stat.S_IMODE(folder.cache.stat().st_mode) == 0o700


def test_metadata_is_in_no_entry(folder: Folder) -> None:
    (folder.images / "b.jpg").write_bytes(saved(photo(), "JPEG", comment=b"Jane Doe, 1961-02-03"))
    folder.load()
    assert [entry.stat().st_size for entry in folder.entries] == [32 + 8 * 8 * 3] * 3
    assert not any(b"Jane" in entry.read_bytes() for entry in folder.entries)


def _cut(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:-1])


def _flip(position: int) -> Callable[[Path], None]:
    def spoil(entry: Path) -> None:
        content = bytearray(entry.read_bytes())
        content[position] ^= 1
        entry.write_bytes(content)

    return spoil


def _by_another(entry: Path) -> None:
    other = next(path for path in entry.parent.iterdir() if path != entry)
    shutil.copyfile(other, entry)


def _by(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def spoil(entry: Path) -> None:
        entry.unlink()
        make(entry)

    return spoil


SPOILED = {
    "empty": lambda entry: entry.write_bytes(b""),
    "cut off": _cut,
    "longer": lambda entry: entry.write_bytes(entry.read_bytes() + b"\0"),
    "changed in its check sum": _flip(5),
    "changed in its first pixel": _flip(32),
    "changed in its last pixel": _flip(-1),
    "that of another image": _by_another,
    "a link to nowhere": _by(lambda entry: entry.symlink_to("gone")),
    "a link to an endless device": _by(lambda entry: entry.symlink_to("/dev/zero")),
    "a pipe": _by(os.mkfifo),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_entry_is_made_anew(folder: Folder, spoil: Callable[[Path], object]) -> None:
    first = folder.load()
    good = [entry.read_bytes() for entry in folder.entries]
    for entry in folder.entries:
        if entry == folder.entries[0]:
            spoil(entry)
    assert (folder.load().pixels == first.pixels).all()
    assert [entry.read_bytes() for entry in folder.entries] == good


def test_a_folder_in_the_place_of_an_entry_costs_nothing_but_time(folder: Folder) -> None:
    first = folder.load()
    entry = folder.entries[0]
    entry.unlink()
    entry.mkdir()
    (entry / "file").touch()
    assert (folder.load().pixels == first.pixels).all()
    assert entry not in folder.entries
    assert (folder.load().pixels == first.pixels).all()
    assert entry.is_file()


def test_what_a_crash_left_is_written_over(folder: Folder) -> None:
    first = folder.load()
    torn = folder.entries[1]
    (folder.cache / f".{torn.name}").write_bytes(b"half of an en")
    (folder.cache / ".of-an-image-that-has-gone").write_bytes(b"half of an en")
    torn.unlink()
    assert (folder.load().pixels == first.pixels).all()
    assert [entry.name[0] == "." for entry in folder.entries] == [False] * 3


def test_an_image_that_was_taken_out_disappears_with_the_next_training(folder: Folder) -> None:
    folder.load()
    content = {entry.name: entry.read_bytes() for entry in folder.entries}
    folder.load(names="b c")
    assert len(folder.entries) == 2
    folder.load(names="Jane_Doe b c")
    assert {entry.name: entry.read_bytes() for entry in folder.entries} == content


def test_a_training_without_images_empties_the_cache(folder: Folder) -> None:
    folder.load()
    folder.load(names="")
    assert folder.entries == []


def test_another_image_under_the_same_name_is_not_taken_for_the_old_one(folder: Folder) -> None:
    first = folder.load()
    (folder.images / "b.jpg").write_bytes(saved(photo(seed=3), "JPEG"))
    second = folder.load()
    assert (second.pixels[0] == first.pixels[0]).all()
    assert (second.pixels[1] != first.pixels[1]).any()
    assert len(folder.entries) == 3


def test_a_pipeline_of_another_version_decodes_anew_and_removes_the_old(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.load()
    folder.spoil_decoder(monkeypatch)
    assert not folder.load(pipeline="99-1.0").pixels.any()
    assert [entry.name.partition("-")[2] for entry in folder.entries] == ["8-99-1.0.pixels"] * 3


def test_two_models_of_different_sizes_do_not_push_each_other_out(folder: Folder) -> None:
    folder.load(8)
    folder.load(16)
    assert len(folder.entries) == 6


def test_images_that_cannot_be_read_are_in_no_entry(folder: Folder) -> None:
    (folder.images / "b.jpg").write_bytes(b"no image")
    loaded = folder.load()
    assert [error.image_id for error in loaded.quarantined] == ["b"]
    assert len(folder.entries) == 2


def test_a_cache_that_cannot_be_made_costs_nothing_but_time(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    folder.cache.write_text("a file")
    assert len(folder.load().cases) == 3
    assert "images are not cached: " in caplog.text
    assert folder.cache.read_text() == "a file"


def test_a_cache_that_is_deleted_during_a_training_costs_nothing_but_time(folder: Folder) -> None:
    first = folder.load()
    cache = ImageCache(folder.cache, reserve_bytes=0)
    shutil.rmtree(folder.cache)
    cases = [make_case(name, path=folder.images / f"{name}.jpg") for name in ("Jane_Doe", "b", "c")]

    loaded = load_images(cases, 8, cache)
    cache.keep_used()

    assert (loaded.pixels == first.pixels).all()
    assert (folder.load().pixels == first.pixels).all()
    assert len(folder.entries) == 3


def test_the_last_of_the_volume_is_left_to_others(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    assert len(folder.load(reserve_bytes=2**62).cases) == 3
    assert folder.entries == []
    assert caplog.text.count("images are not cached: the volume is nearly full") == 1


def test_a_cache_that_is_a_link_is_left_alone_with_all_that_lies_behind_it(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    (elsewhere / "thesis.txt").touch()
    folder = Folder(tmp_path)
    folder.cache.symlink_to(elsewhere)

    assert len(folder.load().cases) == 3

    assert [path.name for path in elsewhere.iterdir()] == ["thesis.txt"]
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o755
