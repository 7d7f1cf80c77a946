"""Heatmaps of keypoints: targets from labels, and sub-pixel places read back from predictions.

A map of H x W cells over a crop of S pixels: cell i is centred on pixel s (i + 0.5) - 0.5, with
s = S / W pixels a cell, in the convention that integer pixel coordinates are pixel centres.
"""

from typing import Final

import torch
from torch import Tensor

WINDOW: Final = 2
"""Cells to each side of the peak over which its place is averaged."""


def to_cells(px: Tensor, stride: float) -> Tensor:
    """Pixels of the crop -> cells of a map that is `stride` times smaller."""
    return (px + 0.5) / stride - 0.5


def to_pixels(cells: Tensor, stride: float) -> Tensor:
    """The inverse of `to_cells`."""
    return (cells + 0.5) * stride - 0.5


def draw_targets(cells: Tensor, height: int, width: int, sigma: float) -> Tensor:
    """Gaussians about places (B, J, 2) in cells: (B, J, H, W), each of sum 1.

    sigma: standard deviation in cells. NaN gives a map of NaN, which a task
    mask is to leave out.
    """
    x = torch.arange(width, device=cells.device, dtype=cells.dtype)
    y = torch.arange(height, device=cells.device, dtype=cells.dtype)
    # exp splits into a product: two short vectors a map in place of one exp a cell.
    gx = torch.softmax(-((x - cells[..., :1]) ** 2) / (2 * sigma**2), -1)
    gy = torch.softmax(-((y - cells[..., 1:]) ** 2) / (2 * sigma**2), -1)
    return gy[..., :, None] * gx[..., None, :]


def expect_places(logits: Tensor) -> Tensor:
    """Mean place of each map's softmax (soft-argmax; Sun et al. 2018, "Integral human pose
    regression", eq. 2): (B, J, H, W) -> (B, J, 2) in cells, x first. Differentiable.
    """
    heat = logits.flatten(2).softmax(-1).view_as(logits)
    return _mean_place(heat)


def find_peaks(logits: Tensor, window: int = WINDOW) -> tuple[Tensor, Tensor]:
    """Places (B, J, 2) in cells of the highest peaks, and their probability mass (B, J) in 0..1.

    The mean over a window about the highest cell, which other peaks do not pull away as they do the
    mean of the whole map.
    """
    heat = logits.flatten(2).softmax(-1).view_as(logits)
    height, width = heat.shape[2:]
    best = logits.flatten(2).argmax(-1)
    x, y = best % width, best // width
    column = torch.arange(width, device=heat.device)
    row = torch.arange(height, device=heat.device)
    near_x = (column - x[..., None]).abs() <= window
    near_y = (row - y[..., None]).abs() <= window
    local = heat * (near_y[..., :, None] & near_x[..., None, :])
    mass = local.sum((2, 3))
    return _mean_place(local / mass[..., None, None]), mass


def _mean_place(heat: Tensor) -> Tensor:
    x = torch.arange(heat.shape[3], device=heat.device, dtype=heat.dtype)
    y = torch.arange(heat.shape[2], device=heat.device, dtype=heat.dtype)
    return torch.stack([(heat.sum(2) * x).sum(-1), (heat.sum(3) * y).sum(-1)], -1)
