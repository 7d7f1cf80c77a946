"""Tasks of a hand network: the targets of a batch of crops, and the loss of each task.

Every target comes with a mask of where it is known, so that real frames labelled in part take part.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from train_tiny.losses.heatmaps import draw_targets, expect_places, to_cells

TASKS: Final = ("keypoints", "mask", "visibility", "side", "key_pose", "depth")

SIGMA: Final = 1.0
"""Standard deviation of the target heatmaps, in cells."""

PLACE_WEIGHT: Final = 0.1
"""Of the soft-argmax' distance (in cells) beside the cross-entropy."""


@dataclass(frozen=True)
class Targets:
    """Labels of B crops; NaN and -1 stand for what is not known."""

    keypoints_px: Tensor
    """(B, 21, 2) float32 in the crop; NaN for joints that are not labelled or outside."""
    visible: Tensor
    """(B, 21) float32: 1 seen, 0 occluded, NaN not known."""
    mask: Tensor
    """(B, S, S) float32: 1 on the hand's visible pixels, 0 elsewhere; NaN throughout where no part
    image is known."""
    right: Tensor
    """(B,) float32: 1 right, 0 left, NaN not known."""
    key_pose: Tensor
    """(B,) int64 class, -1 not known."""
    depth: Tensor
    """(B, 21, 2) float32, in units of the crop's half depth range: joint behind the surface read at
    its pixel, and joint behind the crop's reference depth; NaN not known."""

    def to(self, device: torch.device) -> "Targets":
        """The same on a device."""
        return Targets(**{k: v.to(device, non_blocking=True) for k, v in vars(self).items()})


def measure_losses(out: dict[str, Tensor], targets: Targets) -> dict[str, Tensor]:
    """The mean loss of each task that the network has a head for; 0 where no label is known."""
    losses = {"keypoints": _keypoint_loss(out["keypoints"], targets.keypoints_px, targets)}
    if "mask" in out:
        stride = targets.mask.shape[-1] // out["mask"].shape[-1]
        wanted = functional.avg_pool2d(targets.mask[:, None], stride)
        losses["mask"] = _binary(out["mask"], wanted)
    if "visibility" in out:
        losses["visibility"] = _binary(out["visibility"], targets.visible)
    if "side" in out:
        losses["side"] = _binary(out["side"], targets.right)
    if "key_pose" in out:
        known = (targets.key_pose >= 0).sum()
        total = functional.cross_entropy(
            out["key_pose"], targets.key_pose, ignore_index=-1, reduction="sum"
        )
        losses["key_pose"] = total / known.clamp(min=1)
    if "depth" in out:
        known = torch.isfinite(targets.depth)
        wanted = torch.where(known, targets.depth, 0.0)
        each = functional.smooth_l1_loss(out["depth"], wanted, beta=0.05, reduction="none")
        losses["depth"] = (each * known).sum() / known.sum().clamp(min=1)
    return losses


def _keypoint_loss(logits: Tensor, px: Tensor, targets: Targets) -> Tensor:
    """Cross-entropy against a Gaussian, and the distance of the mean place."""
    stride = targets.mask.shape[-1] / logits.shape[-1]
    known = torch.isfinite(px).all(-1)
    cells = to_cells(torch.where(known[..., None], px, 0.0), stride)
    wanted = draw_targets(cells, logits.shape[2], logits.shape[3], SIGMA)
    entropy = -(wanted.flatten(2) * logits.flatten(2).log_softmax(-1)).sum(-1)
    away = (expect_places(logits) - cells).abs().sum(-1)
    each = (entropy + PLACE_WEIGHT * away) * known
    return each.sum() / known.sum().clamp(min=1)


def _binary(logits: Tensor, wanted: Tensor) -> Tensor:
    known = torch.isfinite(wanted)
    each = functional.binary_cross_entropy_with_logits(
        logits, torch.where(known, wanted, 0.0), reduction="none"
    )
    return (each * known).sum() / known.sum().clamp(min=1)
