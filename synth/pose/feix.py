"""The 33 grasps of the GRASP taxonomy as tables of joint angles: closed prototypes and preshapes.

Names, types, opposition, thumb and virtual fingers: Feix, Romero, Schmiedmayer, Dollar and Kragic,
"The GRASP Taxonomy of Human Grasp Types", IEEE Transactions on Human-Machine Systems 2016, table of
33 grasps. The angles are our own, authored by hand against the shaded mesh. Same format as
`synth.pose.presets`: degrees, right hand; a finger is (MCP flexion, MCP abduction towards ulnar,
PIP, DIP flexion); the thumb is (CMC flexion, CMC abduction, CMC rotation, MCP flexion, IP flexion).
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import numpy as np

from synth.pose.presets import Finger, Preset, Thumb, preset_angles


@dataclass(frozen=True)
class Grasp:
    """One way to hold something."""

    number: int
    """1..33 as in the taxonomy."""
    name: str
    type: Literal["power", "intermediate", "precision"]
    opposition: Literal["palm", "pad", "side"]
    thumb_adducted: bool
    """The thumb lies beside the fingers instead of facing them."""
    virtual_fingers: tuple[str, ...]
    """What opposes what: digits 1 (thumb) to 5 (pinky), P the palm; "2-5 against the palm" is
    ("P", "2345")."""
    thumb: Thumb
    """The closed prototype, about an object of middling size, as are the fingers."""
    index: Finger
    middle: Finger
    ring: Finger
    pinky: Finger
    open_thumb: Thumb
    """The thumb before it closes."""
    palm_arch: float = 0.0
    moving: str = "12345"
    """Digits that close on the object; the others keep their prototype."""


_WIDE: Final = (-16.0, 14.0, 2.0, 0.0, 0.0)
"""Thumb far out and in front of the palm: before large things."""
_FACING: Final = (4.0, 20.0, 6.0, 2.0, 4.0)
"""Thumb in front of the palm: before pinches."""
_BESIDE: Final = (-14.0, -8.0, -2.0, 0.0, 0.0)
"""Thumb beside the index, in the palm's plane."""

_P, _I, _R = "power", "intermediate", "precision"


def _grasp(
    number: int,
    name: str,
    kind: str,
    opposition: str,
    thumb_adducted: bool,
    virtual_fingers: tuple[str, ...],
    digits: tuple[Thumb, Finger, Finger, Finger, Finger],
    open_thumb: Thumb,
    palm_arch: float = 0.0,
    moving: str = "12345",
) -> Grasp:
    return Grasp(
        number,
        name,
        kind,  # type: ignore[arg-type]
        opposition,  # type: ignore[arg-type]
        thumb_adducted,
        virtual_fingers,
        *digits,
        open_thumb,
        palm_arch,
        moving,
    )


