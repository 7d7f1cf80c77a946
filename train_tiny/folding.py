"""Batch normalisation folded into the convolution before it: the same outputs, fewer numbers.

In evaluation a norm is y = g (x - m) / sqrt(v + e) + b, channel by channel: a scale and an offset,
which the weights and a bias of the convolution can have in them (Jacob et al. 2018, arXiv
1712.05877, section 3.2).
"""

import copy

import torch
from torch import nn


def fold_norms(net: nn.Module) -> nn.Module:
    """A copy for evaluation, every norm that directly follows a convolution in a sequence folded.

    A module that has norms elsewhere folds them itself, by a method `fold_sums`. A
    sequence keeps its places, with nothing (`nn.Identity`) in that of the norm, so names of
    what remains are those of the net that was given.
    """
    folded = copy.deepcopy(net).eval()
    for module in folded.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for place in range(len(module) - 1):
            first, second = module[place], module[place + 1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                module[place] = _fold(first, second)
                module[place + 1] = nn.Identity()
    for module in list(folded.modules()):
        if hasattr(module, "fold_sums"):
            module.fold_sums()
    return folded


def _fold(layer: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    assert norm.running_mean is not None and norm.running_var is not None
    out = nn.Conv2d(
        *(layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding),
        *(layer.dilation, layer.groups, True, layer.padding_mode),
    )
    with torch.no_grad():
        # In double precision: the product is rounded once.
        scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        bias = torch.zeros_like(scale) if layer.bias is None else layer.bias.double()
        out.weight.copy_(layer.weight.double() * scale[:, None, None, None])
        out.bias.copy_(norm.bias.double() + (bias - norm.running_mean.double()) * scale)
    return out.to(layer.weight.device).eval()
