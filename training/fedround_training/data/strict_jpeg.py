"""JPEGs decoded by libjpeg-turbo with its warnings taken as errors. The door to simplejpeg.

Called by `images`. Pillow decodes with the same library but hears none of its warnings: where compressed data is
damaged the rest of the picture becomes grey or shifted, and nobody is told. For whole pictures both give the same
pixels.

A JPEG has no check sum. What is noticed is damage after which the compressed data no longer comes out even: nearly all
that is cut out or overwritten, but only the smaller part of single wrong bits (`tests/benchmarks/damage.py` counts).
"""

import numpy as np
import simplejpeg
from PIL import Image

from fedround_training.data import jpeg

VERSION: str = simplejpeg.__version__

_CHANNELS = {"L": "GRAY", "RGB": "RGB"}


def decode_strictly(content: bytes, mode: str, size: tuple[int, int]) -> Image.Image:
    """The picture in Pillow's mode L or RGB at `size`, which is its full one or a half, quarter or eighth of it.

    Raises ValueError for one that is damaged.
    """
    try:
        return _decoded(content, mode, size)
    except ValueError:
        # Not every warning means damage, and the first one ends the decoding: look again without what is harmless.
        return _decoded(jpeg.tidied(content), mode, size)


def _decoded(content: bytes, mode: str, size: tuple[int, int]) -> Image.Image:
    width, height = size
    pixels = simplejpeg.decode_jpeg(content, _CHANNELS[mode], min_height=height, min_width=width, strict=True)
    return Image.fromarray(np.squeeze(pixels, 2) if mode == "L" else pixels)
