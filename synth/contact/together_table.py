"""The kinds of pairs as arrays, in the first hand's wrist frame; and how pairs are held."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from frames.stream import normal
from synth.contact.together_holds import closing_angles, hold_angles
from synth.contact.together_kinds import KINDS, SPOTS, Side, Vector
from synth.hand.angles import rotation
from synth.rigid import dot, multiply, rotate

MIRROR_X: Final = np.diag([-1.0, 1.0, 1.0])

HELD_DEG: Final = 12.0
"""Standard deviation of how a pair as a whole is turned about each axis of the body."""


@dataclass(frozen=True)
class KindTable:
    """K kinds."""

    hold: np.ndarray
    """(K, 2, 29) rad of the first and the second hand."""
    closing: np.ndarray
    """(K, 2, 29) rad that closed digits add."""
    spot: np.ndarray
    """(K, 2, 26) weights of joints and tips: where the hands meet."""
    body_from_first: np.ndarray
    """(K, 3, 3) how the first hand, a right one, is held."""
    turn_between: np.ndarray
    """(K, 3, 3) R_first_from_second."""
    approach: np.ndarray
    """(K, 3) unit, in the first hand's frame."""
    offset_m: np.ndarray
    """(K, 3) in the first hand's frame."""
    shift_m: np.ndarray
    """(K,) standard deviation of the place."""
    gap_m: np.ndarray
    """(K, 2)"""
    turn: np.ndarray
    """(K,) spread of the turn against the configuration's."""
    parts: np.ndarray
    """(K,) int64 parts that touch at least."""
    mirrored: np.ndarray
    """(K,) bool"""
    on_arm: np.ndarray
    """(K,) bool"""
    weight: np.ndarray
    """(K,) how often a kind is drawn."""


def draw_pair_pose(kind: np.ndarray, u: np.ndarray, first_left: np.ndarray) -> np.ndarray:
    """How such pairs are held: (N, 3, 3) R_body_from_first.

    kind (N,), u (N, 6) uniforms, first_left (N,) bool. Body: x right, y forward, z up. The pair is
    meant to be 0.25 to 0.5 m before the chest.
    """
    turn = np.radians(HELD_DEG) * np.clip(normal(u), -2.0, 2.0)
    held = multiply(
        rotation("z", turn[:, 2]),
        rotation("y", turn[:, 1]),
        rotation("x", turn[:, 0]),
        kind_table().body_from_first[kind],
    )
    return np.where(first_left[:, None, None], multiply(MIRROR_X, held, MIRROR_X), held)


@cache
def kind_table() -> KindTable:
    """All kinds."""
    first = np.stack([wrist_frame(kind.first) for kind in KINDS])
    second = np.stack([wrist_frame(kind.second) for kind in KINDS])
    back = np.swapaxes(first, 1, 2)
    approach = np.stack([_unit(np.array(kind.approach, np.float64)) for kind in KINDS])
    offset = np.array([kind.offset_mm for kind in KINDS], np.float64) / 1000
    sides = [(kind.first, kind.second) for kind in KINDS]
    return KindTable(
        hold=np.array([[hold_angles(s.hold) for s in pair] for pair in sides]),
        closing=np.array([[closing_angles(s.closing) for s in pair] for pair in sides]),
        spot=np.array([[spot_weights(s.at) for s in pair] for pair in sides]),
        body_from_first=multiply(_held(), first),
        on_arm=np.array([kind.on_arm for kind in KINDS]),
        turn_between=multiply(back, second),
        approach=rotate(back, approach),
        offset_m=rotate(back, offset),
        shift_m=np.array([kind.shift_mm for kind in KINDS]) / 1000,
        gap_m=np.array([kind.gap_mm for kind in KINDS], np.float64) / 1000,
        turn=np.array([kind.turn for kind in KINDS]),
        parts=np.array([kind.parts for kind in KINDS], np.int64),
        mirrored=np.array([kind.mirrored for kind in KINDS]),
        weight=np.array([0.2 if kind.name.startswith("counting") else 1.0 for kind in KINDS]),
    )


def _held() -> np.ndarray:
    """(K, 3, 3) turn of each kind's pair as a whole."""
    deg = np.radians([kind.held_deg for kind in KINDS])
    return multiply(rotation("z", deg[:, 2]), rotation("y", deg[:, 1]), rotation("x", deg[:, 0]))


def wrist_frame(side: Side) -> np.ndarray:
    """(3, 3) R_body_from_wrist of a hand whose fingers and palm look as `side` says."""
    z = -_unit(np.array(side.fingers, np.float64))
    palm = _vector(side.palm)
    y = -_unit(palm - dot(palm, z) * z)
    return np.stack([np.cross(y, z), y, z], axis=1)


def _vector(v: Vector) -> np.ndarray:
    return np.array(v, np.float64)


def spot_weights(name: str) -> np.ndarray:
    """(26,) weights of joints and tips."""
    out = np.zeros(26)
    for point, weight in SPOTS[name].items():
        out[point] = weight
    return out


def _unit(v: np.ndarray) -> np.ndarray:
    return np.asarray(v / np.sqrt(dot(v, v)))
