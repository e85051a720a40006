"""From an image's own colours to sRGB: its ICC profile and its transparency.

Called by `images`. Cameras and telephones write profiles (Display P3, Adobe RGB): read as sRGB, their reds are too
pale, and redness is diagnostic.

A profile that is broken, too large or made for other channels is passed over and the values are taken for sRGB, as
viewers do: the picture itself is whole. What shines through transparent pixels is white, as in a viewer; the colours
stored below them were cut away by somebody, sometimes a name among them.
"""

import io
from functools import lru_cache

from PIL import Image, ImageCms

#: Far above the profiles of cameras and scanners (about 0.5 KB to 1 MB).
_LARGEST_PROFILE_BYTES = 4 * 2**20
_SRGB = ImageCms.createProfile("sRGB")


def plain(image: Image.Image) -> Image.Image:
    """The image as L, RGB or RGBA, which can be resized; colours as they are."""
    if image.has_transparency_data:
        return image.convert("RGBA")
    mode = "L" if image.mode in ("1", "L") else "RGB"
    return image if image.mode == mode else image.convert(mode)


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The RGB image that a viewer shows for one of `plain`'s."""
    if image.mode != "RGBA":
        return _converted(image, profile)
    shown = Image.new("RGB", image.size, "white")
    shown.paste(_converted(image.convert("RGB"), profile), mask=image.getchannel("A"))
    return shown


def _converted(image: Image.Image, profile: bytes | None) -> Image.Image:
    transform = _transform(profile, image.mode) if profile else None
    return image.convert("RGB") if transform is None else transform.apply(image)


# The images of one camera share a profile, and making the transform costs more than using it.
@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Raises nothing: None for a profile that cannot be used."""
    if len(profile) > _LARGEST_PROFILE_BYTES:
        return None
    try:
        # One made for other channels than the mode's is refused here, too.
        return ImageCms.buildTransform(ImageCms.ImageCmsProfile(io.BytesIO(profile)), _SRGB, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
