"""Paints one lesion in its skin as layers of absorbers, seen from a frame.

Everything is drawn from the lesion's generator, in an order that depends on nothing but the look, so that a photo from
another frame, or of another size, shows the same lesion.
"""

from dataclasses import dataclass

import numpy as np

from fedround_training.data.dermoscopy.fields import Frame, Points, band, clouds, ridges, sigmoid
from fedround_training.data.dermoscopy.looks import Look
from fedround_training.data.dermoscopy.optics import SKIN_BLOOD, SKIN_MELANIN, Layers
from fedround_training.data.dermoscopy.structures import Body, Drawing, add_structures

_OUTLINE_STEPS = 512
_HARMONICS = np.arange(1, 9)


@dataclass(frozen=True)
class Skin:
    """The skin around and below the lesion: melanin and blood as densities."""

    melanin: float
    blood: float


def draw_skin(rng: np.random.Generator, fitzpatrick: int) -> Skin:
    """The skin of one person of type 1 to 6: types overlap, as they do in truth."""
    return Skin(
        SKIN_MELANIN[fitzpatrick - 1] * float(rng.lognormal(0, 0.12)),
        SKIN_BLOOD * float(rng.lognormal(0, 0.18)),
    )


def paint(rng: np.random.Generator, look: Look, skin: Skin, frame: Frame) -> Layers:
    """The layers of one photo."""
    drawing = Drawing(rng, look, frame, _body(rng, look, frame), _painted_skin(rng, skin, frame))
    _add_colour(drawing)
    add_structures(drawing)
    return drawing.layers


def _painted_skin(rng: np.random.Generator, skin: Skin, frame: Frame) -> Layers:
    """Uneven pigment and blood, and the pale furrows between the fields of the skin."""
    furrows = ridges(frame.waves(band(rng, 6.0, 9.0)), 0.35)
    melanin = 1 + 0.08 * frame.waves(clouds(rng, 0.4, 14.0)) - 0.08 * furrows
    blood = 1 + 0.20 * frame.waves(clouds(rng, 0.4, 6.0)) - 0.10 * furrows
    nothing = np.zeros_like(melanin)
    return Layers(
        np.float32(skin.melanin) * np.maximum(melanin, 0),
        np.float32(skin.blood) * np.maximum(blood, 0),
        nothing,
        nothing.copy(),
    )


def _body(rng: np.random.Generator, look: Look, frame: Frame) -> Body:
    x, y = frame.plane
    outline = _outline(rng, look).astype(np.float32)
    steps = (np.arctan2(y, x) * np.float32(_OUTLINE_STEPS / (2 * np.pi))).astype(np.int32) % _OUTLINE_STEPS
    ragged = frame.waves(clouds(rng, 1.5, 9.0)) * np.float32(0.5 * look.irregularity)
    depth = 1 - np.sqrt(x * x + y * y) / outline[steps] + ragged
    return Body(depth, sigmoid(depth * np.float32(2.5 / look.softness)))


def _outline(rng: np.random.Generator, look: Look) -> Points:
    """The radius in each direction."""
    angles = np.arange(_OUTLINE_STEPS) * (2 * np.pi / _OUTLINE_STEPS)
    first, second = rng.uniform(0, 2 * np.pi, 2)
    stretch = 1 + look.elongation
    ellipse = 1 / np.hypot(np.cos(angles) / stretch, np.sin(angles) * stretch)
    weights = 1.2 * look.irregularity * rng.normal(size=len(_HARMONICS)) / _HARMONICS**0.9
    phases = rng.uniform(0, 2 * np.pi, len(_HARMONICS))
    waves = weights @ np.cos(np.outer(_HARMONICS, angles) + phases[:, None])
    lopsided = look.asymmetry * (np.cos(angles - first) + 0.6 * np.cos(2 * angles - second))
    radii: Points = look.radius * np.maximum(ellipse * (1 + lopsided + waves), 0.3)
    return radii


def _add_colour(drawing: Drawing) -> None:
    """Pigment and redness, uneven, and darker on one side or in the middle."""
    rng, look, frame, body = drawing.rng, drawing.look, drawing.frame, drawing.body
    x, y = frame.plane
    angle, darker, middle = rng.uniform(0, 2 * np.pi), 2.0 * look.asymmetry / look.radius, rng.normal(0.0, 0.25)
    slope = x * np.float32(darker * np.cos(angle)) + y * np.float32(darker * np.sin(angle))
    uneven = 1 + slope + np.float32(middle) * (body.depth - np.float32(0.5))
    uneven += np.float32(look.mottling) * frame.waves(clouds(rng, 0.5, 6.0))
    drawing.layers.melanin += body.inside * np.float32(look.pigment) * np.clip(uneven, 0.1, 3.0)
    red = np.maximum(1 + np.float32(0.6) * frame.waves(clouds(rng, 0.6, 5.0)), 0)
    drawing.layers.blood += body.inside * np.float32(look.redness) * red
