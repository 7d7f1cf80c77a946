"""One step of learning: parameter groups, the moving average of the weights, gradients' length."""

import copy

import torch
from torch import Tensor, nn


def group_parameters(net: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Groups for an optimiser: decay on weights, none on norms and biases.

    What a norm scales loses nothing by a smaller scale, and a bias has no length to keep short;
    decay would only pull them from where they belong.
    """
    decaying: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, p in net.named_parameters():
        if p.requires_grad:
            (rest if p.ndim <= 1 or name.endswith("bias") else decaying).append(p)
    return [
        {"params": decaying, "weight_decay": weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]


def build_optimiser(net: nn.Module, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101); the rate is set at every step."""
    kind = next(net.parameters()).device.type
    # One kernel for all tensors: a small network has many short ones.
    return torch.optim.AdamW(
        group_parameters(net, weight_decay), lr=0.0, betas=(0.9, 0.99), fused=kind != "mps"
    )


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next step."""
    for group in optimiser.param_groups:
        group["lr"] = rate


class Average:
    """An exponential moving average of a network's weights and of its norms' statistics.

    w <- d w + (1 - d) v (Polyak and Juditsky 1992, in the form of Adam's paper, section 7.2), with
    d = min(decay, (1 + t) / (10 + t)), so that the first steps do not linger in it.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        """decay: share of the old at every step; 0 keeps the network's own weights."""
        self.net = copy.deepcopy(net).eval().requires_grad_(False)
        self._decay = decay
        self._mine, self._theirs = _list_floats(self.net), _list_floats(net)
        self._counts = [b for b in self.net.buffers() if not b.is_floating_point()]
        self._their_counts = [b for b in net.buffers() if not b.is_floating_point()]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """After `step` steps before this one."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._mine, self._theirs, 1 - decay)
        if self._counts:
            torch._foreach_copy_(self._counts, self._their_counts)


def clip_gradients(net: nn.Module, longest: float) -> Tensor:
    """Shorten the gradient of all parameters together to a length; returns its length before."""
    limit = longest if longest > 0 else float("inf")
    return torch.nn.utils.clip_grad_norm_(net.parameters(), limit)


def _list_floats(net: nn.Module) -> list[Tensor]:
    buffers = [b for b in net.buffers() if b.is_floating_point()]
    return [p.detach() for p in net.parameters()] + buffers
