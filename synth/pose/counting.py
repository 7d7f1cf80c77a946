"""Numbers from one to ten on one hand, in the styles that most people use.

Index first (English, and American Sign Language up to five), thumb first (most of Europe), and the
one-handed six to ten of American Sign Language and of China.
"""

from typing import Final

from synth.pose.key_poses import CURL, LOOSE, RING
from synth.pose.presets import Preset, meet, pad

NUMBER: Final = (
    Preset("one", "finger", (18, 12, 4, 42, 42), (0, 1, 3, 2), *CURL[1:], 6),
    Preset("two", "none", (26, 14, 2, 50, 42), (0, -10, 3, 2), (0, 7, 3, 2), *CURL[2:], 6),
    Preset("three", "none", (26, 18, 0, 54, 50), (2, -10, 4, 2), (2, 0, 4, 2), (2, 8, 4, 2),
           CURL[3], 4),
    Preset("four", "none", (24, 12, 6, 40, 46), (0, -8, 3, 2), (0, -1, 3, 2), (0, 6, 3, 2),
           (0, 12, 4, 2)),
    Preset("five", "open", (-20, 8, 0, 0, -4), (-2, -11, 3, 1), (-2, -1, 3, 1), (-2, 7, 3, 1),
           (-2, 13, 3, 1)),
    Preset("one-thumb", "thumb", (-24, 0, 0, -2, -10), *CURL, 4),
    Preset("two-thumb", "L", (-24, 3, 0, 0, -8), (0, -6, 4, 2), *CURL[1:], 4),
    Preset("three-thumb", "none", (-24, 3, 0, 0, -8), (0, -8, 4, 2), (0, 5, 4, 2), *CURL[2:],
           4),
    Preset("four-thumb", "none", (-22, 4, 0, 0, -6), (0, -8, 4, 2), (0, -1, 4, 2), (6, 6, 6, 3),
           (70, 0, 80, 42), 4),
    Preset("three-pinky", "OK", (24, 18, 4, 26, 22), (58, 1, 68, 28), (4, -2, 5, 2),
           (2, 5, 5, 2), (0, 11, 5, 2), touch=meet(1)),
    Preset("six-asl", "none", (27, 24, -16, 52, 26), (2, -8, 4, 2), (2, 0, 4, 2), (6, 5, 6, 3),
           (69, 12, 58, 27), 15),
    Preset("seven-asl", "none", (25, 23, 2, 32, 30), (2, -8, 4, 2), (4, -1, 5, 2),
           (66, 1, 58, 28), (18, 9, 22, 10), 10, touch=meet(3)),
    Preset("eight-asl", "none", (23, 21, 4, 22, 22), (0, -6, 4, 2), (62, 1, 54, 26),
           (14, 4, 16, 8), (2, 11, 6, 3), 6, touch=meet(2)),
    Preset("nine-asl", "OK", (20, 18, 8, 14, 24), (56, 1, 74, 28), (4, -2, 5, 2), (0, 5, 5, 2),
           (-2, 11, 5, 2), 2, touch=meet(1)),
    Preset("ten-asl", "thumb", (-20, -6, 2, 2, -6), *CURL, 6),
    Preset("six-chinese", "none", (-24, 6, 0, -2, -10), *CURL[:2], RING, (2, 14, 4, 2), 3),
    Preset("seven-chinese", "none", (18, 22, 8, 22, 10), (62, 4, 26, 10), (62, -3, 26, 10),
           (76, 2, 94, 50), (80, -1, 88, 46), 6, touch=((pad(0, 0.75), pad(1, 0.75)), (pad(0,
           0.75), pad(2, 0.75)))),
    Preset("eight-chinese", "L", (-25, 6, -2, -2, -10), (-2, -6, 4, 2), *CURL[1:], 4),
    Preset("nine-chinese", "none", (18, 10, 4, 36, 38), (6, 0, 78, 42), *CURL[1:], 6),
    Preset("ten-chinese", "fist", (18, 22, -4, 42, 46), *CURL, 8),
    Preset("two-soft", "none", (20, 14, 2, 36, 34), (10, -8, 14, 7), (10, 6, 14, 7), *LOOSE[2:],
           4),
)  # fmt: skip
