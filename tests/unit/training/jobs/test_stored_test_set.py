"""A test set that lies in the object store: what is fetched, and what is refused before a name or byte is trusted."""

import hashlib
import json
from pathlib import Path

import pytest

from fedround_training.data.catalogue import read_catalogue
from fedround_training.data.images import without_metadata
from fedround_training.data.testset import Contribution, Part, read_test_set, write_test_set
from fedround_training.errors import StoreRefused, TestSetChanged, TooLarge
from fedround_training.jobs import stored_test_set
from fedround_training.jobs.stored_test_set import fetch_test_set
from support.job_inputs import SHAPE, lesions
from support.memory_store import MemoryStore

PREFIX = "test-sets/ontario"


class Stored:
    """A test set of eight images, every file of it below the prefix in a store."""

    def __init__(self, folder: Path) -> None:
        self.store, self.target = MemoryStore(), folder / "fetched"
        lesions(folder / "images", 8)
        cases = read_catalogue(folder / "images").cases
        parts = [Contribution("north", Part.CALIBRATION, cases[:4]), Contribution("north", Part.GATE, cases[4:])]
        self.digest = write_test_set(folder / "written", parts, SHAPE.classes, without_metadata).digest
        for path in (folder / "written").rglob("*.*"):
            self.store.put(f"{PREFIX}/{path.relative_to(folder / 'written').as_posix()}", path)

    def fetch(self) -> None:
        self.target.mkdir()
        fetch_test_set(PREFIX, self.digest, self.store, self.target)

    def sign(self, **changes: object) -> None:
        """Another manifest, with the digest that the model then names."""
        manifest = {**json.loads(self.store.objects[f"{PREFIX}/manifest.json"]), **changes}
        self.store.objects[f"{PREFIX}/manifest.json"] = json.dumps(manifest).encode()
        self.digest = hashlib.sha256(self.store.objects[f"{PREFIX}/manifest.json"]).hexdigest()


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    return Stored(tmp_path)


def test_every_file_comes_and_the_folder_is_the_test_set(stored: Stored) -> None:
    stored.fetch()

    assert len(read_test_set(stored.target, stored.digest).cases) == 8


def test_a_manifest_with_another_digest_is_refused_before_a_file_is_fetched(stored: Stored) -> None:
    stored.digest = "0" * 64

    with pytest.raises(TestSetChanged, match=r"below test-sets/ontario in the object store: .* has digest"):
        stored.fetch()
    assert [path.name for path in stored.target.iterdir()] == ["manifest.json"]


def test_a_file_with_other_content_is_refused(stored: Stored) -> None:
    name = next(key for key in stored.store.objects if "/images/" in key)
    stored.store.objects[name] += b"."

    with pytest.raises(TestSetChanged, match=f"{name} in the object store has other content"):
        stored.fetch()


def test_a_file_that_is_missing_is_refused(stored: Stored) -> None:
    del stored.store.objects[f"{PREFIX}/cases.csv"]

    with pytest.raises(StoreRefused, match=r"test-sets/ontario/cases\.csv"):
        stored.fetch()


def test_no_name_leads_out_of_the_folder(stored: Stored) -> None:
    images = json.loads(stored.store.objects[f"{PREFIX}/manifest.json"])["images"]
    first = next(iter(images))
    stored.sign(images={**images, first: {**images[first], "file": "../../escaped.jpg"}})

    with pytest.raises(TestSetChanged, match="not the name of a file"):
        stored.fetch()


def test_a_manifest_that_is_too_large_is_not_read(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_test_set, "_LARGEST_MANIFEST_BYTES", 100)

    with pytest.raises(TooLarge):
        stored.fetch()
