"""CentreNet's targets and losses: middles of hands' boxes, distances to their edges, masks.

The penalty-reduced focal loss of CenterNet (Zhou et al. 2019, arXiv 1904.07850, eq. 1) on one map;
Gaussians as wide as their box is, and boxes compared whole in the cells about the middle, as TTFNet
(Liu et al. 2020, arXiv 1909.00700) does; generalised intersection over union (Rezatofighi et al.
2019, arXiv 1902.09630). A hand that is not taught, or of which a few joints alone are in view, is
ignored: it is neither a middle nor background.
"""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from train_tiny.losses.full_frames import FrameTargets, draw_mask
from train_tiny.networks.centre_net import STRIDE, list_cells, place_boxes

CENTRE_TASKS: Final = ("centre", "box", "mask")
"""Losses; `train_tiny.losses.balance.FIXED` has their weights."""

LEAST: Final = 6
"""A hand of which fewer labelled joints are in view is ignored: its box says little."""

WIDTH: Final = 0.1
"""Standard deviation of a middle's Gaussian, of the box's sides."""

NARROWEST: Final = 0.5
"""The least one, in cells."""

FOCUS: Final = 2.0
"""Power of the error by which a cell that is told well already counts less (alpha)."""

PENALTY: Final = 4.0
"""Power of 1 - Gaussian by which cells beside a middle count less (beta)."""

CORE: Final = 0.3
"""Height of the Gaussian from which on a cell is asked for the box."""


def measure_centre_losses(out: dict[str, Tensor], targets: FrameTargets) -> dict[str, Tensor]:
    """centre: focal loss over all cells that are not ignored, by the number of hands. box: 1 - GIoU
    in the cells about each hand's middle, weighed by the Gaussian, mean over the hands. mask:
    binary cross-entropy of the share of each cell that is hand. Each is 0 where nothing is known.

    out: of `CentreNet`.
    """
    height, width = out["centre"].shape[2:]
    boxes, parts = list_boxes(targets)
    heat = draw_middles(boxes, height, width)
    known = draw_mask(targets, height * STRIDE, width * STRIDE, STRIDE)[:, 0]
    known = known * ~_cover(parts, height, width)
    losses = {
        "centre": measure_focal(out["centre"][:, 0], heat, known),
        "box": _compare_boxes(out["box"], boxes, heat),
    }
    if "mask" in out:
        losses["mask"] = _compare_masks(out["mask"][:, 0], targets.hand_share, known)
    return losses


def list_boxes(targets: FrameTargets) -> tuple[Tensor, Tensor]:
    """(B, P, 4) boxes x0, y0, x1, y1 around the joints of hands that are taught, and the same of
    hands of which too few are in view; NaN for none. Pixels, half a one beyond the joints' middles.
    """
    px = targets.keypoints_px
    there = torch.isfinite(px).all(-1, keepdim=True)
    low = torch.where(there, px, torch.inf).amin(2) - 0.5
    high = torch.where(there, px, -torch.inf).amax(2) + 0.5
    box = torch.cat([low, high], -1)
    count = there[..., 0].sum(-1, keepdim=True)
    whole = torch.where(count >= LEAST, box, torch.nan)
    return whole, torch.where((count > 0) & (count < LEAST), box, torch.nan)


def draw_middles(boxes: Tensor, height: int, width: int) -> Tensor:
    """(B, P, h, w) a Gaussian for each box (B, P, 4), exactly 1 in the cell of its middle; 0 for
    none. height, width: of the maps."""
    there = torch.isfinite(boxes).all(-1)
    box = torch.where(there[..., None], boxes, 0.0)
    middle = ((box[..., :2] + box[..., 2:]) / 2 + 0.5) / STRIDE
    cell = middle.floor()
    cell = torch.stack([cell[..., 0].clamp(0, width - 1), cell[..., 1].clamp(0, height - 1)], -1)
    sigma = (WIDTH * (box[..., 2:] - box[..., :2]) / STRIDE).clamp(min=NARROWEST)
    x = torch.arange(width, device=boxes.device, dtype=boxes.dtype)
    y = torch.arange(height, device=boxes.device, dtype=boxes.dtype)
    across = torch.exp(-((x - cell[..., :1]) ** 2) / (2 * sigma[..., :1] ** 2))
    down = torch.exp(-((y - cell[..., 1:]) ** 2) / (2 * sigma[..., 1:] ** 2))
    return down[..., :, None] * across[..., None, :] * there[..., None, None]


