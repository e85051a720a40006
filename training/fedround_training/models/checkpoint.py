"""The format of checkpoints and updates: safetensors files of float32 tensors, and nothing else.

Called by every Job that handles weights; numpy and safetensors only, so that `aggregate` needs no torch. Everything
that was received is opened here, in this order: size, digest, format, names, shapes and types, and then, where values
are read, finiteness. A pickle, a zip or a torch file fails at the format, and nothing in it is run.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fedround_training.errors import DigestMismatch, NotFinite, NotSafetensors, TooLarge, WrongShape
from fedround_training.store.files import Content, content_of, save_whole

Tensors = dict[str, npt.NDArray[np.float32]]
Shapes = Mapping[str, tuple[int, ...]]

# Another writer's header may be longer than ours by some names and spaces, not by more.
HEADER_SLACK_BYTES = 64 << 10
_FLOAT32 = "F32"
_CHECKED_ELEMENTS = 1 << 20


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies in a file: `size` little-endian float32 values from `offset_bytes` on."""

    name: str
    shape: tuple[int, ...]
    offset_bytes: int

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True)
class StoredCheckpoint:
    """A checked file. Values are read piece by piece, and each piece is checked for finiteness."""

    path: Path
    tensors: tuple[StoredTensor, ...]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {tensor.name: tensor.shape for tensor in self.tensors}

    def tensor(self, name: str) -> StoredTensor:
        return next(tensor for tensor in self.tensors if tensor.name == name)

    def require_finite(self) -> None:
        """Read every value once. Raises NotFinite."""
        for tensor in self.tensors:
            for start in range(0, tensor.size, _CHECKED_ELEMENTS):
                self.values(tensor, start, min(start + _CHECKED_ELEMENTS, tensor.size))

    def values(self, tensor: StoredTensor, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Values [start, stop) of the flattened tensor, (stop - start,) float32. Raises NotFinite."""
        values = np.fromfile(self.path, "<f4", stop - start, offset=tensor.offset_bytes + 4 * start)
        if not np.isfinite(values).all():
            raise NotFinite(f"tensor {_shown(tensor.name)} holds NaN or infinity")
        return values.astype(np.float32, copy=False)


def save_checkpoint(path: Path, tensors: Mapping[str, npt.NDArray[np.float32]]) -> Content:
    """Digest and size of the file that the tensors make: the same tensors give the same bytes, whatever their order."""
    # safetensors orders by name itself, but writes the memory as it lies: a view that is not contiguous would be wrong.
    save_whole(path, save({name: np.ascontiguousarray(values, np.float32) for name, values in tensors.items()}))
    return content_of(path)


def open_checkpoint(path: Path, digest: str, limit_bytes: int, shapes: Shapes | None = None) -> StoredCheckpoint:
    """The file with its names and shapes checked, against `shapes` where they are given. No value is read yet.

    Raises TooLarge, DigestMismatch, NotSafetensors or WrongShape.
    """
    size = path.stat().st_size
    if size > limit_bytes:
        raise TooLarge(f"{size} bytes, more than the {limit_bytes} that it may have")
    found = content_of(path).digest
    if found != digest:
        raise DigestMismatch(f"sha256 {found}, expected {digest}")
    stored = StoredCheckpoint(path, _tensors(path))
    if shapes is not None:
        _compare(stored.shapes, shapes)
    return stored


def read_checkpoint(path: Path, digest: str, limit_bytes: int, shapes: Shapes) -> Tensors:
    """All tensors of a file. Raises what `open_checkpoint` raises, and NotFinite."""
    stored = open_checkpoint(path, digest, limit_bytes, shapes)
    return {tensor.name: stored.values(tensor, 0, tensor.size).reshape(tensor.shape) for tensor in stored.tensors}


def size_limit(shapes: Shapes) -> int:
    """The most bytes that a file with these tensors may have."""
    return 4 * sum(int(np.prod(shape, dtype=np.int64)) for shape in shapes.values()) + HEADER_SLACK_BYTES


def _tensors(path: Path) -> tuple[StoredTensor, ...]:
    """Every tensor, in the order of the data. safetensors checks the header: lengths, bounds, overlaps, gaps."""
    try:
        with safe_open(path, framework="numpy"):
            pass
    except SafetensorError as error:
        raise NotSafetensors("not in the safetensors format") from error
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return tuple(sorted(_entries(header, 8 + length), key=lambda tensor: (tensor.offset_bytes, tensor.name)))


def _entries(header: Mapping[str, Any], data_offset_bytes: int) -> Iterator[StoredTensor]:
    for name, entry in header.items():
        if entry["dtype"] != _FLOAT32:
            raise WrongShape(f"tensor {_shown(name)} is of type {entry['dtype']}, expected {_FLOAT32}")
        yield StoredTensor(name, tuple(entry["shape"]), data_offset_bytes + entry["data_offsets"][0])


def _compare(found: Shapes, expected: Shapes) -> None:
    for name in sorted(expected.keys() - found.keys()):
        raise WrongShape(f"tensor {_shown(name)} is missing")
    for name in sorted(found.keys() - expected.keys()):
        raise WrongShape(f"tensor {_shown(name)} is none of the model's")
    for name, shape in expected.items():
        if found[name] != shape:
            raise WrongShape(f"tensor {_shown(name)} has shape {list(found[name])}, expected {list(shape)}")


def _shown(name: str) -> str:
    """A name for a message: another's file can hold any text, of any length."""
    return repr(name if len(name) <= 60 else f"{name[:60]}…")
