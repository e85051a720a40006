"""What the checkpoints of an architecture hold: names and shapes, told without building the network. No torch.

Called by whoever checks a stored checkpoint; the networks take their widths from here.
"""

from fedround_api.kinds.clinic_round import ModelShape
from fedround_api.kinds.federated_model import Architecture
from fedround_training.models.checkpoint import Shapes

TINY_GN_WIDTHS = (32, 64, 96, 128)


def shapes_of(shape: ModelShape) -> Shapes:
    """Names and shapes of the weights of such a network, in its own order."""
    match shape.architecture:
        case Architecture.TINY_GN:
            return _tiny_gn(len(shape.classes))


def _tiny_gn(classes: int) -> Shapes:
    shapes: dict[str, tuple[int, ...]] = {}
    for stage, (inputs, outputs) in enumerate(zip((3, *TINY_GN_WIDTHS[:-1]), TINY_GN_WIDTHS, strict=True)):
        shapes[f"stages.{stage}.0.weight"] = (outputs, inputs, 3, 3)
        shapes[f"stages.{stage}.1.weight"] = shapes[f"stages.{stage}.1.bias"] = (outputs,)
    return shapes | {"head.weight": (classes, TINY_GN_WIDTHS[-1]), "head.bias": (classes,)}
