"""Steps of gradient descent with momentum, a bound on what one batch can do, and FedProx's pull towards where they
began.

Called by `local_training`. Not torch.optim: its first optimizer imports torch._dynamo, 4-6 s for what three lines do.

FedProx (Li et al. 2020, "Federated Optimization in Heterogeneous Networks", MLSys, section 3.2): a clinic minimises its
loss plus mu/2 ||w - w_0||^2, where w_0 is the checkpoint that the round starts from. The gradient of that term is
mu (w - w_0): it holds nothing of any image, so it is a term of its own beside the gradient of the batch, never in it.

The bound (Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", ICML, section 3.2): a single
batch can have a gradient ten times as long as the others, and momentum carries the weights ten steps further along it,
to where the network answers the same for every image. A clinic that ends there takes the mean with it. docs/non-iid.md
shows one. Whole batches are bounded, all parameters together: this says nothing of one image and protects no patient.
"""

from collections.abc import Sequence

import torch
from torch import nn


class Descent:
    """Moves parameters in place, from where they are when it is made."""

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        learning_rate: float,
        momentum: float,
        proximal_mu: float | None,
        max_batch_grad_norm: float | None = None,
    ) -> None:
        self._parameters = parameters
        self._learning_rate, self._momentum, self._proximal_mu = learning_rate, momentum, proximal_mu
        self._max_batch_grad_norm = max_batch_grad_norm
        self._velocities = [torch.zeros_like(parameter) for parameter in parameters]
        self._anchors = [parameter.detach().clone() for parameter in parameters]

    @torch.no_grad()
    def step(self, gradients: Sequence[torch.Tensor]) -> None:
        """v <- momentum v + bounded gradient + mu (w - w_0); w <- w - learning rate v."""
        for parameter, anchor, velocity, gradient in zip(
            self._parameters, self._anchors, self._velocities, self._bounded(gradients), strict=True
        ):
            velocity.mul_(self._momentum).add_(gradient)
            if self._proximal_mu is not None:
                velocity.add_(parameter - anchor, alpha=self._proximal_mu)
            parameter.sub_(velocity, alpha=self._learning_rate)

    def _bounded(self, gradients: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        """The same direction, and at most the length that is allowed. What is not finite stays so, and is found."""
        if self._max_batch_grad_norm is None:
            return gradients
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(one) for one in gradients]))
        if norm > self._max_batch_grad_norm:
            return [one * (self._max_batch_grad_norm / norm) for one in gradients]
        return gradients
