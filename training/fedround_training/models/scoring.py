"""What a network says of images, as probabilities in float64.

Called by `validate`, for candidate and incumbent alike. The softmax is numpy's in float64: at the threshold, every
digit counts.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from fedround_training.models.pixels import normalised

# Small: activations of 512-pixel images take 20 MB each.
_BATCH = 32


@torch.no_grad()
def probabilities(network: nn.Module, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """(N, classes) for (N, S, S, 3) images. NaN where the network overflows; the gate refuses those."""
    network.eval()
    logits = [network(normalised(batch)) for batch in _batches(pixels)]
    values = torch.cat(logits).numpy().astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        exponentials = np.exp(values - values.max(axis=1, keepdims=True))
        result: npt.NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result


def _batches(pixels: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.uint8]]:
    return [pixels[start : start + _BATCH] for start in range(0, len(pixels), _BATCH)]
