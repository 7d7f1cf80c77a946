"""The eight key poses, each as people vary it: thumb in or out, fingers together or apart.

Authored by hand against the shaded mesh; curls after recorded fists (knuckles 55-80, PIP 90-105,
DIP 47-69 degrees in `synth.pose.recorded`).
"""

from typing import Final

from synth.hand.bones import FINGER_START
from synth.pose.presets import Preset, meet, pad

CURL: Final = (
    (63, 9, 100, 57),
    (69, 9, 101, 60),
    (70, 11, 99, 61),
    (72, 12, 92, 51),
)
"""Fingers of a closed fist, index to pinky."""
RING: Final = (58, 9, 101, 61)
"""The ring finger beside a straight pinky: its knuckle cannot follow the others."""
LOOSE: Final = (
    (46, 6, 84, 45),
    (50, 6, 88, 49),
    (52, 8, 88, 49),
    (50, 9, 84, 44),
)
"""Fingers of a hand that is closed without force."""

KEY: Final = (
    # Open: fingers straight, together or apart.
    Preset("flat", "open", (10, -16, 0, 2, 0), (0, -1, 2, 0), (0, 0, 2, 0), (0, 0, 2, 0),
           (1, -1, 3, 0)),
    Preset("flat-thumb-out", "open", (-18, -4, 0, 2, -6), (0, 1, 3, 1), (0, 0, 3, 1),
           (0, -1, 3, 1), (0, -5, 4, 1)),
    Preset("flat-soft", "open", (0, -10, 0, 22, -4), (8, 0, 10, 5), (10, 0, 11, 6),
           (10, 0, 12, 6), (4, 0, 12, 6), 6),
    Preset("spread", "open", (-16, 6, 0, 0, 0), (-4, -14, 3, 1), (-4, -1, 3, 1), (-4, 8, 3, 1),
           (-4, 16, 3, 1)),
    Preset("spread-wide", "open", (-24, 12, -4, -6, -12), (-14, -19, 2, -3), (-12, -3, 2, -3),
           (-12, 11, 2, -3), (-14, 21, 3, -3)),
    Preset("spread-soft", "open", (-6, 6, 0, 18, -2), (8, -9, 14, 8), (8, -1, 15, 9),
           (7, 6, 15, 9), (2, 11, 15, 8), 6),
    # Fist.
    Preset("fist", "fist", (17, 24, -6, 43, 50), *CURL, 8),
    Preset("fist-loose", "fist", (12, 18, 0, 32, 36), *LOOSE, 6),
    Preset("fist-thumb-side", "fist", (14, -8, 6, 18, 22), *CURL, 6),
    Preset("fist-thumb-in", "fist", (22, 8, -8, 36, 62), (66, 2, 84, 44), (70, 2, 88, 46),
           (70, 2, 90, 50), (74, -2, 88, 48), 10),
    # Finger: the index points.
    Preset("point", "finger", (16, 12, 4, 38, 34), (-2, 4, 4, 2), *CURL[1:], 6),
    Preset("point-soft", "finger", (8, 8, 4, 22, 24), (8, 0, 14, 6), *LOOSE[1:], 4),
    Preset("point-thumb-side", "finger", (13, -22, 6, 12, 10), (-6, 10, 8, 0), *CURL[1:], 6),
    Preset("point-down", "finger", (14, 12, 4, 34, 34), (34, 0, 6, 3), *CURL[1:], 6),
    Preset("point-thumb-in", "finger", (22, 12, 0, 40, 58), (2, -2, 6, 3), (70, 2, 90, 48),
           (70, 2, 92, 50), (74, -2, 90, 48), 8),
    # Thumb: up, the rest a fist.
    Preset("thumbs-up", "thumb", (-22, -4, 0, 0, -8), *CURL, 6),
    Preset("thumbs-up-loose", "thumb", (-16, 2, 0, 6, 0), *LOOSE, 4),
    Preset("hitchhiker", "thumb", (-25, 6, -8, -6, -15), *CURL, 6),
    # L: thumb and index at a right angle.
    Preset("l-shape", "L", (-24, 0, 0, 0, -6), (2, -4, 4, 2), *CURL[1:], 6),
    Preset("l-soft", "L", (-18, 4, 0, 6, 2), (8, -4, 12, 6), *LOOSE[1:], 4),
    Preset("l-forward", "L", (-14, 18, 0, 2, -4), (4, -4, 5, 2), *CURL[1:], 6),
    # C: thumb opposite four curved fingers.
    Preset("c-shape", "C", (4, 22, 4, 10, 20), (36, -1, 44, 24), (40, 0, 46, 26),
           (42, 0, 46, 26), (42, -1, 44, 24), 4),
    Preset("c-wide", "C", (-6, 22, 0, 6, 10), (24, -2, 34, 18), (28, 0, 36, 20),
           (30, 0, 36, 20), (30, 0, 34, 18), 4),
    Preset("c-narrow", "C", (8, 22, 6, 14, 26), (44, -1, 52, 30), (46, 0, 55, 32),
           (48, 0, 55, 32), (50, -2, 52, 28), 6),
    # Pinch: the tips of thumb and index meet, the others are half closed.
    Preset("pinch", "pinch", (21, 17, 8, 18, 23), (51, 1, 50, 28), (40, 1, 40, 20),
           (34, 1, 34, 18), (30, 2, 30, 16), 4, touch=meet(1)),
    Preset("pinch-tips", "pinch", (18, 18, 8, 16, 38), (48, 1, 56, 40), (42, 1, 44, 24),
           (38, 1, 40, 20), (34, 2, 36, 18), 4, touch=meet(1, thumb=0.85, finger=0.88)),
    Preset("pinch-flat", "pinch", (20, 16, 8, 24, 2), (60, 1, 34, 6), (50, 1, 40, 18),
           (46, 1, 42, 20), (42, 1, 40, 20), 4, touch=meet(1, thumb=0.6, finger=0.62)),
    Preset("pinch-closed", "pinch", (20, 18, 8, 20, 24), (52, 1, 54, 28), (66, 1, 80, 42),
           (68, 1, 84, 46), (68, 0, 80, 42), 6, touch=meet(1)),
    # OK: thumb and index make a ring, the others are open.
    Preset("ok", "OK", (21, 18, 8, 14, 24), (54, 1, 76, 29), (12, 2, 10, 6), (6, 5, 8, 4),
           (2, 8, 8, 4), 2, touch=meet(1)),
    Preset("ok-round", "OK", (16, 20, 8, 12, 42), (48, 1, 68, 44), (16, 0, 14, 8),
           (8, 4, 10, 6), (2, 8, 8, 4), 2, touch=meet(1, thumb=0.85, finger=0.88)),
    Preset("ok-flat", "OK", (20, 17, 8, 14, 22), (56, 1, 74, 28), (4, 0, 4, 2), (2, 0, 4, 2),
           (2, 0, 4, 2), 2, touch=meet(1)),
    Preset("ok-spread", "OK", (18, 18, 8, 14, 28), (54, 1, 72, 30), (2, -4, 4, 2),
           (-4, 6, 4, 2), (-8, 16, 4, 2), touch=meet(1)),
)  # fmt: skip

THUMB_ON_INDEX_SIDE: Final = ((pad(0, 0.6), (FINGER_START[0] + 2, 0.6, 1.0)),)
"""Lateral pinch: the thumb's pad on the radial side of the index finger's middle phalanx."""