GRASPS: Final[tuple[Grasp, ...]] = (
    _grasp(1, "large diameter", _P, "palm", False, ("P", "2345"),
           ((-4, 22, 4, 10, 22), (34, -6, 44, 26), (36, -1, 46, 28), (38, 3, 46, 28),
            (40, 8, 42, 24)), _WIDE, 6),
    _grasp(2, "small diameter", _P, "palm", False, ("P", "2345"),
           ((18, 20, 2, 35, 40), (70, 2, 88, 48), (74, 0, 90, 50), (76, 0, 90, 50),
            (78, -2, 86, 46)), _WIDE, 8),
    _grasp(3, "medium wrap", _P, "palm", False, ("P", "2345"),
           ((8, 22, 4, 25, 30), (56, 0, 66, 38), (60, 0, 68, 40), (62, 0, 68, 40),
            (64, -2, 64, 36)), _WIDE, 8),
    _grasp(4, "adducted thumb", _P, "palm", True, ("P", "2345", "1"),
           ((6, -6, -4, 6, 4), (64, 2, 80, 44), (68, 0, 82, 46), (72, 0, 82, 46),
            (76, -2, 78, 42)), _BESIDE, 8),
    _grasp(5, "light tool", _P, "palm", True, ("P", "2345", "1"),
           ((14, 4, 0, 22, 25), (48, 2, 92, 52), (54, 0, 94, 54), (60, 0, 94, 54),
            (66, -2, 90, 50)), _BESIDE, 6),
    _grasp(6, "prismatic 4 finger", _R, "pad", False, ("1", "2345"),
           ((27, 25, -1, 28, 2), (69, 4, 29, 14), (82, 5, 38, 18), (80, 0, 33, 15),
            (72, -6, 29, 12)), _FACING, 8),
    _grasp(7, "prismatic 3 finger", _R, "pad", False, ("1", "234"),
           ((27, 25, -1, 27, 2), (69, 4, 31, 14), (84, 5, 40, 18), (82, -1, 36, 13),
            (34, 2, 30, 14)), _FACING, 6, "1234"),
    _grasp(8, "prismatic 2 finger", _R, "pad", False, ("1", "23"),
           ((27, 25, 0, 24, 2), (68, 3, 33, 12), (88, 5, 47, 18), (34, 2, 34, 16),
            (28, 4, 30, 14)), _FACING, 4, "123"),
    _grasp(9, "palmar pinch", _R, "pad", False, ("1", "2"),
           ((27, 19, 8, 13, 0), (73, 4, 42, 12), (40, 2, 38, 18), (36, 0, 36, 18),
            (32, 2, 32, 16)),
           _FACING, 4, "12"),
    _grasp(10, "power disk", _P, "palm", False, ("P", "2345"),
           ((-8, 20, 4, 20, 30), (24, -14, 52, 32), (26, -3, 54, 34), (28, 6, 54, 34),
            (30, 14, 50, 30)), _WIDE, 4),
    _grasp(11, "power sphere", _P, "palm", False, ("P", "2345"),
           ((-6, 22, 4, 18, 26), (30, -12, 50, 32), (34, -3, 52, 34), (36, 6, 52, 34),
            (38, 13, 48, 30)), _WIDE, 6),
    _grasp(12, "precision disk", _R, "pad", False, ("1", "2345"),
           ((4, 22, 6, 10, 24), (30, -12, 46, 26), (34, -3, 48, 28), (36, 6, 48, 28),
            (38, 14, 44, 24)), _WIDE, 6),
    _grasp(13, "precision sphere", _R, "pad", False, ("1", "2345"),
           ((10, 22, 7, 10, 16), (44, -8, 38, 20), (48, -2, 40, 22), (50, 4, 40, 22),
            (50, 10, 38, 20)), _WIDE, 8),
    _grasp(14, "tripod", _R, "pad", False, ("1", "23"),
           ((27, 25, 9, 21, 7), (59, -2, 45, 15), (79, 4, 57, 24), (44, 2, 42, 20),
            (36, 4, 38, 18)), _FACING, 6, "123"),
    _grasp(15, "fixed hook", _P, "palm", True, ("P", "2345"),
           ((0, -14, -2, 4, 6), (14, 0, 84, 46), (16, 0, 86, 48), (16, 0, 86, 48),
            (18, 0, 82, 44)), (0, -14, -2, 4, 6), 0, "2345"),
    _grasp(16, "lateral", _I, "side", True, ("1", "2"),
           ((23, 2, 2, 13, 5), (80, 1, 73, 34), (48, 0, 70, 40), (54, 0, 72, 42),
            (58, -2, 70, 40)), (-8, 6, -4, 0, 0), 4, "1"),
    _grasp(17, "index finger extension", _P, "palm", True, ("P", "345", "2"),
           ((14, 6, 0, 20, 18), (28, 0, 12, 6), (58, 0, 76, 44), (64, 0, 80, 46),
            (70, -2, 78, 42)), _BESIDE, 8),
    _grasp(18, "extension type", _P, "pad", False, ("1", "2345"),
           ((27, 25, -4, 29, 0), (73, 3, 21, 11), (89, 6, 29, 12), (84, 0, 22, 9),
            (78, -4, 19, 10)),
           (-2, 20, 4, 0, 0), 4),
    _grasp(19, "distal type", _P, "pad", False, ("1", "2345"),
           ((27, 9, 11, 42, 18), (53, -1, 65, 36), (61, 0, 66, 38), (69, 0, 65, 37),
            (70, -2, 61, 34)), _FACING, 6),
    _grasp(20, "writing tripod", _R, "side", False, ("1", "23"),
           ((27, 14, 11, 13, 6), (60, 2, 46, 14), (81, -1, 60, 28), (62, 0, 66, 36),
            (64, -2, 66, 36)), (6, 14, 4, 4, 6), 6, "123"),
    _grasp(21, "tripod variation", _I, "side", False, ("1", "234"),
           ((27, 21, 6, 30, 10), (63, -2, 43, 12), (81, 2, 61, 26), (78, -1, 63, 33),
            (62, -2, 64, 34)), (6, 16, 4, 4, 6), 6, "123"),
    _grasp(22, "parallel extension", _R, "pad", True, ("1", "2345"),
           ((27, 19, 8, 36, -3), (76, 4, 9, 2), (85, 3, 10, 2), (83, -1, 9, 2),
            (80, -5, 8, 4)),
           (6, 10, 2, 0, 0), 6),
    _grasp(23, "adduction grip", _I, "side", False, ("2", "3"),
           ((2, 2, 0, 10, 12), (15, -6, 6, 5), (16, -10, 28, 8), (22, 2, 22, 10),
            (26, 4, 24, 12)), (2, 2, 0, 10, 12), 0, "23"),
    _grasp(24, "tip pinch", _R, "pad", False, ("1", "2"),
           ((22, 9, 14, 12, 20), (62, 12, 62, 38), (40, 2, 40, 20), (36, 0, 36, 18),
            (32, 2, 32, 16)),
           (4, 20, 6, 12, 26), 4, "12"),
    _grasp(25, "lateral tripod", _I, "side", True, ("1", "3"),
           ((27, 8, 7, 17, 7), (50, -1, 50, 27), (82, 0, 68, 34), (66, 0, 76, 42),
            (70, -2, 74, 40)), (2, 12, 0, 2, 4), 6, "123"),
    _grasp(26, "sphere 4 finger", _P, "pad", False, ("1", "234"),
           ((8, 22, 7, 14, 18), (42, -8, 44, 24), (46, -1, 46, 26), (48, 6, 46, 26),
            (30, 10, 30, 14)), _WIDE, 6, "1234"),
    _grasp(27, "quadpod", _R, "pad", False, ("1", "234"),
           ((27, 25, 3, 28, 6), (56, -2, 42, 17), (71, 3, 52, 23), (74, 3, 53, 20),
            (38, 4, 36, 16)), _FACING, 8, "1234"),
    _grasp(28, "sphere 3 finger", _P, "pad", False, ("1", "23"),
           ((6, 22, 6, 16, 22), (40, -8, 46, 26), (44, 2, 48, 28), (66, 2, 74, 40),
            (68, 0, 72, 38)), _WIDE, 6, "123"),
    _grasp(29, "stick", _I, "side", True, ("1", "2"),
           ((14, -2, -2, 10, 8), (52, 2, 66, 36), (60, 0, 78, 44), (66, 0, 82, 46),
            (70, -2, 80, 42)), (-8, 4, -4, 0, 0), 6),
    _grasp(30, "palmar", _P, "palm", True, ("P", "2345"),
           ((6, 2, 0, 24, 34), (14, 0, 20, 14), (14, 0, 22, 16), (16, 0, 22, 16),
            (18, 0, 22, 14)), _BESIDE, 2),
    _grasp(31, "ring", _P, "pad", False, ("1", "2"),
           ((0, 22, 4, 22, 30), (32, -4, 54, 32), (52, 0, 66, 36), (58, 0, 70, 38),
            (60, -2, 68, 36)), _WIDE, 4, "12"),
    _grasp(32, "ventral", _I, "side", True, ("1", "2"),
           ((12, 0, -2, 12, 16), (40, 2, 72, 40), (50, 0, 84, 48), (58, 0, 88, 50),
            (64, -2, 86, 46)), (-8, 2, -4, 0, 0), 6),
    _grasp(33, "inferior pincer", _R, "pad", False, ("1", "2"),
           ((27, 22, 9, 15, -11), (77, 5, 38, 1), (48, 0, 44, 22), (44, 0, 42, 20),
            (40, 2, 38, 18)), _FACING, 4, "12"),
)  # fmt: skip
"""The taxonomy in its own order: number n is GRASPS[n - 1]."""

