"""A depth image as prediction takes it, checked against its camera; and boxes in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frames.camera import Camera
from frames.errors import BadInput
from frames.record import DEPTH_SCALE

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class DepthImage:
    """A depth image that was checked to be its camera's."""

    depth: NDArray[Any]
    """(H, W) uint16 in steps, or float32 in metres; 0 for no reading."""
    depth_scale: float
    """Steps a metre; 1 for float32."""
    camera: Camera

    @property
    def depth_m(self) -> Floats:
        """(H, W) metres."""
        if self.depth.dtype == np.float32:
            return self.depth
        return self.depth.astype(np.float32) / np.float32(self.depth_scale)


def read_depth(depth: Any, camera: Camera, depth_scale: float | None = None) -> DepthImage:
    """Check a depth image.

    depth: (H, W) uint16 in steps, depth_scale a metre (10,000 if None), or floats in metres; no
    reading is 0, NaN or negative. Raises BadInput for any other type, shape or scale.
    """
    image = np.asarray(depth)
    if image.dtype not in (np.uint16, np.float32, np.float64):
        raise BadInput(
            f"depth must be uint16 in steps or float32 in metres, got {image.dtype}: is it a"
            " picture for the eye?"
        )
    if image.ndim != 2 or image.shape != (camera.height, camera.width):
        got = " x ".join(map(str, image.shape[::-1]))
        raise BadInput(
            f"depth has {got} pixels, its camera {camera.width} x {camera.height}: they must agree"
        )
    if image.dtype == np.uint16:
        scale = DEPTH_SCALE if depth_scale is None else float(depth_scale)
        if not 0 < scale < float("inf"):
            raise BadInput(f"depth_scale must be > 0 steps a metre, got {depth_scale}")
        return DepthImage(np.ascontiguousarray(image), scale, camera)
    if depth_scale not in (None, 1, 1.0):
        raise BadInput(f"depth in floats is in metres: depth_scale must be 1, got {depth_scale}")
    with np.errstate(invalid="ignore"):
        read = (image > 0) & np.isfinite(image)
    return DepthImage(np.where(read, image, 0).astype(np.float32), 1.0, camera)


def read_boxes(boxes: ArrayLike) -> NDArray[np.float64]:
    """Boxes (N, 4) checked. Raises BadInput for another shape, and for a box that is none."""
    try:
        given = np.asarray(boxes, np.float64)
    except (TypeError, ValueError):
        raise BadInput("boxes must be (N, 4) numbers x0, y0, x1, y1") from None
    if given.size == 0:
        return np.empty((0, 4))
    if given.ndim != 2 or given.shape[1] != 4:
        raise BadInput(f"boxes must be (N, 4): x0, y0, x1, y1 in pixels, got shape {given.shape}")
    return given
