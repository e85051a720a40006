"""A checkpoint of the user's own as a model's first: checked before anything starts, then laid where `init` finds it.

Called when a federation is set up. The hub's `init` Job checks the same again: it takes nobody's word.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fedround_api.kinds.clinic_round import ModelShape
from fedround_api.kinds.federated_model import InitialCheckpoint
from fedround_local.errors import CheckpointUnusable
from fedround_local.federation import layout
from fedround_local.federation.layout import Layout
from fedround_training.errors import ContentRefused
from fedround_training.models.checkpoint import open_checkpoint, size_limit
from fedround_training.models.shapes import shapes_of
from fedround_training.store.files import Content, content_of

FILE = "checkpoint.safetensors"


def require_checkpoint(file: Path) -> Content:
    """Digest and size of a file in the format of checkpoints, whatever the model.

    Raises:
        CheckpointUnusable: one sentence on what is wrong with the file.
    """
    with _refusing(file):
        if not file.is_file():
            raise CheckpointUnusable(f"there is no file {file}: --initial names a safetensors file")
        content = content_of(file)
        open_checkpoint(file, content.digest, content.bytes)
        return content


def lay_initial(file: Path, shape: ModelShape, place: Layout) -> InitialCheckpoint:
    """The file on the hub's volume for it, and what the model says of it.

    Raises:
        CheckpointUnusable: it is no checkpoint of such a model.
    """
    with _refusing(file, f"; the model has the classes of the images ({', '.join(shape.classes)})"):
        content, shapes = require_checkpoint(file), shapes_of(shape)
        open_checkpoint(file, content.digest, size_limit(shapes), shapes).require_finite()
        folder = place.volume(layout.NETWORK_NAMESPACE, layout.INITIAL_CLAIM)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / FILE)
    return InitialCheckpoint(claim_name=layout.INITIAL_CLAIM, path=FILE, sha256=content.digest)


@contextmanager
def _refusing(file: Path, more: str = "") -> Iterator[None]:
    try:
        yield
    except ContentRefused as error:
        raise CheckpointUnusable(f"{file} cannot be the model's first checkpoint: {error}{more}") from error
