"""What every object store has to do, said once. A subclass gives the store; pytest runs all of it on each."""

from pathlib import Path

import pytest

from fedround_training.errors import ObjectGone, TooLarge
from fedround_training.store.files import Content
from fedround_training.store.objects import ObjectStore

# sha256 of b"weights".
WEIGHTS = Content("9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c", 7)


class StoreContract:
    """Subclass with a fixture `store`."""

    def test_what_was_put_is_got_with_its_digest(self, store: ObjectStore, tmp_path: Path) -> None:
        put(store, tmp_path, "rounds/r1/candidate.safetensors", b"weights")

        content = store.get("rounds/r1/candidate.safetensors", tmp_path / "got", 7)

        assert (tmp_path / "got").read_bytes() == b"weights"
        assert content == WEIGHTS

    def test_a_second_put_takes_the_place_of_the_first(self, store: ObjectStore, tmp_path: Path) -> None:
        put(store, tmp_path, "rounds/r1/candidate.safetensors", b"older")
        put(store, tmp_path, "rounds/r1/candidate.safetensors", b"weights")

        assert store.get("rounds/r1/candidate.safetensors", tmp_path / "got", 100) == WEIGHTS

    def test_an_object_longer_than_the_limit_leaves_no_file(self, store: ObjectStore, tmp_path: Path) -> None:
        put(store, tmp_path, "clinics/north/r1/plain/update.safetensors", b"weights")

        with pytest.raises(TooLarge):
            store.get("clinics/north/r1/plain/update.safetensors", tmp_path / "got", 6)
        assert [path.name for path in tmp_path.iterdir()] == ["source"]

    def test_a_missing_object_is_refused(self, store: ObjectStore, tmp_path: Path) -> None:
        with pytest.raises(ObjectGone):
            store.get("published/skin/none.safetensors", tmp_path / "got", 100)
        assert list(tmp_path.iterdir()) == []

    def test_a_text_is_kept_as_utf_8(self, store: ObjectStore, tmp_path: Path) -> None:
        store.put_text("rounds/r1/report.json", '{"clinic": "Zürich"}\n')

        store.get("rounds/r1/report.json", tmp_path / "got", 100)
        assert (tmp_path / "got").read_text(encoding="utf-8") == '{"clinic": "Zürich"}\n'

    def test_an_empty_object_is_one_too(self, store: ObjectStore, tmp_path: Path) -> None:
        put(store, tmp_path, "rounds/r1/empty", b"")

        assert store.get("rounds/r1/empty", tmp_path / "got", 0).bytes == 0


def put(store: ObjectStore, folder: Path, key: str, content: bytes) -> None:
    source = folder / "source"
    source.write_bytes(content)
    store.put(key, source)
