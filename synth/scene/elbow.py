"""Where an elbow is: two-bone inverse kinematics from shoulder to wrist, of a right arm.

Body frame: origin between the eyes of a person who looks ahead, x right, y forward, z up.
"""

import math
from typing import Final

import numba
import numpy as np

from frames.kernels import BORROWING

MEAN_HAND_M: Final = 0.187
"""Hand length of the person whom SHOULDER fits; other people's shoulders scale with their hands."""

SHOULDER: Final = np.array([0.175, -0.09, -0.235])
"""Centre of the right shoulder joint from between the eyes. ANSUR II, mean of men and women:
biacromial breadth 0.39 m and eyes 0.195 m above the acromion; the joint lies 2 cm further in and
4 cm lower (choice), and below the ear, 9 cm behind the eyes."""

UPPER_ARM: Final = 1.63
"""Length against hand length: acromion-radiale 0.31 m for 0.19 m (ANSUR II)."""

GIVE_M: Final = 0.08
"""So far does the shoulder follow a hand that reaches far: shoulder blade and trunk (choice)."""
_EASY: Final = 0.92
"""It starts to follow at this share of the straight arm's length."""

ELBOW_FLEXION: Final = np.radians(145.0)
"""At most so far does an elbow bend (Eaton, e-hand: normal ranges of motion)."""
STRAIGHTEST: Final = 0.995
"""Longest reach against the sum of both bones: nobody holds an elbow quite straight."""


@numba.njit(**BORROWING)
def bend_elbow(wrist, hand_length, fore, swivel):  # type: ignore[no-untyped-def]
    """Two-bone inverse kinematics of a right arm.

    wrist (3,), lengths in metres, swivel rad -> shoulder, elbow, the hinge's axis (out of the back
    of a hand held thumb up), each a tuple of three, and by how much the wrist is out of reach.
    """
    upper = UPPER_ARM * hand_length
    size = hand_length / MEAN_HAND_M
    sx, sy, sz = SHOULDER[0] * size, SHOULDER[1] * size, SHOULDER[2] * size
    ax, ay, az = wrist[0] - sx, wrist[1] - sy, wrist[2] - sz
    length = max(math.sqrt((ax * ax + ay * ay) + az * az), 1e-9)
    ax, ay, az = ax / length, ay / length, az / length
    longest = (upper + fore) * STRAIGHTEST
    shortest = math.sqrt((upper * upper + fore * fore) + 2 * upper * fore * math.cos(ELBOW_FLEXION))
    shift = min(max(length - _EASY * longest, 0.0), GIVE_M * size)
    sx, sy, sz = sx + shift * ax, sy + shift * ay, sz + shift * az
    length -= shift
    span = min(max(length, shortest), longest)
    # The elbow's circle about the line from shoulder to wrist, measured from the wrist.
    along = (fore * fore - upper * upper + span * span) / (2 * span)
    height = math.sqrt(max(fore * fore - along * along, 0.0))
    # From below, outward; of an arm that hangs straight down, from behind.
    flat = max(math.sqrt(ax * ax + ay * ay), 1e-9)
    dx, dy, dz = ax / flat * az, ay / flat * az, -flat
    ox, oy, oz = dy * az - dz * ay, dz * ax - dx * az, dx * ay - dy * ax
    c, s = math.cos(swivel), math.sin(swivel)
    bx, by, bz = c * dx + s * ox, c * dy + s * oy, c * dz + s * oz
    elbow = (
        wrist[0] - along * ax + height * bx,
        wrist[1] - along * ay + height * by,
        wrist[2] - along * az + height * bz,
    )
    hinge = (by * az - bz * ay, bz * ax - bx * az, bx * ay - by * ax)
    return (sx, sy, sz), elbow, hinge, abs(length - span)
