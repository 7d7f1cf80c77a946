"""A quick score while training: keypoints in crops that are kept in memory.

The full one, with depth and all that it depends on, is `train_tiny.evaluation`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from train_tiny.devices import lower_precision
from train_tiny.heatmaps import find_peaks, to_pixels
from train_tiny.metrics import STANDARD, measure_auc, measure_error, measure_mean, measure_pck


@dataclass(frozen=True, eq=False)
class Held:
    """Crops to validate on."""

    images: Tensor
    """(N, 1, S, S) float16: what the eye of a sensor tells fits in 11 bits."""
    keypoints_px: NDArray[np.float32]
    """(N, 21, 2) NaN for not known."""
    palm_px: NDArray[np.float32]
    """(N,) in the picture; NaN for none."""

    def __len__(self) -> int:
        return len(self.images)


def hold_crops(batches: Iterable[tuple[Tensor, Tensor, NDArray[np.float32]]], most: int) -> Held:
    """The first crops of some batches of images, keypoints (B, 21, 2) and palms (B,), kept."""
    images, points, palms, count = list[Tensor](), [], [], 0
    for image, keypoints, palm in batches:
        left = most - count
        images.append(image[:left].half())
        points.append(keypoints[:left].numpy())
        palms.append(np.asarray(palm[:left], np.float32))
        count += len(images[-1])
        if count >= most:
            break
    if not images:
        return Held(
            torch.zeros(0, 1, 8, 8), np.zeros((0, 21, 2), np.float32), np.zeros(0, np.float32)
        )
    return Held(torch.cat(images), np.concatenate(points), np.concatenate(palms))


def join_held(parts: Sequence[Held]) -> Held:
    """Those of several datasets."""
    kept = [p for p in parts if len(p)] or list(parts[:1])
    return Held(
        torch.cat([p.images for p in kept]),
        np.concatenate([p.keypoints_px for p in kept]),
        np.concatenate([p.palm_px for p in kept]),
    )


@torch.no_grad()
def find_keypoints(
    net: nn.Module, images: Tensor, device: torch.device, kind: torch.dtype, batch: int = 256
) -> NDArray[np.float32]:
    """(N, 21, 2) pixels of the crops (N, 1, S, S) that a network in evaluation mode finds."""
    found = []
    for part in images.split(batch):
        there = part.to(device, torch.float32).contiguous(memory_format=torch.channels_last)
        with lower_precision(device, kind):
            out = net(there)["keypoints"]
        cells, _ = find_peaks(out.float())
        found.append(to_pixels(cells, images.shape[-1] / out.shape[-1]).cpu())
    return torch.cat(found).numpy()


def validate(
    net: nn.Module, held: Held, device: torch.device, kind: torch.dtype = torch.float32
) -> dict[str, float]:
    """auc, pck (at 0.2 palms) and epe_px (mean error in pixels of the crop)."""
    error = measure_error(find_keypoints(net, held.images, device, kind), held.keypoints_px)
    palms = error / held.palm_px[:, None]
    return {
        "auc": measure_auc(palms),
        "pck": float(measure_pck(palms, STANDARD)),
        "epe_px": measure_mean(error),
    }
