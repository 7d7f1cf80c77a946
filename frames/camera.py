"""Cameras: pinhole, Brown-Conrady and Kannala-Brandt, both ways (see docs/conventions.md).

Axes as OpenCV: x right, y down, z forward. Integer pixel coordinates are pixel centres: the image
covers [-0.5, width - 0.5] x [-0.5, height - 0.5]. Depth is z, not range.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frames.errors import BadInput
from frames.lens import distort_brown, distort_fisheye, undistort_brown, undistort_fisheye

Array = NDArray[np.float64]

COEFFICIENT_COUNTS: Final = {
    "pinhole": (0,),
    "brown-conrady": (4, 5, 8),
    "kannala-brandt": (4,),
}
"""Lens models and how many distortion coefficients each may have."""

MAX_IMAGE_SIDE: Final = 8192


@dataclass(frozen=True)
class Camera:
    """The geometry of one depth camera. Raises BadInput for values that cannot be a camera."""

    model: str
    """"pinhole", "brown-conrady" or "kannala-brandt"."""

    width: int
    height: int
    fx: float
    """Focal lengths in pixels (for the fisheye: pixels per radian at the axis)."""

    fy: float
    cx: float
    """Principal point in pixels; the first pixel's centre is 0."""

    cy: float
    distortion: tuple[float, ...] = ()
    """Brown-Conrady, OpenCV's order: (k1, k2, p1, p2[, k3[, k4, k5, k6]]). Kannala-Brandt:
    (k1, k2, k3, k4).
    """

    max_theta_rad: float | None = None
    """Rays further than this from the axis are outside the field of view; below pi / 2."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "distortion", tuple(float(k) for k in self.distortion))
        check_camera(self)

    def project(self, points: ArrayLike) -> Array:
        """Camera-frame points (..., 3) in metres -> pixels (..., 2).

        NaN where z <= 0, beyond max_theta_rad, or where the lens model is no longer one-to-one.
        Pixels may lie outside the image: see `contains`.
        """
        points = np.asarray(points, np.float64)
        z = points[..., 2:]
        with np.errstate(invalid="ignore", divide="ignore"):
            seen = (z > 0) & ~np.isnan(points).any(-1, keepdims=True)
            xy = np.where(seen, points[..., :2] / z, np.nan)
            if self.max_theta_rad is not None:
                beyond = np.square(xy).sum(-1, keepdims=True) > np.tan(self.max_theta_rad) ** 2
                xy = np.where(beyond, np.nan, xy)
            if self.model == "brown-conrady":
                xy = distort_brown(xy, self.distortion)
            elif self.model == "kannala-brandt":
                xy = distort_fisheye(xy, self.distortion)
        return np.asarray(xy * (self.fx, self.fy) + (self.cx, self.cy))

    def unproject(self, px: ArrayLike) -> Array:
        """Pixels (..., 2) -> rays (..., 3) = (x, y, 1): a depth z times the ray is the point.

        The inverse of `project` to 1e-6 px inside the image; NaN outside the field of view.
        """
        px = np.asarray(px, np.float64)
        xy = (px - (self.cx, self.cy)) / (self.fx, self.fy)
        if self.model == "brown-conrady":
            xy = undistort_brown(xy, self.distortion)
        elif self.model == "kannala-brandt":
            xy = undistort_fisheye(xy, self.distortion)
        if self.max_theta_rad is not None:
            # A hair of slack, so that a ray exactly on the rim survives the round trip.
            rim = np.tan(self.max_theta_rad) ** 2 * (1 + 1e-12)
            with np.errstate(invalid="ignore"):
                xy = np.where(np.square(xy).sum(-1, keepdims=True) > rim, np.nan, xy)
        one = np.where(np.isnan(xy[..., :1]), np.nan, 1.0)
        return np.concatenate([xy, one], -1)

    def ray_table(self) -> Array:
        """(height, width, 2) float64: normalised x, y of every pixel centre; NaN outside the field.

        Computed once per camera and shared: read-only.
        """
        return _ray_table(self)

    def contains(self, px: ArrayLike) -> NDArray[np.bool_]:
        """Whether pixels (..., 2) lie on the image, edges [-0.5, size - 0.5); not if NaN."""
        px = np.asarray(px)
        u, v = px[..., 0], px[..., 1]
        return np.asarray(
            (u >= -0.5) & (u < self.width - 0.5) & (v >= -0.5) & (v < self.height - 0.5)
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as a camera file has them; absent ones left out."""
        out: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("model", "width", "height", "fx", "fy", "cx", "cy")
        }
        if self.distortion:
            out["distortion"] = list(self.distortion)
        if self.max_theta_rad is not None:
            out["max_theta_rad"] = self.max_theta_rad
        return out


