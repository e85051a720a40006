"""Steps of gradient descent with momentum, and FedProx's pull towards where they began.

Called by `local_training`. Not torch.optim: its first optimizer imports torch._dynamo, 4-6 s for what three lines do.

FedProx (Li et al. 2020, "Federated Optimization in Heterogeneous Networks", MLSys, section 3.2): a clinic minimises its
loss plus mu/2 ||w - w_0||^2, where w_0 is the checkpoint that the round starts from. The gradient of that term is
mu (w - w_0): it holds nothing of any image, so it is a term of its own beside the gradient of the batch, never in it.
"""

from collections.abc import Sequence

import torch
from torch import nn


class Descent:
    """Moves parameters in place, from where they are when it is made."""

    def __init__(
        self, parameters: Sequence[nn.Parameter], learning_rate: float, momentum: float, proximal_mu: float | None
    ) -> None:
        self._parameters = parameters
        self._learning_rate, self._momentum, self._proximal_mu = learning_rate, momentum, proximal_mu
        self._velocities = [torch.zeros_like(parameter) for parameter in parameters]
        self._anchors = [parameter.detach().clone() for parameter in parameters]

    @torch.no_grad()
    def step(self, gradients: Sequence[torch.Tensor]) -> None:
        """v <- momentum v + gradient + mu (w - w_0); w <- w - learning rate v."""
        for parameter, anchor, velocity, gradient in zip(
            self._parameters, self._anchors, self._velocities, gradients, strict=True
        ):
            velocity.mul_(self._momentum).add_(gradient)
            if self._proximal_mu is not None:
                velocity.add_(parameter - anchor, alpha=self._proximal_mu)
            parameter.sub_(velocity, alpha=self._learning_rate)
