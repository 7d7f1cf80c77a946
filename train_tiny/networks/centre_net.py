"""CentreNet: hands of a whole frame as points, the middles of their boxes.

A network of HandLite's size (`train_tiny.networks.handlite`), with outputs at a quarter of the
frame's size: how likely a cell is the middle of a hand's box, and how far from it that box's edges
are. Hands as the peaks of one map: CenterNet (Zhou et al. 2019, arXiv 1904.07850); edges in place
of a size and an offset: TTFNet (Liu et al. 2020, arXiv 1909.00700).
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from train_tiny.networks.layers import InvertedResidual, convolve, double, separate

STRIDE: Final = 4
"""Pixels of the frame in a cell of the outputs."""

_RARE: Final = -3.0
"""Log odds of a middle that a fresh network gives to any cell: one in twenty."""

_NEAR: Final = 1.0
"""Log of the cells from there to an edge that it gives."""


@dataclass(frozen=True)
class CentreNetConfig:
    """Shape of the network."""

    stem: int = 16
    tiers: tuple[int, int, int] = (24, 32, 64)
    """Channels at a quarter, an eighth and a sixteenth of the frame's size."""
    blocks: tuple[int, int, int] = (1, 2, 3)
    """Inverted residuals of each tier."""
    expansion: int = 2
    decoder: int = 24
    """Channels of the decoder."""
    kernel: int = 5
    """Of the depthwise convolutions but the first tier's."""
    mask: bool = True
    """Whether it is asked for the hands' pixels too, while it is trained."""


class CentreNet(nn.Module):
    """Frames (B, 1, H, W) -> a mapping of output to maps (B, C, H/4, W/4).

    centre (1): logits of the middle of a hand's box. box (4): natural logarithms of the distances,
    in cells, from the cell's middle to the box's left, upper, right and lower edge. mask (1), while
    it is trained: logits of a hand's pixels.
    """

    def __init__(self, config: CentreNetConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or CentreNetConfig()
        one, two, three = c.tiers
        t, k = c.expansion, c.kernel
        self.stem = nn.Sequential(*convolve(1, c.stem, 3, 2), *separate(c.stem, one, 3, 2))
        self.tier1 = _repeat(one, c.blocks[0], 3, t)
        self.down1 = InvertedResidual(one, two, k, 2, t)
        self.tier2 = _repeat(two, c.blocks[1], k, t)
        self.down2 = InvertedResidual(two, three, k, 2, t)
        self.tier3 = _repeat(three, c.blocks[2], k, t)
        self.lateral = nn.ModuleList(
            nn.Sequential(*convolve(width, c.decoder, 1, act=False)) for width in c.tiers
        )
        self.smooth = nn.ModuleList(separate(c.decoder, c.decoder, k) for _ in range(2))
        self.centre = nn.Conv2d(c.decoder, 1, 1)
        self.box = nn.Conv2d(c.decoder, 4, 1)
        self.mask = nn.Conv2d(c.decoder, 1, 1) if c.mask else None
        for head, start in ((self.centre, _RARE), (self.box, _NEAR)):
            nn.init.normal_(head.weight, std=0.01)
            assert head.bias is not None
            nn.init.constant_(head.bias, start)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        one = self.tier1(self.stem(x))
        two = self.tier2(self.down1(one))
        x = self.lateral[2](self.tier3(self.down2(two)))
        x = self.smooth[0](double(x) + self.lateral[1](two))
        x = self.smooth[1](double(x) + self.lateral[0](one))
        out: dict[str, Tensor] = {"centre": self.centre(x), "box": self.box(x)}
        if self.mask is not None:
            out["mask"] = self.mask(x)
        return out


def list_cells(height: int, width: int, like: Tensor) -> Tensor:
    """(4, h, w) pixel of every cell's middle as x, y, x, y. height, width: of the maps."""
    x = torch.arange(width, device=like.device, dtype=like.dtype).expand(height, width)
    y = torch.arange(height, device=like.device, dtype=like.dtype)[:, None].expand(height, width)
    return (torch.stack([x, y, x, y]) + 0.5) * STRIDE - 0.5


def place_boxes(box: Tensor) -> Tensor:
    """Boxes (B, 4, h, w) x0, y0, x1, y1 in pixels that the output `box` (B, 4, h, w) means."""
    # Beyond e^5 cells lies no edge of any frame; a float16 or a wild start must not overflow.
    away = box.clamp(-5.0, 5.0).exp() * STRIDE
    outwards = torch.tensor([-1, -1, 1, 1], device=box.device, dtype=box.dtype)
    return list_cells(box.shape[2], box.shape[3], box) + away * outwards[:, None, None]


def _repeat(width: int, blocks: int, kernel: int, expansion: int) -> nn.Sequential:
    return nn.Sequential(
        *(InvertedResidual(width, width, kernel, 1, expansion) for _ in range(blocks))
    )
