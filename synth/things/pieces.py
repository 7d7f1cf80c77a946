"""The connected pieces of a closed mesh, each turned outward whatever way round a file lists it."""

# mypy: allow-untyped-defs

import numpy as np
from numba import njit

from synth.things.distance import JIT


def count_edges(faces: np.ndarray) -> tuple[int, int]:
    """Edges of (F, 3) faces that have one face only, and more than two: (0, 0) if it is closed."""
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1).astype(np.int64)
    _, count = np.unique(edges[:, 0] << 32 | edges[:, 1], return_counts=True)
    return int((count == 1).sum()), int((count > 2).sum())


def label_pieces(faces: np.ndarray) -> np.ndarray:
    """(F, 3) of a closed mesh -> (F,) int64 which connected piece each face is of, from 0."""
    return _walk(*_link_faces(faces))[0]


def orient_outward(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3), (F, 3) -> the same faces, each seen counter-clockwise from outside.

    Every edge must have exactly two faces. Each connected piece is turned by itself: neighbours
    pass a shared edge in opposite directions, and the volume that the piece encloses is positive.
    """
    piece, flip = _walk(*_link_faces(faces))
    turned = np.where(flip[:, None], faces[:, ::-1], faces)
    corners = np.asarray(vertices, np.float64)[turned]
    corners = corners - corners.mean((0, 1))
    volume = np.zeros(piece.max(initial=0) + 1)
    np.add.at(volume, piece, (corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum(1))
    return np.where((volume < 0)[piece][:, None], turned[:, ::-1], turned)


def _link_faces(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(F, 3) the neighbour over each edge, and whether it runs the other way round."""
    edges = np.asarray(faces, np.int64)[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    undirected = np.sort(edges, axis=1)
    first, second = np.lexsort((undirected[:, 1], undirected[:, 0])).reshape(-1, 2).T
    disagrees = edges[first, 0] == edges[second, 0]
    other, odd = np.empty(len(edges), np.int64), np.empty(len(edges), np.bool_)
    other[first], other[second] = second // 3, first // 3
    odd[first] = odd[second] = disagrees
    return other.reshape(-1, 3), odd.reshape(-1, 3)


@njit(**JIT)
def _walk(other, odd):
    """Each face's piece, and whether it runs against the first face of that piece."""
    count = other.shape[0]
    piece = np.full(count, -1, np.int64)
    flip = np.zeros(count, np.bool_)
    waiting = np.empty(count, np.int64)
    pieces = 0
    for seed in range(count):
        if piece[seed] >= 0:
            continue
        piece[seed] = pieces
        waiting[0] = seed
        left = 1
        while left > 0:
            left -= 1
            face = waiting[left]
            for edge in range(3):
                near = other[face, edge]
                if piece[near] < 0:
                    piece[near] = pieces
                    flip[near] = flip[face] ^ odd[face, edge]
                    waiting[left] = near
                    left += 1
        pieces += 1
    return piece, flip
