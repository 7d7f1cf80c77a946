"""Objects in a scene: about the hands, touching neither them nor each other."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.stream import normal, uniform
from synth.hand.angles import rotation
from synth.hand.collision import mutual_penetration
from synth.rigid import dot, multiply
from synth.scene.hands import FAR_M, Spans
from synth.scene.objects import Solid

OBJECTS: Final = 2
"""At most so many objects in a frame."""
ROUNDS: Final = (1, 3, 6)
"""Places that are tried at once for an object; it is left out if none is free."""
BEFORE: Final = 2.0
"""How strongly an object before a hand is drawn towards the eye, against a normal direction."""
OBJECT_GAP_M: Final = 0.003
NEAREST_M: Final = 0.10
"""No object comes closer to the camera than this."""


@dataclass(frozen=True)
class Objects:
    """Objects of a batch, OBJECTS places a frame."""

    present: np.ndarray
    """(B, OBJECTS) bool"""
    solid: np.ndarray
    """(B, OBJECTS) index of the solid."""
    size_m: np.ndarray
    """(B, OBJECTS, 3)"""
    T_world_from_object: np.ndarray
    """(B, OBJECTS, 4, 4)"""


def place_objects(
    object_share: float,
    max_objects: int,
    solids: tuple[Solid, ...],
    centre: np.ndarray,
    spans: Spans,
    seed: int,
    frame_ids: np.ndarray,
) -> Objects:
    """Objects about a hand, clear of hands, forearms, each other and the camera.

    centre (B, 3) the middle of a hand, spans (B, ...) capsules of everything that is in the way.
    """
    count = len(frame_ids)
    present = np.zeros((count, OBJECTS), bool)
    solid = np.zeros((count, OBJECTS), np.int64)
    sizes = np.ones((count, OBJECTS, 3))
    poses = np.tile(np.eye(4), (count, OBJECTS, 1, 1))
    limits = np.stack([s.size_range_m for s in solids])
    for k in range(max_objects):
        u = uniform(seed, frame_ids, f"object{k}/what", 6)
        solid[:, k] = np.minimum((u[:, 0] * len(solids)).astype(np.int64), len(solids) - 1)
        least, most = limits[solid[:, k], :, 0], limits[solid[:, k], :, 1]
        sizes[:, k] = least + u[:, 1:4] * (most - least)
        # Half of the objects come between the hand and the eye; the others lie anywhere about it.
        before = np.where(u[:, 5] < 0.5, BEFORE, 0.0)
        spans = _append_row(spans[0]), _append_row(spans[1]), _append_row(spans[2])
        pending, start = np.flatnonzero(u[:, 4] < object_share), 0
        for tries in ROUNDS:
            rows = np.repeat(pending, tries)
            attempt = np.tile(np.arange(start, start + tries), len(pending))
            v = uniform(seed, frame_ids[rows], f"object{k}/place", 8, attempt)
            spot, turn = _draw_places(centre[rows], before[rows], v)
            capsule = object_capsule(spot, turn, sizes[rows, k])
            gap = -mutual_penetration(*capsule, *spans, rows)
            reach = np.sqrt(dot(sizes[rows, k], sizes[rows, k])) / 2
            clear = (gap > OBJECT_GAP_M) & (np.sqrt(dot(spot, spot)) - reach > NEAREST_M)
            clear = clear.reshape(-1, tries)
            found = clear.any(1)
            pick = (np.arange(len(pending)) * tries + clear.argmax(1))[found]
            at = pending[found]
            present[at, k] = True
            poses[at, k, :3, :3], poses[at, k, :3, 3] = turn[pick], spot[pick]
            for whole, part in zip(spans, capsule, strict=True):
                whole[at, -1] = part[pick, 0]
            pending, start = pending[~found], start + tries
    return Objects(present, solid, sizes, poses)


def _append_row(part: np.ndarray) -> np.ndarray:
    """Room for one more capsule: far away, and without girth."""
    row = np.full_like(part[:, :1], 0.0 if part.ndim == 2 else FAR_M)
    return np.concatenate([part, row], axis=1)


def _draw_places(
    centre: np.ndarray, before: np.ndarray, v: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) positions about `centre` and (N, 3, 3) orientations, mostly upright."""
    n = normal(v[:, :6])
    n -= (before / np.sqrt(dot(centre, centre)))[:, None] * centre
    direction = n / np.sqrt(dot(n, n))[:, None]
    spot = centre + direction * (0.05 + 0.22 * v[:, 6, None])
    turn = multiply(
        rotation("z", 2 * np.pi * v[:, 7]),
        rotation("x", 0.6 * n[:, 1]),
        rotation("y", 0.6 * n[:, 0]),
    )
    return spot, turn


def object_capsule(spot: np.ndarray, turn: np.ndarray, size: np.ndarray) -> Spans:
    """A capsule around a box of extent `size` (N, 3): along its longest side."""
    longest = size.argmax(1)
    rows = np.arange(len(size))
    axis = turn[rows, :, longest]
    half = size[rows, longest][:, None] / 2
    across2 = (size**2).sum(1) - size[rows, longest] ** 2
    return (
        (spot - half * axis)[:, None],
        (spot + half * axis)[:, None],
        (np.sqrt(across2) / 2)[:, None],
    )
