"""How hands lie on a surface: postures, which way the surface faces, what touches first."""

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, NamedTuple

import numpy as np

from synth.pose.presets import Finger, Preset, Thumb, preset_angles

REST_KINDS: Final = (
    "flat",
    "fingertips",
    "fist",
    "ulnar side",
    "back",
    "one finger",
    "edge",
    "hover",
)

Digits = tuple[Thumb, Finger, Finger, Finger, Finger]


@dataclass(frozen=True)
class Rest:
    """One way to lie on a surface."""

    kind: str
    share: float
    """Relative frequency within its kind."""
    start: Digits
    """Degrees, as in `synth.pose.presets`, before the digits meet the surface."""
    way: Digits
    """How they move towards it; all zero: they keep still."""
    out: tuple[float, float, float]
    """Out of the surface, towards the hand, in the wrist frame."""
    tilt_deg: float
    mode: Literal["settle", "tips", "point"]
    """settle: the hand falls on the surface until three points touch. tips: the surface lies so far
    below the knuckles, and the digits go down to it. point: it comes up until the hand touches."""
    below_mm: tuple[float, float] = (0.0, 0.0)
    least: int = 3


_STILL: Final[Digits] = ((0, 0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0))


def _fingers(mcp: float, pip: float, dip: float, fan: float = 0.0) -> tuple[Finger, ...]:
    return tuple((mcp, fan * side, pip, dip) for side in (-1.2, -0.2, 0.6, 1.4))


def _digits(thumb: Thumb, fingers: tuple[Finger, ...]) -> Digits:
    index, middle, ring, pinky = fingers
    return thumb, index, middle, ring, pinky


_DOWN: Final = _digits((4, 16, 4, 8, 12), _fingers(24, 10, 6))
_TAP: Final = _digits((10, 14, 4, 12, 14), _fingers(34, 16, 8))
_FIST: Final = _digits(
    (17, 24, -6, 43, 50), ((76, 4, 93, 44), (82, 2, 98, 54), (77, 3, 97, 54), (86, -3, 91, 48))
)
_LOOSE: Final = _digits(
    (2, 4, 0, 12, 12), ((30, -2, 40, 20), (36, 0, 46, 24), (40, 1, 46, 24), (42, 2, 42, 20))
)
_POINT: Final = _digits(
    (12, 12, 6, 34, 36), ((20, 0, 16, 8), (72, 2, 90, 46), (76, 3, 92, 48), (80, -2, 88, 44))
)

RESTS: Final = (
    Rest(
        "flat", 3, _digits((0, -10, 0, 0, 0), _fingers(-14, 2, 0, 2)), _DOWN, (0, 1, 0), 4, "settle"
    ),
    Rest(
        "flat", 2, _digits((-12, 0, 0, 0, 0), _fingers(-14, 2, 0, 9)), _DOWN, (0, 1, 0), 4, "settle"
    ),
    Rest(
        "flat", 3, _digits((0, -4, 0, 4, 6), _fingers(-6, 16, 8, 4)), _DOWN, (0, 1, 0), 5, "settle"
    ),
    Rest(
        "fingertips",
        2,
        _digits((-4, 6, 4, 2, 6), _fingers(-6, 14, 8, 5)),
        _TAP,
        (0, 0.96, -0.28),
        8,
        "tips",
        (42, 80),
    ),
    Rest(
        "fingertips",
        1,
        _digits((-6, 4, 2, 2, 6), _fingers(-12, 30, 18, 5)),
        _TAP,
        (0, 1, 0),
        8,
        "tips",
        (30, 60),
    ),
    Rest("fist", 2, _FIST, _STILL, (-1, 0, 0), 10, "settle"),
    Rest("fist", 2, _FIST, _STILL, (0, 1, 0), 10, "settle"),
    Rest("ulnar side", 2, _LOOSE, _STILL, (-1, 0.1, 0), 10, "settle"),
    Rest(
        "ulnar side",
        1,
        _digits((2, -6, 0, 6, 8), _fingers(8, 10, 6, 2)),
        _STILL,
        (-1, 0, 0),
        10,
        "settle",
    ),
    Rest("back", 2, _LOOSE, _STILL, (0, -1, 0), 10, "settle"),
    Rest(
        "back",
        1,
        _digits((-8, 2, 0, 6, 6), _fingers(10, 14, 8, 4)),
        _STILL,
        (0, -1, 0),
        10,
        "settle",
    ),
    Rest("one finger", 1, _POINT, _STILL, (0, 0.8, 0.6), 12, "point", least=1),
    Rest("one finger", 1, _POINT, _STILL, (0, 0.55, 0.83), 12, "point", least=1),
)
"""Every way to lie on a surface but the edge, which is gripped, and hovering."""

MODES: Final = {"settle": 0, "tips": 1, "point": 2}


class Lies(NamedTuple):
    """The table as arrays: one argument of a compiled function."""

    kind: np.ndarray
    share: np.ndarray
    start: np.ndarray
    """(R, 29) rad"""
    way: np.ndarray
    """(R, 29) rad"""
    out: np.ndarray
    tilt: np.ndarray
    mode: np.ndarray
    below: np.ndarray
    """(R, 2) m"""
    least: np.ndarray


@cache
def list_rests() -> Lies:
    """All rows."""
    out = np.array([r.out for r in RESTS], np.float64)
    return Lies(
        np.array([REST_KINDS.index(r.kind) for r in RESTS]),
        np.array([float(r.share) for r in RESTS]),
        np.stack([_angles(r.start) for r in RESTS]),
        np.stack([_angles(r.way) for r in RESTS]),
        out / np.sqrt((out * out).sum(1, keepdims=True)),
        np.radians([r.tilt_deg for r in RESTS]),
        np.array([MODES[r.mode] for r in RESTS]),
        np.array([r.below_mm for r in RESTS]) / 1000,
        np.array([r.least for r in RESTS]),
    )


def _angles(digits: Digits) -> np.ndarray:
    return preset_angles(Preset("rest", "none", *digits))
