"""The steps of a geometry one by one: each takes a camera and tells what another one sees.

Joined by `virtual_camera.compose`, end to end. docs/geometry.md tells what each does to pixels, K,
depths and points.
"""

import math
from dataclasses import replace

import numpy as np

from augment.geometry.virtual_camera import SAME, Geometry, freeze, look_along, roll_matrix
from frames.camera import Camera
from frames.errors import BadInput


def aim_camera(camera: Camera, px: tuple[float, float], to: Camera | None = None) -> Geometry:
    """Turn the axis to what is seen at a pixel, by the shortest way. BadInput outside the field."""
    if camera.model == "pinhole" and camera.max_theta_rad is None:
        ray = np.array([(px[0] - camera.cx) / camera.fx, (px[1] - camera.cy) / camera.fy, 1.0])
    else:
        ray = camera.unproject(np.array(px, np.float64))
    if not np.isfinite(ray).all():
        raise BadInput(f"the camera sees nothing at the pixel {tuple(map(float, px))} to aim at")
    return Geometry(camera, camera if to is None else to, freeze(look_along(ray)))


def roll_camera(camera: Camera, angle_rad: float) -> Geometry:
    """Turn the picture clockwise about the optical axis: x to y. Depth and K stay as they are."""
    _check("roll", angle_rad, "radians")
    return Geometry(camera, camera, freeze(roll_matrix(angle_rad)))


def zoom_camera(camera: Camera, factor: float) -> Geometry:
    """Enlarge the picture about its centre: a longer lens. K changes, no point in space does."""
    _check("zoom", factor, "a factor", 0.0)
    u, v = (camera.width - 1) / 2, (camera.height - 1) / 2
    longer = replace(
        camera,
        fx=camera.fx * factor,
        fy=camera.fy * factor,
        cx=u + (camera.cx - u) * factor,
        cy=v + (camera.cy - v) * factor,
    )
    return Geometry(camera, longer, SAME)


def shift_camera(camera: Camera, right_px: float, down_px: float) -> Geometry:
    """Move the picture: the principal point moves. K changes, no point in space does."""
    _check("shift", right_px, "pixels")
    _check("shift", down_px, "pixels")
    moved = replace(camera, cx=camera.cx + right_px, cy=camera.cy + down_px)
    return Geometry(camera, moved, SAME)


def cut_window(camera: Camera, left: int, top: int, width: int, height: int) -> Geometry:
    """The image's pixels from column `left` and row `top` on, as they are; it may reach beyond."""
    small = replace(camera, width=width, height=height, cx=camera.cx - left, cy=camera.cy - top)
    return Geometry(camera, small, SAME)


def resize_camera(camera: Camera, width: int, height: int) -> Geometry:
    """The whole view in another number of pixels. Keeps the lens."""
    right, down = width / camera.width, height / camera.height
    resized = replace(
        camera,
        width=width,
        height=height,
        fx=camera.fx * right,
        fy=camera.fy * down,
        cx=(camera.cx + 0.5) * right - 0.5,
        cy=(camera.cy + 0.5) * down - 0.5,
    )
    return Geometry(camera, resized, SAME)


def straighten_camera(camera: Camera) -> Geometry:
    """The same view by a pinhole of the same focal length: straight edges become straight.

    What a wide lens sees beyond the pinhole's image is cut off.
    """
    pinhole = Camera(
        "pinhole", camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy
    )
    return Geometry(camera, pinhole, SAME)


def flip_camera(camera: Camera) -> Geometry:
    """Mirror left and right: x becomes -x, left hands become right ones. Its own inverse."""
    distortion = camera.distortion
    if camera.model == "brown-conrady":
        # Of the tangential terms, p2 goes with x.
        distortion = (*distortion[:3], -distortion[3], *distortion[4:])
    mirrored = replace(camera, cx=camera.width - 1 - camera.cx, distortion=distortion)
    return Geometry(camera, mirrored, freeze(np.diag([-1.0, 1.0, 1.0])))


def scale_depth(camera: Camera, factor: float) -> Geometry:
    """Let the world grow about the camera: depths and 3D keypoints times `factor`.

    Pixels and K stay: a larger hand farther away looks the same.
    """
    _check("depth factor", factor, "a factor", 0.0)
    return Geometry(camera, camera, SAME, depth_factor=factor)


def offset_depth(camera: Camera, offset_m: float, hand_depth_m: float) -> Geometry:
    """Add `offset_m` to all depths; pixels stay, and a hand at `hand_depth_m` keeps its size.

    The lens becomes longer by (hand_depth_m + offset_m) / hand_depth_m, as if the camera stepped
    back and zoomed in. Lengths across the ray stay at that depth alone: at z they change by the
    factor (1 + offset_m / z) / (1 + offset_m / hand_depth_m). Raises BadInput unless the hand stays
    before the camera, and for a lens with distortion (crop first).
    """
    _check("depth offset", offset_m, "metres")
    if not (math.isfinite(hand_depth_m) and min(hand_depth_m, hand_depth_m + offset_m) > 0):
        raise BadInput(
            f"a depth offset of {offset_m:g} m needs a hand that stays before the camera, got one"
            f" at {hand_depth_m:g} m"
        )
    if camera.model != "pinhole":
        raise BadInput(
            f"depths are offset in a pinhole's image, not a {camera.model}'s: crop first"
        )
    stretch = 1 + offset_m / hand_depth_m
    longer = replace(camera, fx=camera.fx * stretch, fy=camera.fy * stretch)
    return Geometry(camera, longer, SAME, depth_offset_m=float(offset_m), stretch=stretch)


def _check(what: str, value: float, unit: str, above: float = -math.inf) -> None:
    if not (math.isfinite(value) and value > above):
        bound = "" if above == -math.inf else f" > {above:g}"
        raise BadInput(f"the {what} must be {unit}{bound}, got {value!r}")
