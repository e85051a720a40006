"""Smooth random fields, blobs and lines over an image, all given in the lesion's own coordinates.

A field is a sum of plane waves and a blob is a Gaussian, because both are exact wherever the camera stands: a second
photo of a lesion, turned, moved and nearer, needs no interpolation, and every size of image shows the same lesion. On a
regular grid both are products of something of the row and something of the column, so that a whole image is one small
matrix product instead of one evaluation for each wave and pixel.

Coordinates: the origin is the middle of the image, 1 is half of its shorter side, y grows downwards.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Waves:
    """A field of mean 0, standard deviation 1: `vectors` (K, 2) in radians a unit, `phases` and `amplitudes` (K,)."""

    vectors: Points
    phases: Points
    amplitudes: Points


@dataclass(frozen=True)
class Blobs:
    """Gaussian bumps: `centres` (N, 2), `radii` (standard deviations) and `heights` (N,)."""

    centres: Points
    radii: Points
    heights: Points


def band(rng: np.random.Generator, low: float, high: float, count: int = 32) -> Waves:
    """Waves of one scale: `low` to `high` periods a unit, in all directions alike."""
    return _waves(rng, rng.uniform(low, high, count), np.ones(count))


def clouds(rng: np.random.Generator, low: float, high: float, count: int = 32) -> Waves:
    """Waves of all scales, the larger the stronger: power 1/f between `low` and `high` periods a unit."""
    frequencies = low * (high / low) ** rng.random(count)
    return _waves(rng, frequencies, frequencies**-0.5)


def _waves(rng: np.random.Generator, frequencies: Points, amplitudes: Points) -> Waves:
    angles = rng.uniform(0, 2 * np.pi, len(frequencies))
    vectors = 2 * np.pi * frequencies[:, None] * np.stack((np.cos(angles), np.sin(angles)), axis=1)
    deviation = np.sqrt(np.sum(amplitudes**2) / 2)
    return Waves(vectors, rng.uniform(0, 2 * np.pi, len(frequencies)), amplitudes / deviation)


@dataclass(frozen=True)
class Frame:
    """Where the camera stands: the lesion turned by `angle`, enlarged by `zoom`, moved by `shift` in the image."""

    width: int
    height: int
    angle: float = 0.0
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    @cached_property
    def across(self) -> Points:
        """(W,) image coordinates of the columns' middles."""
        return (2 * np.arange(self.width) + 1 - self.width) / min(self.width, self.height)

    @cached_property
    def down(self) -> Points:
        """(H,) image coordinates of the rows' middles."""
        return (2 * np.arange(self.height) + 1 - self.height) / min(self.width, self.height)

    @cached_property
    def plane(self) -> tuple[Field, Field]:
        """The lesion coordinates x and y of each pixel."""
        across = ((self.across - self.shift[0]) / self.zoom).astype(np.float32)[None, :]
        down = ((self.down - self.shift[1]) / self.zoom).astype(np.float32)[:, None]
        cos, sin = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        return cos * across + sin * down, cos * down - sin * across

    def waves(self, waves: Waves) -> Field:
        """(H, W) the field as seen in the image."""
        across, down = (waves.vectors @ self._turn().T / self.zoom).T
        phases = waves.phases - across * self.shift[0] - down * self.shift[1]
        rows = np.multiply.outer(self.down, down).astype(np.float32)
        columns = (np.multiply.outer(across, self.across) + phases[:, None]).astype(np.float32)
        amplitudes = waves.amplitudes.astype(np.float32)[:, None]
        field: Field = np.cos(rows) @ (amplitudes * np.cos(columns)) - np.sin(rows) @ (amplitudes * np.sin(columns))
        return field

    def blobs(self, blobs: Blobs) -> Field:
        """(H, W) the sum of the bumps as seen in the image."""
        centres = blobs.centres @ self._turn().T * self.zoom + np.array(self.shift)
        spreads = 2 * (blobs.radii * self.zoom) ** 2
        rows = np.exp((-((self.down[:, None] - centres[:, 1]) ** 2) / spreads).astype(np.float32))
        columns = np.exp((-((self.across[None, :] - centres[:, :1]) ** 2) / spreads[:, None]).astype(np.float32))
        product: Field = rows @ (blobs.heights.astype(np.float32)[:, None] * columns)
        return product

    def _turn(self) -> Points:
        """From lesion to image directions."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        return np.array(((cos, -sin), (sin, cos)))


def sigmoid(values: Field) -> Field:
    """0 to 1, 0.5 at 0; by tanh, which cannot overflow."""
    result: Field = np.float32(0.5) * (np.float32(1) + np.tanh(np.float32(0.5) * values))
    return result


def ridges(field: Field, width: float) -> Field:
    """1 on the lines where the field is zero, falling to 0 within `width` deviations of it."""
    result: Field = np.exp(-np.square(field * np.float32(1 / width)))
    return result
