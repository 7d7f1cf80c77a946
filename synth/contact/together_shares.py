"""Which solids two hands hold between them, and how: between palms, or by two edges.

The tray is the frame of such a hold: x to the right, from one hand to the other, y away from the
person, z up, or out of the flat side of a thin thing; its origin is the solid's centre.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from synth.contact.together_holds import OPEN, Closing, Hold
from synth.contact.together_kinds import Side
from synth.things.solid import Handle, Solid

SHARE_KINDS: Final = ("two palms", "two edges")

PALMS_M: Final = (0.09, 0.34)
"""Widths that two palms hold between them."""
DEEP_M: Final = 0.07
"""A thing between palms is at least so long and high."""
EDGES_M: Final = (0.14, 0.36)
"""Widths that two hands hold by the edges."""
THIN_M: Final = 0.032
"""Thickest thing that is held by its edges."""

EDGE: Final = Hold(
    (12, 24, 1, 0, 0), (37, -3, 20, 10), (37, 0, 20, 10), (37, 2, 20, 10), (37, 4, 20, 10), 2
)

SIDES: Final = (
    Side(
        OPEN, (-0.2, 0.95, 0.2), (-1, 0, 0), "palm", Closing((16, -6, 0, 26, 20), (46, 0, 44, 24))
    ),
    Side(
        EDGE,
        (-0.86, 0.39, -0.33),
        (-0.36, 0, 0.93),
        "knuckles",
        Closing((14, -34, 0, 40, 30), (44, 0, 40, 20)),
    ),
)
"""The right hand of each kind, in the tray's frame; the left is its mirror image."""

APPROACH: Final = ((-1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
"""Which way that hand comes."""

HELD_DEG: Final = ((0.0, 0.0, 0.0), (62.0, 0.0, 0.0))
"""Turn of the tray about x, y, z of the body: flat things are shown to the eyes."""


@dataclass(frozen=True)
class Shares:
    """The ways in which solids are held by two hands, solid after solid."""

    start: np.ndarray
    """(S + 1,) int64: the ways of solid s are start[s] <= w < start[s + 1]; it may have none."""
    kind: np.ndarray
    """(W,) index into SHARE_KINDS."""
    turn: np.ndarray
    """(W, 3, 3) R_tray_from_solid."""
    half_m: np.ndarray
    """(W, 3) half the solid's size along the tray's axes."""


def list_shares(solids: tuple[Solid, ...]) -> Shares:
    """Every way to hold every solid."""
    start, kinds, turns = [0], [], []
    for solid in solids:
        for kind, columns in _ways(solid):
            kinds.append(kind)
            turns.append(columns)
        start.append(len(kinds))
    turn = np.array(turns, np.float64).reshape(-1, 3, 3)
    owner = np.repeat(np.arange(len(solids)), np.diff(start))
    extent = np.array([solid.extent_m for solid in solids], np.float64).reshape(-1, 3)
    half = 0.5 * (np.abs(turn) * extent[owner][:, None, :]).max(2)
    return Shares(np.array(start, np.int64), np.array(kinds, np.int64), turn, half)


def _ways(solid: Solid) -> list[tuple[int, np.ndarray]]:
    """(kind, R_tray_from_solid) of one solid."""
    size = solid.extent_m
    plate = any(_covers(handle, size) for handle in solid.handles)
    out = []
    for across in range(3):
        for up in range(3):
            if up == across:
                continue
            deep = 3 - across - up
            turn = _axes(across, up)
            wide = PALMS_M[0] <= size[across] <= PALMS_M[1]
            if wide and min(size[up], size[deep]) >= DEEP_M and (up == 2 or not solid.upright):
                out.append((0, turn))
            flat = plate and size[up] <= THIN_M and size[deep] >= DEEP_M
            if flat and EDGES_M[0] <= size[across] <= EDGES_M[1]:
                out.append((1, turn))
    return out


def _covers(handle: Handle, size: np.ndarray) -> bool:
    """Is the handle the whole solid, as of a plate? A pair of scissors is flat, too."""
    reach = np.abs(handle.T_solid_from_handle[:3, :3] * handle.half_m).max(1)
    return bool((2 * reach >= 0.8 * size).all())


def _axes(across: int, up: int) -> np.ndarray:
    """(3, 3) rotation that takes the solid's axis `across` to x and `up` to z."""
    turn = np.zeros((3, 3))
    turn[0, across] = turn[2, up] = 1.0
    turn[1] = np.cross(turn[2], turn[0])
    return turn
