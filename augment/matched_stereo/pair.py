"""A stereo pair as the rasteriser rendered it: what both eyes of a device see around the hands.

The left eye is the dataset's camera: same place, axes and field of view, with the device's own
focal length. The right eye stands baseline_m farther along +x. Windows are parts of the left image,
each with the wider strip of the right image in which its matches lie.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frames.camera import MAX_IMAGE_SIDE, Camera
from frames.errors import BadInput


@dataclass(frozen=True)
class Eye:
    """What one eye sees in one window."""

    left: int
    """First column in the eye's whole image; columns below 0 are outside and show nothing."""
    depth_m: NDArray[np.float32]
    """(h, w) depth (z), 0 for nothing."""
    parts: NDArray[np.uint8]
    """(h, w) codes of `frames.parts`."""


@dataclass(frozen=True)
class Window:
    """The same rows of both images; the right one begins `reach` columns farther left."""

    top: int
    """First row in the whole images."""
    reach: int
    """Largest disparity that is searched, px: a multiple of 16."""
    left_eye: Eye
    right_eye: Eye
    """(h, w + reach)"""


@dataclass(frozen=True)
class Pair:
    """Both eyes' windows of one frame; they do not overlap."""

    camera: Camera
    """Either eye's whole image (`native_camera`)."""
    baseline_m: float
    windows: tuple[Window, ...]


def native_camera(camera: Camera, focal_px: float) -> Camera:
    """The pinhole of a device with the focal length focal_px that sees what `camera` sees.

    The outer edges of both images coincide to a pixel's rounding. Raises BadInput if `camera` is no
    pinhole (a device rectifies its pair) or the image would be too large.
    """
    if camera.model != "pinhole":
        raise BadInput(
            f"stereo by matching needs a pinhole camera, got {camera.model}: choose another camera,"
            " or the sensor d435, which takes any"
        )
    scale = focal_px / camera.fx
    width, height = math.ceil(camera.width * scale), math.ceil(camera.height * scale)
    if max(width, height) > MAX_IMAGE_SIDE:
        raise BadInput(
            f"focal_px {focal_px:g} makes an image of {width} x {height} of a camera with"
            f" {camera.width} x {camera.height} and fx {camera.fx:g}: at most {MAX_IMAGE_SIDE} a"
            " side; choose a smaller focal_px"
        )
    return Camera(
        "pinhole",
        max(width, 1),
        max(height, 1),
        camera.fx * scale,
        camera.fy * scale,
        (camera.cx + 0.5) * scale - 0.5,
        (camera.cy + 0.5) * scale - 0.5,
    )
