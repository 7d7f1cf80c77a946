"""What LitePose is taught: heatmaps of all hands' keypoints, and tags that tell hands apart.

Associative embedding (Newell et al. 2017, arXiv 1611.05424, section 3.2), with the losses of
LitePose (arXiv 2205.01271): every keypoint has a tag, a number; those of one hand are pulled to
their mean, the means of two hands in a frame are pushed apart. Any number of joints.
"""

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from train_tiny.losses.full_frames import FrameTargets, draw_heatmaps, draw_mask, index_tags

FRAME_TASKS: Final = ("heatmaps", "pull", "push")
"""Losses of whole frames; `train_tiny.losses.balance.FIXED` has their weights."""


GAMMA: Final = 0.01
LEAST: Final = math.exp(-4.5)
"""Power and lowest value of the Gaussians in `weigh_cells`: all within 3 deviations count alike."""


def measure_frame_losses(
    out: Sequence[Tensor], targets: FrameTargets, weighted: bool = False
) -> dict[str, Tensor]:
    """heatmaps: the masked squared error, mean over all cells and joints, summed over both scales;
    pull and push of the tags at the first one.

    out: of `LitePose`, heatmaps and tags (B, 2J, H/4, W/4), and heatmaps (B, J, H/2, W/2).
    weighted: cells by `weigh_cells`; else alike, as published.
    """
    coarse, fine = out
    joints = fine.shape[1]
    height, width = 2 * fine.shape[2], 2 * fine.shape[3]
    heatmaps = sum(
        (
            _squared_error(maps, targets, height, width, stride, weighted)
            for maps, stride in ((coarse[:, :joints], 4), (fine, 2))
        ),
        start=torch.zeros((), device=fine.device),
    )
    index, there = index_tags(targets, height, width)
    tags = coarse[:, joints:].flatten(1).gather(1, index.flatten(1)).view(there.shape)
    pull, push = compare_tags(tags, there)
    return {"heatmaps": heatmaps, "pull": pull, "push": push}


def compare_tags(tags: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    """Pull and push, means over the frames, those without a hand among them.

    tags: (B, P, J) of each hand's joints. there: the same shape, whether a joint is. With t(n, j)
    the tags of a frame's N hands and m(n) their means,

        pull = 1/N sum_n mean_j (t(n, j) - m(n))^2
        push = 1/2 sum_{n != k} exp(-(m(n) - m(k))^2) / (N (N - 1)), and 0 for one hand.
    """
    known = there.to(tags.dtype)
    count = known.sum(-1)
    hand = count > 0
    tags = torch.where(there, tags, 0.0)
    mean = tags.sum(-1) / count.clamp(min=1)
    spread = ((tags - mean[..., None]) ** 2 * known).sum(-1) / count.clamp(min=1)
    hands = hand.sum(-1).to(tags.dtype)
    pull = spread.sum(-1) / hands.clamp(min=1)
    near = torch.exp(-((mean[:, :, None] - mean[:, None]) ** 2))
    both = (hand[:, :, None] & hand[:, None]).to(tags.dtype)
    pairs = (near * both).sum((1, 2)) - hands
    push = 0.5 * pairs / (hands * (hands - 1)).clamp(min=1)
    return pull.mean(), push.mean()


def weigh_cells(maps: Tensor, wanted: Tensor) -> Tensor:
    """How hard each cell of heatmaps is: those near a keypoint by what is missing there, all others
    by what is there too much (Luo et al. 2021, arXiv 2012.15175).

    w = h^g |1 - p| + |p| (1 - h^g) with p found, h wanted and g = 0.01; no gradient. Nearly all
    cells of a hand's heatmap are empty: unweighted, a network first learns to find nothing.
    """
    near = torch.where(wanted > LEAST, wanted, 0.0) ** GAMMA
    found = maps.detach()
    return near * (1 - found).abs() + (1 - near) * found.abs()


def _squared_error(
    maps: Tensor, targets: FrameTargets, height: int, width: int, stride: int, weighted: bool
) -> Tensor:
    wanted = draw_heatmaps(targets, height, width, stride)
    error = (maps - wanted) ** 2 * draw_mask(targets, height, width, stride)
    return (error * weigh_cells(maps, wanted) if weighted else error).mean()
