"""What stands behind the hands: a room of planes, furniture, at times a table, or nothing.

Sizes are drawn first and then enlarged where a hand, an arm or an object would not fit, so that
nothing runs through a wall or the table's top.
"""

from dataclasses import dataclass

import numpy as np

from synth.config import RoomConfig
from synth.hand.angles import rotation
from synth.rigid import dot, rotate

FURNITURE = 3
"""At most so many boxes stand in a room."""

CLEARANCE_M = 0.01
HIGHEST_TABLE_M = -0.2
"""A table stays below the eyes."""


@dataclass(frozen=True)
class Rooms:
    """B surroundings in the world frame."""

    present: np.ndarray
    """(B,) bool: is there a room?"""
    planes: np.ndarray
    """(B, 6, 4) outward normal and distance from the origin of each wall, floor and ceiling."""
    box_present: np.ndarray
    """(B, 1 + FURNITURE) bool: the table, then furniture."""
    box_pose: np.ndarray
    """(B, 1 + FURNITURE, 4, 4) T_world_from_box of unit cubes, scale included."""


def build_rooms(config: RoomConfig, points: np.ndarray, radius: np.ndarray, u: np.ndarray) -> Rooms:
    """Rooms around what is in the foreground.

    points (B, P, 3) and radius (B, P): balls of the world that must stay free, NaN for none;
    u (B, 40) uniforms.
    """
    count = len(points)
    present = u[:, 0] >= config.empty_share
    yaw = rotation("z", np.radians(90) * (u[:, 1] - 0.5))
    near, far = config.wall_m
    ahead = near * (far / near) ** u[:, 2]
    extent = np.stack(
        [
            0.7 + 3.3 * u[:, 3],  # right
            0.7 + 3.3 * u[:, 4],  # left
            ahead,
            0.4 + 2.6 * u[:, 5],  # behind
            0.5 + 1.6 * u[:, 6],  # above
            np.where(u[:, 7] < 0.5, 1.05, 1.55) + 0.2 * u[:, 8],  # below: seated or standing
        ],
        axis=1,
    )
    axes = np.concatenate([np.eye(3), -np.eye(3)])[[0, 3, 1, 4, 2, 5]]
    normals = rotate(yaw[:, None], axes)
    farthest = dot(normals[:, :, None], points[:, None]) + radius[:, None]
    needed = np.nanmax(farthest, axis=2) + CLEARANCE_M
    extent = np.maximum(extent, needed)
    planes = np.concatenate([normals, extent[:, :, None]], axis=2)

    box_present = np.zeros((count, 1 + FURNITURE), bool)
    box_pose = np.tile(np.eye(4), (count, 1 + FURNITURE, 1, 1))
    box_present[:, 0], box_pose[:, 0] = _table(config, points, radius, u[:, 9:15])
    reach = np.nanmax(np.hypot(points[..., 0], points[..., 1]) + radius, axis=1)
    for k in range(FURNITURE):
        v = u[:, 15 + 8 * k : 23 + 8 * k]
        box_present[:, 1 + k] = present & (v[:, 0] < config.furniture_share)
        box_pose[:, 1 + k] = _furniture(reach, extent[:, 5], v)
    return Rooms(present, planes, box_present, box_pose)


def _table(
    config: RoomConfig, points: np.ndarray, radius: np.ndarray, u: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A table top in front of the wearer, just below everything that is over it."""
    front = 0.12 + 0.2 * u[:, 1]
    half_width = 0.45 + 0.5 * u[:, 2]
    depth = 0.5 + 0.4 * u[:, 3]
    over = (
        (points[..., 1] + radius > front[:, None] - 0.05)
        & (points[..., 1] - radius < (front + depth)[:, None] + 0.05)
        & (np.abs(points[..., 0]) - radius < half_width[:, None] + 0.05)
    )
    lowest = np.nanmin(np.where(over, points[..., 2] - radius, HIGHEST_TABLE_M), axis=1)
    top = np.minimum(lowest, HIGHEST_TABLE_M) - CLEARANCE_M - 0.18 * u[:, 4] ** 2
    thick = 0.02 + 0.03 * u[:, 5]
    pose = np.tile(np.eye(4), (len(u), 1, 1))
    pose[:, 0, 0], pose[:, 1, 1], pose[:, 2, 2] = 2 * half_width, depth, thick
    pose[:, 1, 3], pose[:, 2, 3] = front + depth / 2, top - thick / 2
    return u[:, 0] < config.table_share, pose


def _furniture(reach: np.ndarray, floor: np.ndarray, u: np.ndarray) -> np.ndarray:
    """A box on the floor, farther from the head than anything in the foreground reaches."""
    bearing = np.radians(150) * (u[:, 1] - 0.5)
    size = np.stack([0.3 + 1.2 * u[:, 2], 0.3 + 0.6 * u[:, 3], 0.4 + 1.6 * u[:, 4]], axis=1)
    distance = np.maximum(reach, 0.45) + np.hypot(size[:, 0], size[:, 1]) / 2 + 0.05 + 2.5 * u[:, 5]
    turn = rotation("z", np.radians(180) * u[:, 6] - bearing)
    pose = np.tile(np.eye(4), (len(u), 1, 1))
    pose[:, :3, :3] = turn * size[:, None, :]
    pose[:, 0, 3], pose[:, 1, 3] = distance * np.sin(bearing), distance * np.cos(bearing)
    pose[:, 2, 3] = size[:, 2] / 2 - floor
    return pose
