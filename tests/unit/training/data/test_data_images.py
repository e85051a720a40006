"""An image file becomes a small upright square, and a bad one a cause, whatever bytes it has."""

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from fedround_training.data import images
from fedround_training.data.errors import ImageUnreadable, UnreadableCause
from unit.training.data.lesions import make_case

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (30, 30, 220)


def bands(colours: list[tuple[int, int, int]], size: tuple[int, int]) -> Image.Image:
    """Equal vertical bands of the colours, from the left."""
    image = Image.new("RGB", size)
    width = size[0] // len(colours)
    for place, colour in enumerate(colours):
        image.paste(colour, (place * width, 0, (place + 1) * width, size[1]))
    return image


def nearest(pixel: object) -> tuple[int, int, int]:
    return min((RED, GREEN, BLUE), key=lambda c: int(np.abs(np.asarray(pixel, int) - c).sum()))


def test_the_centre_square_is_kept(tmp_path: Path) -> None:
    bands([RED, GREEN, BLUE], (300, 100)).save(tmp_path / "a.jpg", quality=95)
    pixels = images.decode(tmp_path / "a.jpg", "a", 16)
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.uint8
    assert {nearest(pixels[y, x]) for y in (2, 8, 13) for x in (2, 8, 13)} == {GREEN}


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize(
    ("orientation", "top_left", "bottom_right"),
    [
        (1, RED, BLUE),
        (2, BLUE, RED),
        (3, BLUE, RED),
        (4, RED, BLUE),
        (5, RED, BLUE),
        (6, RED, BLUE),
        (7, BLUE, RED),
        (8, BLUE, RED),
    ],
)
def test_a_turned_photo_is_set_upright(
    tmp_path: Path, suffix: str, orientation: int, top_left: object, bottom_right: object
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    bands([RED, BLUE], (400, 400)).save(path, exif=exif)
    pixels = images.decode(path, "a", 16)
    assert (nearest(pixels[2, 2]), nearest(pixels[13, 13])) == (top_left, bottom_right)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "LA", "1"])
def test_the_usual_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    Image.new("RGB", (40, 30), (128, 128, 128)).convert(mode).save(tmp_path / "a.png")
    assert images.decode(tmp_path / "a.png", "a", 8).shape == (8, 8, 3)


def test_a_photo_smaller_than_the_wanted_size_is_enlarged(tmp_path: Path) -> None:
    Image.new("RGB", (5, 7), GREEN).save(tmp_path / "a.png")
    assert nearest(images.decode(tmp_path / "a.png", "a", 64)[40, 40]) == GREEN


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


PHOTO = saved(Image.effect_noise((120, 90), 60).convert("RGB"), "JPEG")
FRAMES = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
BAD = {
    "empty": (b"", UnreadableCause.EMPTY),
    "text": (b"not an image at all", UnreadableCause.NOT_AN_IMAGE),
    "another format": (saved(Image.new("RGB", (8, 8)), "GIF"), UnreadableCause.NOT_AN_IMAGE),
    "cut off": (PHOTO[: len(PHOTO) // 2], UnreadableCause.DAMAGED),
    "too large": (saved(Image.new("1", (8001, 8000)), "PNG"), UnreadableCause.TOO_LARGE),
    "a bomb": (saved(Image.new("1", (14000, 14000)), "PNG"), UnreadableCause.TOO_LARGE),
    "cmyk": (saved(Image.new("CMYK", (8, 8)), "JPEG"), UnreadableCause.UNSUPPORTED),
    "16 bit": (saved(Image.new("I;16", (8, 8)), "PNG"), UnreadableCause.UNSUPPORTED),
    "animated": (saved(FRAMES[0], "PNG", save_all=True, append_images=FRAMES[1:]), UnreadableCause.ANIMATED),
}


@pytest.mark.parametrize(("content", "cause"), BAD.values(), ids=BAD.keys())
def test_a_bad_image_has_a_cause_and_no_path(tmp_path: Path, content: bytes, cause: UnreadableCause) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ImageUnreadable) as error:
        images.decode(tmp_path / "a.jpg", "ISIC_7", 16)
    assert (error.value.image_id, error.value.cause) == ("ISIC_7", cause)
    assert str(tmp_path) not in str(error.value)


def test_a_file_that_went_away_or_is_a_folder_has_a_cause_too(tmp_path: Path) -> None:
    for path, cause in ((tmp_path / "no.jpg", UnreadableCause.MISSING), (tmp_path, UnreadableCause.NOT_READ)):
        with pytest.raises(ImageUnreadable) as error:
            images.decode(path, "a", 16)
        assert error.value.cause is cause


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_spoiled_bytes_never_raise_anything_else(tmp_path: Path, form: str) -> None:
    """Bytes changed and cut at random places: an array or ImageUnreadable, nothing else."""
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = saved(Image.effect_noise((60, 40), 60).convert("RGB"), form, exif=exif)
    chance = random.Random(5)  # noqa: S311
    path = tmp_path / "a"
    outcomes: set[object] = set()
    for _ in range(600):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            content[chance.randrange(min(len(content), chance.choice((120, 10_000))))] = chance.randrange(256)
        path.write_bytes(bytes(content[: chance.choice((len(content), chance.randrange(1, len(content))))]))
        try:
            outcomes.add(images.decode(path, "a", 8).shape)
            images.without_metadata(path, "a")
        except ImageUnreadable as error:
            outcomes.add(error.cause)
    assert {(8, 8, 3), UnreadableCause.DAMAGED, UnreadableCause.NOT_AN_IMAGE} <= outcomes


def test_bad_images_are_set_aside_and_the_others_stay_in_order(tmp_path: Path) -> None:
    for name, colour in (("a", RED), ("c", BLUE)):
        Image.new("RGB", (30, 20), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "b.png").write_bytes(b"")
    cases = [make_case(name, path=tmp_path / f"{name}.png") for name in "abc"]
    loaded = images.load_images(cases, 8)
    assert loaded.pixels.shape == (2, 8, 8, 3)
    assert [nearest(image[4, 4]) for image in loaded.pixels] == [RED, BLUE]
    assert [case.image_id for case in loaded.cases] == ["a", "c"]
    assert [(error.image_id, error.cause) for error in loaded.quarantined] == [("b", UnreadableCause.EMPTY)]


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
