"""LitePose (Wang et al., "Lite Pose", CVPR 2022, arXiv 2205.01271): multi-person pose, bottom-up.

A single branch of inverted bottlenecks with large kernels and a fusion deconvolution head: each
upsampling adds what comes from the backbone to what has been refined. Heatmaps and tags for
associative embedding at a quarter of the input's size, heatmaps again at half of it. Modules have
the names of the published weights, which therefore load.
"""

from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn

from train_tiny.networks.layers import convolve

STRIDES: Final = (2, 2, 2, 1)
"""Of the four stages, after the stem's 2."""


@dataclass(frozen=True)
class LitePoseConfig:
    """An architecture: widths, depths, kernel and head."""

    input_px: int
    """Side of the square input that it was searched for; any multiple of 16 works."""
    stem: int
    """Channels after the stem."""
    stages: tuple[int, int, int, int]
    """Channels of the four stages."""
    deconv: tuple[int, int, int]
    """Channels of the three transposed convolutions."""
    blocks: tuple[int, int, int, int] = (6, 8, 10, 10)
    """Inverted bottlenecks of each stage."""
    kernel: int = 7
    """Of every depthwise convolution of the stages: 3, 5, 7 or 9."""
    expansion: int = 6
    fusion: bool = True
    """Whether the backbone's maps are added in the head; False is the paper's plain deconvolution.
    """


LITEPOSE: Final = {
    "xs": LitePoseConfig(256, 16, (16, 32, 48, 80), (16, 24, 24)),
    "s": LitePoseConfig(448, 16, (16, 32, 48, 120), (32, 24, 32)),
    "m": LitePoseConfig(448, 16, (24, 48, 72, 120), (64, 40, 32)),
    "l": LitePoseConfig(512, 24, (24, 64, 96, 160), (64, 40, 32)),
}
"""The four published architectures, found by search on CrowdPose."""


class InvertedBottleneck(nn.Module):
    """Widen, convolve each channel, narrow (Sandler et al. 2018); a shortcut where shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int, kernel: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.inv = nn.Sequential(*convolve(inputs, wide, 1))
        self.depth_conv = nn.Sequential(*convolve(wide, wide, kernel, stride, wide))
        self.point_conv = nn.Sequential(*convolve(wide, outputs, 1, act=False))
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out = self.point_conv(self.depth_conv(self.inv(x)))
        return x + out if self.shortcut else out


class SeparableConvolution(nn.Module):
    """Depthwise 5x5, then 1x1 to the outputs."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 5) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *convolve(inputs, inputs, kernel, 1, inputs), nn.Conv2d(inputs, outputs, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out


class LitePose(nn.Module):
    """Images (B, C, H, W) -> [(B, 2J, H/4, W/4) heatmaps and tags, (B, J, H/2, W/2) heatmaps]."""

    def __init__(self, config: LitePoseConfig, joints: int, channels: int = 3) -> None:
        super().__init__()
        self.config, self.joints = config, joints
        self.first = nn.Sequential(
            nn.Sequential(*convolve(channels, 32, 3, 2)),
            nn.Sequential(*convolve(32, 32, 3, 1, 32)),
            *convolve(32, config.stem, 1, act=False),
        )
        self.stage = nn.ModuleList()
        width = config.stem
        for outputs, blocks, stride in zip(config.stages, config.blocks, STRIDES, strict=True):
            made = []
            for b in range(blocks):
                step = stride if b == 0 else 1
                made.append(
                    InvertedBottleneck(width, outputs, step, config.kernel, config.expansion)
                )
                width = outputs
            self.stage.append(nn.Sequential(*made))
        skips = (config.stages[2], config.stages[1], config.stages[0], config.stem)
        self.deconv_refined, self.deconv_raw = nn.ModuleList(), nn.ModuleList()
        self.deconv_bnrelu = nn.ModuleList()
        self.final_refined, self.final_raw = nn.ModuleList(), nn.ModuleList()
        for i, outputs in enumerate(config.deconv):
            self.deconv_refined.append(_upsample(width, outputs))
            if config.fusion:
                self.deconv_raw.append(_upsample(skips[i], outputs))
            self.deconv_bnrelu.append(nn.Sequential(nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)))
            width = outputs
            if i > 0:
                maps = 2 * joints if i == 1 else joints
                self.final_refined.append(SeparableConvolution(width, maps))
                if config.fusion:
                    self.final_raw.append(SeparableConvolution(skips[i + 1], maps))
        self._start()

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.first(x)
        maps = [x]
        for stage in self.stage:
            x = stage(x)
            maps.append(x)
        skips = [maps[3], maps[2], maps[1], maps[0]]
        out = []
        for i in range(len(self.deconv_refined)):
            refined = self.deconv_refined[i](x)
            if self.config.fusion:
                refined = refined + self.deconv_raw[i](skips[i])
            x = self.deconv_bnrelu[i](refined)
            if i > 0:
                made = self.final_refined[i - 1](x)
                if self.config.fusion:
                    made = made + self.final_raw[i - 1](skips[i + 1])
                out.append(made)
        return out

    def fold_sums(self) -> None:
        """Put the norms after the head's sums into the transposed convolutions before them.

        g (a + b - m) / s + o is linear in a and b: the scale goes into both kernels, the rest into
        one bias. For evaluation only.
        """
        for i, sequence in enumerate(self.deconv_bnrelu):
            norm = sequence[0]
            if not isinstance(norm, nn.BatchNorm2d):
                continue
            assert norm.running_mean is not None and norm.running_var is not None
            scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
            bias = norm.bias.double() - norm.running_mean.double() * scale
            self.deconv_refined[i] = _scale_outputs(self.deconv_refined[i], scale, bias)
            if self.config.fusion:
                self.deconv_raw[i] = _scale_outputs(self.deconv_raw[i], scale, None)
            sequence[0] = nn.Identity()

    def _start(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=0.001)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.weight, 1.0)
                nn.init.constant_(module.bias, 0.0)


def build_litepose(name: str, joints: int, channels: int = 1, **changes: object) -> LitePose:
    """A published architecture for `joints` keypoints; `changes` of `LitePoseConfig` for ablations.

    Raises KeyError for an unknown name.
    """
    return LitePose(replace(LITEPOSE[name], **changes), joints, channels)  # type: ignore[arg-type]


def load_published(net: LitePose, checkpoint: dict[str, object]) -> None:
    """Put published weights into a net of the same joints and channels.

    checkpoint: what torch.load gave; weights may lie under `state_dict`, their names may begin with
    `module.`. Raises RuntimeError where names or shapes differ.
    """
    held = checkpoint.get("state_dict", checkpoint)
    assert isinstance(held, dict)
    net.load_state_dict({str(k).removeprefix("module."): v for k, v in held.items()})


def _upsample(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)


def _scale_outputs(layer: nn.Module, scale: Tensor, bias: Tensor | None) -> nn.ConvTranspose2d:
    assert isinstance(layer, nn.ConvTranspose2d)
    out = nn.ConvTranspose2d(layer.in_channels, layer.out_channels, 4, 2, 1, bias=bias is not None)
    with torch.no_grad():
        out.weight.copy_(layer.weight.double() * scale[:, None, None])
        if out.bias is not None:
            out.bias.copy_(bias)
    return out.to(layer.weight.device).eval()
