"""Anatomical joint angles: names, limits, and the rotations they make.

Angles are radians. Flexion is positive towards the palm; abduction of fingers and deviation of the
wrist are positive towards the ulnar (pinky) side, that of the thumb away from the palm's plane; the
zero is a flat hand with straight, nearly parallel fingers and the thumb at its mean functional
position.
"""

import math
from typing import Final

import numba
import numpy as np

from synth.hand.bones import BONES, FINGER_START, FINGERS, FOREARM_BONE, THUMB
from synth.rigid import multiply

FINGER_DOFS: Final = (
    "mcp_flexion",
    "mcp_abduction",
    "mcp_twist",
    "pip_flexion",
    "dip_flexion",
)
DOFS: Final = (
    "wrist_flexion",
    "wrist_deviation",
    "palm_arch",
    "thumb_cmc_flexion",
    "thumb_cmc_abduction",
    "thumb_cmc_rotation",
    "thumb_mcp_flexion",
    "thumb_mcp_abduction",
    "thumb_ip_flexion",
    *(f"{f}_{d}" for f in FINGERS for d in FINGER_DOFS),
)
DOF: Final = {name: i for i, name in enumerate(DOFS)}
FINGER_DOF_START: Final = 9

_LIMITS_DEG: Final = {
    # Wrist: Eaton, e-hand (Normal ranges of motion): extension 70, flexion 75, radial 20, ulnar 35.
    "wrist_flexion": (-70, 75),
    "wrist_deviation": (-20, 35),
    # Flexion of the pinky's carpometacarpal joint, half of it for the ring finger.
    "palm_arch": (0, 15),
    # Cooney et al. 1981: flexion 41-53, abduction 42-51, axial rotation 17-21 degrees in total,
    # spread about the mean functional position.
    "thumb_cmc_flexion": (-25, 27),
    "thumb_cmc_abduction": (-25, 25),
    "thumb_cmc_rotation": (-16, 14),
    "thumb_mcp_flexion": (-10, 55),
    "thumb_mcp_abduction": (-8, 8),
    "thumb_ip_flexion": (-15, 80),
    # Fingers: Eaton; side to side after the largest angles between fingers (Anat Cell Biol 2024).
    "index_mcp_flexion": (-25, 90),
    "middle_mcp_flexion": (-25, 90),
    "ring_mcp_flexion": (-25, 93),
    "pinky_mcp_flexion": (-25, 95),
    "index_mcp_abduction": (-20, 15),
    "middle_mcp_abduction": (-12, 12),
    "ring_mcp_abduction": (-14, 14),
    "pinky_mcp_abduction": (-22, 18),
    "mcp_twist": (-5, 5),
    "pip_flexion": (0, 105),
    "dip_flexion": (-5, 80),
}


def _limits() -> np.ndarray:
    rows = []
    for name in DOFS:
        key = name if name in _LIMITS_DEG else name.split("_", 1)[1]
        rows.append(_LIMITS_DEG[key])
    return np.radians(np.array(rows, dtype=np.float64))


LIMITS: Final = _limits()
"""(29, 2) smallest and largest angle of each degree of freedom, rad."""

ABDUCTION_LOSS: Final = 0.85
"""A finger flexed by 90 degrees keeps 15 % of its range towards radial (collateral ligaments)."""

FLEXED_ULNAR_DEG: Final = (10.0, 11.0, 14.0, 18.0)
"""What a finger flexed by 90 degrees keeps towards ulnar, index to pinky: its plane of flexion
stays inclined, so that flexed tips converge on the scaphoid. From recorded fists."""

THUMB_ZERO_DEG: Final = (-24.0, 33.0, 87.0)
"""Mean recorded frame of the thumb's metacarpal in the wrist frame, as Rx Ry Rz."""

FINGER_FAN_DEG: Final = (-4.0, 0.0, 3.0, 7.0)
"""Direction of each straight finger at zero abduction, towards ulnar, in the palm's plane."""

FINGER_TILT_DEG: Final = (6.0, 1.0, -3.0, -11.0)
"""Roll of each finger about itself from the transverse arch: flexed tips meet below the palm."""


def rotation(axis: str, angle: np.ndarray) -> np.ndarray:
    """(...,) rad -> (..., 3, 3) right-handed rotation about x, y or z."""
    angle = np.asarray(angle, dtype=np.float64)
    c, s = np.cos(angle), np.sin(angle)
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    out = np.zeros((*angle.shape, 3, 3))
    out[..., range(3), range(3)] = 1.0
    out[..., i, i] = out[..., j, j] = c
    out[..., i, j], out[..., j, i] = -s, s
    return out


