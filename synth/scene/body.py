"""The wearer: head pose, shoulders, and arms that reach for where a hand is seen.

World frame: origin between the eyes, x right, y forward, z up (gravity); the torso faces forward.
All arms are computed as right arms; a left arm is the mirror image (x -> -x) of a right one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.camera import Camera
from frames.stream import normal
from synth.config import BodyConfig
from synth.hand.angles import DOF, LIMITS, rotation
from synth.rigid import multiply, rotate

SHOULDER: Final = np.array([0.185, -0.05, -0.26])
"""Right shoulder from between the eyes: biacromial breadth 0.37-0.42 m, eye to acromion height
about 0.26 m, the head carried a little before the shoulders (ANSUR II)."""

UPPER_ARM: Final = 1.63
"""Length against hand length: acromion-radiale 0.31 m for 0.19 m."""

ELBOW_FLEXION: Final = np.radians(145.0)
"""At most so far does an elbow bend (Eaton, e-hand: normal ranges of motion)."""

NEAREST_M: Final = 0.15
"""The middle lines of hand and forearm stay this far from the camera; bent fingers and an
outstretched thumb may come to half of it."""

MIRROR_X: Final = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Arms:
    """N placed arms."""

    T_world_from_wrist: np.ndarray
    """(N, 4, 4)"""
    wrist_angles: np.ndarray
    """(N, 2) rad, flexion and deviation of the hand against the forearm."""
    fits: np.ndarray
    """(N,) bool: the arm reaches there and keeps clear of the head."""


def head_pose(config, u, works=None):
    """(B, 8) uniforms -> (B, 4, 4) T_world_from_camera of a camera between the eyes."""
    n = normal(u[:, :6])
    pitch = np.radians((0 if works is None else 18*works)+np.clip(config.pitch_deg[1] * n[:, 0], -25, 65))
    roll = np.radians(config.roll_sd_deg) * n[:, 1]
    yaw = np.radians(config.yaw_sd_deg) * np.clip(n[:, 2], -2.5, 2.5)
    # Camera axes (right, down, forward) of a level head looking along world y.
    level = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    out = np.tile(np.eye(4), (len(u), 1, 1))
    out[:, :3, :3] = multiply(rotation("z", yaw), rotation("x", -pitch), level, rotation("z", roll))
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
) -> Arms:
    """Put N hands into view and let the arms follow.

    field (2,) from `half_field`, T_world_from_camera (N, 4, 4), left (N,) bool, hand_length and
    forearm (wrist to elbow) (N,) m, n (N, 7) standard normals, u (N,) uniforms.
    """
    target = _target(config, field, T_world_from_camera, left, n, u)
    mirror = np.where(left[:, None], [-1.0, 1.0, 1.0], 1.0)
    target = target * mirror
    toward = target - SHOULDER
    wrist = target - 0.5 * hand_length[:, None] * _unit(toward)
    upper = UPPER_ARM * hand_length
    elbow, reaches = _bend_elbow(wrist, upper, forearm, np.radians(28 + 22 * n[:, 3]))

    # Forearm frame: -Z to the hand, dorsal side outward with the thumb up, then pronation.
    z = -_unit(wrist - elbow)
    outward = np.array([1.0, 0.0, 0.0]) - z[:, :1] * z
    y = _unit(outward)
    frame = np.stack([np.cross(y, z), y, z], axis=-1)
    pronation = np.radians(np.clip(35 + 55 * n[:, 4], -80, 120))
    low, high = LIMITS[DOF["wrist_flexion"]], LIMITS[DOF["wrist_deviation"]]
    flexion = np.clip(np.radians(-10 + 20 * n[:, 5]), low[0], low[1])
    deviation = np.clip(np.radians(4 + 9 * n[:, 6]), high[0], high[1])
    hand = multiply(
        frame, rotation("z", pronation), rotation("y", -deviation), rotation("x", -flexion)
    )
    pose = np.tile(np.eye(4), (len(left), 1, 1))
    pose[:, :3, :3] = np.where(left[:, None, None], multiply(MIRROR_X, hand, MIRROR_X), hand)
    pose[:, :3, 3] = wrist * mirror
    axis = -hand[:, :, 2] * hand_length[:, None]
    distance = _length(wrist + axis / 2)
    inside = (distance > config.distance_m[0]) & (distance < config.distance_m[1])
    clear = np.minimum(_distance_to_origin(wrist, elbow), _distance_to_origin(wrist, wrist + axis))
    return Arms(pose, np.column_stack([flexion, deviation]), reaches & (clear > NEAREST_M) & inside)


def _target(
    config: BodyConfig,
    field: np.ndarray,
    T_world_from_camera: np.ndarray,
    left: np.ndarray,
    n: np.ndarray,
    u: np.ndarray,
) -> np.ndarray:
    """(N, 3) where the middle of each hand is, in the world."""
    bias = np.where(left, -0.22, 0.22)
    share = np.stack([bias + config.spread * n[:, 0], 0.15 + config.spread * n[:, 1]], axis=-1)
    angle = np.clip(share, -1.15, 1.15) * field
    ray = _unit(np.stack([np.tan(angle[:, 0]), np.tan(angle[:, 1]), np.ones(len(u))], axis=-1))
    near, far = config.distance_m
    distance = config.distance_mean_m + config.distance_sd_m * n[:, 2]
    # Draws beyond the limits become uniform between them, rather than pile up at the ends.
    distance = np.where((distance < near) | (distance > far), near + u * (far - near), distance)
    point = distance[:, None] * ray
    return rotate(T_world_from_camera[:, :3, :3], point)


def _bend_elbow(
    wrist: np.ndarray, upper: np.ndarray, fore: np.ndarray, swivel: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Two-bone inverse kinematics: (N, 3) elbows and whether the arm reaches the wrist.

    upper, fore (N,) m lengths of the arm; swivel (N,) rad turns the elbow outward about the line
    from shoulder to wrist, from below.
    """
    line = wrist - SHOULDER
    length = _length(line)
    folded = np.sqrt(upper**2 + fore**2 + 2 * upper * fore * np.cos(ELBOW_FLEXION))
    reach = np.clip(length, folded, (upper + fore) * 0.995)
    along = (upper**2 - fore**2 + reach**2) / (2 * reach)
    height = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    axis = line / length[:, None]
    down = _unit(np.array([0.0, 0.0, -1.0]) - axis * -axis[:, 2:])
    out = np.cross(axis, down)
    out = np.where(out[:, :1] < 0, -out, out)
    bend = np.cos(swivel)[:, None] * down + np.sin(swivel)[:, None] * out
    elbow = SHOULDER + along[:, None] * axis + height[:, None] * bend
    return elbow, np.abs(length - reach) < 1e-9