OPEN_FLEXION: Final = (0.34, 0.30, 0.30)
"""Share of a moving finger's MCP, PIP and DIP flexion that its preshape has."""
OPEN_MCP_DEG: Final = -4.0
"""Added to the MCP of a moving finger in its preshape."""


def _preset(grasp: Grasp) -> Preset:
    index, middle, ring, pinky = grasp.index, grasp.middle, grasp.ring, grasp.pinky
    return Preset(grasp.name, "none", grasp.thumb, index, middle, ring, pinky, grasp.palm_arch)


def _preshape(grasp: Grasp, moving: str) -> Preset:
    mcp, pip, dip = OPEN_FLEXION
    fingers = []
    for number, finger in zip(
        "2345", (grasp.index, grasp.middle, grasp.ring, grasp.pinky), strict=True
    ):
        a, side, b, c = finger
        if number in moving:
            a, b, c = mcp * a + OPEN_MCP_DEG, pip * b, dip * c
        if grasp.name == "adduction grip" and number in "23" and number in moving:
            a, side, b, c = finger[0], {"2": -18.0, "3": 6.0}[number], finger[2], finger[3]
        fingers.append((a, side, b, c))
    thumb = grasp.open_thumb if "1" in moving else grasp.thumb
    index, middle, ring, pinky = fingers
    return Preset(grasp.name, "none", thumb, index, middle, ring, pinky, grasp.palm_arch)


@cache
def grasp_table() -> np.ndarray:
    """(33, 29) rad: every grasp closed about an object of middling size."""
    return np.stack([preset_angles(_preset(g)) for g in GRASPS])


@cache
def preshape_table() -> np.ndarray:
    """(33, 29) rad: every grasp open, before the hand closes."""
    return np.stack([preset_angles(_preshape(g, g.moving)) for g in GRASPS])


@cache
def opened_table() -> np.ndarray:
    """(33, 29) rad: preshapes in which the digits that keep still are open, too."""
    return np.stack([preset_angles(_preshape(g, "12345")) for g in GRASPS])
