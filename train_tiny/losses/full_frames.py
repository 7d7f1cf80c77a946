"""Whole frames for LitePose: images, all hands in them, and their maps as associative embedding
wants them.

A hand's 21 keypoints have the same maps whichever side it is; `FrameTargets.right` tells the side.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import max_pool2d

from frames.parts import (
    HAND_PARTS,
    HAND_STRIDE,
    MAX_HANDS,
    OBJECT_BASE,
    PROVENANCE_NONE,
    VISIBILITY_OUTSIDE,
    VISIBILITY_VISIBLE,
)
from train_tiny.losses.heatmaps import to_cells

Floats = NDArray[np.float32]

NEAR_M: Final = 0.1
FAR_M: Final = 1.4
"""Depths that a network tells apart: an arm's length and somebody else's reach."""

SIGMA: Final = 2.0
"""Standard deviation of a keypoint's Gaussian, in cells of either scale (LitePose, section 4)."""

STRIDES: Final = (4, 2)
"""Of the two scales, in pixels."""


@dataclass(frozen=True)
class FrameTargets:
    """Labels of B frames with up to P hands each; NaN for what is not there or not known."""

    keypoints_px: Tensor
    """(B, P, 21, 2) float32 in the image; NaN for joints that are not labelled or outside, and for
    hands that are not there or not taught."""
    visible: Tensor
    """(B, P, 21) float32: 1 seen, 0 occluded, NaN not known."""
    right: Tensor
    """(B, P) float32: 1 right, 0 left, NaN no hand."""
    ignored_px: Tensor
    """(B, P, 4) x0, y0, x1, y1 of what is a hand, but one that is not taught; NaN for none."""
    unknown: Tensor | None = None
    """(B, H, W) bool: pixels of which nothing is known, such as a crowd's; None: there are none."""
    hand_share: Tensor | None = None
    """(B, H/4, W/4) float32: how much of each cell of four pixels by four a hand's skin covers, 0
    to 1; NaN throughout where no part image is known. None: it is known of none."""

    def to(self, device: torch.device) -> "FrameTargets":
        """The same on a device."""
        there = {k: v for k, v in vars(self).items() if v is not None}
        return FrameTargets(**{k: v.to(device, non_blocking=True) for k, v in there.items()})


def encode_frame(depth_m: Floats) -> Floats:
    """Depth (metres, 0 for none) -> 1 at NEAR_M ... 0 at FAR_M, beyond and without a reading."""
    near = (np.float32(FAR_M) - depth_m) / np.float32(FAR_M - NEAR_M)
    return np.where(depth_m > 0, np.clip(near, 0, 1), 0).astype(np.float32)


def make_targets(packed: dict[str, Tensor]) -> FrameTargets:
    """Targets from packed tensors."""
    names = ("keypoints_px", "visible", "right", "ignored_px", "hand_share")
    return FrameTargets(**{name: packed[name] for name in names})


def fill_targets(
    arrays: dict[str, NDArray[np.float32]],
    place: int,
    keypoints_px: Floats,
    visibility: NDArray[np.uint8],
    provenance: NDArray[np.uint8],
    left: NDArray[np.bool_],
    box_px: Floats,
    taught: NDArray[np.bool_],
    ignored: NDArray[np.bool_],
) -> None:
    """Write one frame's labels: N hands as `geometry.sample.HandLabels` has them."""
    for name in ("keypoints_px", "visible", "right", "ignored_px"):
        arrays[name][place] = np.nan
    mine = np.flatnonzero(taught)[:MAX_HANDS]
    labelled = (visibility[mine] != VISIBILITY_OUTSIDE) & (provenance[mine] != PROVENANCE_NONE)
    count = len(mine)
    arrays["keypoints_px"][place, :count] = np.where(
        labelled[..., None], keypoints_px[mine], np.nan
    )
    seen = visibility[mine] == VISIBILITY_VISIBLE
    arrays["visible"][place, :count] = np.where(labelled, seen, np.nan)
    arrays["right"][place, :count] = ~left[mine]
    other = np.flatnonzero(ignored & np.isfinite(box_px).all(1))[:MAX_HANDS]
    arrays["ignored_px"][place, : len(other)] = box_px[other]


