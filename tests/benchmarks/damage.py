"""How much random damage to the compressed data of photos is noticed, and how much of the rest can be seen.

    python tests/benchmarks/damage.py [FOLDER]

Damages JPEGs, those of a folder or drawn ones of 1024 x 768 pixels, in ways that disks, chips and networks do: 1,000
times each way. `Pillow` counts what Pillow alone refuses at the same size. A damage can be seen where the picture at
128 pixels differs from the whole one by more than 4 of 255 levels (root mean square).
"""

import io
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from fedround_training.data.dermoscopy import write_synthetic_folder
from fedround_training.data.errors import ImageUnreadable
from fedround_training.data.images import Pixels, decode

_TIMES = 1000
_PHOTOS = 30
_SIZE = 128
_VISIBLE_LEVELS = 4

#: Changes the compressed data from a place on.
Damage = Callable[[bytearray, int, random.Random], None]


def _flip(content: bytearray, at: int, rng: random.Random) -> None:
    content[at] ^= 1 << rng.randrange(8)


def _change(content: bytearray, at: int, rng: random.Random) -> None:
    content[at] ^= rng.randrange(1, 256)


def _overwrite(length: int, what: Callable[[random.Random, int], bytes]) -> Damage:
    def damage(content: bytearray, at: int, rng: random.Random) -> None:
        # The end mark stays: without it the image is refused for that.
        length_there = min(length, len(content) - 2 - at)
        content[at : at + length_there] = what(rng, length_there)

    return damage


def _cut_out(content: bytearray, at: int, rng: random.Random) -> None:
    del content[at : min(at + rng.randint(1, 200), len(content) - 2)]


def _end_early(content: bytearray, at: int, rng: random.Random) -> None:
    del content[at:-2]


DAMAGES: dict[str, Damage] = {
    "one bit flipped": _flip,
    "one byte changed": _change,
    "4 bytes of noise": _overwrite(4, random.Random.randbytes),
    "1 to 200 bytes cut out": _cut_out,
    "512 bytes of zeros": _overwrite(512, lambda _, length: bytes(length)),
    "512 bytes of noise": _overwrite(512, random.Random.randbytes),
    "the rest missing but for the end mark": _end_early,
}


def measure(photos: Sequence[bytes], damage: Damage, rng: random.Random) -> tuple[int, int, int]:
    """(refused by Pillow, refused by `decode`, not refused and to be seen) of `_TIMES`."""
    by_pillow = refused = seen = 0
    for number in range(_TIMES):
        whole = photos[number % len(photos)]
        damaged = bytearray(whole)
        damage(damaged, rng.randrange(_begin_of_scan(whole), len(whole) - 2), rng)
        by_pillow += not _pillow_decodes(bytes(damaged))
        pixels = _decoded(bytes(damaged))
        refused += pixels is None
        seen += pixels is not None and _distance(pixels, decode(whole, "whole", _SIZE)) > _VISIBLE_LEVELS
    return by_pillow, refused, seen


def _begin_of_scan(jpeg: bytes) -> int:
    """Behind the header of the last scan of a photo, that of its own picture and not of a thumbnail."""
    at = jpeg.rindex(b"\xff\xda") + 2
    return at + int.from_bytes(jpeg[at : at + 2], "big")


def _decoded(content: bytes) -> Pixels | None:
    try:
        return decode(content, "damaged", _SIZE)
    except ImageUnreadable:
        return None


def _pillow_decodes(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.draft("RGB", (_SIZE, _SIZE))
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def _distance(one: Pixels, other: Pixels) -> float:
    return float(np.sqrt(np.mean((one.astype(float) - other) ** 2)))


def _photos(folder: Path) -> list[bytes]:
    paths = sorted(folder.rglob("*.jpg"))
    return [path.read_bytes() for path in paths[:: max(1, len(paths) // _PHOTOS)]]


def _drawn_photos() -> list[bytes]:
    with TemporaryDirectory() as folder:
        write_synthetic_folder(Path(folder), _PHOTOS, seed=1, width=1024)
        return _photos(Path(folder))


if __name__ == "__main__":
    photos = _photos(Path(sys.argv[1])) if len(sys.argv) > 1 else _drawn_photos()
    print(f"{'of 1,000 damaged photos':40}{'Pillow':>8}{'noticed':>9}{'missed, to be seen':>20}")
    for name, damage in DAMAGES.items():
        by_pillow, refused, seen = measure(photos, damage, random.Random(1))  # noqa: S311 - places of damage
        print(f"{name:40}{by_pillow:8}{refused:9}{seen:20}")
