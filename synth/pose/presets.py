"""A named pose: a table of angles, the key pose that it shows, and which fingertips touch.

Degrees, right hand. A finger is (MCP flexion, MCP abduction towards ulnar, PIP, DIP flexion); the
thumb is (CMC flexion, CMC abduction, CMC rotation, MCP flexion, IP flexion).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from synth.hand.angles import DOF, DOFS, clamp
from synth.hand.bones import FINGERS, TIP_BONES

Finger = tuple[float, float, float, float]
Thumb = tuple[float, float, float, float, float]
Site = tuple[int, float, float]
"""Where on the skin: bone, place along it (0 its joint, 1 its end), and side (0 palmar, 1 radial,
-1 ulnar)."""
Touch = tuple[Site, Site]

KEY_POSES: Final = ("none", "C", "L", "OK", "finger", "fist", "open", "pinch", "thumb")

TOUCHES: Final = 2
"""Touches at most in one pose."""


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
    touch: tuple[Touch, ...] = ()
    """Sites that are brought together on every person, two pairs at most."""


def pad(finger: int, along: float = 0.65, side: float = 0.0) -> Site:
    """The pad of a fingertip, finger 0 (thumb) to 4 (pinky); `along` 0.9 is its very end."""
    return (TIP_BONES[finger], along, side)


def meet(*fingers: int, thumb: float = 0.65, finger: float = 0.65) -> tuple[Touch, ...]:
    """The thumb's pad on the pads of up to two fingers (1 index to 4 pinky)."""
    return tuple((pad(0, thumb), pad(f, finger)) for f in fingers)


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


def preset_touch(preset: Preset) -> np.ndarray:
    """(TOUCHES, 2, 3) sites for `synth.pose.settling.settle`; -1 for none."""
    out = np.full((TOUCHES, 2, 3), -1.0)
    for k, pair in enumerate(preset.touch):
        out[k] = pair
    return out
