"""The network `tiny-gn`: four strided convolutions with group normalisation, 187k parameters for seven classes.

Made by `registry`. GroupNorm and no BatchNorm: nothing in it depends on other images of a batch, and it has no buffers
to share.
"""

import math

import torch
from torch import nn

from fedround_training.models.shapes import TINY_GN_WIDTHS

_GROUPS = 8


class TinyGN(nn.Module):
    """(N, 3, S, S) float32, S a multiple of 16, to (N, classes) logits.

    The last layer starts at zero: a fresh network scores every image alike, so its AUROC is 0.5 whatever the seed.
    """

    def __init__(self, classes: int, generator: torch.Generator) -> None:
        super().__init__()
        inputs = (3, *TINY_GN_WIDTHS[:-1])
        self.stages = nn.Sequential(*(_stage(i, o, generator) for i, o in zip(inputs, TINY_GN_WIDTHS, strict=True)))
        self.head = nn.Linear(TINY_GN_WIDTHS[-1], classes, device="meta")
        self.head.weight = nn.Parameter(torch.zeros(self.head.weight.shape))
        self.head.bias = nn.Parameter(torch.zeros(self.head.bias.shape))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.stages(images).mean(dim=(2, 3))
        logits: torch.Tensor = self.head(features)
        return logits


def _stage(inputs: int, outputs: int, generator: torch.Generator) -> nn.Sequential:
    # By way of the meta device: a constructor draws first weights from the global generator. Not `to_empty`, which
    # imports sympy, half a second of each Job.
    convolution = nn.Conv2d(inputs, outputs, kernel_size=3, stride=2, padding=1, bias=False, device="meta")
    # He et al. 2015, for ReLU: keeps the variance from stage to stage.
    first = torch.empty(convolution.weight.shape).normal_(0.0, math.sqrt(2.0 / (inputs * 9)), generator=generator)
    convolution.weight = nn.Parameter(first)
    return nn.Sequential(convolution, nn.GroupNorm(_GROUPS, outputs), nn.ReLU())