def measure_focal(logits: Tensor, heat: Tensor, known: Tensor) -> Tensor:
    """With p the sigmoid and y the highest Gaussian of a cell,

        - 1/N sum (1 - p)^2 log p               where y = 1
                  (1 - y)^4 p^2 log(1 - p)      elsewhere, known

    logits, known: (B, h, w). heat: (B, P, h, w). N: of hands, at least 1.
    """
    y = heat.amax(1)
    middle = y == 1
    p = torch.sigmoid(logits)
    found = (1 - p) ** FOCUS * functional.logsigmoid(logits)
    empty = (1 - y) ** PENALTY * p**FOCUS * functional.logsigmoid(-logits) * known
    hands = (heat.flatten(2).amax(-1) > 0).sum()
    return -torch.where(middle, found, empty).sum() / hands.clamp(min=1)


def measure_giou(one: Tensor, other: Tensor) -> Tensor:
    """(...) generalised intersection over union, -1 to 1, of boxes (..., 4) x0, y0, x1, y1."""
    inner = _measure_area(
        torch.maximum(one[..., :2], other[..., :2]), torch.minimum(one[..., 2:], other[..., 2:])
    )
    outer = _measure_area(
        torch.minimum(one[..., :2], other[..., :2]), torch.maximum(one[..., 2:], other[..., 2:])
    )
    either = (
        _measure_area(one[..., :2], one[..., 2:])
        + _measure_area(other[..., :2], other[..., 2:])
        - inner
    )
    return inner / either.clamp(min=1e-6) - (outer - either) / outer.clamp(min=1e-6)


def _compare_boxes(out: Tensor, boxes: Tensor, heat: Tensor) -> Tensor:
    # A cell is of the hand whose Gaussian is highest there.
    mine = (heat == heat.amax(1, keepdim=True)) & (heat >= CORE)
    weight = heat * mine
    total = weight.sum((2, 3))
    weight = weight / total.clamp(min=1e-6)[..., None, None]
    batch, hand, row, column = mine.nonzero(as_tuple=True)
    found = place_boxes(out).permute(0, 2, 3, 1)[batch, row, column]
    loss = (1 - measure_giou(found, boxes[batch, hand])) * weight[batch, hand, row, column]
    return loss.sum() / (total > 0).sum().clamp(min=1)


def _compare_masks(logits: Tensor, share: Tensor | None, known: Tensor) -> Tensor:
    if share is None:
        return logits.sum() * 0.0
    there = torch.isfinite(share)
    wanted = torch.where(there, share, 0.0)
    each = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    sure = known * there
    return (each * sure).sum() / sure.sum().clamp(min=1)


def _cover(boxes: Tensor, height: int, width: int) -> Tensor:
    """(B, h, w) whether a cell touches one of (B, P, 4) boxes, or lies next to it."""
    at = list_cells(height, width, boxes)
    x, y = at[0], at[1]
    box = boxes[..., None, None]
    inside = (x >= box[:, :, 0] - STRIDE) & (x <= box[:, :, 2] + STRIDE)
    inside &= (y >= box[:, :, 1] - STRIDE) & (y <= box[:, :, 3] + STRIDE)
    return inside.any(1)


def _measure_area(low: Tensor, high: Tensor) -> Tensor:
    return (high - low).clamp(min=0).prod(-1)