def finger_zero() -> np.ndarray:
    """(4, 3, 3) frame of each straight finger in the palm's frame."""
    fan, tilt = np.radians(FINGER_FAN_DEG), np.radians(FINGER_TILT_DEG)
    return multiply(rotation("y", -fan), rotation("z", tilt))


def thumb_zero() -> np.ndarray:
    """(3, 3) frame of the thumb's metacarpal at zero angles in the palm's frame."""
    x, y, z = np.radians(THUMB_ZERO_DEG)
    return multiply(rotation("x", x), rotation("y", y), rotation("z", z))


def _turns() -> tuple[np.ndarray, np.ndarray]:
    """What turns each bone: (T, 3) int64 rows of bone, axis, angle and (T,) factors, in order.

    A bone's rotation is the product of its rows from left to right. The forearm's rows are those
    of the hand against the forearm, inverted, since the palm is the root.
    """
    x, y, z = 0, 1, 2
    rows: list[tuple[int, int, str, float]] = [
        (FOREARM_BONE, x, "wrist_flexion", 1.0),
        (FOREARM_BONE, y, "wrist_deviation", 1.0),
        (THUMB, y, "thumb_cmc_abduction", 1.0),
        (THUMB, x, "thumb_cmc_flexion", -1.0),
        (THUMB, z, "thumb_cmc_rotation", 1.0),
        (THUMB + 1, y, "thumb_mcp_abduction", -1.0),
        (THUMB + 1, x, "thumb_mcp_flexion", -1.0),
        (THUMB + 2, x, "thumb_ip_flexion", -1.0),
        (FINGER_START[2], x, "palm_arch", -0.5),
        (FINGER_START[3], x, "palm_arch", -1.0),
    ]
    for f, start in zip(FINGERS, FINGER_START, strict=True):
        rows += [
            (start + 1, y, f"{f}_mcp_abduction", -1.0),
            (start + 1, x, f"{f}_mcp_flexion", -1.0),
            (start + 1, z, f"{f}_mcp_twist", 1.0),
            (start + 2, x, f"{f}_pip_flexion", -1.0),
            (start + 3, x, f"{f}_dip_flexion", -1.0),
        ]
    table = np.array([(bone, axis, DOF[name]) for bone, axis, name, _ in rows], dtype=np.int64)
    return table, np.array([factor for *_, factor in rows])


TURNS, TURN_FACTORS = _turns()
"""What turns each bone, in order: (T, 3) rows of bone, axis, angle, and (T,) factors."""


def joint_rotations(angles: np.ndarray) -> np.ndarray:
    """(B, 29) rad -> (B, 21, 3, 3) rotation of each bone in its own zero frame.

    A bone's frame in its parent is `zero_frame @ rotation` (`synth.hand.rig`).
    """
    return _rotate(np.ascontiguousarray(angles, dtype=np.float64), TURNS, TURN_FACTORS, len(BONES))


@numba.njit(cache=True, nogil=True)
def _rotate(angles, turns, factors, bones):  # type: ignore[no-untyped-def]
    out = np.zeros((angles.shape[0], bones, 3, 3))
    for h in range(angles.shape[0]):
        for b in range(bones):
            for i in range(3):
                out[h, b, i, i] = 1.0
        for t in range(turns.shape[0]):
            m = out[h, turns[t, 0]]
            angle = factors[t] * angles[h, turns[t, 2]]
            c, s = math.cos(angle), math.sin(angle)
            # A turn about axis k mixes the two other columns.
            i = (turns[t, 1] + 1) % 3
            j = (turns[t, 1] + 2) % 3
            for r in range(3):
                first, second = m[r, i], m[r, j]
                m[r, i] = c * first + s * second
                m[r, j] = c * second - s * first
    return out


def clamp(angles: np.ndarray) -> np.ndarray:
    """Clip (B, 29) angles into their limits; abduction shrinks as the finger flexes."""
    out = np.clip(angles, LIMITS[:, 0], LIMITS[:, 1])
    for i in range(4):
        flexion = FINGER_DOF_START + 5 * i
        bent = np.clip(out[:, flexion] / (np.pi / 2), 0.0, 1.0)
        low, high = LIMITS[flexion + 1]
        low = (1.0 - ABDUCTION_LOSS * bent) * low
        high = high + bent * (np.radians(FLEXED_ULNAR_DEG[i]) - high)
        out[:, flexion + 1] = np.clip(out[:, flexion + 1], low, high)
    return out
