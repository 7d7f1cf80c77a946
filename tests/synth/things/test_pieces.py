"""Pieces of a mesh: counted, told apart, and turned outward."""

import numpy as np
import pytest
import trimesh

from synth.things.pieces import count_edges, label_pieces, orient_outward


def test_orientation_does_not_care_how_faces_are_listed() -> None:
    rng = np.random.default_rng(0)
    ball = trimesh.creation.icosphere(2, 0.1)
    ball.apply_translation([3.0, -2.0, 1.0])
    for _ in range(5):
        faces = ball.faces[rng.permutation(len(ball.faces))].copy()
        turned = rng.random(len(faces)) < 0.5
        faces[turned] = faces[turned, ::-1]
        mended = orient_outward(ball.vertices, faces)
        volume = trimesh.Trimesh(ball.vertices - ball.centroid, mended, process=False).volume
        assert volume == pytest.approx(ball.volume)
        np.testing.assert_array_equal(np.sort(mended, 1), np.sort(faces, 1))


def test_a_torus_turns_too() -> None:
    ring = trimesh.creation.torus(0.1, 0.03)
    for faces in (ring.faces, ring.faces[:, ::-1]):
        mended = orient_outward(ring.vertices, faces)
        assert trimesh.Trimesh(ring.vertices, mended, process=False).volume > 0


def test_pieces_are_told_apart() -> None:
    parts = [trimesh.creation.box((1, 1, 1)).apply_translation((3 * k, 0, 0)) for k in range(3)]
    mesh = trimesh.util.concatenate(parts)
    order = np.random.default_rng(1).permutation(36)
    labels = label_pieces(mesh.faces[order])
    assert labels.max() == 2 and labels[0] == 0
    for k in range(3):
        assert len(np.unique(labels[order // 12 == k])) == 1


def test_edges_are_counted() -> None:
    cube = trimesh.creation.box((1, 1, 1)).faces
    assert count_edges(cube) == (0, 0)
    assert count_edges(cube[:-1]) == (3, 0)
    assert count_edges(np.concatenate([cube, cube[:1]])) == (0, 3)
