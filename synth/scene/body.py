"""Bodies: how the wearer's head is held, and arms that reach for where a hand is seen.

World frame: origin between the wearer's eyes when looking ahead, x right, y forward, z up
(gravity); the torso faces forward. `synth.scene.arm` solves the arms.
"""

import math
from dataclasses import dataclass
from typing import Final

import numba
import numpy as np

from frames.camera import Camera
from frames.stream import normal
from synth.config import BodyConfig
from synth.hand.angles import DOF, LIMITS, rotation
from synth.rigid import invert_rigid, multiply, rotate
from synth.scene.arm import NEAREST_M, PRONATION, reach
from synth.scene.elbow import SHOULDER, UPPER_ARM, bend_elbow

__all__ = ["SHOULDER", "UPPER_ARM", "PlacedArms", "half_field", "head_pose", "place_arms"]

NECK: Final = np.array([0.0, -0.10, -0.10])
"""The head nods and turns about here: the upper neck, behind and below the eyes (choice)."""
NOD: Final = 0.6
"""The neck's share of the pitch; the eyes' and the mounting's leave the camera in its place."""

LEVEL: Final = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Camera axes (right, down, forward) of a level head that looks along world y."""

PITCH_LIMITS: Final = (-30.0, 75.0)
"""Degrees up and down: neck and eyes' frame together (choice)."""

SWIVEL_LIMITS: Final = np.radians([-15.0, 105.0])


@dataclass(frozen=True)
class PlacedArms:
    """N placed arms."""

    T_world_from_wrist: np.ndarray
    """(N, 4, 4)"""
    wrist_angles: np.ndarray
    """(N, 2) rad, flexion and deviation of the hand against the forearm."""
    elbow: np.ndarray
    """(N, 3) world, metres."""
    shoulder: np.ndarray
    """(N, 3) world, metres."""
    fits: np.ndarray
    """(N,) bool: the arm reaches there within its limits, clear of its own body and the camera."""


def head_pose(config: BodyConfig, u: np.ndarray, look_at: np.ndarray | None = None) -> np.ndarray:
    """(B, 14) uniforms -> (B, 4, 4) T_world_from_camera of a camera between the eyes.

    look_at (B, 3): a point of interest each, in the world, NaN for none: the camera turns to it,
    missing it by `gaze_error_deg`. With fewer than 14 uniforms the head does not sway.
    """
    n = normal(u[:, :6])
    pitch = np.radians(config.pitch_deg[0] + config.pitch_deg[1] * n[:, 0])
    roll = np.radians(config.roll_sd_deg) * n[:, 1]
    yaw = np.radians(config.yaw_sd_deg) * np.clip(n[:, 2], -2.5, 2.5)
    if look_at is not None:
        error = np.radians(config.gaze_error_deg)
        across = np.hypot(look_at[:, 0], look_at[:, 1])
        down = np.arctan2(-look_at[:, 2], across) + error * n[:, 0]
        aside = np.arctan2(-look_at[:, 0], look_at[:, 1]) + error * n[:, 2]
        looks = np.isfinite(look_at[:, 0])
        pitch, yaw = np.where(looks, down, pitch), np.where(looks, aside, yaw)
    low, high = np.radians(PITCH_LIMITS)
    pitch = np.clip(pitch, low, high)
    turn = multiply(rotation("z", yaw), rotation("x", -pitch))
    out = np.tile(np.eye(4), (len(u), 1, 1))
    out[:, :3, :3] = multiply(turn, LEVEL, rotation("z", roll))
    nod = multiply(rotation("z", yaw), rotation("x", -NOD * pitch))
    shift = NECK - rotate(nod, NECK)
    if u.shape[1] >= 14:
        shift = shift + np.array(config.sway_m) * np.clip(normal(u[:, 8:14]), -2.5, 2.5)
    out[:, :3, 3] = shift
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


def place_arms(
    config: BodyConfig,
    field: np.ndarray,
    T_world_from_camera: np.ndarray,
    left: np.ndarray,
    hand_length: np.ndarray,
    forearm: np.ndarray,
    n: np.ndarray,
    u: np.ndarray,
    T_world_from_body: np.ndarray | None = None,
) -> PlacedArms:
    """Put N hands into view and let the arms follow.

    The middle of the hand is where a direction in view and a distance say; the hand points as it
    does at the end of a natural arm with that elbow's swivel, pronation and wrist; then the arm
    is solved for that hand.

    field (2,) from `half_field`, T_world_from_camera (N, 4, 4), left (N,) bool, hand_length (N,)
    m, forearm (N, 3) or (N,) as for `synth.scene.arm.reach`, n (N, 7) standard normals, u (N,)
    uniforms. T_world_from_body (N, 4, 4) of other people; their hands keep other distances.
    """
    other = T_world_from_body is not None
    target = _target(config, field, T_world_from_camera, left, n, u, other)
    if T_world_from_body is not None:
        target = _carry(invert_rigid(T_world_from_body), target)
    swivel = _draw(config.swivel_deg, SWIVEL_LIMITS, n[:, 3])
    wrist = LIMITS[[DOF["wrist_flexion"], DOF["wrist_deviation"]]]
    pose = aim_hands(
        target,
        np.asarray(left, np.bool_),
        np.asarray(hand_length, np.float64),
        _length(forearm) if forearm.ndim == 2 else forearm,
        swivel,
        _draw(config.pronation_deg, np.array(PRONATION), n[:, 4]),
        _draw(config.wrist_flexion_deg, wrist[0], n[:, 5]),
        _draw(config.wrist_deviation_deg, wrist[1], n[:, 6]),
    )
    arms = reach(pose, left, hand_length, forearm, swivel)
    elbow, shoulder = arms.elbow, arms.shoulder
    if T_world_from_body is not None:
        pose = multiply(T_world_from_body, pose)
        elbow, shoulder = _carry(T_world_from_body, elbow), _carry(T_world_from_body, shoulder)
    eye = T_world_from_camera[:, :3, 3]
    start = pose[:, :3, 3] - eye
    axis = pose[:, :3, 2] * hand_length[:, None]
    near, far = config.other_distance_m if other else config.distance_m
    distance = _length(start - axis / 2)
    clear = np.minimum(_distance(start, elbow - eye), _distance(start, start - axis))
    clear = np.minimum(clear, _distance(elbow - eye, shoulder - eye))
    fits = arms.fits & (clear > NEAREST_M) & (distance > near) & (distance < far)
    return PlacedArms(pose, arms.wrist_angles, elbow, shoulder, fits)


