"""Lens distortion: Brown-Conrady and Kannala-Brandt, both ways (see docs/conventions.md).

A lens maps normalised rays (x/z, y/z) of the pinhole to the distorted plane at focal length 1.
Each model is used only from the axis out to the first radius at which it stops growing: beyond it,
two rays share a pixel and the formula is no lens any more. Outside that field the answers are NaN.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAX_FIELD_RAD = float(np.radians(89.5))
"""No ray beyond this angle: z-depth, and with it every image here, has no meaning at 90 degrees."""

_STEPS = 4096
_DIRECTIONS = 32
_NEWTON_STEPS = 60
_TOLERANCE = 1e-13


def pad_brown(k: tuple[float, ...]) -> tuple[float, ...]:
    """The coefficients as (k1, k2, p1, p2, k3, k4, k5, k6), absent ones zero."""
    return (*k, *(0.0,) * (8 - len(k)))


@lru_cache(maxsize=64)
def find_brown_limit(k: tuple[float, ...]) -> float:
    """The largest undistorted radius to which Brown-Conrady is one-to-one.

    On the disc inside it the radial part grows and the Jacobian's determinant is positive, in every
    direction: the tangential part can fold the plane where the radial one alone hardly grows.
    Sampled in angle up to `MAX_FIELD_RAD`, and taken one sample short of the first fault.
    """
    padded = pad_brown(k)
    r = np.tan(np.linspace(0.0, MAX_FIELD_RAD, _STEPS))
    scale, slope = _brown_radial(r * r, padded)
    good = (scale > 0) & (scale + 2 * r * r * slope > 0)
    for angle in np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS):
        _, jacobian = _brown(r * np.cos(angle), r * np.sin(angle), padded)
        good &= _determinant(jacobian) > 0
    return float(r[-1] if good.all() else r[max(int(np.argmin(good)) - 1, 0)])


@lru_cache(maxsize=64)
def find_fisheye_limit(k: tuple[float, ...]) -> float:
    """The largest angle (radians) at which the Kannala-Brandt polynomial still grows."""
    theta = np.linspace(0.0, MAX_FIELD_RAD, _STEPS)
    good = _fisheye_slope(theta, k) > 0
    return float(theta[-1] if good.all() else theta[max(int(np.argmin(good)) - 1, 0)])


def distort_brown(xy: Array, k: tuple[float, ...]) -> Array:
    """Rays (..., 2) -> distorted (..., 2); NaN outside the field.

    OpenCV's order k1, k2, p1, p2[, k3[, k4, k5, k6]] and formula (Brown, "Decentering distortion of
    lenses", 1966; rational radial part as in OpenCV's calib3d).
    """
    limit = find_brown_limit(k)
    out, jacobian = _brown(xy[..., 0], xy[..., 1], pad_brown(k))
    inside = (np.square(xy).sum(-1) <= limit * limit) & (_determinant(jacobian) > 0)
    return np.where(inside[..., None], np.stack(out, -1), np.nan)


def undistort_brown(distorted: Array, k: tuple[float, ...]) -> Array:
    """The inverse of `distort_brown`: (..., 2) -> rays (..., 2); NaN outside the field.

    Starts from the exact inverse of the radial part alone (a table, monotonic by construction) and
    finishes with Newton steps in both coordinates, kept inside the field.
    """
    padded = pad_brown(k)
    limit = find_brown_limit(k)
    shape = distorted.shape
    target = distorted.reshape(-1, 2)
    radii = np.linspace(0.0, limit, _STEPS)
    table = radii * _brown_radial(radii * radii, padded)[0]
    goal = np.hypot(target[:, 0], target[:, 1])
    # A tangential part may push a ray of the field a little past the table's end: start at its rim.
    start = np.interp(goal, table, radii)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ray = target * np.where(goal > 0, start / goal, 1.0)[:, None]
        for _ in range(_NEWTON_STEPS):
            (dx, dy), (a, b, c, d) = _brown(ray[:, 0], ray[:, 1], padded)
            ex, ey = dx - target[:, 0], dy - target[:, 1]
            det = a * d - b * c
            step = np.stack([(d * ex - b * ey) / det, (a * ey - c * ex) / det], -1)
            ray = ray - step
            radius = np.hypot(ray[:, 0], ray[:, 1])
            ray *= np.minimum(1.0, limit / np.maximum(radius, 1e-300))[:, None]
            if not (np.abs(step) > _TOLERANCE * (1 + radius[:, None])).any():
                break
        (dx, dy), jacobian = _brown(ray[:, 0], ray[:, 1], padded)
        error = np.hypot(dx - target[:, 0], dy - target[:, 1])
        good = (error <= 1e-11 * (1 + goal)) & (_determinant(jacobian) > 0)
    return np.where(good[:, None], ray, np.nan).reshape(shape)


def distort_fisheye(xy: Array, k: tuple[float, ...]) -> Array:
    """Rays (..., 2) -> distorted (..., 2); NaN outside the field.

    theta_d = theta (1 + k1 theta^2 + k2 theta^4 + k3 theta^6 + k4 theta^8), as cv2.fisheye
    (Kannala and Brandt, "A generic camera model and calibration method", PAMI 2006).
    """
    r = np.hypot(xy[..., 0], xy[..., 1])
    theta = np.arctan(r)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.where(r > 1e-9, _fisheye_angle(theta, k) / r, 1.0)
    scale = np.where(theta <= find_fisheye_limit(k), scale, np.nan)
    return np.asarray(xy * scale[..., None])


def undistort_fisheye(distorted: Array, k: tuple[float, ...]) -> Array:
    """The inverse of `distort_fisheye`: (..., 2) -> rays (..., 2); NaN outside the field."""
    limit = find_fisheye_limit(k)
    goal = np.hypot(distorted[..., 0], distorted[..., 1])
    grid = np.linspace(0.0, limit, _STEPS)
    theta = np.interp(goal, _fisheye_angle(grid, k), grid)
    with np.errstate(invalid="ignore", divide="ignore"):
        for _ in range(_NEWTON_STEPS):
            step = (_fisheye_angle(theta, k) - goal) / _fisheye_slope(theta, k)
            theta = np.clip(theta - step, 0.0, limit)
            if not (np.abs(step) > _TOLERANCE).any():
                break
        good = np.abs(_fisheye_angle(theta, k) - goal) <= 1e-11
        scale = np.where(goal > 1e-9, np.tan(theta) / goal, 1.0)
    return np.asarray(distorted * np.where(good, scale, np.nan)[..., None])


def _brown_radial(r2: Array, k: tuple[float, ...]) -> tuple[Array, Array]:
    """Radial factor and its derivative by r^2."""
    k1, k2, _, _, k3, k4, k5, k6 = k
    top = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    bottom = 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        # Past a pole of the rational form the lens has ended: any value <= 0 says so.
        scale = np.where(bottom > 0, top / bottom, -1.0)
        top_slope = k1 + r2 * (2 * k2 + r2 * 3 * k3)
        bottom_slope = k4 + r2 * (2 * k5 + r2 * 3 * k6)
        slope = (top_slope - scale * bottom_slope) / bottom
    return scale, slope


def _brown(
    x: Array, y: Array, k: tuple[float, ...]
) -> tuple[tuple[Array, Array], tuple[Array, Array, Array, Array]]:
    """Distorted x, y and the Jacobian (dx'/dx, dx'/dy, dy'/dx, dy'/dy)."""
    p1, p2 = k[2], k[3]
    r2 = x * x + y * y
    scale, slope = _brown_radial(r2, k)
    out_x = x * scale + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    out_y = y * scale + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    xx = scale + 2 * x * x * slope + 2 * p1 * y + 6 * p2 * x
    xy = 2 * x * y * slope + 2 * p1 * x + 2 * p2 * y
    yy = scale + 2 * y * y * slope + 6 * p1 * y + 2 * p2 * x
    return (out_x, out_y), (xx, xy, xy, yy)


def _determinant(jacobian: tuple[Array, Array, Array, Array]) -> Array:
    a, b, c, d = jacobian
    return a * d - b * c


def _fisheye_angle(theta: Array, k: tuple[float, ...]) -> Array:
    t = theta * theta
    return theta * (1 + t * (k[0] + t * (k[1] + t * (k[2] + t * k[3]))))


def _fisheye_slope(theta: Array, k: tuple[float, ...]) -> Array:
    t = theta * theta
    return 1 + t * (3 * k[0] + t * (5 * k[1] + t * (7 * k[2] + t * 9 * k[3])))
