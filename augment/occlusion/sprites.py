"""Hands cut from frames, to be put into others: their depth on a plane of their own, their labels.

A sprite is turned about the camera's centre and scaled about it (moved nearer or farther, a little
smaller or larger), both of which its depth allows exactly; nothing is seen of it that was not seen
before. Its plane is a pinhole image around its own middle, so that it may come from any lens and go
to any.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.occlusion.casting import SIDES, mark_tiles, open_window, widen
from augment.occlusion.occluders import face_point
from augment.occlusion.sightlines import TILE
from frames.parts import FOREARM, VISIBILITY_OUTSIDE
from frames.record import Frame, Hand
from frames.skeleton import WRIST

FINER: Final = 1.25
"""Pixels of a sprite per pixel of its source."""

REACH: Final = 1.0
"""Half the width of a sprite's plane at a distance of 1, at most: 45 degrees to each side."""

ARM_M: Final = 0.11
"""So far from the wrist a forearm is kept."""

_JUMP_M: Final = 0.006
"""Neighbours that differ by more are on two surfaces: no depth lies between them."""


@dataclass(frozen=True)
class Sprite:
    """One whole hand, nothing before it."""

    depth_m: NDArray[np.float32]
    """(h, w) depth along its own axis, metres; 0 beside it."""

    parts: NDArray[np.uint8]
    """(h, w) part of the hand, 1 ... 17; 0 beside it."""

    focal_px: float
    centre_px: tuple[float, float]
    """The plane's pinhole: (u, v) of its axis."""

    keypoints_m: NDArray[np.float64]
    """(21, 3) in its own axes."""

    T_own_from_wrist: NDArray[np.float64] | None
    """(4, 4)"""

    hand: Hand
    """Its labels in the frame that it is from."""


def cut_sprites(frames: Iterable[Frame]) -> list[Sprite]:
    """The hands of frames that can be cut out: with parts and depth, nothing before them, whole."""
    out = []
    for frame in frames:
        for k in range(len(frame.hands)):
            sprite = cut_sprite(frame, k)
            if sprite is not None:
                out.append(sprite)
    return out


def cut_sprite(frame: Frame, k: int) -> Sprite | None:
    """Hand number k of a frame as a sprite; None if it is covered, cut by the image, or unknown."""
    hand, depth, parts = frame.hands[k], frame.clean_depth, frame.parts
    depth = frame.depth if depth is None else depth
    if depth is None or parts is None or hand.visible_fraction != 1:
        return None
    camera, box = frame.camera, np.asarray(hand.box_px, np.float64)
    if (box[:2] < 0.5).any() or box[2] > camera.width - 1.5 or box[3] > camera.height - 1.5:
        return None
    keypoints = np.asarray(hand.keypoints_cam_m, np.float64)
    if (hand.visibility == VISIBILITY_OUTSIDE).any() or not np.isfinite(keypoints).all():
        return None
    part = parts.astype(np.int64) - hand.part_base
    mine = (part >= 1) & (part <= FOREARM) & (depth > 0)
    rays = camera.ray_table()
    far = np.where(mine, depth / frame.depth_scale, np.nan) * np.sqrt(np.square(rays).sum(-1) + 1)
    # An arm that ends in mid-air had better be short, as if it came out of a dark sleeve.
    from_wrist = _unit(rays) * far[..., None] - keypoints[WRIST]
    mine &= (part < FOREARM) | (np.square(from_wrist).sum(-1) < ARM_M**2)
    own = face_point(keypoints.mean(0), 0.0)
    seen = np.concatenate([rays[mine], np.ones((int(mine.sum()), 1))], 1) @ own.T
    seen = seen[seen[:, 2] > 1e-3]
    plane = np.clip(seen[:, :2] / seen[:, 2:], -REACH, REACH)
    if not len(plane):
        return None
    focal = FINER * max(camera.fx, camera.fy)
    low = np.floor(plane.min(0) * focal) - 1
    width, height = (np.ceil(plane.max(0) * focal) - low + 2).astype(int)
    v, u = np.mgrid[:height, :width]
    ray = np.stack([(u + low[0]) / focal, (v + low[1]) / focal, np.ones(u.shape)], -1)
    z, part = _sample_source(camera.project(ray @ own), np.where(mine, far, np.nan), part)
    z /= np.linalg.norm(ray, axis=-1)
    there = z > 0
    T_own_from_wrist = None
    if hand.T_camera_from_wrist is not None:
        T_own_from_wrist = np.asarray(hand.T_camera_from_wrist, np.float64).copy()
        T_own_from_wrist[:3] = own @ T_own_from_wrist[:3]
    return Sprite(
        np.where(there, z, 0).astype(np.float32),
        np.where(there, part, 0).astype(np.uint8),
        focal,
        (-float(low[0]), -float(low[1])),
        keypoints @ own.T,
        T_own_from_wrist,
        hand,
    )


