"""A clinic's camera: from the light of a scene to the bytes of a photo."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fedround_training.data.dermoscopy.fields import Field, Frame


@dataclass(frozen=True)
class Camera:
    """`gains` and `mixing` (how far each channel takes from the mean of all) make its colours, `gamma` its contrast.

    `noise` is the standard deviation in grey levels, `vignette` the light lost in the corners, `circle` the radius of
    the field of view in half image heights (None: the whole image), `quality` that of its JPEGs.
    """

    name: str
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    mixing: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gamma: float = 1.0
    noise: float = 2.0
    vignette: float = 0.10
    circle: float | None = None
    quality: int = 90


def expose(
    rng: np.random.Generator, camera: Camera, light: npt.NDArray[np.float32], frame: Frame
) -> npt.NDArray[np.uint8]:
    """(H, W, 3) the photo of `light` (H, W, 3), with a lamp that is a little different each time."""
    lamp = _lamp(rng, camera, light, frame)
    seen = light * lamp[..., None] * (np.array(camera.gains, np.float32) * _tint(rng))
    if any(camera.mixing):
        grey = (seen[..., 0] + seen[..., 1] + seen[..., 2]) * np.float32(1 / 3)
        seen += (grey[..., None] - seen) * np.array(camera.mixing, np.float32)
    np.clip(seen, 1e-4, 1, out=seen)
    if camera.gamma != 1:
        seen = np.exp(np.log(seen) * np.float32(camera.gamma))
    if camera.circle is not None:
        seen *= _circle(camera.circle, frame)[..., None]
    seen *= np.float32(255)
    seen += rng.standard_normal(seen.shape, np.float32) * np.float32(camera.noise)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def _lamp(rng: np.random.Generator, camera: Camera, light: npt.NDArray[np.float32], frame: Frame) -> Field:
    """(H, W) The exposure follows the scene a little, as automatic ones do, and falls off to the corners."""
    automatic = (0.62 / float(light.mean())) ** 0.18
    strength = automatic * rng.lognormal(0, 0.06)
    x, y = rng.normal(0, 0.15, 2)
    radius = (frame.across[None, :] - x) ** 2 + (frame.down[:, None] - y) ** 2
    lamp: Field = (strength * (1 - camera.vignette * 0.5 * radius)).astype(np.float32)
    return lamp


def _tint(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    return rng.lognormal(0, 0.02, 3).astype(np.float32)


def _circle(radius: float, frame: Frame) -> Field:
    """(H, W) 1 in the field of view, 0 outside it."""
    distance = np.hypot(frame.across[None, :], frame.down[:, None])
    circle: Field = np.clip((radius - distance) * 12 + 0.5, 0.02, 1).astype(np.float32)
    return circle
