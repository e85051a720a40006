"""Skin and lesion as absorbers, and the light that comes back.

Everything that a lesion adds is added in optical density, to what the skin has already, so that its contrast falls on
dark skin as it does in truth: the light that is missing cannot go missing twice. A part of the light never reaches the
melanin (it is scattered back above it); it keeps very dark skin from turning orange or black.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fedround_training.data.dermoscopy.fields import Field

#: Optical density in red, green and blue of one unit. Melanin deep in the skin looks blue-grey: the skin above it
#: scatters blue light back before it arrives there.
MELANIN = (0.78, 1.0, 1.24)
BLOOD = (0.10, 0.95, 0.80)
DEEP_MELANIN = (1.0, 0.78, 0.52)
INK = (1.5, 1.1, 0.35)

#: Melanin of unaffected skin, Fitzpatrick types I to VI, and blood of any skin.
SKIN_MELANIN = (0.04, 0.11, 0.22, 0.40, 0.72, 1.15)
SKIN_BLOOD = 0.16

_SKIN = (0.91, 0.79, 0.71)
_ABOVE_MELANIN = (0.050, 0.046, 0.043)
_KERATIN = (0.90, 0.86, 0.78)


@dataclass
class Layers:
    """What stands in the light, each (H, W): densities, and `keratin`, the share of light that scales throw back."""

    melanin: Field
    blood: Field
    deep_melanin: Field
    keratin: Field


def reflect(layers: Layers) -> npt.NDArray[np.float32]:
    """(H, W, 3) the light that comes back, as a share of what falls on the skin."""
    passed = np.float32(1) - layers.keratin
    light = np.empty((*layers.melanin.shape, 3), np.float32)
    for channel in range(3):
        density = layers.melanin * np.float32(MELANIN[channel])
        density += layers.blood * np.float32(BLOOD[channel])
        density += layers.deep_melanin * np.float32(DEEP_MELANIN[channel])
        below = np.exp(-density) * np.float32(_SKIN[channel]) + np.float32(_ABOVE_MELANIN[channel])
        light[..., channel] = below * passed + layers.keratin * np.float32(_KERATIN[channel])
    return light
