"""Brings a test set that lies in the object store to a folder, for `validate`.

Called before anything is judged. The store is not trusted: the manifest must have the digest that the model names
before one of its names is used, and every file the digest that the manifest gives.
"""

import logging
from pathlib import Path

from fedround_training.data import images, tables
from fedround_training.data.errors import TestSetChanged as TestSetFolderChanged
from fedround_training.data.testset import MANIFEST, TABLE, read_manifest
from fedround_training.errors import TestSetChanged
from fedround_training.store.objects import ObjectStore

# Some 200 bytes an image: far more images than a validation could look at in its time.
_LARGEST_MANIFEST_BYTES = 64 * 2**20

log = logging.getLogger(__name__)


def fetch_test_set(prefix: str, manifest_digest: str, store: ObjectStore, folder: Path) -> None:
    """The files of the test set, in `folder`. Raises TestSetChanged for one that the model does not name."""
    store.get(f"{prefix}/{MANIFEST}", folder / MANIFEST, _LARGEST_MANIFEST_BYTES)
    try:
        files = read_manifest(folder, manifest_digest).files
    except TestSetFolderChanged as error:
        raise TestSetChanged(f"below {prefix} in the object store: {error}") from error
    for name, digest in sorted(files.items()):
        limit_bytes = tables.LARGEST_BYTES if name == TABLE else images.LARGEST_BYTES
        content = store.get(f"{prefix}/{name}", folder / name, limit_bytes)
        if content.digest != digest:
            raise TestSetChanged(f"{prefix}/{name} in the object store has other content than the manifest says")
    log.info("test set fetched files=%d", len(files))