def measure_shares(parts: NDArray[np.uint8] | None, out: Floats) -> None:
    """Write how much of each cell of 4 x 4 pixels is a hand's skin.

    parts: (h, w) codes of a frame, None where they are not known. out: (H/4, W/4), of the frame
    with its rim, which is no hand.
    """
    out[:] = np.nan if parts is None else 0.0
    if parts is None:
        return
    part = (parts - np.uint8(1)) % HAND_STRIDE
    skin = ((part < HAND_PARTS) & (parts > 0) & (parts < OBJECT_BASE)).astype(np.float32)
    height, width = (-(-n // 4) for n in skin.shape)
    padded = np.zeros((4 * height, 4 * width), np.float32)
    padded[: skin.shape[0], : skin.shape[1]] = skin
    out[:height, :width] = padded.reshape(height, 4, width, 4).mean((1, 3))


def draw_heatmaps(targets: FrameTargets, height: int, width: int, stride: int) -> Tensor:
    """(B, 21, h, w) Gaussians of height 1 about all hands' keypoints, the highest where they meet.

    height, width: of the image; h = height / stride.
    """
    h, w = height // stride, width // stride
    cells = to_cells(targets.keypoints_px, stride)
    device, dtype = cells.device, cells.dtype
    out = torch.zeros((len(cells), cells.shape[2], h, w), device=device, dtype=dtype)
    x = torch.arange(w, device=device, dtype=dtype)
    y = torch.arange(h, device=device, dtype=dtype)
    for hand in range(cells.shape[1]):
        own = cells[:, hand]
        rows = torch.isfinite(own).all(-1).any(-1).nonzero()[:, 0]
        if not len(rows):
            continue
        # NaN: no Gaussian. exp splits into a product of two vectors.
        gx = torch.exp(-((x - own[rows, :, :1]) ** 2) / (2 * SIGMA**2)).nan_to_num(0.0)
        gy = torch.exp(-((y - own[rows, :, 1:]) ** 2) / (2 * SIGMA**2)).nan_to_num(0.0)
        out[rows] = torch.maximum(out[rows], gy[..., :, None] * gx[..., None, :])
    return out


def draw_mask(targets: FrameTargets, height: int, width: int, stride: int) -> Tensor:
    """(B, 1, h, w) 1 where heatmaps are known, 0 on hands that are not taught and where
    nothing is known."""
    h, w = height // stride, width // stride
    box = to_cells(targets.ignored_px, stride)
    x = torch.arange(w, device=box.device, dtype=box.dtype)
    y = torch.arange(h, device=box.device, dtype=box.dtype)
    # A Gaussian of a keypoint on the rim reaches beyond.
    across = (x >= box[..., :1] - SIGMA) & (x <= box[..., 2:3] + SIGMA)
    down = (y >= box[..., 1:2] - SIGMA) & (y <= box[..., 3:] + SIGMA)
    inside = down[..., :, None] & across[..., None, :]
    hidden = inside.any(1, keepdim=True)
    if targets.unknown is not None:
        pixels = targets.unknown[:, None].to(box.dtype)
        hidden = hidden | (max_pool2d(pixels, stride) > 0)
    return (~hidden).to(box.dtype)


def index_tags(
    targets: FrameTargets, height: int, width: int, stride: int = STRIDES[0]
) -> tuple[Tensor, Tensor]:
    """Where each hand's tags are read: (B, P, 21) int64 places in a map (B, 21, h, w) that is
    flattened to (B, 21 h w), and (B, P, 21) bool which of them are there.
    """
    h, w = height // stride, width // stride
    cells = to_cells(targets.keypoints_px, stride)
    there = torch.isfinite(cells).all(-1)
    nearest = torch.floor(torch.where(there[..., None], cells, 0.0) + 0.5).long()
    x, y = nearest[..., 0].clamp(0, w - 1), nearest[..., 1].clamp(0, h - 1)
    joint = torch.arange(cells.shape[2], device=cells.device)
    return (joint * h + y) * w + x, there
