"""The structures that a dermatologist looks for, each added to the layers of a lesion where its look has it."""

from dataclasses import dataclass

import numpy as np

from fedround_training.data.dermoscopy.fields import Blobs, Field, Frame, band, clouds, ridges, sigmoid
from fedround_training.data.dermoscopy.looks import Look
from fedround_training.data.dermoscopy.optics import Layers


@dataclass(frozen=True)
class Body:
    """`depth` is 1 in the middle of the lesion, 0 on its outline, negative around it; `inside` is 1, 0.5 and 0."""

    depth: Field
    inside: Field


@dataclass(frozen=True)
class Drawing:
    """One lesion that is being drawn. The methods draw from its generator, so their order is part of the lesion."""

    rng: np.random.Generator
    look: Look
    frame: Frame
    body: Body
    layers: Layers

    def spots(self, fewest: int, most: int, radius: float, spread: float = 0.25) -> Field:
        """0 to 1: round spots with firm edges, strewn over the lesion; their number grows with its area."""
        size = self.look.radius / 0.45
        count = max(1, round(self.rng.integers(fewest, most + 1) * size**2))
        reach = self.look.radius * np.sqrt(self.rng.random(count))
        angle = self.rng.uniform(0, 2 * np.pi, count)
        centres = np.stack((reach * np.cos(angle), reach * np.sin(angle)), axis=1)
        bumps = Blobs(centres, radius * self.rng.lognormal(0, spread, count), self.rng.uniform(0.7, 1.3, count))
        firm: Field = np.minimum(self.frame.blobs(bumps) * np.float32(1.4), 1)
        return firm * self.body.inside

    def patch(self, share: float) -> Field:
        """0 to 1: some large part of the lesion, about `share` of it."""
        field = self.frame.waves(clouds(self.rng, 0.5, 2.5, 16))
        return sigmoid((field + np.float32(3 * share - 1.5)) * np.float32(4)) * self.body.inside


def add_structures(drawing: Drawing) -> None:
    """Every structure of the look, in a fixed order."""
    for strength, add in (
        (drawing.look.network, _add_network),
        (drawing.look.globules, _add_globules),
        (drawing.look.nests, _add_nests),
        (drawing.look.regression, _add_regression),
        (drawing.look.veil, _add_veil),
        (drawing.look.vessels, _add_vessels),
        (drawing.look.dotted_vessels, _add_dotted_vessels),
        (drawing.look.lacunae, _add_lacunae),
        (drawing.look.openings, _add_openings),
        (drawing.look.milia, _add_milia),
        (drawing.look.scale, _add_scale),
    ):
        if strength > 0:
            add(drawing, np.float32(strength))


def _add_network(drawing: Drawing, strength: np.float32) -> None:
    """A brown net with holes, regular in a mole, of uneven width and depth where the lesion is irregular."""
    net = drawing.frame.waves(band(drawing.rng, 8.5, 12.0, 48))
    uneven = 1 + np.float32(5 * drawing.look.irregularity) * drawing.frame.waves(clouds(drawing.rng, 0.7, 2.5, 16))
    lines = sigmoid((np.float32(0.25) - net) * np.float32(3.5)) - np.float32(0.55)
    amount = strength * np.float32(0.9) * np.clip(uneven, 0, 2.5) * drawing.body.inside
    drawing.layers.melanin += amount * lines * np.float32(0.35 + 0.6 * drawing.look.pigment)
    np.maximum(drawing.layers.melanin, 0, out=drawing.layers.melanin)


def _add_globules(drawing: Drawing, strength: np.float32) -> None:
    spots = drawing.spots(14, 34, 0.032, 0.2 + 2 * drawing.look.irregularity)
    drawing.layers.melanin += strength * np.float32(0.8) * spots


def _add_nests(drawing: Drawing, strength: np.float32) -> None:
    drawing.layers.deep_melanin += strength * np.float32(1.1) * drawing.spots(3, 9, 0.075, 0.4)


def _add_regression(drawing: Drawing, strength: np.float32) -> None:
    """A scar: pigment lost, whitish, with pepper-like grey dots."""
    scar = drawing.patch(0.3) * np.minimum(strength, 1)
    drawing.layers.melanin *= 1 - np.float32(0.75) * scar
    drawing.layers.keratin += np.float32(0.12) * scar
    drawing.layers.deep_melanin += np.float32(0.7) * scar * drawing.spots(30, 60, 0.016)


def _add_veil(drawing: Drawing, strength: np.float32) -> None:
    veil = drawing.patch(0.35) * strength
    drawing.layers.deep_melanin += np.float32(0.75) * veil
    drawing.layers.keratin += np.float32(0.09) * np.minimum(veil, 1)


def _add_vessels(drawing: Drawing, strength: np.float32) -> None:
    """Branching lines, thick and thin, sharp and here and there."""
    trunks = ridges(drawing.frame.waves(clouds(drawing.rng, 0.7, 2.0, 20)), 0.09)
    twigs = ridges(drawing.frame.waves(clouds(drawing.rng, 1.5, 4.0, 24)), 0.10)
    where = drawing.patch(0.55)
    drawing.layers.blood += strength * np.float32(1.1) * where * np.maximum(trunks, np.float32(0.7) * twigs)


def _add_dotted_vessels(drawing: Drawing, strength: np.float32) -> None:
    drawing.layers.blood += strength * np.float32(1.0) * drawing.spots(25, 55, 0.02)


def _add_lacunae(drawing: Drawing, strength: np.float32) -> None:
    """Lagoons of blood, red to blue-black."""
    lagoons = drawing.spots(8, 18, 0.07, 0.35)
    firm = sigmoid((lagoons - np.float32(0.55)) * np.float32(9))
    drawing.layers.blood += strength * np.float32(1.1) * firm
    drawing.layers.deep_melanin += strength * np.float32(max(0.0, drawing.rng.normal(0.12, 0.25))) * firm


def _add_openings(drawing: Drawing, strength: np.float32) -> None:
    drawing.layers.melanin += strength * np.float32(1.0) * drawing.spots(6, 15, 0.034, 0.35)


def _add_milia(drawing: Drawing, strength: np.float32) -> None:
    drawing.layers.keratin += np.minimum(strength * np.float32(0.5), 0.7) * drawing.spots(6, 18, 0.022, 0.3)


def _add_scale(drawing: Drawing, strength: np.float32) -> None:
    """White to yellow flakes on top of everything."""
    flakes = sigmoid((drawing.frame.waves(clouds(drawing.rng, 2.0, 9.0)) - np.float32(0.35)) * np.float32(4))
    drawing.layers.keratin += np.minimum(strength * np.float32(0.55), 0.75) * flakes * drawing.patch(0.5)
    np.minimum(drawing.layers.keratin, 0.85, out=drawing.layers.keratin)