def _sample_source(
    px: NDArray[np.float64], far: NDArray[np.float64], part: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distance and part at pixels (h, w, 2) of an image (H, W), NaN where the nearest has none:
    bilinear between four pixels of one surface, else the nearest's."""
    height, width = far.shape
    inside = np.asarray(((px >= 0) & (px < (width - 1, height - 1))).all(-1))
    px = np.where(inside[..., None], px, 0.0)
    corner, nearest = np.floor(px).astype(int), np.floor(px + 0.5).astype(int)
    (a, b), (u, v) = np.moveaxis(px - corner, -1, 0), np.moveaxis(corner, -1, 0)
    four = np.stack([far[v, u], far[v, u + 1], far[v + 1, u], far[v + 1, u + 1]])
    smooth = (four * np.stack([(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b])).sum(0)
    at = nearest[..., 1], nearest[..., 0]
    one = np.isfinite(smooth) & (np.nan_to_num(np.ptp(four, 0), nan=1.0) <= _JUMP_M)
    return np.where(inside, np.where(one, smooth, far[at]), np.nan), part[at]


def _unit(rays: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rays (..., 2) as unit vectors (..., 3)."""
    long = np.concatenate([rays, np.ones((*rays.shape[:-1], 1))], -1)
    return np.asarray(long / np.linalg.norm(long, axis=-1, keepdims=True))


def keep_fingers(sprite: Sprite, fingers: tuple[int, ...]) -> Sprite:
    """Only some fingers of a sprite, 0 the thumb's."""
    kept = np.zeros(FOREARM + 1, bool)
    for finger in fingers:
        kept[3 * finger + 2 : 3 * finger + 5] = True
    there: NDArray[np.bool_] = np.take(kept, sprite.parts)
    return Sprite(
        np.where(there, sprite.depth_m, np.float32(0)),
        np.where(there, sprite.parts, np.uint8(0)),
        sprite.focal_px,
        sprite.centre_px,
        sprite.keypoints_m,
        sprite.T_own_from_wrist,
        sprite.hand,
    )


def aim_sprite(
    sprite: Sprite, keypoint: int, point: NDArray[np.float64], roll: float
) -> NDArray[np.float64]:
    """(3, 3) rotation own_from_camera that brings a keypoint onto the line of sight to a point."""
    return np.asarray(face_point(sprite.keypoints_m[keypoint], 0.0).T @ face_point(point, roll))


@njit(cache=True, nogil=True, error_model="numpy")
def cast_sprite(rays, centres, spreads, z_own, parts, focal, cx, cy, own_from_camera):  # type: ignore[no-untyped-def]
    """A turned sprite's depth image: (top, left, z (h, w), parts (h, w)), as `casting` has them.

    Depth between four pixels of one surface is bilinear, else that of the nearest.
    """
    height, width = z_own.shape
    turn = own_from_camera
    strips = np.empty((1, 2, SIDES))
    strips[0, 0], strips[0, 1] = math.inf, -math.inf
    for corner in range(4):
        x = ((width - 0.5 if corner & 1 else -0.5) - cx) / focal
        y = ((height - 0.5 if corner & 2 else -0.5) - cy) / focal
        px = turn[0, 0] * x + turn[1, 0] * y + turn[2, 0]
        py = turn[0, 1] * x + turn[1, 1] * y + turn[2, 1]
        pz = turn[0, 2] * x + turn[1, 2] * y + turn[2, 2]
        if pz < 1e-3:
            strips[0, 0], strips[0, 1] = -math.inf, math.inf
            break
        widen(strips[0], px / pz, py / pz)
    marks, box = mark_tiles(centres, spreads, strips)
    top, left, z = open_window(rays, box)
    codes = np.zeros(z.shape, np.uint8)
    for i in range(box[0], box[2] + 1):
        for j in range(box[1], box[3] + 1):
            if not marks[0, i, j]:
                continue
            for v in range(i * TILE, min(rays.shape[0], (i + 1) * TILE)):
                for u in range(j * TILE, min(rays.shape[1], (j + 1) * TILE)):
                    x, y = rays[v, u, 0], rays[v, u, 1]
                    dz = turn[2, 0] * x + turn[2, 1] * y + turn[2, 2]
                    if not dz > 1e-3:
                        continue
                    a = (turn[0, 0] * x + turn[0, 1] * y + turn[0, 2]) / dz * focal + cx
                    b = (turn[1, 0] * x + turn[1, 1] * y + turn[1, 2]) / dz * focal + cy
                    if not (0.0 <= a < width - 1 and 0.0 <= b < height - 1):
                        continue
                    p, q = int(a + 0.5), int(b + 0.5)
                    if z_own[q, p] == 0.0:
                        continue
                    z[v - top, u - left] = _sample(z_own, a, b, p, q) / dz
                    codes[v - top, u - left] = parts[q, p]
    return top, left, z, codes


@njit(cache=True, nogil=True, error_model="numpy")
def _sample(image, a, b, p, q):  # type: ignore[no-untyped-def]
    u, v = int(a), int(b)
    n, e, s, w = image[v, u], image[v, u + 1], image[v + 1, u], image[v + 1, u + 1]
    low, high = min(min(n, e), min(s, w)), max(max(n, e), max(s, w))
    if low == 0.0 or high - low > _JUMP_M:
        return np.float64(image[q, p])
    fu, fv = a - u, b - v
    return (n * (1.0 - fu) + e * fu) * (1.0 - fv) + (s * (1.0 - fu) + w * fu) * fv
