"""Cross-sections of people's own skin: what a sleeve, a watch or a ring has to go around."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from synth.hand.bones import FOREARM_BONE, PALM
from synth.hand.rig import Rig
from synth.rigid import dot, rotate

FEWEST: Final = 20
"""Vertices that make an oval."""


@dataclass(frozen=True)
class Section:
    """An oval across a bone, for I people."""

    centre: np.ndarray
    """(I, 2) metres beside the bone's line, along the bone's x and y."""
    half: np.ndarray
    """(I, 2) metres, half widths along x and y."""
    along: np.ndarray
    """(I,) metres from the bone's start."""
    turn: float
    """Share of the skin there that moves with the bone; the rest stays with its parent."""


def bone_skin(rig: Rig, bone: int, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (I, K, 3) metres in a bone's own frame, z away from the hand, and its length (I,).

    The forearm's frame starts at the wrist; a finger's bones start at their joint and run along -z.
    """
    joint = rig.rest_joints.astype(np.float64)
    start = joint[:, PALM if bone == FOREARM_BONE else bone]
    end = joint[:, FOREARM_BONE if bone == FOREARM_BONE else bone + 1]
    axis = end - start
    local = rig.rest_vertices[:, vertices].astype(np.float64) - start[:, None]
    return rotate(rig.frames[bone].T, local), np.sqrt(dot(axis, axis))


def measure_section(
    rig: Rig, bone: int, place: float, reach: float, skin: tuple[int, ...]
) -> Section:
    """The skin's oval at the share `place` of a bone, over `reach` to either side.

    skin: only what belongs to these bones counts. A mesh with fewer than FEWEST vertices there is
    measured on the nearest so many.
    """
    own = np.flatnonzero(np.isin(rig.skin_bone[:, 0], skin))
    points, length = bone_skin(rig, bone, own)
    sign = 1.0 if bone == FOREARM_BONE else -1.0
    way = sign * points[..., 2] / length[:, None]
    off = np.abs(way - place)
    near = off <= np.maximum(reach, np.sort(off, axis=1)[:, FEWEST - 1 : FEWEST])
    x = np.where(near[..., None], points[..., :2], np.nan)
    low, high = np.nanmin(x, axis=1), np.nanmax(x, axis=1)
    weight = np.where(rig.skin_bone[own] == bone, rig.skin_weight[own], 0.0).sum(1)
    turn = float(weight[near[0]].mean())
    return Section((low + high) / 2, (high - low) / 2, sign * place * length, turn)
