"""The 24 static letters of American Sign Language: the handshape only, not where the hand points.

J and Z are movements. G and Q, H and U, K and P share a shape up to small differences. Authored by
hand after common charts of the manual alphabet.
"""

from typing import Final

from synth.pose.gestures import TUCKED
from synth.pose.key_poses import CURL, RING
from synth.pose.presets import Preset, meet

ASL: Final = (
    Preset("asl-a", "fist", (14, -16, 6, 10, 10), *CURL, 4),
    Preset("asl-b", "none", (25, 2, 0, 46, 46), (0, 0, 2, 1), (0, 0, 2, 1), (0, 0, 2, 1),
           (1, -1, 3, 1), 4),
    Preset("asl-c", "C", (4, 22, 4, 8, 18), (32, 1, 46, 26), (36, 0, 47, 27), (38, -1, 47, 27),
           (40, -4, 45, 25), 5),
    Preset("asl-d", "none", (20, 20, 6, 24, 26), (2, 0, 4, 2), (62, 1, 56, 28), (64, 0, 60, 30),
           (66, -2, 60, 30), 8, touch=meet(2)),
    Preset("asl-e", "none", (22, 8, -2, 40, 56), (48, 2, 98, 60), (50, 1, 100, 62),
           (50, 0, 100, 62), (52, -3, 96, 56), 6),
    Preset("asl-f", "OK", (20, 17, 8, 16, 20), (58, 1, 68, 24), (4, -1, 5, 2), (2, 5, 5, 2),
           (0, 10, 5, 2), 2, touch=meet(1)),
    Preset("asl-g", "none", (14, 6, 6, 10, 0), (44, 1, 6, 3), *CURL[1:], 6),
    Preset("asl-h", "none", (20, 14, 2, 44, 40), (40, 1, 5, 2), (40, -1, 5, 2), *CURL[2:], 6),
    Preset("asl-i", "none", (20, 20, 0, 42, 46), *CURL[:2], RING, (2, 4, 4, 2), 3),
    Preset("asl-k", "none", (14, 10, 4, 18, 0), (2, -6, 4, 2), (40, 6, 8, 4), *CURL[2:], 6),
    Preset("asl-l", "L", (-24, 2, 0, 0, -8), (0, -3, 3, 2), *CURL[1:], 6),
    Preset("asl-m", "none", (26, 14, -4, 50, 46), (72, 2, 62, 30), (74, 1, 64, 30),
           (74, 0, 66, 32), (84, -2, 90, 46), 8),
    Preset("asl-n", "none", (24, 12, -2, 46, 40), (72, 2, 62, 30), (74, 1, 64, 30),
           (78, 3, 98, 54), (83, -2, 92, 48), 6),
    Preset("asl-o", "none", (16, 22, 8, 16, 26), (44, 3, 52, 32), (46, 0, 54, 34),
           (48, -2, 54, 34), (52, -5, 52, 30), 8, touch=meet(1, 2, thumb=0.8, finger=0.85)),
    Preset("asl-p", "none", (14, 14, 4, 16, 2), (14, -6, 8, 4), (56, 6, 12, 6), *CURL[2:], 6),
    Preset("asl-q", "none", (16, 12, 8, 12, 4), (52, 1, 12, 6), *CURL[1:], 6),
    Preset("asl-r", "none", (24, 18, 0, 50, 46), (14, 13, 8, 4), (-2, -12, 16, 8), *CURL[2:],
           6),
    Preset("asl-s", "fist", (18, 24, -4, 42, 46), *CURL, 8),
    Preset("asl-t", "fist", (20, 4, 2, 20, 6), (58, -2, 84, 44), (80, 4, 98, 56),
           (77, 3, 98, 56), (83, -2, 92, 48), 6),
    Preset("asl-u", "none", TUCKED, (0, 2, 3, 2), (0, -2, 3, 2), *CURL[2:], 6),
    Preset("asl-v", "none", (26, 16, 2, 50, 44), (0, -11, 3, 2), (0, 8, 3, 2), *CURL[2:], 6),
    Preset("asl-w", "none", (27, 24, -14, 50, 40), (0, -10, 4, 2), (0, 0, 4, 2), (2, 8, 5, 2),
           (66, 10, 72, 36), 12),
    Preset("asl-x", "none", (20, 12, 4, 40, 40), (14, 0, 74, 40), *CURL[1:], 6),
    Preset("asl-y", "none", (-24, 10, 0, -2, -10), *CURL[:2], RING, (2, 14, 4, 2), 3),
)  # fmt: skip
