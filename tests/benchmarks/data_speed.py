"""How fast images are drawn, decoded and taken from the cache, on one core.

    OMP_NUM_THREADS=1 taskset -c 0 python tests/benchmarks/data_speed.py [MEASUREMENT...]

Each line is the best of several runs: other work on the machine only ever adds time.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from fedround_training.data.cases import Case, GroupUnit
from fedround_training.data.dermoscopy import DEMO, draw_cases, write_synthetic_folder
from fedround_training.data.image_cache import ImageCache
from fedround_training.data.images import load_images

_RUNS = 15
_IMAGES = 30


def generator() -> None:
    """Photos of 64 pixels as arrays, and of 128 by 96 as JPEGs with their table."""

    def draw() -> None:
        for profile in DEMO:
            draw_cases(profile, _IMAGES // len(DEMO), seed=1, size=64)

    def write() -> None:
        with tempfile.TemporaryDirectory() as folder:
            write_synthetic_folder(Path(folder), _IMAGES, seed=1)

    _tell_rate("drawn at 64 px", draw)
    _tell_rate("drawn at 128 x 96 px and written", write)


def decode() -> None:
    """A JPEG of one megapixel and about 115 KB to 128 pixels: reading, hashing and checking the file included."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "photo.jpg")
        _photo_of_one_megapixel().save(path, quality=90)
        case = Case("photo", path, "nv", "image:photo", GroupUnit.IMAGE)
        cache = ImageCache(Path(folder, "cache"))
        load_images([case], 128, cache)
        _tell_time(f"decoded to 128 px ({path.stat().st_size // 1000} KB)", lambda: load_images([case], 128))
        _tell_time("taken from the cache", lambda: load_images([case], 128, cache))


def _photo_of_one_megapixel() -> Image.Image:
    """1024 x 1024, with the detail that makes a photo of that size weigh about 115 KB."""
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(60, 220, (16, 16, 3), dtype=np.uint8)).resize((1024, 1024))
    noisy = np.asarray(smooth, np.float32) + rng.normal(0, 1.6, (1024, 1024, 3)).astype(np.float32)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _tell_time(what: str, work: Callable[[], object]) -> None:
    # One call is so short that other work hits most of a few.
    print(f"{what}: {min(best_seconds(work) for _ in range(10)) * 1000:.2f} ms")


def _tell_rate(what: str, work: Callable[[], object]) -> None:
    seconds = best_seconds(work) / _IMAGES
    print(f"{what}: {1 / seconds:.0f} images a second ({seconds * 1000:.1f} ms each)")


def best_seconds(work: Callable[[], object]) -> float:
    """The shortest of several runs."""
    times = []
    for _ in range(_RUNS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


MEASUREMENTS: dict[str, Callable[[], None]] = {"generator": generator, "decode": decode}

if __name__ == "__main__":
    for name in sys.argv[1:] or MEASUREMENTS:
        MEASUREMENTS[name]()
