"""A network of several resolutions side by side, whose branches can be shrunk one by one.

The ablation that LitePose's single branch comes from (arXiv 2205.01271, section 3.2, "gradual
shrinking"): HRNet's parallel branches (arXiv 1902.09212) with LitePose's blocks, from which blocks
of the high resolutions are taken away step by step. Layers and widths are ours: the paper's are
those of HigherHRNet (arXiv 1908.10357), whose two output scales these are.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from train_tiny.networks.layers import convolve
from train_tiny.networks.litepose import InvertedBottleneck, SeparableConvolution


@dataclass(frozen=True)
class BranchConfig:
    """Widths and depths."""

    widths: tuple[int, ...] = (16, 32, 48, 80)
    """Channels at 1/4, 1/8, 1/16 and 1/32 of the input's size."""
    first: tuple[int, ...] = (4,)
    second: tuple[int, ...] = (4, 4)
    third: tuple[int, ...] = (4, 4, 4)
    fourth: tuple[int, ...] = (4, 4, 4, 4)
    """Blocks of each stage's branches, the highest resolution first; 0: the branch passes its maps
    on as they are."""
    kernel: int = 7
    expansion: int = 6

    @property
    def stages(self) -> tuple[tuple[int, ...], ...]:
        """All four."""
        return self.first, self.second, self.third, self.fourth


class Branches(nn.Module):
    """Images (B, C, H, W) -> [(B, 2J, H/4, W/4), (B, J, H/2, W/2)] as `LitePose`; H, W multiples of
    32."""

    def __init__(self, config: BranchConfig, joints: int, channels: int = 1) -> None:
        super().__init__()
        self.config, self.joints = config, joints
        widths = config.widths
        self.first = nn.Sequential(
            *convolve(channels, 32, 3, 2), *convolve(32, widths[0], 3, 2, act=False)
        )
        self.deeper, self.stage = nn.ModuleList(), nn.ModuleList()
        self.fusion = nn.ModuleList()
        for s, blocks in enumerate(config.stages):
            if s:
                self.deeper.append(nn.Sequential(*convolve(widths[s - 1], widths[s], 3, 2)))
            self.stage.append(
                nn.ModuleList(
                    nn.Sequential(*(self._build(widths[b]) for _ in range(count)))
                    for b, count in enumerate(blocks)
                )
            )
            self.fusion.append(_join(widths[: s + 1]))
        self.coarse = SeparableConvolution(widths[0], 2 * joints)
        self.up = nn.Sequential(
            nn.ConvTranspose2d(widths[0], widths[0], 4, 2, 1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        self.fine = SeparableConvolution(widths[0], joints)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = [self.first(x)]
        for s, stage in enumerate(self.stage):
            if s:
                maps.append(self.deeper[s - 1](maps[-1]))
            maps = [branch(m) for branch, m in zip(stage, maps, strict=True)]
            maps = _fuse(self.fusion[s], maps)
        return [self.coarse(maps[0]), self.fine(self.up(maps[0]))]

    def _build(self, width: int) -> nn.Module:
        config = self.config
        return InvertedBottleneck(width, width, 1, config.kernel, config.expansion)


def _join(widths: tuple[int, ...]) -> nn.ModuleList:
    """What brings the maps of each branch to the width and size of each other."""
    rows = []
    for to, wide in enumerate(widths):
        row = nn.ModuleList()
        for of, narrow in enumerate(widths):
            if of == to:
                row.append(nn.Identity())
            elif of > to:
                row.append(nn.Sequential(*convolve(narrow, wide, 1, act=False)))
            else:
                steps: list[nn.Module] = []
                for k in range(to - of):
                    steps += convolve(narrow, narrow, 3, 2, narrow, act=False)
                    last = k == to - of - 1
                    steps += convolve(narrow, wide if last else narrow, 1, act=not last)
                row.append(nn.Sequential(*steps))
        rows.append(row)
    return nn.ModuleList(rows)


def _fuse(rows: nn.ModuleList, maps: list[Tensor]) -> list[Tensor]:
    """Every branch gets the sum of all."""
    out = []
    for to, row in enumerate(rows):
        size = maps[to].shape[2:]
        parts = []
        for of, layer in enumerate(row):
            made = layer(maps[of])
            parts.append(interpolate(made, size=size, mode="nearest") if of > to else made)
        out.append(torch.stack(parts).sum(0) if len(parts) > 1 else parts[0])
    return out