def _draw(mean_sd_deg: tuple[float, float], limits: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Normal draws, folded back at the limits so that none pile up there, rad."""
    low, high = limits[0], limits[1]
    value = np.radians(mean_sd_deg[0] + mean_sd_deg[1] * n)
    phase = np.mod((value - low) / (high - low), 2.0)
    return np.asarray(low + (high - low) * np.where(phase > 1.0, 2.0 - phase, phase))


def _target(
    config: BodyConfig,
    field: np.ndarray,
    T_world_from_camera: np.ndarray,
    left: np.ndarray,
    n: np.ndarray,
    u: np.ndarray,
    other: bool,
) -> np.ndarray:
    """(N, 3) where the middle of each hand is, in the world."""
    aside, down = (0.0, 0.0) if other else (config.bias[0], config.bias[1])
    bias = np.where(left, -aside, aside)
    share = np.stack([bias + config.spread * n[:, 0], down + config.spread * n[:, 1]], axis=-1)
    angle = np.clip(share, -1.15, 1.15) * field
    ray = np.stack([np.tan(angle[:, 0]), np.tan(angle[:, 1]), np.ones(len(u))], axis=-1)
    ray /= _length(ray)[:, None]
    near, far = config.other_distance_m if other else config.distance_m
    distance = config.distance_mean_m + config.distance_sd_m * n[:, 2]
    # Draws beyond the limits become uniform between them, rather than pile up at the ends.
    spare = near + u * (far - near)
    distance = np.where(other | (distance < near) | (distance > far), spare, distance)
    return _carry(T_world_from_camera, distance[:, None] * ray)


@numba.njit(cache=True, nogil=True)
def aim_hands(  # type: ignore[no-untyped-def]
    target, left, hand_length, forearm, swivel, pronation, flexion, deviation
):
    """Hands as natural arms hold them, their middles at `target` (N, 3), in the body's frame.

    left (N,) bool, hand_length and forearm (N,) m, the others (N,) rad -> (N, 4, 4). The arm of
    the pose returned differs a little: it is solved for a wrist that the hand's turn moves.
    """
    out = np.zeros((target.shape[0], 4, 4))
    wrist = np.empty(3)
    y = np.empty(3)
    z = np.empty(3)
    hand = np.empty((3, 3))
    for k in range(target.shape[0]):
        side = -1.0 if left[k] else 1.0
        middle = (side * target[k, 0], target[k, 1], target[k, 2])
        for i in range(3):
            wrist[i] = middle[i]
        cp, sp = math.cos(pronation[k]), math.sin(pronation[k])
        cf, sf = math.cos(flexion[k]), math.sin(flexion[k])
        cd, sd = math.cos(deviation[k]), math.sin(deviation[k])
        for _ in range(3):
            _, elbow, hinge, _ = bend_elbow(wrist, hand_length[k], forearm[k], swivel[k])
            length = 0.0
            for i in range(3):
                z[i] = elbow[i] - wrist[i]
                length += z[i] * z[i]
            for i in range(3):
                z[i] /= math.sqrt(length)
                y[i] = hinge[i]
            x = (
                y[1] * z[2] - y[2] * z[1],
                y[2] * z[0] - y[0] * z[2],
                y[0] * z[1] - y[1] * z[0],
            )
            for i in range(3):
                # The forearm's frame turned by the pronation, then by Ry(-dev) Rx(-flex).
                fx, fy = x[i] * cp + y[i] * sp, y[i] * cp - x[i] * sp
                rx, rz = fx * cd + z[i] * sd, z[i] * cd - fx * sd
                hand[i, 0] = rx
                hand[i, 1] = fy * cf - rz * sf
                hand[i, 2] = rz * cf + fy * sf
                wrist[i] = middle[i] + 0.5 * hand_length[k] * hand[i, 2]
        for i in range(3):
            out[k, i, 3] = wrist[i] * (side if i == 0 else 1.0)
            for j in range(3):
                out[k, i, j] = hand[i, j] * (side if (i == 0) != (j == 0) else 1.0)
        out[k, 3, 3] = 1.0
    return out


def _carry(T: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N, 4, 4), (N, 3) -> (N, 3)"""
    return rotate(T[:, :3, :3], points) + T[:, :3, 3]


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N,) distance of the segments from the origin."""
    d = b - a
    t = np.clip(-(a * d).sum(1) / (d * d).sum(1), 0.0, 1.0)
    return _length(a + t[:, None] * d)


def _length(v: np.ndarray) -> np.ndarray:
    """(..., 3) -> (...,); several times quicker than numpy.linalg.norm on short axes."""
    return np.asarray(
        np.sqrt(v[..., 0] * v[..., 0] + v[..., 1] * v[..., 1] + v[..., 2] * v[..., 2])
    )
