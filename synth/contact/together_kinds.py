"""The kinds of pairs: how each hand is held, which way it looks, what meets what, from where.

Directions are in the body's frame (x right, y forward, z up) and for a right first and a left
second hand; the other way round everything is mirrored. The second hand slides along `approach`
until it touches the first, or comes as near as it should; then digits close.
"""

from dataclasses import dataclass
from typing import Final

from synth.contact.together_holds import (
    ANGLE,
    ANGLE_PRESS,
    CUPPED,
    CURL,
    FIST,
    FLAT,
    FLEX,
    HOLLOW,
    INDEX_PRESS,
    OPEN,
    PICK,
    POINT,
    PRESS,
    RELAXED,
    ROOF,
    SPREAD,
    STILL,
    TWEEZERS,
    TYPING,
    WRAP,
    Closing,
    Hold,
)

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Side:
    """One hand of a pair."""

    hold: Hold
    fingers: Vector
    """Where the fingers of the flat hand point."""
    palm: Vector
    """Where the palm looks, as near as the fingers allow."""
    at: str
    """The spot of this hand that meets the other's (`SPOTS`)."""
    closing: Closing = STILL


@dataclass(frozen=True)
class Kind:
    """A way in which two hands meet."""

    name: str
    first: Side
    second: Side
    approach: Vector
    """Which way the second hand comes."""
    parts: int = 3
    """At least so many parts of both hands touch; 0: the hands keep apart."""
    gap_mm: tuple[float, float] = (-0.8, -0.4)
    """Distance at which the second hand stops, smallest and largest; below 0, skin is pressed."""
    shift_mm: float = 4.0
    """Standard deviation of where the second hand meets the first."""
    offset_mm: Vector = (0.0, 0.0, 0.0)
    """How far beyond the first hand's spot the second's is meant to be, in the body's frame."""
    turn: float = 1.0
    """Spread of the second hand's turn against the configuration's."""
    mirrored: bool = False
    """Both hands show the same pose, jitter included."""
    held_deg: Vector = (0.0, 0.0, 0.0)
    """Turn of the pair as a whole about x, y, z of the body: how arms reach such a pair at ease."""
    on_arm: bool = False
    """The second hand meets the first one's forearm: they meet again once the arms are placed."""


SPOTS: Final[dict[str, dict[int, float]]] = {
    "wrist": {0: 1.0},
    "arm": {0: 0.84, 1: 0.16},
    "palm": {0: 0.45, 10: 0.3, 14: 0.25},
    "grip": {0: 0.15, 6: 0.2, 10: 0.25, 14: 0.25, 18: 0.15},
    "knuckles": {6: 0.25, 10: 0.25, 14: 0.25, 18: 0.25},
    "middles": {7: 0.25, 11: 0.25, 15: 0.25, 19: 0.25},
    "index middle": {7: 0.5, 8: 0.5},
    "thumb tip": {21: 1.0},
    "index tip": {22: 1.0},
    "middle tip": {23: 1.0},
    "ring tip": {24: 1.0},
    "pinky tip": {25: 1.0},
    "pinch": {21: 0.5, 22: 0.5},
}
"""Spots of a hand as weights of joints (0..20, where each bone starts) and tips (21..25)."""

_LEFTWARD: Final[Vector] = (-0.6, 0.8, 0.0)
_RIGHTWARD: Final[Vector] = (0.6, 0.8, 0.0)
_DOWN: Final[Vector] = (0.0, 0.0, -1.0)
_UP: Final[Vector] = (0.0, 0.0, 1.0)


def _mirror(side: Side) -> Side:
    f, p = side.fingers, side.palm
    return Side(side.hold, (-f[0], f[1], f[2]), (-p[0], p[1], p[2]), side.at, side.closing)


def _alike(name: str, side: Side, **more: object) -> Kind:
    """Both hands alike, each other's mirror image in the body's middle plane."""
    return Kind(name, side, _mirror(side), (1, 0, 0), mirrored=True, **more)  # type: ignore[arg-type]


_LISTENING: Final = Side(OPEN, (-0.4, 0.9, 0.1), (-0.3, -0.2, 0.9), "palm")
_POINTING: Final = Side(POINT, (0.6, 0.4, -0.7), (0.3, -0.6, -0.6), "index tip", INDEX_PRESS)

