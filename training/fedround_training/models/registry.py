"""Networks by the architecture that a model object names, and their weights as arrays.

Called by `init`, `train` and `validate`. Knows nothing of files: `checkpoint` does.
"""

import numpy as np
import torch
from torch import nn

from fedround_api.kinds.clinic_round import ModelShape
from fedround_api.kinds.federated_model import Architecture
from fedround_training.models.checkpoint import Tensors
from fedround_training.models.tiny_gn import TinyGN


def build(shape: ModelShape, seed: int) -> nn.Module:
    """A fresh network: the same seed, the same weights, whatever was drawn elsewhere."""
    generator = torch.Generator().manual_seed(seed)
    match shape.architecture:
        case Architecture.TINY_GN:
            return TinyGN(len(shape.classes), generator)


def build_with(shape: ModelShape, tensors: Tensors) -> nn.Module:
    """A network with these weights."""
    network = build(shape, seed=0)
    network.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in tensors.items()})
    return network


def tensors_of(network: nn.Module) -> Tensors:
    """A copy of the weights, float32, in the network's own order."""
    return {
        name: values.detach().numpy().astype(np.float32, copy=True) for name, values in network.state_dict().items()
    }


def run_reproducibly() -> None:
    """One thread and deterministic kernels, for the whole process: the same inputs give the same bytes.

    Not `use_deterministic_algorithms`: from torch 2.10 on it imports torch._inductor, which costs seconds.
    """
    torch.set_num_threads(1)
    torch.set_deterministic_debug_mode("error")
