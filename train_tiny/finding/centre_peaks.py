"""From CentreNet's maps to hands: the peaks of one map, and the box at each.

The inference of CenterNet (Zhou et al. 2019, arXiv 1904.07850, section 4): a cell that is the
highest of its neighbours is a hand. Boxes that overlap too much are one hand's all the same.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from train_tiny.finding.found import Finding, Found, overlap_boxes
from train_tiny.networks.centre_net import STRIDE, place_boxes

PEAKS: Final = 32
"""Of a frame, at most."""

_FAINT: Final = 1e-3
"""A lower peak is nothing, whatever is asked for."""


def read_centres(
    out: Mapping[str, Tensor], mirrored: Mapping[str, Tensor] | None, finding: Finding
) -> list[list[Found]]:
    """The hands of B frames, the best first.

    out: of `CentreNet`. mirrored: the same of the frames with left and right swapped; likelihoods
    and boxes are averaged. Boxes are cut at the frame.
    """
    heat, boxes = _place(out)
    height, width = heat.shape[1:]
    if mirrored is not None:
        again, others = _place(mirrored)
        others = others.flip(-1)
        left, right = (width * STRIDE - 1 - others[:, k] for k in (2, 0))
        swapped = torch.stack([left, others[:, 1], right, others[:, 3]], 1)
        heat, boxes = (heat + again.flip(-1)) / 2, (boxes + swapped) / 2
    _, highest = max_pool2d(heat[:, None], 3, 1, 1, return_indices=True)
    # By place, not height: of equal neighbours the first is the peak.
    here = torch.arange(height * width, device=heat.device)
    peaks = torch.where(highest.flatten(1) == here, heat.flatten(1), 0.0)
    top = peaks.topk(min(PEAKS, height * width), -1)
    at = boxes.flatten(2).gather(2, top.indices[:, None].expand(-1, 4, -1))
    scores, placed = top.values.cpu().numpy(), at.transpose(1, 2).cpu().numpy()
    edge = np.array([width * STRIDE, height * STRIDE] * 2, np.float32) - np.float32(0.5)
    cut = np.clip(placed, np.float32(-0.5), edge)
    return [_choose(scores[b], cut[b], finding) for b in range(len(cut))]


def _choose(scores: np.ndarray, boxes: np.ndarray, finding: Finding) -> list[Found]:
    """Those that are good enough and not found twice. scores: (K,) descending. boxes: (K, 4)."""
    kept: list[Found] = []
    for score, box in zip(scores.tolist(), boxes, strict=True):
        if score < max(finding.least_score, _FAINT) or len(kept) == finding.hands:
            break
        if (box[2:] <= box[:2]).any():
            continue
        if all(overlap_boxes(box, other.box_px) <= finding.overlap for other in kept):
            kept.append(Found(score, box))
    return kept


def _place(out: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """(B, h, w) likelihoods and (B, 4, h, w) boxes in pixels."""
    return torch.sigmoid(out["centre"][:, 0].float()), place_boxes(out["box"].float())
