"""Named poses as tables of joint angles, and the key pose each of them shows.

Degrees, right hand. A finger is (MCP flexion, MCP abduction towards ulnar, PIP, DIP flexion); the
thumb is (CMC flexion, CMC abduction, CMC rotation, MCP flexion, IP flexion). Authored by hand
against the shaded mesh; pinches are solved until the tips touch on the mean hand.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from synth.hand.angles import DOF, DOFS, clamp
from synth.hand.bones import FINGERS

Finger = tuple[float, float, float, float]
Thumb = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Preset:
    """A pose with a name."""

    name: str
    key_pose: str
    """Its class for the key-pose task, or "none"."""
    thumb: Thumb
    index: Finger
    middle: Finger
    ring: Finger
    pinky: Finger
    palm_arch: float = 0.0


_CURL: Final = (
    (76.0, 4.0, 93.0, 44.0),
    (82.0, 2.5, 98.0, 54.0),
    (77.0, 3.0, 97.0, 54.0),
    (86.0, -3.0, 91.0, 48.0),
)

PRESETS: Final = (
    Preset(
        "flat", "open", (10, -16, 0, 2, 0), (0, -1, 2, 0), (0, 0, 2, 0), (0, 0, 2, 0), (1, -1, 3, 0)
    ),
    Preset(
        "spread",
        "open",
        (-16, 6, 0, 0, 0),
        (-4, -14, 3, 1),
        (-4, -1, 3, 1),
        (-4, 8, 3, 1),
        (-4, 16, 3, 1),
    ),
    Preset(
        "relaxed",
        "none",
        (2, 4, 0, 12, 12),
        (20, -3, 26, 12),
        (26, 0, 32, 16),
        (30, 1, 34, 18),
        (32, 2, 32, 16),
        3,
    ),
    Preset("fist", "fist", (17, 24, -6, 43, 50), *_CURL, 8),
    Preset("point", "finger", (16, 10, 6, 40, 40), (2, 0, 4, 2), *_CURL[1:], 6),
    Preset("thumbs-up", "thumb", (-22, -4, 0, 0, -8), *_CURL, 6),
    Preset("l-shape", "L", (-24, 0, 0, 0, -6), (2, -4, 4, 2), *_CURL[1:], 6),
    Preset("peace", "none", (27, 14, 2, 50, 42), (2, -12, 4, 2), (2, 8, 4, 2), *_CURL[2:], 6),
    Preset("horns", "none", (21, 14, 6, 34, 40), (2, -4, 4, 2), *_CURL[1:3], (2, 8, 4, 2), 2),
    Preset(
        "pinch",
        "pinch",
        (21, 17.3, 7.9, 17.8, 23.4),
        (51.4, 1.2, 49.7, 27.8),
        (40, 1, 40, 20),
        (34, 1, 34, 18),
        (30, 2, 30, 16),
        4,
    ),
    Preset(
        "ok",
        "OK",
        (21.3, 17.7, 8.3, 13.9, 24.3),
        (53.9, 1.5, 76.5, 29.3),
        (12, 2, 10, 6),
        (6, 5, 8, 4),
        (2, 8, 8, 4),
        2,
    ),
    Preset(
        "c-shape",
        "C",
        (4, 22, 4, 10, 20),
        (36, -1, 44, 24),
        (40, 0, 46, 26),
        (42, 0, 46, 26),
        (42, -1, 44, 24),
        4,
    ),
    Preset(
        "grip",
        "none",
        (8, 18, 6, 20, 28),
        (56, 0, 62, 34),
        (60, 0, 66, 36),
        (62, 0, 66, 36),
        (64, -2, 62, 34),
        8,
    ),
    Preset(
        "hook",
        "none",
        (-8, -4, 0, 4, 6),
        (10, 0, 84, 42),
        (12, 0, 86, 44),
        (12, 0, 86, 44),
        (12, 0, 82, 42),
    ),
    Preset(
        "tabletop",
        "none",
        (0, -6, 0, 6, 8),
        (64, 0, 4, 2),
        (68, 0, 4, 2),
        (68, 0, 4, 2),
        (66, 0, 5, 3),
    ),
    Preset(
        "three",
        "none",
        (26, 18, 0, 54, 50),
        (2, -10, 4, 2),
        (2, 0, 4, 2),
        (2, 8, 4, 2),
        _CURL[3],
        4,
    ),
    Preset(
        "four",
        "none",
        (24, 12, 6, 40, 46),
        (0, -8, 3, 2),
        (0, -1, 3, 2),
        (0, 6, 3, 2),
        (0, 12, 4, 2),
    ),
)

KEY_POSES: Final = ("none", *sorted({p.key_pose for p in PRESETS} - {"none"}))


def preset_angles(preset: Preset) -> np.ndarray:
    """(29,) rad, clamped to the limits; the wrist is straight."""
    angles = np.zeros(len(DOFS))
    angles[DOF["palm_arch"]] = preset.palm_arch
    thumb = ("cmc_flexion", "cmc_abduction", "cmc_rotation", "mcp_flexion", "ip_flexion")
    for name, value in zip(thumb, preset.thumb, strict=True):
        angles[DOF[f"thumb_{name}"]] = value
    for finger in FINGERS:
        names = ("mcp_flexion", "mcp_abduction", "pip_flexion", "dip_flexion")
        for name, value in zip(names, getattr(preset, finger), strict=True):
            angles[DOF[f"{finger}_{name}"]] = value
    return clamp(np.radians(angles)[None])[0]


@cache
def preset_table() -> np.ndarray:
    """(P, 29) rad, one row a preset."""
    return np.stack([preset_angles(p) for p in PRESETS])
