"""Image files as square uint8 RGB arrays, and as copies without metadata. The only module of this package that decodes.

Called by `train`, `validate` and `testset`. What is damaged or of an unexpected kind is set aside with a cause, and
the rest goes on: one bad file in a clinic must not cost a round.
"""

import io
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from fedround_training.data.errors import ImageUnreadable, UnreadableCause

#: Decoded, this is 192 MB: above any dermatoscope or telephone, below what a Job's memory limit would kill the Job for.
LARGEST_PIXELS = 64_000_000

#: Decode at no less than twice the wanted size, so that the last step is done by the good filter; as
#: `Image.thumbnail` does.
_REDUCING_GAP = 2

_FORMATS = ("JPEG", "PNG")
_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA"})
_ORIENTATION = 0x0112
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Pixels = npt.NDArray[np.uint8]


class ImageFile(Protocol):
    """What is needed of a case, or of a case of a test set."""

    @property
    def image_id(self) -> str: ...
    @property
    def path(self) -> Path: ...


FileT = TypeVar("FileT", bound=ImageFile)


@dataclass(frozen=True)
class LoadedImages(Generic[FileT]):
    """`pixels` (N, S, S, 3) uint8 belong to `cases` in this order; `quarantined` are the others, with their causes."""

    pixels: Pixels
    cases: tuple[FileT, ...]
    quarantined: tuple[ImageUnreadable, ...]


def load_images(files: Sequence[FileT], size: int) -> LoadedImages[FileT]:
    """The readable images of `files`, in their order."""
    pixels = np.empty((len(files), size, size, 3), np.uint8)
    cases: list[FileT] = []
    quarantined: list[ImageUnreadable] = []
    for file in files:
        try:
            pixels[len(cases)] = decode(file.path, file.image_id, size)
        except ImageUnreadable as error:
            quarantined.append(error)
        else:
            cases.append(file)
    return LoadedImages(pixels[: len(cases)], tuple(cases), tuple(quarantined))


def decode(path: Path, image_id: str, size: int) -> Pixels:
    """(size, size, 3) uint8 RGB: the largest centred square, upright. Raises ImageUnreadable."""
    with _opened(path, image_id) as image:
        orientation = image.getexif().get(_ORIENTATION, 1)
        # A JPEG is decoded at a half, quarter or eighth of its size where that is enough; other formats ignore this.
        image.draft("RGB", (size * _REDUCING_GAP, size * _REDUCING_GAP))
        width, height = image.size
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        square = image.convert("RGB").resize(
            (size, size), Image.Resampling.LANCZOS, (left, top, left + side, top + side), reducing_gap=_REDUCING_GAP
        )
    # A centred square can be turned last, when it is small.
    upright = square.transpose(_TRANSPOSE[orientation]) if orientation in _TRANSPOSE else square
    return np.asarray(upright)


def without_metadata(path: Path, image_id: str) -> bytes:
    """The image, upright, encoded anew in its format from the pixels alone: no EXIF, XMP, IPTC, comment or thumbnail.

    For images that leave the clinic under a consent: cameras write names and places into them. Raises ImageUnreadable.
    """
    with _opened(path, image_id) as image:
        form = "PNG" if image.format == "PNG" else "JPEG"
        upright = ImageOps.exif_transpose(image.convert("RGB"))
        clean = Image.frombytes("RGB", upright.size, upright.tobytes())
    content = io.BytesIO()
    clean.save(content, form, quality=95, subsampling=0)
    return content.getvalue()


@contextmanager
def _opened(path: Path, image_id: str) -> Iterator[Image.Image]:
    """An image whose header was checked. Whatever Pillow raises, here or while decoding, becomes ImageUnreadable."""
    try:
        if os.stat(path).st_size == 0:
            raise ImageUnreadable(image_id, UnreadableCause.EMPTY)
        with Image.open(path, formats=_FORMATS) as image:
            _check(image, image_id)
            yield image
    except FileNotFoundError as error:
        raise ImageUnreadable(image_id, UnreadableCause.MISSING) from error
    except UnidentifiedImageError as error:
        raise ImageUnreadable(image_id, UnreadableCause.NOT_AN_IMAGE) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageUnreadable(image_id, UnreadableCause.TOO_LARGE) from error
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise ImageUnreadable(image_id, UnreadableCause.NOT_READ) from error
        raise ImageUnreadable(image_id, UnreadableCause.DAMAGED) from error


# What Pillow's parsers were seen to raise on spoiled bytes.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError, struct.error, zlib.error)


def _check(image: Image.Image, image_id: str) -> None:
    if image.width * image.height > LARGEST_PIXELS:
        raise ImageUnreadable(image_id, UnreadableCause.TOO_LARGE)
    # Only PNG: a JPEG with a second frame is a telephone's photo with its depth map, and its first frame is the photo.
    if image.format == "PNG" and getattr(image, "n_frames", 1) > 1:
        raise ImageUnreadable(image_id, UnreadableCause.ANIMATED)
    if image.mode not in _MODES:
        raise ImageUnreadable(image_id, UnreadableCause.UNSUPPORTED)
