"""Faces of a closed mesh turned outward, whatever way round a file lists them."""

import numpy as np


def orient_outward(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3), (F, 3) -> the same faces, each seen counter-clockwise from outside.

    Every edge must have exactly two faces. Each connected piece is turned by itself: neighbours
    pass a shared edge in opposite directions, and the volume that the piece encloses is positive.
    """
    links = _link_faces(faces)
    flip = np.zeros(len(faces), bool)
    piece = np.full(len(faces), -1)
    count = 0
    for seed in range(len(faces)):
        if piece[seed] >= 0:
            continue
        piece[seed] = count
        waiting = [seed]
        while waiting:
            face = waiting.pop()
            for other, disagrees in links[face]:
                if piece[other] < 0:
                    piece[other] = count
                    flip[other] = flip[face] ^ disagrees
                    waiting.append(other)
        count += 1
    turned = np.where(flip[:, None], faces[:, ::-1], faces)
    corners = np.asarray(vertices, np.float64)[turned]
    corners = corners - corners.mean((0, 1))
    volume = np.zeros(count)
    np.add.at(volume, piece, (corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum(1))
    return np.where((volume < 0)[piece][:, None], turned[:, ::-1], turned)


def _link_faces(faces: np.ndarray) -> list[list[tuple[int, bool]]]:
    """For each face its three neighbours, and whether they run the other way round."""
    edges = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    undirected = np.sort(edges, axis=1)
    order = np.lexsort((undirected[:, 1], undirected[:, 0])).reshape(-1, 2)
    links: list[list[tuple[int, bool]]] = [[] for _ in faces]
    for a, b in order:
        disagrees = bool(edges[a, 0] == edges[b, 0])
        links[a // 3].append((int(b) // 3, disagrees))
        links[b // 3].append((int(a) // 3, disagrees))
    return links
