"""Images as the networks want them: from (N, S, S, 3) uint8 to (N, 3, S, S) float32.

The constants are public (channel means and deviations of the published HAM10000 archive): statistics of a clinic's own
images would be private. Called batch by batch, so that all images together stay uint8.
"""

import numpy as np
import numpy.typing as npt
import torch

_MEAN = torch.tensor((0.763, 0.546, 0.570)).view(1, 3, 1, 1)
_DEVIATION = torch.tensor((0.141, 0.152, 0.169)).view(1, 3, 1, 1)


def normalised(pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    """The images of one batch."""
    channels_first = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    return (torch.from_numpy(channels_first).float().div_(255.0) - _MEAN) / _DEVIATION
