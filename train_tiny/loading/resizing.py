"""Batches of whole frames at another size: pictures and labels together.

Labels are places in pixels, and maps and tags' places are made of them for the size that a batch
has; so they are right at every size by construction.
"""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from train_tiny.losses.full_frames import FrameTargets


def resize_images(images: Tensor, size_px: tuple[int, int]) -> Tensor:
    """(B, C, H, W) -> (B, C, height, width); size_px: (width, height).

    Depth (one channel) takes the nearest pixel, for between a hand and what lies behind it there is
    nothing; colours are averaged.
    """
    height, width = size_px[::-1]
    if images.shape[2:] == (height, width):
        return images
    if images.shape[1] == 1:
        return interpolate(images, (height, width), mode="nearest-exact")
    return interpolate(
        images, (height, width), mode="bilinear", antialias=True, align_corners=False
    )


def resize_targets(
    targets: FrameTargets, old_px: tuple[int, int], size_px: tuple[int, int]
) -> FrameTargets:
    """Labels of images of old_px as they are in images of size_px, (width, height) each; without
    the cells' shares."""
    factor = torch.tensor(size_px, dtype=torch.float32) / torch.tensor(old_px)
    factor = factor.to(targets.keypoints_px.device)
    unknown = targets.unknown
    if unknown is not None:
        pixels = unknown[:, None].to(torch.uint8)
        unknown = interpolate(pixels, size_px[::-1], mode="nearest-exact")[:, 0] > 0
    # Pixel centres are whole numbers, so the corner of an image is at -0.5.
    return replace(
        targets,
        keypoints_px=(targets.keypoints_px + 0.5) * factor - 0.5,
        ignored_px=(targets.ignored_px + 0.5) * factor.repeat(2) - 0.5,
        unknown=unknown,
        hand_share=None,
    )


def resize_batch(
    images: Tensor, targets: FrameTargets, size_px: tuple[int, int]
) -> tuple[Tensor, FrameTargets]:
    """Both."""
    old = int(images.shape[3]), int(images.shape[2])
    if old == size_px:
        return images, targets
    return resize_images(images, size_px), resize_targets(targets, old, size_px)
