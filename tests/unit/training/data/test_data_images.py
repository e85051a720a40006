"""An image file becomes a small upright square, and a bad one a cause, whatever bytes it has."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from PIL.PngImagePlugin import PngInfo

from fedround_api.dataproblems import QuarantineCause
from fedround_training.data import images
from support.bad_data import photo, png_chunk, saved, with_chunk, with_segment
from support.icc_profiles import LAB, RED_IS_GREEN, SRGB, grey_profile
from unit.training.data.lesions import make_case

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (250, 250, 250)
LETTERS = {RED: "R", GREEN: "G", BLUE: "B", WHITE: "W"}


def bands(colours: list[tuple[int, int, int]], size: tuple[int, int]) -> Image.Image:
    """Equal vertical bands of the colours, from the left."""
    image = Image.new("RGB", size)
    width = size[0] // len(colours)
    for place, colour in enumerate(colours):
        image.paste(colour, (place * width, 0, (place + 1) * width, size[1]))
    return image


def nearest(pixel: object) -> tuple[int, int, int]:
    return min(LETTERS, key=lambda c: int(np.abs(np.asarray(pixel, int) - c).sum()))


def decoded(path: Path, size: int, image_id: str = "a") -> images.Pixels:
    return images.decode(images.read_content(path, image_id), image_id, size)


def test_the_centre_square_is_kept(tmp_path: Path) -> None:
    bands([RED, GREEN, BLUE], (300, 100)).save(tmp_path / "a.jpg", quality=95)
    pixels = decoded(tmp_path / "a.jpg", 16)
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.uint8
    assert {nearest(pixels[y, x]) for y in (2, 8, 13) for x in (2, 8, 13)} == {GREEN}


def quadrants() -> Image.Image:
    """R G above B W."""
    image = Image.new("RGB", (400, 400), WHITE)
    for colour, corner in ((RED, (0, 0)), (GREEN, (200, 0)), (BLUE, (0, 200))):
        image.paste(colour, (*corner, corner[0] + 200, corner[1] + 200))
    return image


def corners(pixels: images.Pixels) -> str:
    """First letters of the four colours, row by row."""
    return "".join(LETTERS[nearest(pixels[y, x])] for y in (2, 13) for x in (2, 13))


def orientation(number: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


# Where the EXIF standard says that the first row and the first column are: top and left, top and right, ...
UPRIGHT = {1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB"}


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize(("number", "want"), UPRIGHT.items(), ids=map(str, UPRIGHT))
def test_a_turned_photo_is_set_upright(form: str, number: int, want: str) -> None:
    content = saved(quadrants(), form, exif=orientation(number))
    assert corners(images.decode(content, "a", 16)) == want


def test_a_turned_photo_without_metadata_is_upright_too(tmp_path: Path) -> None:
    for number, want in UPRIGHT.items():
        (tmp_path / "a").write_bytes(saved(quadrants(), "PNG", exif=orientation(number)))
        clean = images.without_metadata(tmp_path / "a", "a")
        assert corners(images.decode(clean, "a", 16)) == want


EXIF_BEGIN = b"Exif\0\0"
DAMAGED_EXIF = {
    "of no known kind": EXIF_BEGIN + b"nonsense",
    "cut off": EXIF_BEGIN + orientation(6).tobytes()[6:14],
    "that leads out of itself": EXIF_BEGIN + b"MM\0*" + (2**31).to_bytes(4, "big"),
    "with a turn that there is not": EXIF_BEGIN + orientation(9).tobytes()[6:],
    "with a turn by text": EXIF_BEGIN + b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04six\0\0\0\0\0",
}


@pytest.mark.parametrize("exif", DAMAGED_EXIF.values(), ids=DAMAGED_EXIF.keys())
def test_a_photo_with_exif(exif: bytes) -> None:
    """Its pixels are whole, so it is used as it is stored."""
    for content in (
        with_segment(saved(quadrants(), "JPEG"), 0xE1, exif),
        with_chunk(saved(quadrants(), "PNG"), png_chunk(b"eXIf", exif.removeprefix(EXIF_BEGIN))),
    ):
        assert corners(images.decode(content, "a", 16)) == "RGBW"


def test_a_turn_that_only_xmp_knows_counts() -> None:
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    assert corners(images.decode(with_segment(saved(quadrants(), "JPEG"), 0xE1, xmp), "a", 16)) == "BRWG"


COLOURS = {
    "sRGB": ("RGB", (220, 30, 60), SRGB, (220, 30, 60)),
    "a camera's own": ("RGB", (220, 30, 60), RED_IS_GREEN, (30, 220, 60)),
    "grey": ("L", 128, grey_profile(), (188, 188, 188)),
    "under transparency": ("RGBA", (220, 30, 60, 255), RED_IS_GREEN, (30, 220, 60)),
    "by a palette": ("P", 1, RED_IS_GREEN, (30, 220, 60)),
    # What cannot be used is passed over, as if it were not there.
    "cut off": ("RGB", (220, 30, 60), RED_IS_GREEN[:300], (220, 30, 60)),
    "no profile at all": ("RGB", (220, 30, 60), b"Jane Doe" * 40, (220, 30, 60)),
    "for other channels": ("RGB", (220, 30, 60), LAB, (220, 30, 60)),
    "of colour on grey": ("L", 128, RED_IS_GREEN, (128, 128, 128)),
    "of grey on colour": ("RGB", (220, 30, 60), grey_profile(), (220, 30, 60)),
}


@pytest.mark.parametrize(("mode", "colour", "profile", "want"), COLOURS.values(), ids=COLOURS.keys())
def test_colours_are_brought_to_srgb_by_a_profile(
    tmp_path: Path, mode: str, colour: float | tuple[int, ...], profile: bytes, want: tuple[int, int, int]
) -> None:
    image = Image.new(mode, (40, 30), colour)
    if mode == "P":
        image.putpalette((0, 0, 0, 220, 30, 60))
    content = saved(image, "PNG", icc_profile=profile)
    assert np.abs(images.decode(content, "a", 8)[4, 4].astype(int) - want).max() <= 1
    (tmp_path / "a").write_bytes(content)
    clean = images.without_metadata(tmp_path / "a", "a")
    assert np.abs(images.decode(clean, "a", 8)[4, 4].astype(int) - want).max() <= 1
    with Image.open(io.BytesIO(clean)) as opened:
        assert "icc_profile" not in opened.info


def test_a_jpegs_profile_counts_too() -> None:
    content = saved(Image.new("RGB", (400, 300), (220, 30, 60)), "JPEG", quality=95, icc_profile=RED_IS_GREEN)
    assert nearest(images.decode(content, "a", 16)[8, 8]) == GREEN


def test_a_profile_of_more_than_4_mib_is_passed_over() -> None:
    profile = RED_IS_GREEN + bytes(5 * 2**20)
    content = saved(Image.new("RGB", (400, 300), (220, 30, 60)), "JPEG", quality=95, icc_profile=profile)
    assert nearest(images.decode(content, "a", 16)[8, 8]) == RED


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_what_is_transparent_is_white_and_what_was_hidden_below_stays_hidden(mode: str) -> None:
    image = Image.new("RGB", (40, 30), (0, 0, 0))
    options: dict[str, object] = {}
    if mode == "RGBA":
        image.putalpha(0)
    elif mode == "LA":
        image = Image.new("LA", (40, 30), (0, 0))
    elif mode == "P":
        image, options = image.convert("P"), {"transparency": image.convert("P").getpixel((0, 0))}
    else:
        options = {"transparency": (0, 0, 0)}
    assert images.decode(saved(image, "PNG", **options), "a", 8)[4, 4].tolist() == [255, 255, 255]


def test_half_transparent_is_half_white() -> None:
    image = Image.new("RGBA", (40, 30), (100, 0, 0, 128))
    assert np.abs(images.decode(saved(image, "PNG"), "a", 8)[4, 4].astype(int) - (177, 127, 127)).max() <= 1


def test_what_hangs_on_a_photo_changes_nothing() -> None:
    """A file that is a JPEG and an archive or a film at once: the picture is decoded, the rest is never looked at."""
    for content in (saved(quadrants(), "JPEG"), saved(quadrants(), "PNG")):
        plain = images.decode(content, "a", 16)
        assert (images.decode(content + b"PK\x03\x04" + b"\xff\xda\0" * 5000, "a", 16) == plain).all()


def test_a_progressive_photo_is_a_photo() -> None:
    thumbnail = saved(quadrants(), "JPEG", progressive=True)[:60_000]
    content = with_segment(saved(quadrants(), "JPEG", progressive=True), 0xE1, b"Exif\0\0" + thumbnail)
    assert corners(images.decode(content, "a", 16)) == "RGBW"


def test_a_photo_of_one_megapixel_looks_the_same_as_by_a_slow_decoder() -> None:
    image = photo(1024, 1024).filter(ImageFilter.GaussianBlur(6))
    content = saved(image, "JPEG", quality=90)
    with Image.open(io.BytesIO(content)) as whole:
        slow = np.asarray(whole.resize((128, 128), Image.Resampling.LANCZOS), float)
    error = np.mean((images.decode(content, "a", 128) - slow) ** 2)
    assert 10 * np.log10(255**2 / error) > 40


def test_the_pipelines_number_is_raised_with_what_it_gives() -> None:
    """If this fails because `decode` gives other pixels, raise the number in PIPELINE: caches hold the old ones."""
    image = Image.linear_gradient("L").resize((70, 50))
    content = saved(Image.merge("RGB", (image, image.rotate(90), image.rotate(180))), "PNG")
    digest = hashlib.sha256(images.decode(content, "a", 24).tobytes()).hexdigest()
    assert (images.PIPELINE.partition("-")[0], digest[:16]) == ("2", "92fe060a9d536f32")


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "LA", "1"])
def test_the_usual_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    Image.new("RGB", (40, 30), (128, 128, 128)).convert(mode).save(tmp_path / "a.png")
    assert decoded(tmp_path / "a.png", 8).shape == (8, 8, 3)


def test_a_photo_smaller_than_the_wanted_size_is_enlarged(tmp_path: Path) -> None:
    Image.new("RGB", (5, 7), GREEN).save(tmp_path / "a.png")
    assert nearest(decoded(tmp_path / "a.png", 64)[40, 40]) == GREEN


def test_bad_images_are_set_aside_and_the_others_stay_in_order(tmp_path: Path) -> None:
    for name, colour in (("a", RED), ("c", BLUE)):
        Image.new("RGB", (30, 20), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "b.png").write_bytes(b"")
    cases = [make_case(name, path=tmp_path / f"{name}.png") for name in "abc"]
    loaded = images.load_images(cases, 8)
    assert loaded.pixels.shape == (2, 8, 8, 3)
    assert [nearest(image[4, 4]) for image in loaded.pixels] == [RED, BLUE]
    assert [case.image_id for case in loaded.cases] == ["a", "c"]
    assert [(error.image_id, error.cause) for error in loaded.quarantined] == [("b", QuarantineCause.EMPTY)]


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_copy_without_metadata_is_upright_and_has_pixels_only(tmp_path: Path, form: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe, 1961-02-03"
    exif[0x0112] = 6
    info = PngInfo()
    info.add_text("Comment", "Jane Doe")
    options: dict[str, object] = {"pnginfo": info} if form == "PNG" else {"comment": b"Jane Doe"}
    content = saved(bands([RED, BLUE], (80, 60)), form, exif=exif, **options)
    (tmp_path / "a").write_bytes(content)
    clean = images.without_metadata(tmp_path / "a", "a")
    assert b"Jane" in content
    assert b"Jane" not in clean
    with Image.open(io.BytesIO(clean)) as image:
        assert image.format == form
        assert image.size == (60, 80)
        assert not image.getexif()
        assert (nearest(image.getpixel((30, 5))), nearest(image.getpixel((30, 75)))) == (RED, BLUE)
