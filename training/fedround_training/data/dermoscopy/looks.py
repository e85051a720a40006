"""What lesions of each class look like, as distributions that overlap, and one lesion drawn from them.

A lesion borrows a part of its look from another class (`_mimicry`), and every strength is spread by a factor, so that
there are moles like melanomas and the reverse: the best possible classifier is not perfect either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import numpy as np

LABELS = ("nv", "mel", "bcc", "bkl", "scc", "vasc")
#: Children have moles and haemangiomas, hardly ever a melanoma or a keratosis, and no carcinoma.
CHILDHOOD = frozenset({"nv", "mel", "bkl", "vasc"})


@dataclass(frozen=True)
class Look:
    """One lesion, or the medians of a class. Lengths in half image heights, amounts as optical densities or strengths.

    `radius`; outline: `elongation`, `asymmetry`, `irregularity`, `softness` of the edge; colour: `pigment`, `redness`,
    `mottling` (unevenness); structures: `network`, `globules` (of melanin), `nests` (blue-grey, deep), `veil`,
    `regression` (scars), `vessels` (branching), `dotted_vessels`, `lacunae` (of blood), `milia`, `openings`, `scale`.
    """

    radius: float
    elongation: float
    asymmetry: float
    irregularity: float
    softness: float
    pigment: float
    redness: float
    mottling: float
    network: float = 0.0
    globules: float = 0.0
    nests: float = 0.0
    veil: float = 0.0
    regression: float = 0.0
    vessels: float = 0.0
    dotted_vessels: float = 0.0
    lacunae: float = 0.0
    milia: float = 0.0
    openings: float = 0.0
    scale: float = 0.0


_BODY = frozenset(field.name for field in fields(Look)[:8])
_NAMES = tuple(field.name for field in fields(Look))

LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "nv": Look(0.38, 0.15, 0.05, 0.045, 0.12, 0.55, 0.05, 0.20, network=0.55, globules=0.35),
        "mel": Look(
            0.57, 0.25, 0.17, 0.13, 0.09, 1.10, 0.14, 0.60,
            network=0.55, globules=0.50, veil=0.55, regression=0.35, dotted_vessels=0.15,
        ),
        "bcc": Look(
            0.46, 0.20, 0.09, 0.09, 0.13, 0.10, 0.28, 0.35,
            nests=0.75, vessels=0.80, scale=0.10, milia=0.08,
        ),
        "bkl": Look(
            0.46, 0.25, 0.06, 0.07, 0.035, 0.48, 0.04, 0.40,
            milia=0.80, openings=0.75, scale=0.25, network=0.10,
        ),
        "scc": Look(
            0.46, 0.20, 0.10, 0.12, 0.10, 0.12, 0.38, 0.45,
            scale=0.88, dotted_vessels=0.80, vessels=0.15,
        ),
        "vasc": Look(0.36, 0.18, 0.06, 0.07, 0.06, 0.06, 0.46, 0.30, lacunae=0.85, scale=0.05),
    }
)  # fmt: skip

#: What a child's mole, the commonest lesion of childhood, has instead of a network.
_CHILD_SIZE = 0.70
_SPREAD = 0.25
_MIMICRY = (0.8, 5.6)


def draw_look(rng: np.random.Generator, label: str, *, child: bool) -> Look:
    """One lesion of a class. A structure is there with the class's strength as probability, and about as strong."""
    other = LABELS[int(rng.integers(len(LABELS)))]
    borrowed = float(rng.beta(*_MIMICRY))
    spreads = rng.lognormal(0.0, _SPREAD, len(_NAMES))
    chances = rng.random(len(_NAMES))
    drawn = {}
    for name, spread, chance in zip(_NAMES, spreads, chances, strict=True):
        median = (1 - borrowed) * getattr(LOOKS[label], name) + borrowed * getattr(LOOKS[other], name)
        drawn[name] = float(median * spread) if name in _BODY else _structure(median, spread, chance)
    if child:
        drawn["radius"] *= _CHILD_SIZE
        drawn["globules"] += drawn["network"]
        drawn["network"] = 0.0
    return Look(**drawn)


def _structure(median: float, spread: float, chance: float) -> float:
    return float((0.35 + 0.65 * median) * spread) if chance < median else 0.0
