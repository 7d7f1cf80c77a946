"""Biases that make up for rounded weights (Nagel et al. 2019, arXiv 1906.04721, section 4.2).

Rounding a weight w to q shifts what a convolution gives by (w - q) E[x] on average: its bias can
take that back, for it is not rounded to 8 bits.
"""

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_BATCH = 32


def correct_biases(net: nn.Module, images: NDArray[np.float32]) -> nn.Module:
    """A copy whose convolutions' biases are moved by what rounding their weights to int8, a scale
    for each output channel, would shift their outputs; those without a bias stay.

    images: (N, C, H, W) over which inputs are averaged.
    """
    corrected = copy.deepcopy(net).eval()
    layers = [m for m in corrected.modules() if isinstance(m, nn.Conv2d) and m.bias is not None]
    means = _average_inputs(corrected, layers, images)
    with torch.no_grad():
        for layer, mean in zip(layers, means, strict=True):
            assert layer.bias is not None
            layer.bias += _find_shift(layer, mean)
    return corrected


def round_weights(weights: Tensor) -> Tensor:
    """(O, I, h, w) as 8 bits have them: symmetric, the largest of each output channel at 127."""
    scale = weights.abs().amax((1, 2, 3), keepdim=True) / 127
    return (weights / scale.clamp(min=1e-30)).round() * scale


def _find_shift(layer: nn.Conv2d, mean: Tensor) -> Tensor:
    """(O,) by which outputs become smaller on average. mean: (I,) of each input channel."""
    lost = (layer.weight - round_weights(layer.weight)).sum((2, 3))
    # Each group of outputs sees its own stretch of the inputs.
    seen = mean.reshape(layer.groups, -1).repeat_interleave(len(lost) // layer.groups, 0)
    return (lost * seen).sum(1)


def _average_inputs(
    net: nn.Module, layers: list[nn.Conv2d], images: NDArray[np.float32]
) -> list[Tensor]:
    """(I,) of each layer, over images and pixels."""
    sums: dict[nn.Module, Tensor] = {}

    def add(layer: nn.Module, given: tuple[Any, ...]) -> None:
        part = given[0].mean((2, 3)).sum(0)
        sums[layer] = sums[layer] + part if layer in sums else part

    hooks = [layer.register_forward_pre_hook(add) for layer in layers]
    with torch.no_grad():
        for first in range(0, len(images), _BATCH):
            net(torch.from_numpy(images[first : first + _BATCH]))
    for hook in hooks:
        hook.remove()
    return [sums[layer] / len(images) for layer in layers]
