"""Backdrops: a real room's depth image behind the hands, in our camera.

A backdrop is the recorded room under one affine map about the camera: mirrored at times, turned a
little, stretched to fill our field of view, and enlarged until all of the foreground is before it.
Such a map keeps planes plane and hides what was hidden. In sequences the room stands still where it
was at the first frame, and the head moves in it; what the recording did not see stays unseen.
"""

# mypy: allow-untyped-defs

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit

from frames.camera import Camera
from frames.stream import uniform
from synth.hand.angles import rotation
from synth.pools import Pools
from synth.rigid import invert_rigid, multiply
from synth.scene.background_folder import BLOCK, Background
from synth.scene.pieces import JIT

TRIES: Final = 3
"""Images that are tried for a frame; the one that is enlarged least counts."""
CLEARANCE_M: Final = 0.03
LARGEST: Final = 2.5
"""A backdrop that is enlarged by more than this is left out."""
TURN_RAD: Final = np.radians([5.0, 6.0, 5.0])
"""Largest turn about the camera's x, y and z."""
MIRRORED: Final = 0.5
STRETCH: Final = 1.8
"""Most that a backdrop is stretched across."""


@dataclass(frozen=True)
class Backdrops:
    """Backdrops of U scenes."""

    image: np.ndarray
    """(U,) index of the background, -1 for none."""
    T_background_from_world: np.ndarray
    """(U, 4, 4) affine; the background's axes are those of the camera that took it."""


def no_backdrops(count: int) -> Backdrops:
    """Scenes without."""
    return Backdrops(np.full(count, -1), np.tile(np.eye(4), (count, 1, 1)))


def fit_backdrops(
    share: float,
    seed: int,
    ids: np.ndarray,
    camera: Camera,
    backgrounds: tuple[Background, ...],
    pools: Pools,
    split: np.ndarray,
    points: np.ndarray,
    radius: np.ndarray,
    T_world_from_camera: np.ndarray,
) -> Backdrops:
    """Draw a background of the scene's own split for a share of U scenes and enlarge it to fit.

    points (U, P, 3), radius (U, P): balls of the foreground in the world, NaN for none.
    """
    out = no_backdrops(len(ids))
    wanted = np.flatnonzero(uniform(seed, ids, "backdrop", 1)[:, 0] < share)
    best = np.full(len(wanted), np.inf)
    inverse = invert_rigid(T_world_from_camera[wanted])
    for k in range(TRIES):
        rows = np.flatnonzero(best > LARGEST)
        if not len(rows):
            break
        at = wanted[rows]
        u = uniform(seed, ids[at], "backdrop/image", 5, k)
        image = pools.pick_background(split[at], u[:, 0])
        T = multiply(_turn(camera, backgrounds, image, u), inverse[rows])
        scale = np.ones(len(rows))
        for i, place in enumerate(at):
            room = backgrounds[image[i]]
            lens = (room.camera.fx, room.camera.fy, room.camera.cx, room.camera.cy)
            scale[i] = _needed_scale(points[place], radius[place], T[i], lens, room.nearest_m)
        better = scale < best[rows]
        chosen = at[better]
        best[rows[better]] = scale[better]
        out.image[chosen] = image[better]
        T[:, :3] /= scale[:, None, None]
        out.T_background_from_world[chosen] = T[better]
    out.image[wanted[best > LARGEST]] = -1
    return out


def _turn(
    camera: Camera, backgrounds: tuple[Background, ...], image: np.ndarray, u: np.ndarray
) -> np.ndarray:
    """(N, 4, 4) background from camera, but for its scale."""
    rays = np.abs(camera.ray_table())
    half = np.nanmax(rays, axis=(0, 1))
    # Turning brings the border into view by about as much as it is an angle.
    half = half + TURN_RAD[[1, 0]]
    seen = np.stack([backgrounds[i].half_field for i in image])
    stretch = np.clip(half / seen, 1.0, STRETCH)
    angle = TURN_RAD * (2 * u[:, 1:4] - 1)
    turn = multiply(
        rotation("x", angle[:, 0]), rotation("y", angle[:, 1]), rotation("z", angle[:, 2])
    )
    mirror = np.where(u[:, 4] < MIRRORED, -1.0, 1.0)
    out = np.tile(np.eye(4), (len(u), 1, 1))
    out[:, :3, :3] = turn
    out[:, 0] *= (mirror / stretch[:, 0])[:, None]
    out[:, 1] /= stretch[:, 1, None]
    return out


@njit(**JIT)
def _needed_scale(points, radius, T, lens, nearest):
    """How much larger (>= 1) the room must be for all balls to be before it."""
    fx, fy, cx, cy = lens
    scale = 1.0
    for k in range(points.shape[0]):
        if not (radius[k] >= 0.0 and points[k, 0] == points[k, 0]):
            continue
        x = ((T[0, 0] * points[k, 0] + T[0, 1] * points[k, 1]) + T[0, 2] * points[k, 2]) + T[0, 3]
        y = ((T[1, 0] * points[k, 0] + T[1, 1] * points[k, 1]) + T[1, 2] * points[k, 2]) + T[1, 3]
        z = ((T[2, 0] * points[k, 0] + T[2, 1] * points[k, 1]) + T[2, 2] * points[k, 2]) + T[2, 3]
        r = radius[k] + CLEARANCE_M
        if z < 0.05:
            continue
        # The ball's outline, with what perspective adds.
        near = max(z - r, 0.05)
        left, right = (x - r) / (near if x < r else z + r), (x + r) / (near if x > -r else z + r)
        top, bottom = (y - r) / (near if y < r else z + r), (y + r) / (near if y > -r else z + r)
        i0 = max(int(np.floor((fx * left + cx) / BLOCK)), 0)
        i1 = min(int(np.floor((fx * right + cx) / BLOCK)), nearest.shape[1] - 1)
        j0 = max(int(np.floor((fy * top + cy) / BLOCK)), 0)
        j1 = min(int(np.floor((fy * bottom + cy) / BLOCK)), nearest.shape[0] - 1)
        for j in range(j0, j1 + 1):
            for i in range(i0, i1 + 1):
                scale = max(scale, (z + r) / np.float64(nearest[j, i]))
    return scale
