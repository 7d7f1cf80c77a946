"""Gloves are the skin moved out; nothing else of the hand changes."""

import numpy as np

from synth.hand.bones import FOREARM_BONE, PALM
from synth.hand.glove import CUFF, THICKNESS_M, glove_rig, vertex_normals
from tests.synth.hand.rigs import people
from tests.synth.hand.winding import winding_numbers


def test_skin_moves_out_by_the_cloth() -> None:
    rig = people(4)
    gloved = glove_rig(rig)
    moved = gloved.rest_vertices.astype(np.float64) - rig.rest_vertices
    away = np.linalg.norm(moved, axis=-1)
    axis = (rig.rest_joints[:, FOREARM_BONE] - rig.rest_joints[:, PALM]).astype(np.float64)
    offset = rig.rest_vertices - rig.rest_joints[:, None, PALM]
    way = np.einsum("ivk,ik->iv", offset, axis) / (axis**2).sum(-1)[:, None]
    np.testing.assert_allclose(away[way < CUFF[0]], THICKNESS_M, atol=1e-6)
    assert (away[way > CUFF[1]] < 1e-6).all()
    for i in range(4):
        skin = rig.rest_vertices[i].astype(np.float64)
        covered = np.flatnonzero(way[i] < CUFF[0])[::3]
        cloth = gloved.rest_vertices[i, covered].astype(np.float64)
        inside = winding_numbers(cloth, skin[rig.faces]) > 0.5
        assert inside.mean() < 0.01  # creases between fingers


def test_bones_and_people_stay() -> None:
    rig = people(4)
    gloved = glove_rig(rig)
    for name in ("rest_joints", "frames", "zero", "faces", "face_parts", "skin_weight", "shape"):
        np.testing.assert_array_equal(getattr(gloved, name), getattr(rig, name))
    np.testing.assert_allclose(gloved.thickness - rig.thickness, THICKNESS_M, atol=1e-7)


def test_a_person_alone_has_the_same_gloves() -> None:
    whole, alone = glove_rig(people(4)), glove_rig(people(2))
    np.testing.assert_array_equal(whole.rest_vertices[:2], alone.rest_vertices)


def test_normals_of_a_box_and_of_the_hand() -> None:
    corner = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)
    normal = vertex_normals(corner[None], faces)[0]
    assert (normal * corner > 0.3).all()
    np.testing.assert_allclose(np.linalg.norm(normal, axis=1), 1, atol=1e-12)
