"""Damage is noticed where a decoder only guesses on, and what merely looks odd is not taken for damage."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFilter

from fedround_api.dataproblems import QuarantineCause
from fedround_training.data import images, jpeg, png
from fedround_training.data.errors import ImageUnreadable
from fedround_training.data.strict_jpeg import decode_strictly
from support.bad_data import JPEG, cut_out, grey_png, photo, png_chunk, saved, with_segment

SMOOTH = photo(203, 151).filter(ImageFilter.GaussianBlur(2))
JPEGS = {
    "plain": saved(SMOOTH, "JPEG", quality=90),
    "progressive": saved(SMOOTH, "JPEG", progressive=True),
    "grey": saved(SMOOTH.convert("L"), "JPEG"),
    "with full colour": saved(SMOOTH, "JPEG", subsampling="4:4:4"),
    "with halved colour": saved(SMOOTH, "JPEG", subsampling="4:2:2"),
    "with RGB stored as it is": saved(SMOOTH, "JPEG", keep_rgb=True),
    "with restart marks": saved(SMOOTH, "JPEG", restart_marker_blocks=3),
    "of few pixels": saved(SMOOTH.resize((7, 5)), "JPEG"),
    "of one pixel": saved(SMOOTH.resize((1, 1)), "JPEG"),
}


@pytest.mark.parametrize("content", JPEGS.values(), ids=JPEGS.keys())
@pytest.mark.parametrize("divisor", [1, 2, 4, 8])
def test_a_whole_jpeg_has_the_pixels_that_pillow_sees(content: bytes, divisor: int) -> None:
    with Image.open(io.BytesIO(content)) as image:
        image.draft(None, (max(1, image.width // divisor), max(1, image.height // divisor)))
        found = decode_strictly(content, image.mode, image.size)
        assert (found.mode, found.size) == (image.mode, image.size)
        assert (np.asarray(found) == np.asarray(image)).all()


def is_damaged(content: bytes) -> bool:
    try:
        images.decode(content, "a", 16)
    except ImageUnreadable as error:
        return error.cause is QuarantineCause.DAMAGED
    return False


END = b"\xff\xd9"
FIRST_TABLE = b"\xff\xdb"
HARMLESS = {
    "zeros before its end": JPEG[:-2] + bytes(512) + END,
    "filling before its end": JPEG[:-2] + b"\xff" * 7 + END,
    "filling before its end and half of a profile": with_segment(
        JPEG[:-2] + b"\xff" * 7 + END, 0xE2, b"ICC_PROFILE\0\x01\x02" + bytes(64)
    ),
    "zeros between its scans": JPEGS["progressive"].replace(b"\xff\xc4", bytes(3) + b"\xff\xc4"),
    "bytes between its segments": JPEG.replace(FIRST_TABLE, b"\x00Jane Doe" + FIRST_TABLE, 1),
    "a version of JFIF that there is not": JPEG.replace(b"JFIF\0\x01\x01", b"JFIF\0\x02\x01"),
    "no JFIF": JPEG[:2] + JPEG[20:],
    "half of a colour profile": with_segment(JPEG, 0xE2, b"ICC_PROFILE\0\x01\x02" + bytes(64)),
    "a comment that looks like its end": with_segment(JPEG, 0xFE, b"\xff\xd9\xff\xda\xff\xc4"),
    "something behind its end": JPEG + b"PK\x03\x04" + bytes(64),
    "a second picture behind its end": saved(photo(), "MPO", save_all=True, append_images=[photo()]),
    "all faults at once": (
        with_segment(JPEG, 0xFE, b"Jane Doe").replace(FIRST_TABLE, b"\0\0" + FIRST_TABLE, 1)[:-2] + bytes(9) + END
    ),
}


@pytest.mark.parametrize("content", HARMLESS.values(), ids=HARMLESS.keys())
def test_a_whole_jpeg_is_used_though_it_has(content: bytes) -> None:
    assert not is_damaged(content)


@pytest.mark.parametrize("name", ["zeros before its end", "bytes between its segments", "all faults at once"])
def test_harmless_faults_change_no_pixel(name: str) -> None:
    assert (images.decode(HARMLESS[name], "a", 64) == images.decode(JPEG, "a", 64)).all()


@pytest.mark.parametrize("fault", [bytes(512) + END, bytes(1) + END])
def test_a_harmless_fault_hides_no_damage(fault: bytes) -> None:
    assert is_damaged(cut_out(JPEG)[:-2] + fault)


def test_a_zero_that_belongs_to_the_compressed_data_is_kept() -> None:
    """A picture whose data ends in FF 00: of zeros behind it all but that one are filling."""
    ending = next(found for found in map(_noise, range(20_000)) if found.endswith(b"\xff\0" + END))
    assert not is_damaged(ending[:-2] + bytes(8) + END)


def test_filling_before_a_mark_is_left_as_it_is() -> None:
    filled = JPEG[:-2] + b"\xff" * 7 + END
    assert jpeg.tidied(filled) == filled


def _noise(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    return saved(Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)), "JPEG", quality=95)


def one_scan_a_channel(channels: int) -> bytes:
    """A JPEG of three channels, each in a scan of its own, as some scanners write; only so many of them are there."""
    grey = saved(photo().convert("L"), "JPEG")
    frame, scan = grey.index(b"\xff\xc0"), grey.index(b"\xff\xda")
    size, tables, data = grey[frame + 4 : frame + 9], grey[frame + 13 : scan], grey[scan + 10 : -2]
    colour = b"\xff\xc0\0\x11" + size + b"\x03" + bytes((1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0))
    found = [b"\xff\xda\0\x08\x01" + bytes((number, 0, 0, 63, 0)) + data for number in (1, 2, 3)[:channels]]
    return b"".join((grey[:frame], colour, tables, *found, END))


def test_a_jpeg_with_a_scan_for_each_channel_needs_all_of_them() -> None:
    assert [is_damaged(one_scan_a_channel(channels)) for channels in (3, 2, 1)] == [False, True, True]


@pytest.mark.parametrize("size", [(1, 1), (4, 1), (1, 5), (8, 8), (9, 3), (40, 30)])
@pytest.mark.parametrize("interlaced", [False, True])
def test_a_png_needs_the_last_byte_of_its_last_row(size: tuple[int, int], interlaced: bool) -> None:
    assert png.has_all_rows(grey_png(*size, interlaced=interlaced))
    assert not png.has_all_rows(grey_png(*size, missing_bytes=1, interlaced=interlaced))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("colours", [2, 4, 16, 256])
def test_a_png_of_any_kind_of_pixels_needs_its_last_byte(mode: str, colours: int) -> None:
    """With few colours, Pillow packs several pixels into a byte."""
    image = photo(13, 7).quantize(colours)
    whole = saved(image if mode == "P" else image.convert("RGB").convert(mode), "PNG")
    assert not is_damaged(whole)
    assert not png.has_all_rows(without_last_byte(whole))


def without_last_byte(whole: bytes) -> bytes:
    """A PNG with right check sums whose pixels, in one chunk, lack their last byte."""
    begin = whole.index(b"IDAT")
    end = begin + 4 + int.from_bytes(whole[begin - 4 : begin], "big")
    rows = zlib.decompress(whole[begin + 4 : end])
    return whole[: begin - 4] + png_chunk(b"IDAT", zlib.compress(rows[:-1])) + whole[end + 4 :]
