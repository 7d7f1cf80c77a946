"""How each hand of a pair is held before they meet, and how its digits then close on the other.

Degrees, right hand. A finger is (MCP flexion, MCP abduction towards ulnar, PIP, DIP flexion); the
thumb is (CMC flexion, CMC abduction, CMC rotation, MCP flexion, IP flexion).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from synth.hand.angles import DOF, DOFS, clamp
from synth.hand.bones import FINGERS

Finger = tuple[float, float, float, float]
Thumb = tuple[float, float, float, float, float]

DIGITS: Final = 5
"""Thumb, index, middle, ring, pinky."""


@dataclass(frozen=True)
class Hold:
    """A hand before contact."""

    thumb: Thumb
    index: Finger
    middle: Finger
    ring: Finger
    pinky: Finger
    palm_arch: float = 0.0


@dataclass(frozen=True)
class Closing:
    """How far digits move at most from their hold until they meet the other hand."""

    thumb: Thumb = (0, 0, 0, 0, 0)
    finger: Finger = (0, 0, 0, 0)
    digits: str = "timrp"
    """Initials of the digits that move."""


_CURL: Final[tuple[Finger, Finger, Finger, Finger]] = (
    (68, 3, 86, 37),
    (75, 1, 95, 46),
    (63, 14, 78, 40),
    (79, -5, 84, 34),
)
"""Of a fist that fits stout hands too."""

FLAT: Final = Hold((8, -14, 0, 4, 2), (0, -1, 3, 2), (0, 0, 4, 2), (0, 0, 4, 2), (1, -1, 4, 2))
OPEN: Final = Hold((-10, 2, 0, 4, 4), (6, -3, 8, 4), (8, 0, 10, 5), (9, 1, 10, 5), (10, 3, 10, 5))
SPREAD: Final = Hold(
    (-16, 6, 0, 0, 0), (-2, -18, 4, 2), (-2, -5, 4, 2), (-2, 8, 4, 2), (-2, 18, 4, 2)
)
RELAXED: Final = Hold(
    (2, 4, 0, 12, 12), (16, -3, 22, 12), (20, 0, 26, 14), (24, 1, 28, 16), (26, 2, 28, 16), 3
)
CUPPED: Final = Hold(
    (-12, 14, 0, 6, 8), (22, -2, 26, 12), (24, 0, 28, 14), (26, 0, 28, 14), (28, 1, 28, 14), 6
)
HOLLOW: Final = Hold(
    (-4, 22, 4, 10, 18), (30, -6, 36, 20), (32, 0, 38, 22), (34, 4, 38, 22), (34, 8, 36, 20), 5
)
ROOF: Final = Hold(
    (-8, 12, 4, 10, 12), (22, -10, 20, 10), (24, -2, 20, 10), (24, 5, 20, 10), (22, 12, 20, 10), 2
)
FIST: Final = Hold((-2, 22, 0, 33, 46), *_CURL, 8)
POINT: Final = Hold((9, 18, 3, 41, 42), (2, 0, 6, 4), _CURL[1], _CURL[2], _CURL[3], 6)
ANGLE: Final = Hold((-24, 0, 0, 0, -6), (2, -4, 4, 2), _CURL[1], _CURL[2], _CURL[3], 6)
TWEEZERS: Final = Hold(
    (4, 17, 8, 10, 14), (36, 1, 34, 18), (44, 1, 48, 26), (46, 1, 50, 28), (46, 2, 48, 26), 4
)
TYPING: Final = Hold(
    (2, 16, 4, 16, 22), (34, -2, 44, 22), (40, 0, 50, 26), (44, 1, 52, 28), (46, 2, 52, 26), 5
)
WRAP: Final = Hold(
    (-16, 16, 2, 2, 4), (24, -2, 14, 8), (26, 0, 16, 8), (28, 1, 16, 8), (30, 2, 16, 8), 4
)

STILL: Final = Closing()
PRESS: Final = Closing((14, 0, 0, 10, 6), (40, 0, 6, 4))
"""Straight fingers lean on the other hand."""
FLEX: Final = Closing((22, -4, 0, 32, 34), (52, 0, 62, 36))
"""Fingers and thumb wrap about the other hand."""
CURL: Final = Closing((16, 0, 0, 30, 30), (22, 0, 84, 46))
"""Fingers that lie between the other's come down on its back."""
PICK: Final = Closing((18, 0, 0, 22, 20), (30, 0, 34, 20), "ti")
INDEX_PRESS: Final = Closing((0, 0, 0, 0, 0), (30, 0, 10, 6), "i")
ANGLE_PRESS: Final = Closing((24, -10, 0, 20, 10), (34, 0, 10, 6), "ti")


def hold_angles(hold: Hold) -> np.ndarray:
    """(29,) rad, clamped to the limits; the wrist is straight."""
    return clamp(_angles(hold)[None])[0]


def closing_angles(closing: Closing) -> np.ndarray:
    """(29,) rad that a fully closed hand adds to its hold."""
    finger = closing.finger
    whole = _angles(Hold(closing.thumb, finger, finger, finger, finger))
    for k, initial in enumerate("timrp"):
        if initial not in closing.digits:
            whole[digit_angles(k)] = 0.0
    return whole


def digit_angles(digit: int) -> slice:
    """The angles that move a digit, 0 the thumb."""
    if digit == 0:
        return slice(DOF["thumb_cmc_flexion"], DOF["thumb_ip_flexion"] + 1)
    start = DOF[f"{FINGERS[digit - 1]}_mcp_flexion"]
    return slice(start, start + 5)


def _angles(hold: Hold) -> np.ndarray:
    angles = np.zeros(len(DOFS))
    angles[DOF["palm_arch"]] = hold.palm_arch
    thumb = ("cmc_flexion", "cmc_abduction", "cmc_rotation", "mcp_flexion", "ip_flexion")
    for name, value in zip(thumb, hold.thumb, strict=True):
        angles[DOF[f"thumb_{name}"]] = value
    for finger in FINGERS:
        names = ("mcp_flexion", "mcp_abduction", "pip_flexion", "dip_flexion")
        for name, value in zip(names, getattr(hold, finger), strict=True):
            angles[DOF[f"{finger}_{name}"]] = value
    return np.radians(angles)
