"""A hand network's outputs decoded: keypoints, confidences, 3D positions, visibility, side.

The same reading in evaluation and in prediction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from frames.camera import Camera
from train_tiny.losses.heatmaps import find_peaks, to_pixels
from train_tiny.prediction.lifting import lift_depths, place_keypoints, read_surfaces

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Outputs:
    """Of B crops; NaN where a network has no head for it."""

    px: Floats
    """(B, 21, 2) pixels of the crop."""
    confidence: Floats
    """(B, 21) 0 .. 1: how much of a heatmap lies about its peak."""
    points_m: Floats
    """(B, 21, 3) metres in the crop camera's axes."""
    likely_seen: Floats
    """(B, 21) 0 .. 1."""
    likely_right: Floats
    """(B,) 0 .. 1."""


def read_outputs(
    out: Mapping[str, Tensor],
    input_px: int,
    depth_m: Floats,
    reference_m: Floats,
    cameras: Sequence[Camera],
) -> Outputs:
    """Outputs of crops of side input_px, lifted by what was read there.

    depth_m: (B, S, S), 0 for no reading. reference_m: (B,) of
    `train_tiny.loading.crops.find_reference`. cameras: the crops'.
    """
    maps, count = out["keypoints"], len(cameras)
    cells, mass = find_peaks(maps)
    px = to_pixels(cells, input_px / maps.shape[-1]).cpu().numpy()
    offsets = out["depth"].cpu().numpy() if "depth" in out else None
    likely = out["visibility"].sigmoid().cpu().numpy() if "visibility" in out else None
    depths = lift_depths(read_surfaces(depth_m, px), reference_m, likely, offsets)
    right = out["side"].sigmoid().cpu().numpy() if "side" in out else np.full(count, np.nan)
    return Outputs(
        px=px.astype(np.float32),
        confidence=mass.cpu().numpy().astype(np.float32),
        points_m=place_keypoints(px, depths, cameras),
        likely_seen=np.full((count, 21), np.nan, np.float32) if likely is None else likely,
        likely_right=np.asarray(right, np.float32),
    )
