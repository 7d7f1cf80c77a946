"""Anatomical joint angles: names, limits, and the rotations they make.

Angles are radians. Flexion is positive towards the palm; abduction of fingers and deviation of the
wrist are positive towards the ulnar (pinky) side, that of the thumb away from the palm's plane; the
zero is a flat hand with straight, nearly parallel fingers and the thumb at its mean functional
position.
"""

from typing import Final

import numpy as np

from synth.hand.bones import BONES, FINGER_START, FINGERS, FOREARM_BONE, THUMB

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
"""A finger flexed by 90 degrees keeps 15 % of its side-to-side range (collateral ligaments)."""

THUMB_ZERO_DEG: Final = (-24.0, 33.0, 87.0)
"""Mean recorded frame of the thumb's metacarpal in the wrist frame, as Rx Ry Rz."""

FINGER_FAN_DEG: Final = (-4.0, 0.0, 3.0, 7.0)
"""Direction of each straight finger at zero abduction, towards ulnar, in the palm's plane."""

FINGER_TILT_DEG: Final = (6.0, 0.0, -6.0, -14.0)
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
    return rotation("y", -fan) @ rotation("z", tilt)


def thumb_zero() -> np.ndarray:
    """(3, 3) frame of the thumb's metacarpal at zero angles in the palm's frame."""
    x, y, z = np.radians(THUMB_ZERO_DEG)
    return rotation("x", x) @ rotation("y", y) @ rotation("z", z)


def joint_rotations(angles: np.ndarray) -> np.ndarray:
    """(B, 29) rad -> (B, 21, 3, 3) rotation of each bone in its own zero frame.

    A bone's frame in its parent is `zero_frame @ rotation` (`synth.hand.rig`), except for the
    forearm: there the angles are those of the hand against the forearm, hence the transpose.
    """
    angles = np.asarray(angles, dtype=np.float64)
    out = np.zeros((len(angles), len(BONES), 3, 3))
    out[:, :, range(3), range(3)] = 1.0
    a = {name: angles[:, i] for name, i in DOF.items()}
    hand = rotation("y", -a["wrist_deviation"]) @ rotation("x", -a["wrist_flexion"])
    out[:, FOREARM_BONE] = hand.transpose(0, 2, 1)
    out[:, THUMB] = (
        rotation("y", a["thumb_cmc_abduction"])
        @ rotation("x", -a["thumb_cmc_flexion"])
        @ rotation("z", a["thumb_cmc_rotation"])
    )
    out[:, THUMB + 1] = rotation("y", -a["thumb_mcp_abduction"]) @ rotation(
        "x", -a["thumb_mcp_flexion"]
    )
    out[:, THUMB + 2] = rotation("x", -a["thumb_ip_flexion"])
    for f, start in zip(FINGERS, FINGER_START, strict=True):
        share = {"ring": 0.5, "pinky": 1.0}.get(f, 0.0)
        out[:, start] = rotation("x", -share * a["palm_arch"])
        out[:, start + 1] = (
            rotation("y", -a[f"{f}_mcp_abduction"])
            @ rotation("x", -a[f"{f}_mcp_flexion"])
            @ rotation("z", a[f"{f}_mcp_twist"])
        )
        out[:, start + 2] = rotation("x", -a[f"{f}_pip_flexion"])
        out[:, start + 3] = rotation("x", -a[f"{f}_dip_flexion"])
    return out


def clamp(angles: np.ndarray) -> np.ndarray:
    """Clip (B, 29) angles into their limits; abduction shrinks as the finger flexes."""
    out = np.clip(angles, LIMITS[:, 0], LIMITS[:, 1])
    for i in range(4):
        flexion = FINGER_DOF_START + 5 * i
        bent = np.clip(out[:, flexion] / (np.pi / 2), 0.0, 1.0)
        room = (1.0 - ABDUCTION_LOSS * bent)[:, None] * LIMITS[flexion + 1]
        out[:, flexion + 1] = np.clip(out[:, flexion + 1], room[:, 0], room[:, 1])
    return out
