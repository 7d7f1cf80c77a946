"""Boards: the surfaces that hands touch where these are no tables (doors, walls, books, edges)."""

from typing import Final

import numpy as np

from frames.stream import uniform
from synth.rigid import dot
from synth.scene.hands import Hands

SPANS_M: Final = (0.17, 0.5)
"""Half sizes of a board: the hand is over it, whichever way it lies."""
THICKNESS_M: Final = (0.01, 0.25)
"""From a sheet to a box."""


def has_board(hands: Hands) -> np.ndarray:
    """(N,) does the hand need a board of its own?"""
    return ~np.isnan(hands.plane[:, 0]) & ~hands.on_table


def board_planes(hands: Hands, count: int) -> np.ndarray:
    """(U, 4) the board n . x = d of each of `count` scenes in the world, NaN for none."""
    out = np.full((count, 4), np.nan)
    own = np.flatnonzero(has_board(hands))[::-1]
    pose, plane = hands.T_world_from_wrist[own], hands.plane[own]
    normal = np.stack([dot(pose[:, i, :3], plane[:, :3]) for i in range(3)], axis=1)
    out[hands.frame[own], :3] = normal
    out[hands.frame[own], 3] = plane[:, 3] + dot(normal, pose[:, :3, 3])
    return out


def place_boards(hands: Hands, seed: int, ids: np.ndarray) -> np.ndarray:
    """(N, 4, 4) affine T_world_from_board of unit cubes under the hands that need one, NaN else.

    The face at the cube's +z is the surface; one with an edge ends there.
    """
    n, edge = hands.plane[:, :3], hands.edge
    count = len(n)
    u = uniform(seed, ids[hands.frame], "board", 8, hands.slot)
    turn = 2 * np.pi * u[:, 0]
    # Any direction in the plane; with an edge the one that leads over it.
    some = np.where(np.abs(n[:, :1]) < 0.8, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    a = _unit(some - dot(some, n)[:, None] * n)
    b = np.cross(n, a)
    x = np.cos(turn)[:, None] * a + np.sin(turn)[:, None] * b
    edged = ~np.isnan(edge[:, 0])
    x = np.where(edged[:, None], edge[:, :3], x)
    y = np.cross(n, x)
    low, high = SPANS_M
    half_x, half_y = low + (high - low) * u[:, 1], low + (high - low) * u[:, 2]
    thin, thick = THICKNESS_M
    depth = np.where(edged, hands.thickness, thin * (thick / thin) ** u[:, 3])
    # Below the middle of the hand, give or take a few centimetres.
    middle = np.array([0.0, 0.0, -0.09])
    along_x = middle[2] * x[:, 2] + 0.05 * (2 * u[:, 4] - 1)
    along_y = middle[2] * y[:, 2] + 0.05 * (2 * u[:, 5] - 1)
    along_x = np.where(edged, edge[:, 3] - half_x, along_x)
    centre = (along_x[:, None] * x + along_y[:, None] * y) + (hands.plane[:, 3] - depth / 2)[
        :, None
    ] * n
    local = np.tile(np.eye(4), (count, 1, 1))
    local[:, :3, 0], local[:, :3, 1] = 2 * half_x[:, None] * x, 2 * half_y[:, None] * y
    local[:, :3, 2], local[:, :3, 3] = depth[:, None] * n, centre
    pose = hands.T_world_from_wrist
    out = np.tile(np.eye(4), (count, 1, 1))
    for i in range(3):
        for j in range(4):
            out[:, i, j] = dot(pose[:, i, :3], local[:, :3, j])
        out[:, i, 3] += pose[:, i, 3]
    out[~has_board(hands)] = np.nan
    return out


def _unit(v: np.ndarray) -> np.ndarray:
    return np.asarray(v / np.sqrt(dot(v, v))[..., None])