def _distance_to_origin(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N,) distance of the segments from the origin (the camera)."""
    d = b - a
    t = np.clip(-(a * d).sum(1) / (d * d).sum(1), 0.0, 1.0)
    return _length(a + t[:, None] * d)


def _length(v: np.ndarray) -> np.ndarray:
    """(..., 3) -> (...,); several times quicker than numpy.linalg.norm on short axes."""
    return np.asarray(
        np.sqrt(v[..., 0] * v[..., 0] + v[..., 1] * v[..., 1] + v[..., 2] * v[..., 2])
    )


def _unit(v: np.ndarray) -> np.ndarray:
    return v / _length(v)[..., None]


def facing_body(config, u):
    out=np.tile(np.eye(4),(len(u),1,1))
    out[:,:3,:3]=rotation("z",np.pi+(u[:,0]-.5)*1.2)
    out[:,1,3]=0.7+0.5*u[:,1]; out[:,0,3]=(u[:,2]-.5)*.8; out[:,2,3]=(u[:,3]-.5)*.2
    return out

def draw_wrists(config, field, T_body_from_camera, left, hand_length, u):
    n=normal(u[:,:14])
    bias = np.where(left, -0.22, 0.22)
    share = np.stack([bias + config.spread * n[:, 0], 0.15 + config.spread * n[:, 1]], axis=-1)
    angle = np.clip(share, -1.15, 1.15) * field
    ray = _unit(np.stack([np.tan(angle[:, 0]), np.tan(angle[:, 1]), np.ones(len(u))], axis=-1))
    near, far = config.distance_m
    distance = config.distance_mean_m + config.distance_sd_m * n[:, 2]
    distance = np.where((distance < near) | (distance > far), near + u[:,14] * (far - near), distance)
    target=rotate(T_body_from_camera[:, :3, :3], distance[:, None] * ray)+T_body_from_camera[:,:3,3]
    mirror = np.where(left[:, None], [-1.0, 1.0, 1.0], 1.0)
    target = target * mirror
    toward = target - SHOULDER
    wrist = target - 0.5 * hand_length[:, None] * _unit(toward)
    sw=np.radians(28 + 22 * n[:, 3])
    elbow, reaches = _bend_elbow(wrist, UPPER_ARM*hand_length, 1.35*hand_length, sw)
    z = -_unit(wrist - elbow)
    outward = np.array([1.0, 0.0, 0.0]) - z[:, :1] * z
    y = _unit(outward)
    frame = np.stack([np.cross(y, z), y, z], axis=-1)
    pronation = np.radians(np.clip(35 + 55 * n[:, 4], -80, 120))
    hand = multiply(frame, rotation("z", pronation), rotation("y", -np.radians(4+9*n[:,6])), rotation("x", -np.radians(-10+20*n[:,5])))
    pose = np.tile(np.eye(4), (len(left), 1, 1))
    pose[:, :3, :3] = np.where(left[:, None, None], multiply(MIRROR_X, hand, MIRROR_X), hand)
    pose[:, :3, 3] = wrist * mirror
    return pose, np.stack([sw,np.full_like(sw,.2),np.full_like(sw,.6),np.full_like(sw,1.0)],1)
