"""A quick score while training: keypoints in crops that are kept in memory.

The full one, with depth and all that it depends on, is `train_tiny.evaluation.crop_evaluation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from train_tiny.devices import lower_precision
from train_tiny.evaluation.metrics import (
    STANDARD,
    measure_auc,
    measure_error,
    measure_mean,
    measure_palm,
    measure_pck,
)
from train_tiny.loading.crop_loading import LoaderConfig
from train_tiny.loading.eval_loading import evaluate_with, make_eval_loader
from train_tiny.loading.mixing import open_sources
from train_tiny.losses.heatmaps import find_peaks, to_pixels
from train_tiny.specs import list_splits


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


def hold_crops(
    specs: Sequence[str], config: LoaderConfig, split: str, most: int, seed: int, workers: int = 0
) -> Held | None:
    """Crops to validate on: of each dataset that has the split, `most` in all; None without any.

    As for evaluation: sensors as in training, nothing else drawn.
    """
    there = [spec for spec in specs if split in list_splits(spec)]
    plain = replace(evaluate_with(config, split), batch=64)
    images, points, count = list[Tensor](), list[NDArray[np.float32]](), 0
    for k, spec in enumerate(there):
        wanted = most * (k + 1) // len(there)
        for image, targets, _ in make_eval_loader(open_sources([spec]), plain, seed, workers):
            left = wanted - count
            images.append(image[:left].half())
            points.append(targets.keypoints_px[:left].numpy())
            count += len(images[-1])
            if count >= wanted:
                break
    if not count:
        return None
    keypoints = np.concatenate(points)
    return Held(torch.cat(images), keypoints, measure_palm(keypoints))


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
