"""Weights of tasks: fixed, or balanced by GradNorm."""

from typing import Final

import torch
from torch import Tensor, nn

FIXED: Final = {
    "keypoints": 1.0,
    "mask": 0.5,
    "visibility": 0.2,
    "side": 0.1,
    "key_pose": 0.1,
    "depth": 1.0,
    "heatmaps": 1.0,
    "pull": 1e-3,
    "push": 1e-3,
    "centre": 1.0,
    "box": 2.0,
}
"""Weights without balancing."""


class GradNorm:
    """Task weights such that tasks that lag behind push the shared layers harder.

    Chen et al. 2018 (arXiv 1711.02257), algorithm 1: the gradient norm of each weighted loss in the
    last shared layer is drawn to the mean norm times (relative inverse training rate)^alpha.
    """

    def __init__(self, tasks: tuple[str, ...], alpha: float = 0.5, rate: float = 0.01) -> None:
        self.tasks, self.alpha, self.rate = tasks, alpha, rate
        self.log_weight = torch.zeros(len(tasks))
        self.first = torch.full((len(tasks),), torch.nan)

    def weigh(self, losses: dict[str, Tensor]) -> Tensor:
        """The weighted sum of the losses; weights are constants here and sum to their number."""
        return sum(
            (w * losses[t] for t, w in self.weights().items() if t in losses), start=torch.zeros(())
        )

    def weights(self) -> dict[str, float]:
        """By task."""
        shares = torch.softmax(self.log_weight, 0) * len(self.tasks)
        return dict(zip(self.tasks, shares.tolist(), strict=True))

    def update(self, losses: dict[str, Tensor], shared: nn.Parameter) -> None:
        """One step of the weights from this batch's losses, before their graph is freed.

        A task without a label in the batch has a loss of 0, and tells nothing.
        """
        there = [t for t in self.tasks if t in losses and float(losses[t].detach()) > 0]
        if not there:
            return
        values = torch.stack([losses[t].detach().cpu().float() for t in there])
        norms = torch.stack(
            [
                torch.autograd.grad(losses[t], shared, retain_graph=True)[0].norm().cpu().float()
                for t in there
            ]
        )
        rows = [self.tasks.index(t) for t in there]
        known = torch.isfinite(self.first[rows])
        self.first[rows] = torch.where(known, self.first[rows], values.clamp(min=1e-6))
        logs = self.log_weight.clone().requires_grad_()
        weight = (torch.softmax(logs, 0) * len(self.tasks))[rows]
        pull = weight * norms
        rates = values / self.first[rows]
        wanted = (pull.mean() * (rates / rates.mean()) ** self.alpha).detach()
        (gradient,) = torch.autograd.grad((pull - wanted).abs().sum(), logs)
        self.log_weight = (self.log_weight - self.rate * gradient.sign()).clamp(-2.0, 2.0)
