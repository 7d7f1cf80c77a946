"""A hand in a frame as the network sees it, and what it finds there brought back to the frame.

The crop is evaluation's: the same virtual camera, resampling, reference and encoding
(`preparation.STILL`, `augment.geometry`, `train_tiny.loading.crops`), around what is known of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augment.geometry.crop import Target, crop_camera
from augment.geometry.images import Images, apply_to_images
from augment.geometry.virtual_camera import Geometry
from frames.camera import Camera
from frames.errors import BadInput
from train_tiny.loading.crops import encode_depth, find_reference
from train_tiny.loading.preparation import STILL
from train_tiny.prediction.outputs import Outputs

Floats = NDArray[np.float32]

_NOWHERE = np.full(3, np.nan)


@dataclass(frozen=True, eq=False)
class View:
    """One hand's crop."""

    geometry: Geometry
    """From the frame's camera to the crop's."""
    depth_m: Floats
    """(S, S) what was read, 0 for nothing."""
    reference_m: float
    """What the image's depths refer to."""
    image: Floats
    """(S, S) the network's input."""


def aim_at_points(points_m: NDArray[Any]) -> Target | None:
    """A hand's keypoints (N, 3) in the camera's axes as what a crop is to enclose.

    Points that are none, or not before the camera, are left out; None if there is no other.
    """
    points = np.asarray(points_m, np.float64)
    there = np.isfinite(points).all(1) & (points[:, 2] > 0)
    return Target(points[there], _NOWHERE) if there.any() else None


def aim_at_pixels(camera: Camera, px: NDArray[Any]) -> Target | None:
    """The same of keypoints (N, 2) in pixels."""
    rays = camera.unproject(px)
    rays = rays[np.isfinite(rays).all(1)]
    return Target(rays, _NOWHERE) if len(rays) else None


def view_hand(
    depth: NDArray[Any], depth_scale: float, camera: Camera, target: Target, side_px: int
) -> View | None:
    """The crop of a depth image around a target; None where it shows nothing that was read.

    depth: (H, W) uint16 in steps of 1 / depth_scale metres, or float32 metres with scale 1; 0 for
    no reading. side_px: of the crop. None, too, for a target that is wider than any camera.
    """
    size = (side_px, side_px)
    try:
        geometry = crop_camera(
            camera, target, size, STILL.margin, side_m=STILL.side_m, least_px=STILL.least_px
        )
    except BadInput:
        return None
    seen = apply_to_images(geometry, Images(depth), depth_scale, STILL.resampling).depth
    assert seen is not None
    depth_m = seen.astype(np.float32) / np.float32(depth_scale)
    reference = find_reference(depth_m)
    if np.isnan(reference):
        return None
    return View(geometry, depth_m, reference, encode_depth(depth_m, reference))


@dataclass(frozen=True, eq=False)
class Places:
    """Keypoints of B crops in their frame's camera."""

    px: NDArray[np.float64]
    """(B, 21, 2) NaN where the frame's lens shows nothing."""
    points_m: NDArray[np.float64]
    """(B, 21, 3)"""


def bring_back(views: Sequence[View], outputs: Outputs) -> Places:
    """What was found in crops of one frame, in the frame's pixels and axes."""
    camera = views[0].geometry.source
    # Row vectors: p T turns a crop's p back by the transpose of T.
    turns = np.array([v.geometry.turn for v in views])
    points = _turn_back(outputs.points_m.astype(np.float64), turns)
    rays = [
        v.geometry.camera.unproject(px.astype(np.float64))
        for v, px in zip(views, outputs.px, strict=True)
    ]
    return Places(camera.project(_turn_back(np.array(rays), turns)), points)


def _turn_back(points: NDArray[np.float64], turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """(B, 21, 3) by (B, 3, 3), a fixed order of sums whatever the batch."""
    x, y, z = (points[..., k, None] * turns[:, None, k] for k in range(3))
    return np.asarray((x + y) + z)
