"""Which class takes hold of which handle of a thing."""

# mypy: allow-untyped-defs

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from synth.contact.classes import AXES
from synth.contact.posture import JIT
from synth.things.solid import Solid

ROD, RIM, COIN, BALL = 0, 1, 2, 3
"""The round ones of `synth.contact.classes.SHAPES`."""
BALL_SLACK: Final = 0.2
SHORT: Final = 0.8
"""A round handle shorter than this share of its width is a disk."""


class Handles(NamedTuple):
    """The handles of many solids."""

    first: np.ndarray
    """(S + 1,) int64: handles of solid s are first[s] ... first[s + 1] - 1."""
    T: np.ndarray
    """(H, 4, 4) T_solid_from_handle"""
    half: np.ndarray
    """(H, 3) m"""
    round: np.ndarray
    """(H,) bool"""


def list_handles(solids: tuple[Solid, ...]) -> Handles:
    """All handles, solid by solid."""
    every = [h for s in solids for h in s.handles]
    return Handles(
        np.cumsum([0, *(len(s.handles) for s in solids)]),
        np.array([h.T_solid_from_handle for h in every], np.float64).reshape(-1, 4, 4),
        np.array([h.half_m for h in every], np.float64).reshape(-1, 3),
        np.array([h.round for h in every], bool),
    )


@njit(**JIT)
def fits(ways, f, half, is_round, size):
    """Does handle (half extents, m) suit row f of the fits, in a hand of this size?"""
    shape = ways.fit_shape[f]
    if is_round != (shape <= BALL):
        return False
    if is_round:
        slim = half[2] / half[0]
        if shape == BALL and abs(slim - 1.0) > BALL_SLACK:
            return False
        if shape == ROD and slim < SHORT:
            return False
        if shape in (RIM, COIN) and slim > SHORT:
            return False
    for k in range(3):
        extent = half[AXES[shape, k]] / size
        if extent < ways.fit_range[f, k, 0] or extent > ways.fit_range[f, k, 1]:
            return False
    return True


@njit(**JIT)
def choose_fit(ways, handles, solid, size, u_class, u_fit, weight):
    """(fit, handle) of a class drawn by its weight among those that suit any handle; -1 for none.

    weight (33,) is scratch.
    """
    weight[:] = 0.0
    total = 0.0
    start, stop = handles.first[solid], handles.first[solid + 1]
    for f in range(ways.fit_grasp.shape[0]):
        g = ways.fit_grasp[f]
        if weight[g] > 0.0 or ways.common[g] == 0.0:
            continue
        for h in range(start, stop):
            if fits(ways, f, handles.half[h], handles.round[h], size):
                weight[g] = ways.common[g]
                total += weight[g]
                break
    if total == 0.0:
        return -1, -1
    at = u_class * total
    chosen = -1
    for g in range(weight.shape[0]):
        if weight[g] > 0.0:
            chosen = g
            at -= weight[g]
            if at < 0.0:
                break
    count = 0
    for f in range(ways.fit_grasp.shape[0]):
        if ways.fit_grasp[f] == chosen:
            for h in range(start, stop):
                if fits(ways, f, handles.half[h], handles.round[h], size):
                    count += 1
    pick = min(int(u_fit * count), count - 1)
    for f in range(ways.fit_grasp.shape[0]):
        if ways.fit_grasp[f] == chosen:
            for h in range(start, stop):
                if fits(ways, f, handles.half[h], handles.round[h], size):
                    if pick == 0:
                        return f, h
                    pick -= 1
    return -1, -1
