"""Image files as square uint8 RGB arrays, and as copies without metadata.

Called by `train`, `validate`, `testset` and `inspection`. What is damaged or of an unexpected kind is set aside with a
cause, and the rest goes on: one bad file in a clinic must not cost a round. A picture is turned as its EXIF says,
brought to sRGB, and everything but its pixels is dropped.

Nothing here needs a time limit: bytes, pixels and scans are bounded before the first pixel is decoded, which bounds
time and memory (the worst files were measured at 6 seconds and 0.9 GB), and a process of its own for each
image is more than the trainer, which locks itself in, may start.
"""

import hashlib
import io
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError
from PIL import __version__ as pillow_version

from fedround_api.dataproblems import QuarantineCause
from fedround_training.data import jpeg, png, strict_jpeg
from fedround_training.data.colour import plain, to_srgb
from fedround_training.data.errors import ImageUnreadable
from fedround_training.data.regular import NotRegular, TooManyBytes, read_regular

#: What `decode` gives for the same bytes depends on this alone. Raise the first number with every change that can be
#: seen in a pixel, and with every new cause for which an image is set aside. Pillow has the filters, simplejpeg the
#: decoder of JPEGs.
PIPELINE = f"2-{pillow_version}-{strict_jpeg.VERSION}"

#: Decoded, this is 192 MB: above any dermatoscope or telephone, below what a Job's memory limit would kill the Job for.
LARGEST_PIXELS = 64_000_000
#: A PNG of 40 megapixels that hardly compresses.
LARGEST_BYTES = 128 * 2**20
#: A progressive JPEG has about ten. Each costs a pass over the picture and can be written in a few bytes.
MOST_SCANS = 50

#: Decode at no less than 1.4 times the wanted size, so that the last step is done by the good filter. With 2, as
#: `Image.thumbnail` does, photos of 0.7 to 1 megapixels take twice as long at 128 pixels; the difference to a decoding
#: at full size is 43 dB (2: 45 dB), below what an eye can see.
_REDUCING_GAP = 1.4

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


class PixelCache(Protocol):
    """Decoded images by the sha256 of their file; see `image_cache`."""

    def read(self, digest: str, size: int) -> Pixels | None: ...
    def save(self, digest: str, pixels: Pixels) -> None: ...


FileT = TypeVar("FileT", bound=ImageFile)


@dataclass(frozen=True)
class LoadedImages(Generic[FileT]):
    """`pixels` (N, S, S, 3) uint8 belong to `cases` in this order; `quarantined` are the others, with their causes."""

    pixels: Pixels
    cases: tuple[FileT, ...]
    quarantined: tuple[ImageUnreadable, ...]


def load_images(files: Sequence[FileT], size: int, cache: PixelCache | None = None) -> LoadedImages[FileT]:
    """The readable images of `files`, in their order."""
    pixels = np.empty((len(files), size, size, 3), np.uint8)
    cases: list[FileT] = []
    quarantined: list[ImageUnreadable] = []
    for file in files:
        try:
            content = read_content(file.path, file.image_id)
            pixels[len(cases)] = _decoded(content, file.image_id, size, cache)
        except ImageUnreadable as error:
            quarantined.append(error)
        else:
            cases.append(file)
    return LoadedImages(pixels[: len(cases)], tuple(cases), tuple(quarantined))


def _decoded(content: bytes, image_id: str, size: int, cache: PixelCache | None) -> Pixels:
    if cache is None:
        return decode(content, image_id, size)
    digest = hashlib.sha256(content).hexdigest()
    pixels = cache.read(digest, size)
    if pixels is None:
        pixels = decode(content, image_id, size)
        cache.save(digest, pixels)
    return pixels


