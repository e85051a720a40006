"""Whatever bytes an image or a table has: a result, or an error of the data rooms in one printable line.

`FEDROUND_FUZZ_EXAMPLES=20000 pytest tests/unit/training/data/test_data_fuzz.py` looks longer than every run does.
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fedround_training.data import images
from fedround_training.data.catalogue import Catalogue, read_catalogue
from fedround_training.data.errors import DataError, ImageUnreadable
from support.bad_data import (
    GOOD_TABLE,
    animated,
    make_good_folder,
    photo,
    png_chunk,
    saved,
    sixteen_bit_colour,
    with_chunk,
)
from support.icc_profiles import SRGB, grey_profile

EXAMPLES = int(os.environ.get("FEDROUND_FUZZ_EXAMPLES", "150"))
FUZZ = settings(max_examples=EXAMPLES, deadline=None)


def exif() -> Image.Exif:
    found = Image.Exif()
    found[0x0112], found[0x010E] = 6, "Jane Doe"
    return found


SMALL = photo(40, 30)
IMAGES = (
    saved(SMALL, "JPEG", exif=exif(), icc_profile=SRGB, comment=b"words"),
    saved(SMALL, "JPEG", progressive=True),
    saved(SMALL.convert("L"), "JPEG", icc_profile=grey_profile()),
    saved(SMALL.convert("CMYK"), "JPEG"),
    saved(SMALL, "PNG", exif=exif(), icc_profile=SRGB),
    saved(SMALL.convert("P"), "PNG", transparency=3),
    saved(SMALL.convert("LA"), "PNG"),
    saved(SMALL.convert("1"), "PNG"),
    with_chunk(saved(SMALL.convert("RGBA"), "PNG"), png_chunk(b"tEXt", b"Raw profile type exif\0\nexif\n4\nzz")),
    saved(SMALL, "MPO", save_all=True, append_images=[SMALL]),
    animated(),
    sixteen_bit_colour(),
    saved(SMALL, "GIF"),
)
TABLES = (
    GOOD_TABLE.encode(),
    GOOD_TABLE.replace(",", ";").replace("\n", "\r\n").encode("utf-8-sig"),
    b'"image_id"\t"MEL"\t"NV"\t"BCC"\t"lesion_id"\n"A.jpg"\t1.0\t0.0\t0.0\tL1\nB\t0.0\t1.0\t0.0\t\n',
    b"isic_id,diagnosis_1,diagnosis_3,date_added\nA,Benign,Nevus,2026-03-01T10:00:00+02:00\nB,Malignant,,20260302\n",
    b"image,target,patient_id,visit_date\nA,0,1,\nB,1,1,0001-01-01T00:00+14:00\nD,1,2,9999-12-31T23:59-14:00\n",
)
# What parsers stumble over: ends, zeros, markers, chunk names, signs that mean something in a table.
TOKENS = (
    *(b"\0", b"\xff", b"\xff\xd8\xff", b"\xff\xd9", b"\xff\xda", b"\xff\xc0\x00\x11\x08", b"\x7f\xff\xff\xff"),
    *(b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"acTL", b"eXIf", b"Exif\0\0", b"II*\0", b"MM\0*"),
    *(b",", b";", b"\t", b'"', b'""', b"\n", b"\r", b"\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xe2\x80\xae"),
    *(b"A", b"B", b"nan", b"image_id", b"dx", b"2026-02-30", b"/", b"..", b"\x1b[2J"),
)


@st.composite
def spoiled(draw: st.DrawFn, whole: tuple[bytes, ...]) -> bytes:
    """Whole files with bytes flipped, cut out, doubled, spliced with another one, and tokens put in."""
    content = bytearray(draw(st.sampled_from(whole)))
    for _ in range(draw(st.integers(0, 6))):
        # Half of the changes in the first bytes, where the headers are.
        reach = draw(st.sampled_from((64, 512, len(content))))
        at = draw(st.integers(0, max(0, min(reach, len(content)) - 1)))
        length = draw(st.integers(1, 64))
        match draw(st.sampled_from(("flip", "set", "cut", "end", "double", "token", "splice"))):
            case "flip" if content:
                content[at] ^= 1 << draw(st.integers(0, 7))
            case "set":
                content[at : at + 4] = draw(st.binary(min_size=1, max_size=4))
            case "cut":
                del content[at : at + length]
            case "end":
                del content[at:]
            case "double":
                content[at:at] = content[at : at + length] * draw(st.integers(1, 3))
            case "token":
                content[at : at + draw(st.integers(0, 4))] = draw(st.sampled_from(TOKENS))
            case "splice":
                other = draw(st.sampled_from(whole))
                content[at:] = other[draw(st.integers(0, len(other))) :]
    return bytes(content)


def is_fit_to_be_read(error: DataError) -> bool:
    """One line that does nothing to a terminal and fits on a screen."""
    return str(error).isprintable() and len(str(error)) < 2000


@FUZZ
@given(spoiled(IMAGES) | st.binary(max_size=200))
def test_an_image_of_any_bytes_is_pixels_or_a_cause(content: bytes) -> None:
    outcome: images.Pixels | ImageUnreadable
    try:
        outcome = images.decode(content, "a", 16)
    except ImageUnreadable as error:
        outcome = error
    if isinstance(outcome, ImageUnreadable):
        assert str(outcome) == f"image 'a' cannot be used: {outcome.cause}"
    else:
        assert outcome.shape == (16, 16, 3)


@FUZZ
@given(spoiled(IMAGES))
def test_a_copy_of_any_bytes_holds_pixels_only(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "a")
        path.write_bytes(content)
        try:
            clean = images.without_metadata(path, "a")
        except ImageUnreadable:
            return
    assert b"Jane" not in clean
    assert images.decode(clean, "a", 16).shape == (16, 16, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_good_folder(tmp_path_factory.mktemp("fuzz") / "clinic")


@FUZZ
@given(content=spoiled(TABLES) | st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_a_table_of_any_bytes_is_cases_or_a_sentence(folder: Path, content: bytes) -> None:
    (folder / "metadata.csv").write_bytes(content)
    outcome: Catalogue | DataError
    try:
        outcome = read_catalogue(folder)
    except DataError as error:
        outcome = error
    if isinstance(outcome, DataError):
        assert is_fit_to_be_read(outcome)
    else:
        assert {case.image_id for case in outcome.cases} <= set("ABCD")
        assert all(line.isprintable() for line in outcome.summary())
