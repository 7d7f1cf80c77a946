"""The baseline: MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381) with a depthwise pyramid."""

from typing import Final

from torch import Tensor, nn

from frames.skeleton import KEYPOINTS
from train_tiny.networks.layers import InvertedResidual, convolve, double, separate

STAGES: Final = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, blocks and first stride: table 2 of the paper."""

_TAPS: Final = (1, 2, 4, 6)
"""Stages whose maps the pyramid takes: at 1/4, 1/8, 1/16 and 1/32 of the input's size."""

DECODER: Final = 96


class MobileNetV2(nn.Module):
    """Crops (B, 1, S, S), S a multiple of 32 -> {"keypoints": (B, 21, S/4, S/4) heatmaps}."""

    def __init__(self, decoder: int = DECODER) -> None:
        super().__init__()
        self.stem = nn.Sequential(*convolve(1, 32, 3, 2))
        self.stages = nn.ModuleList()
        width = 32
        for expansion, channels, blocks, stride in STAGES:
            made = []
            for b in range(blocks):
                step = stride if b == 0 else 1
                made.append(InvertedResidual(width, channels, 3, step, expansion))
                width = channels
            self.stages.append(nn.Sequential(*made))
        self.lateral = nn.ModuleList(
            nn.Sequential(*convolve(STAGES[s][1], decoder, 1, act=False)) for s in _TAPS
        )
        self.smooth = nn.ModuleList(separate(decoder, decoder, 5) for _ in _TAPS[1:])
        self.keypoints = nn.Conv2d(decoder, KEYPOINTS, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.stem(x)
        maps = []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in _TAPS:
                maps.append(x)
        x = self.lateral[3](maps[3])
        for k in (2, 1, 0):
            x = self.smooth[2 - k](double(x) + self.lateral[k](maps[k]))
        return {"keypoints": self.keypoints(x)}
