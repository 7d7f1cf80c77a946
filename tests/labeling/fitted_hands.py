"""Hands of the model itself, drawn by the rasteriser: evidence whose truth is known."""

from dataclasses import dataclass

import numpy as np

from frames.camera import CAMERAS, Camera
from labeling.refinement.evidence import Evidence, state_sigma
from synth.hand.builtin import builtin_rig
from synth.hand.kinematics import pose_hands
from synth.pose.library import NUMBER_OF, preset_table
from synth.raster.canvas import Canvas

POSES = ("flat-soft", "relaxed", "fist", "point", "cupped", "spread-soft")


@dataclass(frozen=True, eq=False)
class Known:
    """One hand and its truth."""

    evidence: Evidence
    keypoints_m: np.ndarray
    """(21, 3)"""
    codes: np.ndarray
    """(H, W) part codes."""


def look_down(rng: np.random.Generator, z_m: float) -> np.ndarray:
    """(4, 4) a hand's back before the camera, its fingers up, somewhat turned."""
    # -Z, the fingers, to the image's upper edge; +Y, the back, to the camera.
    base = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    angles = rng.normal(0, 0.3, 3)
    out = np.eye(4)
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        step = np.eye(3)
        step[i, i] = step[j, j] = np.cos(angle)
        step[i, j], step[j, i] = -np.sin(angle), np.sin(angle)
        turn = turn @ step
    out[:3, :3] = turn @ base
    out[:3, 3] = (*rng.normal(0, 0.02, 2), z_m)
    return out


def draw_known(
    count: int,
    seed: int = 0,
    camera: Camera = CAMERAS["ego"],
    sd_px: float = 0.0,
    z_m: float = 0.4,
    wall_m: float = 0.9,
) -> list[Known]:
    """Hands of several people before a wall; labels of joints with noise, none of the depth."""
    rng = np.random.default_rng(seed)
    rig = builtin_rig(seed + 5, count)
    angles = np.array([preset_table()[NUMBER_OF[POSES[i % len(POSES)]]] for i in range(count)])
    left = np.arange(count) % 2 == 1
    roots = np.array([look_down(rng, z_m) for _ in range(count)])
    vertices, keypoints = pose_hands(rig, np.arange(count), angles, roots, left)
    out = []
    for i in range(count):
        canvas = Canvas(camera, 1)
        canvas.begin()
        canvas.draw_depth(np.full((camera.height, camera.width), wall_m, np.float32))
        faces = rig.faces[:, ::-1] if left[i] else rig.faces
        canvas.draw(0, vertices[i], np.ascontiguousarray(faces), rig.face_parts)
        depth = np.zeros((camera.height, camera.width), np.uint16)
        codes = np.zeros(depth.shape, np.uint8)
        canvas.composite(depth, codes)
        depth_m = depth.astype(np.float32) / np.float32(10_000)
        px = camera.project(keypoints[i]) + rng.normal(0, sd_px, (21, 2)) * (sd_px > 0)
        inside = camera.contains(px)
        px = np.where(inside[:, None], px, np.nan)
        at = np.where(inside[:, None], np.floor(np.nan_to_num(px) + 0.5), 0).astype(int)
        hit = depth_m[at[:, 1], at[:, 0]]
        visible = inside & (hit > keypoints[i, :, 2] - 0.02)
        out.append(
            Known(
                Evidence(camera, depth_m, bool(left[i]), px, visible, state_sigma(visible)),
                keypoints[i].astype(np.float64),
                codes,
            )
        )
    return out