def check_camera(camera: Camera) -> None:
    """Raises BadInput, one line, for the first value that cannot be."""
    counts = COEFFICIENT_COUNTS.get(str(camera.model))
    if counts is None:
        known = ", ".join(COEFFICIENT_COUNTS)
        raise BadInput(f"camera model must be one of {known}, got {camera.model!r}")
    for name in ("width", "height"):
        value = getattr(camera, name)
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not whole or not 1 <= value <= MAX_IMAGE_SIDE:
            raise BadInput(
                f"camera {name} must be a whole number from 1 to {MAX_IMAGE_SIDE} pixels, "
                f"got {value!r}"
            )
    for name in ("fx", "fy"):
        value = getattr(camera, name)
        if not _is_number(value) or not 0 < value < np.inf:
            raise BadInput(f"camera {name} must be a focal length > 0 px, got {value!r}")
    for name in ("cx", "cy"):
        value = getattr(camera, name)
        if not _is_number(value) or not np.isfinite(value):
            raise BadInput(f"camera {name} must be a finite number of px, got {value!r}")
    if len(camera.distortion) not in counts:
        wanted = " or ".join(str(c) for c in counts)
        raise BadInput(
            f"camera distortion of {camera.model} must have {wanted} coefficients, "
            f"got {len(camera.distortion)}"
        )
    if not all(np.isfinite(k) for k in camera.distortion):
        raise BadInput(f"camera distortion must be finite, got {camera.distortion}")
    theta = camera.max_theta_rad
    if theta is not None and not (_is_number(theta) and 0 < theta < np.pi / 2):
        raise BadInput(
            f"camera max_theta_rad must lie between 0 and pi / 2 (radians, below 90 degrees), "
            f"got {theta!r}"
        )


def _is_number(value: object) -> bool:
    numeric = isinstance(value, int | float | np.floating | np.integer)
    # JSON has whole numbers of any length, which no float holds.
    huge = isinstance(value, int) and abs(value) > 2**53
    return numeric and not isinstance(value, bool) and not huge


def load_camera(name_or_path: str | Path) -> Camera:
    """A preset by name (`CAMERAS`) or a camera file, JSON or TOML. Raises BadInput in one line."""
    from frames.camera_file import read_camera

    preset = CAMERAS.get(str(name_or_path))
    return preset if preset is not None else read_camera(Path(name_or_path))


@lru_cache(maxsize=8)
def _ray_table(camera: Camera) -> Array:
    v, u = np.mgrid[: camera.height, : camera.width].astype(np.float64)
    table = np.ascontiguousarray(camera.unproject(np.stack([u, v], -1))[..., :2])
    table.setflags(write=False)
    return table


CAMERAS: Final[dict[str, Camera]] = {
    # A head-mounted depth camera with a wide lens, rectified: 86.9 x 70.9 degrees. No one device's
    # numbers; the width of a D435 or Vive-class headset module at a network's input size.
    "ego": Camera("pinhole", 320, 240, 168.5, 168.5, 159.5, 119.5),
    "ego-small": Camera("pinhole", 160, 120, 84.25, 84.25, 79.5, 59.5),
    # HoloLens 2, articulated hand tracking (AHAT): 512 x 512, about 127 degrees across. The device
    # gives a table of rays and no coefficients, so this is the equidistant fisheye of that width
    # (f = 512 px / 127 degrees). Its corners would reach 90 degrees; the rim at 75 is our choice.
    "ahat": Camera(
        "kannala-brandt", 512, 512, 230.99, 230.99, 255.5, 255.5, (0.0,) * 4, float(np.radians(75))
    ),
    # Intel RealSense D435 depth at 424 x 240: the data sheet's 87 x 58 degrees, +- 3. Depth is
    # rectified (no distortion) with square pixels, so both cannot hold at once: 88.8 x 58.0.
    "d435": Camera("pinhole", 424, 240, 216.5, 216.5, 211.5, 119.5),
    # Azure Kinect, NFOV 2x2 binned: nominal field of interest 75 x 65 degrees. Factory calibration
    # of one device, as posted in the tracker of microsoft/Azure-Kinect-Sensor-SDK (1024 x 1024
    # sensor, cropped at (192, 180) to 640 x 576, binned): 73.2 x 65.8 degrees. Other devices
    # differ by a few pixels. The calibration holds to a radius (MetricRadius) of 1.74: 60 degrees.
    "azure-nfov": Camera(
        "brown-conrady",
        320,
        288,
        251.924,
        251.869,
        160.256,
        163.989,
        (
            4.72473669052124,
            3.2092227935791016,
            5.87981094213319e-06,
            0.0001238211989402771,
            0.17059645056724548,
            5.0558595657348633,
            4.775780200958252,
            0.88649415969848633,
        ),
        float(np.arctan(1.74)),
    ),
}
"""Camera presets by name."""