KINDS: Final = (
    # Palm to palm.
    _alike(
        "prayer",
        Side(FLAT, (-0.05, 0.6, 0.8), (-1, 0, 0), "knuckles", PRESS),
        turn=0.4,
        held_deg=(-29, 0, 0),
    ),
    Kind(
        "rubbing",
        Side(OPEN, (-0.5, 0.85, 0.1), (-0.6, -0.2, 0.75), "palm", PRESS),
        Side(OPEN, (0.35, 0.89, 0.29), (0.43, 0.13, -0.89), "palm", FLEX),
        (0.6, 0.2, -0.75),
        shift_mm=14.0,
        offset_mm=(-43.0, -21.0, -3.0),
        held_deg=(12, 0, -4),
    ),
    Kind(
        "folded",
        Side(CUPPED, (-0.8, 0.6, 0.0), (-0.5, -0.5, 0.7), "palm", FLEX),
        Side(CUPPED, (0.49, 0.82, 0.3), (0.16, 0.26, -0.95), "palm", FLEX),
        (0.5, 0.5, -0.7),
        offset_mm=(-21.0, 2.0, -7.0),
        held_deg=(20, 2, -11),
    ),
    Kind(
        "interlaced",
        Side(SPREAD, (-0.5, 0.8, 0.3), (-0.8, -0.5, 0.0), "middles", CURL),
        Side(SPREAD, (0.17, 0.86, 0.48), (0.99, -0.14, -0.09), "middles", CURL),
        (1, 0, 0),
        offset_mm=(-6.0, -10.0, 15.0),
        shift_mm=1.5,
        turn=0.3,
        parts=6,
        mirrored=True,
    ),
    _alike(
        "steepled",
        Side(ROOF, (-0.3, 0.65, 0.7), (-0.95, -0.2, -0.2), "middle tip", PRESS),
        shift_mm=0.5,
        turn=0.0,
        parts=4,
        held_deg=(-28, 0, 0),
    ),
    # One hand about the other.
    Kind(
        "fist in palm",
        Side(FIST, (-0.6, 0.8, 0.0), (-0.1, -0.2, -1.0), "middles"),
        Side(CUPPED, (0.81, 0.31, 0.5), (0.4, -0.92, -0.06), "palm", FLEX),
        (0.6, -0.8, 0.0),
        offset_mm=(0.0, -34.0, -18.0),
        held_deg=(-10, 12, 10),
    ),
    Kind(
        "hand over fist",
        Side(FIST, (-0.7, 0.7, 0.0), (0.0, -0.3, -1.0), "knuckles"),
        Side(WRAP, (0.88, 0.47, 0.05), (0.16, -0.21, -0.96), "grip", FLEX),
        _DOWN,
        offset_mm=(-36.0, 2.0, -11.0),
        held_deg=(-22, 2, 2),
    ),
    Kind(
        "hand before fist",
        Side(FIST, (-1.0, 0.2, 0.1), (0.0, -1.0, -0.2), "middles"),
        Side(WRAP, (0.76, 0.5, 0.41), (0.57, -0.82, -0.07), "grip", FLEX),
        (0.0, -1.0, 0.0),
        offset_mm=(-18.0, 9.0, -11.0),
        held_deg=(-4, 8, -10),
    ),
    Kind(
        "stacked",
        Side(FLAT, _LEFTWARD, _DOWN, "knuckles"),
        Side(OPEN, _RIGHTWARD, _DOWN, "knuckles", FLEX),
        _DOWN,
        shift_mm=12.0,
        held_deg=(9, -10, -3),
    ),
    Kind(
        "laid in palm",
        Side(RELAXED, (-0.75, 0.65, 0.0), _UP, "knuckles"),
        Side(CUPPED, (0.65, 0.69, -0.33), (0.38, 0.08, 0.92), "knuckles", FLEX),
        _UP,
        shift_mm=8.0,
        offset_mm=(15.0, 13.0, -18.0),
        held_deg=(40, 16, -16),
    ),
    Kind(
        "wrist grasped",
        Side(RELAXED, (-0.35, 0.93, 0.0), (-0.3, 0.0, -0.95), "arm"),
        Side(WRAP, (0.87, 0.5, 0.07), (0.06, 0.03, -1.0), "grip", FLEX),
        (0.2, 0.0, -0.95),
        shift_mm=8.0,
        offset_mm=(-34.0, -5.0, -8.0),
        held_deg=(22, 1, 4),
        on_arm=True,
    ),
    Kind(
        "fingers grasped",
        Side(FLAT, _LEFTWARD, _DOWN, "middles"),
        Side(WRAP, _RIGHTWARD, _DOWN, "grip", FLEX),
        _DOWN,
    ),
    Kind(
        "index grasped",
        Side(POINT, _LEFTWARD, _DOWN, "index middle"),
        Side(WRAP, (0.59, 0.8, -0.03), (0.21, -0.19, -0.96), "grip", FLEX),
        _DOWN,
        offset_mm=(2.0, -19.0, 4.0),
        held_deg=(13, 1, 2),
    ),
    # One finger on the other hand.
    Kind(
        "pointing into palm",
        _LISTENING,
        _POINTING,
        (0.6, 0.4, -0.7),
        parts=2,
        shift_mm=10.0,
        held_deg=(18, -24, -5),
    ),
    *(
        Kind(
            f"counting {digit}",
            Side(SPREAD, (-0.35, 0.3, 0.9), (-0.35, -0.9, 0.1), f"{digit} tip"),
            Side(POINT, (0.85, 0.5, 0.0), (0.0, -0.3, -0.9), "index tip", INDEX_PRESS),
            (0.6, 0.8, 0.0),
            held_deg=(-26, -9, 10),
            parts=2,
            shift_mm=1.5,
        )
        for digit in ("thumb", "index", "middle", "ring", "pinky")
    ),
    Kind(
        "picking",
        Side(POINT, (-0.6, 0.8, 0.1), (-0.2, -0.2, -0.95), "index middle"),
        Side(TWEEZERS, (0.7, 0.7, -0.12), (0.52, -0.63, -0.58), "pinch", PICK),
        (0.6, 0.5, -0.6),
        offset_mm=(40.0, -1.0, -8.0),
        held_deg=(0, -9, 0),
    ),
    Kind(
        "wrist tapped",
        Side(FIST, (-0.8, 0.6, 0.0), _DOWN, "arm"),
        Side(POINT, (0.54, 0.7, -0.47), (0.08, -0.6, -0.8), "index tip", INDEX_PRESS),
        (0.6, 0.55, -0.55),
        parts=2,
        shift_mm=8.0,
        offset_mm=(0.0, -18.0, 1.0),
        held_deg=(2, -10, -21),
        on_arm=True,
    ),
    _alike(
        "index tips",
        Side(POINT, (-0.85, 0.5, 0.0), (0.0, -0.3, -0.9), "index tip", INDEX_PRESS),
        parts=2,
        shift_mm=1.5,
        held_deg=(-40, 0, 0),
    ),
    # Edges and tips.
    Kind(
        "time-out",
        Side(FLAT, (-0.9, 0.4, 0.0), _DOWN, "palm", STILL),
        Side(FLAT, (0.3, 0.3, 0.9), (0.8, -0.5, 0.0), "middle tip", STILL),
        _UP,
        parts=2,
        shift_mm=8.0,
        held_deg=(-38, 3, -18),
    ),
    Kind(
        "wrists crossed",
        Side(RELAXED, (-0.8, 0.6, 0.1), _DOWN, "arm"),
        Side(RELAXED, (0.71, 0.69, 0.14), (0.16, 0.04, -0.99), "arm"),
        _DOWN,
        on_arm=True,
        parts=2,
        shift_mm=10.0,
        offset_mm=(-18.0, -44.0, 25.0),
    ),
    Kind(
        "frame",
        Side(ANGLE, (-0.95, 0.3, 0.0), (-0.3, -0.95, 0.0), "thumb tip", ANGLE_PRESS),
        Side(ANGLE, (0.95, 0.3, 0.0), (-0.3, 0.95, 0.0), "index tip", ANGLE_PRESS),
        _DOWN,
        parts=2,
        offset_mm=(6.0, 0.0, 0.0),
        shift_mm=1.5,
        turn=0.5,
    ),
    _alike(
        "goalposts",
        Side(ANGLE, (-0.4, 0.5, 0.75), (0.0, 1.0, -0.25), "thumb tip"),
        parts=2,
        shift_mm=1.0,
        turn=0.4,
    ),
    # Apart.
    _alike(
        "clap",
        Side(OPEN, (-0.1, 0.9, 0.35), (-1, 0, 0.2), "palm"),
        parts=0,
        gap_mm=(5, 150),
        shift_mm=15.0,
        turn=2.0,
    ),
    _alike(
        "holding nothing",
        Side(HOLLOW, (-0.2, 0.95, 0.1), (-1, 0, 0), "palm"),
        parts=0,
        gap_mm=(40, 150),
        shift_mm=10.0,
        held_deg=(16, 0, 0),
    ),
    Kind(
        "tapping at palm",
        _LISTENING,
        _POINTING,
        (0.6, 0.4, -0.7),
        parts=0,
        gap_mm=(5, 40),
        shift_mm=12.0,
        held_deg=(26, -28, -5),
    ),
    _alike(
        "thumb typing",
        Side(TYPING, (-0.45, 0.7, 0.5), (-0.6, -0.55, 0.55), "middles"),
        parts=0,
        gap_mm=(10, 90),
    ),
    Kind(
        "handing over",
        Side(TWEEZERS, (-0.5, 0.85, 0.0), (-0.5, 0.0, 0.5), "pinch"),
        Side(TWEEZERS, (0.5, 0.85, 0.0), (0.5, 0.0, -0.7), "pinch"),
        (1, 0, 0),
        parts=0,
        gap_mm=(8, 60),
        shift_mm=12.0,
        turn=2.0,
        held_deg=(25, 5, 4),
    ),
    Kind(
        "crossing before",
        Side(RELAXED, (-0.5, 0.8, 0.3), (-0.3, -0.2, -0.9), "palm"),
        Side(RELAXED, (0.5, 0.8, 0.3), (0.3, -0.2, -0.9), "palm"),
        (0.0, 0.8, -0.4),
        parts=0,
        gap_mm=(20, 150),
        shift_mm=40.0,
        turn=3.0,
        held_deg=(-17, -34, -21),
    ),
    Kind(
        "crossing behind",
        Side(OPEN, (-0.5, 0.8, 0.3), (-0.7, -0.2, -0.5), "palm"),
        Side(POINT, (0.5, 0.8, 0.3), (0.7, -0.2, -0.5), "palm"),
        (0.0, -0.8, 0.4),
        parts=0,
        gap_mm=(20, 150),
        shift_mm=40.0,
        turn=3.0,
        held_deg=(-1, 4, 37),
    ),
)

KIND_NAMES: Final = tuple(kind.name for kind in KINDS)
