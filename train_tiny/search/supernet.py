"""A LitePose that contains all subnets of a space: each one is a slice of its weights.

The first channels of every layer, and the first blocks of every stage, are the subnet's; so all
train the same weights (Yu et al. 2018, "Slimmable neural networks", arXiv 1812.08928; Cai et al.
2019, "Once for all", arXiv 1908.09791). Norms' running statistics are slices too, and fit no subnet
in particular: `train_tiny.search.calibration` measures a subnet's own.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from train_tiny.networks.litepose import InvertedBottleneck, LitePose, LitePoseConfig
from train_tiny.search.subnets import Space


class SuperLitePose(LitePose):
    """The largest net of a space, run as any of its subnets: images and maps as `LitePose`."""

    def __init__(self, space: Space, joints: int, channels: int = 3) -> None:
        super().__init__(space.largest, joints, channels)
        self.space = space
        self.active = space.largest
        """The subnet that is run; its `input_px` is not looked at."""

    def forward(self, x: Tensor) -> list[Tensor]:
        shape = self.active
        for layers in self.first[:2]:
            x = _run(layers, x, 32)
        x = _run(self.first[2:], x, shape.stem)
        maps = [x]
        for stage, outputs, blocks in zip(self.stage, shape.stages, shape.blocks, strict=True):
            for block in stage[:blocks]:
                x = _run_block(block, x, outputs, shape.expansion)
            maps.append(x)
        skips = [maps[3], maps[2], maps[1], maps[0]]
        out = []
        for i, outputs in enumerate(shape.deconv):
            refined = _run([self.deconv_refined[i]], x, outputs)
            if shape.fusion:
                refined = refined + _run([self.deconv_raw[i]], skips[i], outputs)
            x = _run(self.deconv_bnrelu[i], refined, outputs)
            if i > 0:
                wanted = 2 * self.joints if i == 1 else self.joints
                made = _run(self.final_refined[i - 1].conv, x, wanted)
                if shape.fusion:
                    made = made + _run(self.final_raw[i - 1].conv, skips[i + 1], wanted)
                out.append(made)
        return out


def extract_subnet(net: SuperLitePose, shape: LitePoseConfig) -> LitePose:
    """A net of its own with a copy of a subnet's weights and norms' statistics."""
    mine = net.state_dict()
    first = next(net.parameters())
    out = LitePose(shape, net.joints, net.first[0][0].in_channels).to(first.device, first.dtype)
    state = {name: slice_tensor(mine[name], t.shape) for name, t in out.state_dict().items()}
    out.load_state_dict(state)
    return out.to(memory_format=torch.channels_last).train(net.training)


def slice_tensor(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    """The first entries of every axis."""
    return tensor[tuple(slice(0, n) for n in shape)]


def _run_block(block: nn.Module, x: Tensor, outputs: int, expansion: int) -> Tensor:
    assert isinstance(block, InvertedBottleneck)
    wide = x.shape[1] * expansion
    out = _run(block.inv, x, wide)
    out = _run(block.depth_conv, out, wide)
    out = _run(block.point_conv, out, outputs)
    # As a net of these widths has it, whether or not the largest one does.
    plain = block.depth_conv[0].stride == (1, 1) and x.shape[1] == outputs
    return x + out if plain else out


def _run(layers: Any, x: Tensor, outputs: int) -> Tensor:
    """Some layers with as many of their first inputs as x has, and that many outputs."""
    for layer in layers:
        inputs = x.shape[1]
        if isinstance(layer, nn.ConvTranspose2d):
            weight = layer.weight[:inputs, :outputs]
            x = functional.conv_transpose2d(x, weight, None, layer.stride, layer.padding)
        elif isinstance(layer, nn.Conv2d) and layer.groups > 1:
            weight = layer.weight[:inputs]
            x = functional.conv2d(x, weight, None, layer.stride, layer.padding, 1, inputs)
        elif isinstance(layer, nn.Conv2d):
            weight = layer.weight[:outputs, :inputs]
            x = functional.conv2d(x, weight, None, layer.stride, layer.padding)
        elif isinstance(layer, nn.BatchNorm2d):
            x = _normalise(layer, x)
        else:
            x = layer(x)
    return x


def _normalise(layer: nn.BatchNorm2d, x: Tensor) -> Tensor:
    n = x.shape[1]
    assert layer.running_mean is not None and layer.running_var is not None
    return functional.batch_norm(
        x,
        layer.running_mean[:n],
        layer.running_var[:n],
        layer.weight[:n],
        layer.bias[:n],
        layer.training,
        layer.momentum or 0.0,
        layer.eps,
    )
