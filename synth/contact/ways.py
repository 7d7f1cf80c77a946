"""The ways of all 33 grasps as arrays, for compiled code, and how often each is wanted."""

from typing import Final, NamedTuple

import numpy as np

from synth.contact.classes import SHAPES, WAYS, Way
from synth.favour import read_factors
from synth.pose.feix import GRASPS, grasp_table, opened_table

MODES: Final = {"palm": 0, "pads": 1, "side": 2}


class Ways(NamedTuple):
    """The table as arrays: one argument of a compiled function."""

    mode: np.ndarray
    common: np.ndarray
    along: np.ndarray
    """(33, 3)"""
    normal: np.ndarray
    """(33, 3)"""
    spot: np.ndarray
    sideways: np.ndarray
    first: np.ndarray
    """(33, 21) shares of landmarks"""
    second: np.ndarray
    """(33, 21)"""
    seat: np.ndarray
    inset: np.ndarray
    """(33, 2) m"""
    along_pads: np.ndarray
    """(33, 2) the first and last finger of the row; -1 for none"""
    away: np.ndarray
    to_web: np.ndarray
    reach: np.ndarray
    """(33, 2) m"""
    least: np.ndarray
    thumb: np.ndarray
    tilt: np.ndarray
    """(33,) rad"""
    moving: np.ndarray
    """(33, 5) bool: digits that close"""
    fit_grasp: np.ndarray
    """(F,) index of the class"""
    fit_shape: np.ndarray
    """(F,) index into SHAPES"""
    fit_range: np.ndarray
    """(F, 3, 2) m: across, outward, along"""
    opened: np.ndarray
    """(33, 29) rad"""
    closed: np.ndarray
    """(33, 29) rad"""


EASE: Final = (
    0.26, 0.08, 0.11, 0.11, 0.13, 0.26, 0.41, 0.45, 0.16, 0.03, 0.14, 0.26, 0.14, 0.27, 0.14, 0.30,
    0.14, 0.08, 0.08, 0.015, 0.02, 0.06, 0.05, 0.04, 0.07, 0.15, 0.21, 0.10, 0.11, 0.03, 0.22, 0.10,
    0.22,
)  # fmt: skip
"""Share of hands and things that suit each class, times the share of first tries that hold
(`bench/contact.py --classes`), bounded from below: what is seldom possible is tried first."""


def weigh_classes(favour: str) -> np.ndarray:
    """(33,) how often each class is tried where it is possible; favour as in `GraspConfig.favour`.

    Raises BadInput for an unknown class or a factor that is not a number >= 0.
    """
    common = np.array([WAYS[g.name].common for g in GRASPS]) / np.array(EASE)
    return common * read_factors(favour, [g.name for g in GRASPS], "grasp.favour")


def list_ways(favour: str) -> Ways:
    """The table of all classes, weighted."""
    ways = [WAYS[g.name] for g in GRASPS]
    marks = np.zeros((2, len(ways), 21))
    for k, way in enumerate(ways):
        for side, shares in enumerate((way.first, way.second)):
            for mark, share in shares:
                marks[side, k, mark] = share
    rows = [(k, fit) for k, way in enumerate(ways) for fit in way.fits]
    return Ways(
        mode=np.array([MODES[w.mode] for w in ways]),
        common=weigh_classes(favour),
        along=_unit([w.along for w in ways]),
        normal=_unit([w.normal for w in ways]),
        spot=np.array([w.spot for w in ways]),
        sideways=np.array([w.sideways for w in ways]) / 1000,
        first=marks[0],
        second=marks[1],
        seat=np.array([w.seat for w in ways]),
        inset=np.array([w.inset_mm for w in ways]) / 1000,
        along_pads=np.array([_row(w) for w in ways]),
        away=np.array([w.away for w in ways]),
        to_web=np.array([w.to_web for w in ways]),
        reach=np.array([w.reach_mm for w in ways]) / 1000,
        least=np.array([w.least for w in ways]),
        thumb=np.array([w.thumb for w in ways]),
        tilt=np.radians([w.tilt_deg for w in ways]),
        moving=np.array([[d in g.moving for d in "12345"] for g in GRASPS]),
        fit_grasp=np.array([k for k, _ in rows]),
        fit_shape=np.array([SHAPES.index(f.shape) for _, f in rows]),
        fit_range=np.array([(f.across, f.outward, f.along) for _, f in rows]) / 1000,
        opened=opened_table(),
        closed=grasp_table(),
    )


def _row(way: Way) -> tuple[int, int]:
    digits = [mark if mark <= 4 else mark - 4 for mark, _ in way.second if mark <= 8]
    return (min(digits), max(digits)) if way.along_pads else (-1, -1)


def _unit(rows: list[tuple[float, float, float]]) -> np.ndarray:
    v = np.array(rows, dtype=np.float64)
    return np.asarray(v / np.sqrt((v * v).sum(1, keepdims=True)))
