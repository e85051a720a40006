"""What lies on the skin and is no lesion: hairs, gel bubbles, a ruler, ink. Drawn anew for every photo.

None of it depends on the diagnosis: a classifier must learn to look past it.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from fedround_training.data.dermoscopy.fields import Field, Frame
from fedround_training.data.dermoscopy.optics import INK

_CURVE = np.linspace(0, 1, 12)[:, None]
_BUBBLE_SHARE, _RULER_SHARE, _INK_SHARE = 0.15, 0.09, 0.05


def add_artefacts(
    rng: np.random.Generator, light: npt.NDArray[np.float32], frame: Frame, hairiness: float, skin_melanin: float
) -> None:
    """Change `light` (H, W, 3) in place. `hairiness` is the mean number of hairs."""
    _add_ink(rng, light, frame)
    _add_hair(rng, light, frame, hairiness, skin_melanin)
    _add_bubbles(rng, light, frame)
    _add_ruler(rng, light, frame)


def _add_hair(
    rng: np.random.Generator, light: npt.NDArray[np.float32], frame: Frame, hairiness: float, skin_melanin: float
) -> None:
    """Bezier curves from edge to edge; the darker the skin, the darker the hair."""
    count = int(rng.poisson(hairiness * rng.lognormal(-0.4, 0.9)))
    if count == 0:
        return
    along = rng.uniform(0, np.pi)
    curves = [_hair(rng, frame, along) for _ in range(min(count, 40))]
    mask = _lines(frame, curves, [rng.uniform(0.006, 0.016) for _ in curves])
    dark = np.float32(np.clip(rng.normal(0.55 + 0.3 * skin_melanin, 0.2), 0.25, 0.92))
    light *= 1 - dark * mask[..., None]


def _hair(rng: np.random.Generator, frame: Frame, along: float) -> npt.NDArray[np.float64]:
    """(12, 2) points in image coordinates of one hair, growing about `along`."""
    wide = frame.width / min(frame.width, frame.height)
    middle = rng.uniform((-wide, -1), (wide, 1))
    angle, half = along + rng.normal(0, 0.35), rng.uniform(0.25, 0.9)
    reach = half * np.array((np.cos(angle), np.sin(angle)))
    bent = middle + rng.normal(0, 0.25, 2)
    points: npt.NDArray[np.float64] = (
        (1 - _CURVE) ** 2 * (middle - reach) + 2 * _CURVE * (1 - _CURVE) * bent + _CURVE**2 * (middle + reach)
    )
    return points


def _lines(frame: Frame, curves: Sequence[npt.NDArray[np.float64]], widths: Sequence[float]) -> Field:
    """(H, W) 0 to 1: how much of each pixel the lines cover; drawn at twice the size, for soft edges."""
    image = Image.new("L", (2 * frame.width, 2 * frame.height))
    draw = ImageDraw.Draw(image)
    unit = min(frame.width, frame.height)
    for curve, width in zip(curves, widths, strict=True):
        points = curve * unit + (frame.width, frame.height)
        draw.line([(float(x), float(y)) for x, y in points], fill=255, width=max(1, round(width * unit)))
    return np.asarray(image.reduce(2), np.float32) * np.float32(1 / 255)


def _add_bubbles(rng: np.random.Generator, light: npt.NDArray[np.float32], frame: Frame) -> None:
    """Air in the gel: a bright rim with a dark one inside it."""
    if rng.random() >= _BUBBLE_SHARE:
        return
    for _ in range(int(rng.integers(1, 5))):
        x, y, radius = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.04, 0.14)
        distance = np.hypot(frame.across[None, :] - x, frame.down[:, None] - y).astype(np.float32)
        rim = np.exp(-np.square((distance - np.float32(radius)) * np.float32(1 / 0.014)))
        inner = np.exp(-np.square((distance - np.float32(0.8 * radius)) * np.float32(1 / 0.02)))
        light += (np.float32(0.30) * rim - np.float32(0.10) * inner)[..., None] * (1 - light)


def _add_ruler(rng: np.random.Generator, light: npt.NDArray[np.float32], frame: Frame) -> None:
    """Ticks along one edge."""
    if rng.random() >= _RULER_SHARE:
        return
    wide = frame.width / min(frame.width, frame.height)
    inwards, step = rng.choice((-1.0, 1.0)), rng.uniform(0.10, 0.16)
    places = np.arange(-wide, wide, step)
    ends = inwards * (1 - np.where(np.arange(len(places)) % 5, 0.08, 0.15))
    ticks = [np.array(((x, inwards), (x, end))) for x, end in zip(places, ends, strict=True)]
    light *= 1 - np.float32(0.75) * _lines(frame, ticks, [0.012] * len(ticks))[..., None]


def _add_ink(rng: np.random.Generator, light: npt.NDArray[np.float32], frame: Frame) -> None:
    """A surgeon's mark: a violet arc around the lesion."""
    if rng.random() >= _INK_SHARE:
        return
    start, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.75, 1.0)
    angles = start + np.linspace(0, rng.uniform(0.8, 2.5), 12)
    arc = reach * np.stack((np.cos(angles), np.sin(angles)), axis=1)
    ink = _lines(frame, [arc], [rng.uniform(0.03, 0.06)])[..., None] * np.float32(rng.uniform(0.5, 1.0))
    light *= np.exp(-ink * np.array(INK, np.float32))
