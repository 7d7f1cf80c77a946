"""The wearer: how the head is held, and where hands are seen.

World frame: origin between the eyes of a level head, x right, y forward, z up (gravity); the torso
faces forward. Body frame of anybody: the same about their own head; the wearer's is the world's.
"""

from typing import Final

import numpy as np

from frames.camera import Camera
from frames.stream import normal
from synth.config import BodyConfig
from synth.hand.angles import DOF, LIMITS, rotation
from synth.rigid import dot, multiply, rotate
from synth.scene.arm import SHOULDER, reach

MIRROR_X: Final = np.diag([-1.0, 1.0, 1.0])

LEVEL: Final = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Camera axes (right, down, forward) of a level head that looks along the body's y."""

SWIVEL_DEG: Final = (30.0, 24.0)
"""Mean and standard deviation of the elbow's turn outward, from hanging straight down (choice)."""
OTHER_SWIVELS_DEG: Final = (5.0, 40.0, 75.0, 105.0)
"""Turns that an arm takes where the drawn one does not reach."""

HEAD_DRAWS: Final = 12
WRIST_DRAWS: Final = 20


def head_pose(config: BodyConfig, u: np.ndarray, works: np.ndarray) -> np.ndarray:
    """Draw (B, 4, 4) T_world_from_camera of a camera between the eyes.

    u (B, HEAD_DRAWS) uniforms, works (B,) bool: looks down at hands that work on something.
    """
    n = normal(u)
    mean, sd = np.where(works[:, None], config.work_pitch_deg, config.pitch_deg).T
    pitch = np.radians(np.clip(mean + sd * n[:, 0], -30, 75))
    roll = np.radians(config.roll_sd_deg) * n[:, 1]
    yaw = np.radians(config.yaw_sd_deg) * np.clip(n[:, 2], -2.5, 2.5)
    out = np.tile(np.eye(4), (len(u), 1, 1))
    out[:, :3, :3] = multiply(rotation("z", yaw), rotation("x", -pitch), LEVEL, rotation("z", roll))
    out[:, :3, 3] = config.sway_sd_m * np.clip(n[:, 3:6], -2.5, 2.5)
    return out


def facing_body(config: BodyConfig, u: np.ndarray) -> np.ndarray:
    """(B, 4, 4) T_world_from_body of somebody opposite or beside the wearer; u (B, 4)."""
    near, far = config.other_distance_m
    bearing = np.radians(70.0) * (2 * u[:, 0] - 1)
    distance = near + (far - near) * u[:, 1]
    # They face the wearer, more or less.
    turn = np.pi - bearing + np.radians(30.0) * (2 * u[:, 2] - 1)
    out = np.tile(np.eye(4), (len(u), 1, 1))
    out[:, :3, :3] = rotation("z", turn)
    out[:, 0, 3] = distance * np.sin(bearing)
    out[:, 1, 3] = distance * np.cos(bearing)
    out[:, 2, 3] = 0.3 * u[:, 3] - 0.15
    return out


def half_field(camera: Camera) -> np.ndarray:
    """(2,) half the horizontal and vertical field of view, rad, at most 75 degrees."""
    edges = np.array(
        [
            [0.0, camera.cy],
            [camera.width - 1.0, camera.cy],
            [camera.cx, 0.0],
            [camera.cx, camera.height - 1.0],
        ]
    )
    rays = camera.unproject(edges)
    angles = np.abs(np.arctan([rays[0, 0], rays[1, 0], rays[2, 1], rays[3, 1]]))
    limit = np.radians(75.0) if camera.max_theta_rad is None else camera.max_theta_rad
    angles = np.where(np.isnan(angles), limit, np.minimum(angles, limit))
    return np.array([angles[:2].mean(), angles[2:].mean()])


def draw_wrists(
    config: BodyConfig,
    field: np.ndarray,
    T_body_from_camera: np.ndarray,
    left: np.ndarray,
    hand_length: np.ndarray,
    elbows: np.ndarray,
    u: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Put N hands into view and turn them as a forearm would.

    field (2,) from `half_field`, T_body_from_camera (N, 4, 4), left (N,) bool, hand_length (N,) m,
    elbows (N, 3) from `straight_elbows`, u (N, WRIST_DRAWS). Returns T_body_from_wrist (N, 4, 4)
    and swivels (N, 5) rad for `synth.scene.arm.reach_best`, the drawn one first.
    """
    n = normal(u)
    target = _draw_target(config, field, T_body_from_camera, left, n, u[:, -1])
    mirror = np.where(left[:, None], [-1.0, 1.0, 1.0], 1.0)
    target = target * mirror
    toward = target - SHOULDER
    swivel = np.radians(SWIVEL_DEG[0] + SWIVEL_DEG[1] * n[:, 3])
    pose = np.tile(np.eye(4), (len(left), 1, 1))
    pose[:, :3, 3] = target - 0.5 * hand_length[:, None] * _unit(toward)
    right = np.zeros(len(left), bool)
    # Where an elbow is does not depend on how the hand is turned.
    elbow = reach(pose, right, hand_length, elbows, swivel).elbow

    # Forearm frame: -Z to the hand, dorsal side outward with the thumb up, then pronation.
    z = -_unit(pose[:, :3, 3] - elbow)
    y = _unit(np.array([1.0, 0.0, 0.0]) - z[:, :1] * z)
    frame = np.stack([np.cross(y, z), y, z], axis=-1)
    pronation = np.radians(np.clip(40 + 52 * n[:, 4], -85, 120))
    low, high = LIMITS[DOF["wrist_flexion"]], LIMITS[DOF["wrist_deviation"]]
    flexion = np.clip(np.radians(-12 + 25 * n[:, 5]), low[0], low[1])
    deviation = np.clip(np.radians(4 + 10 * n[:, 6]), high[0], high[1])
    hand = multiply(
        frame, rotation("z", pronation), rotation("y", -deviation), rotation("x", -flexion)
    )
    pose[:, :3, :3] = np.where(left[:, None, None], multiply(MIRROR_X, hand, MIRROR_X), hand)
    pose[:, :3, 3] *= mirror
    others = np.broadcast_to(np.radians(OTHER_SWIVELS_DEG), (len(left), len(OTHER_SWIVELS_DEG)))
    return pose, np.concatenate([swivel[:, None], others], axis=1)


def _draw_target(
    config: BodyConfig,
    field: np.ndarray,
    T_body_from_camera: np.ndarray,
    left: np.ndarray,
    n: np.ndarray,
    u: np.ndarray,
) -> np.ndarray:
    """(N, 3) where the middle of each hand is, in the body's frame."""
    aside, below = config.offset
    share = np.stack(
        [
            np.where(left, -aside, aside) + config.spread * n[:, 0],
            below + config.spread * n[:, 1],
        ],
        axis=-1,
    )
    angle = np.clip(share, -1.15, 1.15) * field
    ray = _unit(np.stack([np.tan(angle[:, 0]), np.tan(angle[:, 1]), np.ones(len(u))], axis=-1))
    near, far = config.distance_m
    distance = config.distance_mean_m + config.distance_sd_m * n[:, 2]
    # Draws beyond the limits become uniform between them, rather than pile up at the ends.
    distance = np.where((distance < near) | (distance > far), near + u * (far - near), distance)
    point = rotate(T_body_from_camera[:, :3, :3], distance[:, None] * ray)
    return point + T_body_from_camera[:, :3, 3]


def _unit(v: np.ndarray) -> np.ndarray:
    return np.asarray(v / np.sqrt(dot(v, v))[..., None])