def read_content(path: Path, image_id: str) -> bytes:
    """An image file's bytes, read once for hashing and decoding. Raises ImageUnreadable."""
    try:
        return read_regular(path, LARGEST_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageUnreadable(image_id, QuarantineCause.MISSING) from error
    except NotRegular as error:
        raise ImageUnreadable(image_id, QuarantineCause.NOT_A_FILE) from error
    except TooManyBytes as error:
        raise ImageUnreadable(image_id, QuarantineCause.TOO_MANY_BYTES) from error
    except OSError as error:
        raise ImageUnreadable(image_id, QuarantineCause.NOT_READ) from error


def decode(content: bytes, image_id: str, size: int) -> Pixels:
    """(size, size, 3) uint8 sRGB: the largest centred square, upright. Raises ImageUnreadable."""
    with _opened(content, image_id) as image:
        orientation = _orientation(image)
        # A JPEG is decoded at a half, quarter or eighth of its size where that is enough; other formats ignore this.
        least = int(size * _REDUCING_GAP)
        image.draft("RGB", (least, least))
        picture = _picture(image, content)
        width, height = picture.size
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        square = picture.resize(
            (size, size), Image.Resampling.LANCZOS, (left, top, left + side, top + side), reducing_gap=_REDUCING_GAP
        )
        # A centred square can be coloured and turned last, when it is small.
        return np.asarray(_upright(to_srgb(square, image.info.get("icc_profile")), orientation))


def without_metadata(path: Path, image_id: str) -> bytes:
    """The image, upright and in sRGB, encoded anew in its format from the pixels alone: no EXIF, XMP, comment, profile.

    For images that leave the clinic under a consent: cameras write names and places into them. Raises ImageUnreadable.
    """
    content = read_content(path, image_id)
    with _opened(content, image_id) as image:
        form = "PNG" if image.format == "PNG" else "JPEG"
        upright = _upright(to_srgb(_picture(image, content), image.info.get("icc_profile")), _orientation(image))
        clean = Image.frombytes("RGB", upright.size, upright.tobytes())
    encoded = io.BytesIO()
    clean.save(encoded, form, quality=95, subsampling=0)
    return encoded.getvalue()


@contextmanager
def _opened(content: bytes, image_id: str) -> Iterator[Image.Image]:
    """An image whose header was checked. Whatever Pillow raises, here or while decoding, becomes ImageUnreadable."""
    _check_content(content, image_id)
    try:
        # Pillow warns of large images and odd metadata on standard error; all that matters of it becomes a cause.
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            _check(image, content, image_id)
            yield image
    except Image.DecompressionBombError as error:
        raise ImageUnreadable(image_id, QuarantineCause.TOO_LARGE) from error
    except UnidentifiedImageError as error:
        deep = jpeg.is_jpeg(content) and jpeg.is_deep(content)
        raise ImageUnreadable(image_id, QuarantineCause.DEEP if deep else QuarantineCause.DAMAGED) from error
    except _DAMAGE as error:
        raise ImageUnreadable(image_id, QuarantineCause.DAMAGED) from error


# What Pillow's parsers were seen to raise on spoiled bytes.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError, struct.error, zlib.error)


def _check_content(content: bytes, image_id: str) -> None:
    if not content:
        raise ImageUnreadable(image_id, QuarantineCause.EMPTY)
    if png.is_png(content):
        if png.is_deep(content):
            raise ImageUnreadable(image_id, QuarantineCause.DEEP)
        if not png.is_whole(content):
            raise ImageUnreadable(image_id, QuarantineCause.DAMAGED)
    elif not jpeg.is_jpeg(content):
        raise ImageUnreadable(image_id, QuarantineCause.NOT_AN_IMAGE)
    elif not jpeg.is_whole(content):
        raise ImageUnreadable(image_id, QuarantineCause.DAMAGED)


def _check(image: Image.Image, content: bytes, image_id: str) -> None:
    if image.width * image.height > LARGEST_PIXELS:
        raise ImageUnreadable(image_id, QuarantineCause.TOO_LARGE)
    # A scan of a plain JPEG has some bits for each block of pixels; one of a progressive JPEG may have next to none.
    if "progressive" in image.info and jpeg.scans(content) > MOST_SCANS:
        raise ImageUnreadable(image_id, QuarantineCause.TOO_MANY_SCANS)
    # Only PNG: a JPEG with a second frame is a telephone's photo with its depth map, and its first frame is the photo.
    if image.format == "PNG" and getattr(image, "n_frames", 1) > 1:
        raise ImageUnreadable(image_id, QuarantineCause.ANIMATED)
    if image.mode == "CMYK":
        raise ImageUnreadable(image_id, QuarantineCause.CMYK)
    if image.mode not in _MODES:
        raise ImageUnreadable(image_id, QuarantineCause.DEEP)
    if not (png.has_all_rows(content) if image.format == "PNG" else jpeg.has_all_scans(content)):
        raise ImageUnreadable(image_id, QuarantineCause.DAMAGED)


def _picture(image: Image.Image, content: bytes) -> Image.Image:
    """The pixels of an opened image, at the size that it was drafted to, in a mode that can be resized."""
    return plain(image) if image.format == "PNG" else strict_jpeg.decode_strictly(content, image.mode, image.size)


def _orientation(image: Image.Image) -> object:
    """How the camera was held, from EXIF or XMP; 1 (upright) where that is damaged: the picture itself is whole."""
    if image.format == "PNG":
        # `getexif` would decode it in search of EXIF behind the pixels, and Pillow raises for damaged pixels only once.
        image.load()
    try:
        return image.getexif().get(_ORIENTATION, 1)
    except _DAMAGE:
        return 1


def _upright(image: Image.Image, orientation: object) -> Image.Image:
    return image.transpose(_TRANSPOSE[orientation]) if orientation in _TRANSPOSE else image
