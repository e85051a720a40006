"""The candidate of a round: base + sum(weight * update) / sum(weight), over files and piece by piece.

Pure but for the files it is given; called by `aggregate`, and by anyone who wants to compute an aggregate again. The
memory it takes is that of a few pieces, whatever the number of clinics and the size of the model. The order of the sum
is that of the clinics' names and the accumulator is float64, so the same files give the same bytes on any machine.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fedround_training.errors import ContentRefused, NotFinite
from fedround_training.models.checkpoint import StoredCheckpoint, StoredTensor

# 8 MB of accumulator: smaller pieces cost calls, larger ones memory.
CHUNK_ELEMENTS = 1 << 20


@dataclass(frozen=True)
class WeightedUpdate:
    """A clinic's update, with names and shapes of the base, and its weight."""

    clinic: str
    update: StoredCheckpoint
    weight: int


def save_weighted_mean(
    base: StoredCheckpoint, updates: Sequence[WeightedUpdate], candidate: Path, chunk_elements: int = CHUNK_ELEMENTS
) -> None:
    """Write the candidate: the base's file with other values in it.

    Raises NotFinite, with the clinic, for an update that holds NaN or infinity, and without one where the sum
    overflows.
    """
    if not updates:
        raise ValueError("a mean of no updates")
    ordered = sorted(updates, key=lambda one: one.clinic)
    shutil.copyfile(base.path, candidate)
    with candidate.open("r+b") as file:
        for tensor in base.tensors:
            for start in range(0, tensor.size, chunk_elements):
                stop = min(start + chunk_elements, tensor.size)
                file.seek(tensor.offset_bytes + 4 * start)
                file.write(_chunk(base, tensor, ordered, start, stop).astype("<f4", copy=False).tobytes())


def _chunk(
    base: StoredCheckpoint, tensor: StoredTensor, ordered: Sequence[WeightedUpdate], start: int, stop: int
) -> npt.NDArray[np.float32]:
    total = np.zeros(stop - start, np.float64)
    for one in ordered:
        try:
            values = one.update.values(one.update.tensor(tensor.name), start, stop)
        except ContentRefused as error:
            raise error.of_clinic(one.clinic) from error
        total += one.weight * values.astype(np.float64)
    total /= sum(one.weight for one in ordered)
    total += base.values(tensor, start, stop)
    with np.errstate(over="ignore"):
        result = total.astype(np.float32)
    if not np.isfinite(result).all():
        raise NotFinite(f"the sum of the updates overflows in tensor {tensor.name!r}")
    return result
