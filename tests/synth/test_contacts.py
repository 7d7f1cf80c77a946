"""Gaps between hands and what they touch, against closest triangles and winding numbers."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from synth.contacts import NEAR_M, measure_contacts
from synth.hand.kinematics import pose_hands
from synth.pose.feix import GRASPS
from synth.scene.hands import Hands
from synth.scene.situation import GRASP, TOGETHER, TOUCH
from tests.synth.contact.mesh_witness import witness_meeting
from tests.synth.contact.witness import measure, vertex_parts
from tests.synth.scene.witness import generator

COUNT = 768
PINCH = ("pinch", "pincer", "lateral", "adduction", "tip")
"""Grasps between two parts."""


@dataclass(frozen=True)
class Seen:
    """Hands of the default scenes, their skin in the wrist frame, and the labels."""

    hands: Hands
    skin: np.ndarray
    gap_m: np.ndarray


@cache
def seen() -> Seen:
    maker = generator()
    scenes = maker.sample(np.arange(COUNT))
    hands = scenes.hands
    pose = np.linalg.inv(scenes.T_world_from_camera)[hands.frame] @ hands.T_world_from_wrist
    vertices, _ = pose_hands(maker.rig, hands.identity, hands.angles, pose, hands.left)
    still = np.tile(np.eye(4), (len(pose), 1, 1))
    skin, _ = pose_hands(maker.rig, hands.identity, hands.angles, still, hands.left)
    return Seen(hands, skin, measure_contacts(maker.studio, scenes, vertices, pose))


def deepest(gap: np.ndarray) -> float:
    return float(-np.nanmin(np.append(gap, 0.0)))


def check_things(action: int, least: int) -> None:
    """Labels within a millimetre or so of the mesh, near the skin."""
    here, maker = seen(), generator()
    rows = np.flatnonzero((here.hands.action == action) & (here.hands.solid >= 0))[:60]
    assert len(rows) >= least and here.hands.left[rows].any() and not here.hands.left[rows].all()
    errors = []
    for n in rows:
        thing = maker.studio.stock.solids[here.hands.solid[n]].model
        mesh = measure(maker.rig, here.skin[n], thing, here.hands.T_wrist_from_object[n])
        both = np.isfinite(mesh.gap_m) & np.isfinite(here.gap_m[n])
        errors.append(np.abs(mesh.gap_m - here.gap_m[n])[both])
        # What one has within 8 mm, the other has within 1 cm.
        assert (np.isfinite(here.gap_m[n]) | ~(mesh.gap_m < 0.008)).all()
        assert (np.isfinite(mesh.gap_m) | ~(here.gap_m[n] < NEAR_M)).all()
        assert mesh.deepest_m <= 0.003
    error = np.concatenate(errors)
    assert np.median(error) < 2e-4 and np.quantile(error, 0.95) < 1e-3 and error.max() < 2.5e-3


def test_gaps_to_held_things_are_those_of_the_mesh() -> None:
    check_things(GRASP, 40)


def test_gaps_to_touched_things_are_those_of_the_mesh() -> None:
    check_things(TOUCH, 20)


def test_gaps_to_surfaces_are_heights() -> None:
    here, part = seen(), vertex_parts(generator().rig)
    rows = np.flatnonzero(~np.isnan(here.hands.plane[:, 0]) & np.isnan(here.hands.edge[:, 0]))
    assert len(rows) > 50
    for n in rows:
        height = here.skin[n].astype(np.float64) @ here.hands.plane[n, :3] - here.hands.plane[n, 3]
        least = np.array([height[part == p].min() for p in range(1, 18)])
        found = np.where(np.isnan(here.gap_m[n]), np.inf, here.gap_m[n])
        np.testing.assert_allclose(found[least < 0.0099], least[least < 0.0099], atol=2e-5)
        assert least.min() > -0.003


def test_gaps_to_an_edge_are_those_of_half_a_slab() -> None:
    """Fingers below the edge are not through it."""
    here, part = seen(), vertex_parts(generator().rig)
    rows = np.flatnonzero(~np.isnan(here.hands.edge[:, 0]))
    assert len(rows) > 3
    for n in rows:
        hands, skin = here.hands, here.skin[n].astype(np.float64)
        over = skin @ hands.plane[n, :3] - hands.plane[n, 3]
        out = skin @ hands.edge[n, :3] - hands.edge[n, 3]
        face = np.maximum(over, -hands.thickness[n] - over)
        gap = np.where((face > 0) & (out > 0), np.hypot(face, out), np.maximum(face, out))
        least = np.array([gap[part == p].min() for p in range(1, 18)])
        found = np.where(np.isnan(here.gap_m[n]), np.inf, here.gap_m[n])
        np.testing.assert_allclose(found[least < 0.0099], least[least < 0.0099], atol=2e-5)
        assert least.min() > -0.0035 and (least < 0.002).sum() >= 2


def test_hands_that_hold_touch_and_do_not_sink_in() -> None:
    here = seen()
    rows = np.flatnonzero(here.hands.action == GRASP)
    parts = (here.gap_m[rows] <= 0.002).sum(1)
    pinch = np.array(
        [any(word in GRASPS[g].name for word in PINCH) for g in here.hands.grasp[rows]]
    )
    assert (parts >= 2).all()
    assert (parts[~pinch] >= 3).mean() > 0.98
    assert max(deepest(here.gap_m[n]) for n in rows) <= 0.003


def test_gaps_between_hands_are_those_of_the_meshes() -> None:
    here, maker = seen(), generator()
    hands = here.hands
    first = np.flatnonzero((hands.action == TOGETHER) & (hands.slot == 0) & (hands.solid < 0))
    checked = 0
    for n in first[:12]:
        pose = np.linalg.inv(hands.T_world_from_wrist[n]) @ hands.T_world_from_wrist[n + 1]
        meshes = [here.skin[n], here.skin[n + 1] @ pose[:3, :3].T + pose[:3, 3]]
        if hands.left[n]:  # mirrored, so that the first one's faces are outward
            meshes = [m * np.array([-1.0, 1.0, 1.0]) for m in meshes]
        meeting = witness_meeting(maker.rig, meshes[0], meshes[1], arms=True)
        labels = here.gap_m[n : n + 2]
        least = np.nanmin(np.append(labels, NEAR_M))
        if meeting.gap_m < NEAR_M:
            assert abs(max(least, 0.0) - meeting.gap_m) < 0.002
            checked += 1
        assert -least <= 0.003
    assert checked >= 3


def test_hands_in_the_air_have_no_gap() -> None:
    here = seen()
    assert np.isnan(here.gap_m[here.hands.action == 0]).all()
