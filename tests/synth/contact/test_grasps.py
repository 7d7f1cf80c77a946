"""Hands hold: without sinking in, with enough parts, from both sides, whatever the batch."""

import numpy as np
import pytest

from frames.errors import BadInput
from synth.config import GraspConfig
from synth.contact.classes import WAYS
from synth.contact.gaps import measure_gaps
from synth.contact.grasps import solve_grasps
from synth.contact.holds import Holds
from synth.contact.ways import weigh_classes
from synth.hand.angles import clamp
from synth.hand.collision import place_capsules, self_penetration
from synth.hand.kinematics import bone_transforms
from synth.pose.feix import GRASPS, grasp_table, opened_table, preshape_table
from tests.synth.contact.contact_world import (
    capsules,
    holds,
    identities,
    left_of,
    pack,
    probes,
    skin,
    solid_of,
    solids,
    solve,
)
from tests.synth.contact.witness import measure
from tests.synth.hand.rigs import people


def rows(found: Holds, chosen: np.ndarray) -> list[np.ndarray]:
    return [a[chosen] for a in (found.angles, found.T_wrist_from_object, found.gap_m, found.grasp)]


def test_taxonomy_is_whole() -> None:
    assert [g.number for g in GRASPS] == list(range(1, 34))
    assert {g.name for g in GRASPS} == set(WAYS)
    assert {g.type for g in GRASPS} == {"power", "intermediate", "precision"}
    for table in (grasp_table(), preshape_table(), opened_table()):
        assert table.shape == (33, 29)
        np.testing.assert_array_equal(table, clamp(table))


def test_most_hands_find_a_hold() -> None:
    assert holds().ok.mean() > 0.9


def test_skin_sinks_in_by_three_millimetres_at_most() -> None:
    """Measured on the meshes, not on the grid that the solver asks."""
    found = holds()
    count = len(found.ok)
    vertices = skin(found.angles, identities(count), left_of(count))
    for n in np.flatnonzero(found.ok)[::2]:
        solid = solids()[solid_of(count)[n]]
        seen = measure(people(), vertices[n], solid.model, found.T_wrist_from_object[n])
        name = GRASPS[found.grasp[n]].name
        assert seen.deepest_m <= 0.003, (solid.name, name, seen.deepest_m)
        assert seen.touching() >= 2, (solid.name, name)


def test_enough_parts_touch() -> None:
    found = holds()
    touching = (found.gap_m <= 0.002).sum(1)
    for n in np.flatnonzero(found.ok):
        assert touching[n] >= WAYS[GRASPS[found.grasp[n]].name].least
        assert not (found.gap_m[n] < -0.003).any()


def test_flesh_does_not_run_through_itself() -> None:
    found = holds()
    count = len(found.ok)
    still = np.tile(np.eye(4), (count, 1, 1))
    bones, _ = bone_transforms(
        people(), identities(count), found.angles, still, np.zeros(count, bool)
    )
    placed = place_capsules(capsules(), identities(count), bones)
    depth = self_penetration(*placed, capsules().pairs)
    assert depth[found.ok].max() <= 0.0025 + 1e-6


def test_angles_keep_their_limits() -> None:
    found = holds()
    np.testing.assert_allclose(found.angles, clamp(found.angles), atol=1e-12)
    assert (found.angles[:, :2] == 0).all()


def test_poses_are_rigid() -> None:
    turn = holds().T_wrist_from_object[:, :3, :3]
    np.testing.assert_allclose(
        turn @ turn.transpose(0, 2, 1), np.tile(np.eye(3), (len(turn), 1, 1)), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(turn), 1.0, atol=1e-9)


def test_frame_alone_equals_frame_in_a_batch() -> None:
    found = holds()
    for n in (0, 3, 17, 40):
        alone = solve(GraspConfig(), np.array([n]))
        for a, b in zip(rows(alone, np.array([0])), rows(found, np.array([n])), strict=True):
            np.testing.assert_array_equal(a, b)


def test_gaps_are_those_of_the_pose() -> None:
    found = holds()
    ok, count = found.ok, len(found.ok)
    gaps = measure_gaps(
        probes(), pack(), identities(count)[ok], found.angles[ok], found.T_wrist_from_object[ok],
        solid_of(count)[ok], left_of(count)[ok],
    )  # fmt: skip
    np.testing.assert_allclose(gaps, found.gap_m[ok], atol=2e-6)


def test_left_hand_mirrors_a_symmetric_solid() -> None:
    """A ball looks the same in the mirror, so left and right hold it alike."""
    ball = [n for n, s in enumerate(solids()) if s.kind == "ball"][:1]
    ids = np.arange(6)
    both = [
        solve_grasps(
            GraspConfig(), 0, ids, "m", people(), capsules(), probes(), solids(), pack(),
            identities(6), np.repeat(ball, 6), np.full(6, side),
        )
        for side in (False, True)
    ]  # fmt: skip
    np.testing.assert_array_equal(both[0].grasp, both[1].grasp)
    np.testing.assert_allclose(both[0].angles, both[1].angles, atol=0.02)


def test_every_class_holds_something() -> None:
    count = 8 * len(solids())
    for grasp in GRASPS:
        others = ",".join(f"{g.name}:0" for g in GRASPS if g is not grasp)
        found = solve(GraspConfig(favour=others), np.arange(count), grasp.name)
        assert found.ok.any(), grasp.name
        assert set(found.grasp[found.ok]) == {grasp.number - 1}


def test_every_thing_can_be_held() -> None:
    count = 12 * len(solids())
    found = solve(GraspConfig(), np.arange(count), "all")
    held = {solids()[k].kind for k in solid_of(count)[found.ok]}
    # A large ball may be too large, and some things are made for both hands.
    assert held >= {s.kind for s in solids()} - {"ball", "big ball", "parcel", "tray"}


@pytest.mark.parametrize(
    ("favour", "word"),
    [
        ("handshake:1", "handshake"),
        ("lateral", "lateral"),
        ("ring:-1", "ring:-1"),
        ("ring:x", "ring:x"),
    ],
)
def test_broken_favour_is_refused(favour: str, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        weigh_classes(favour)


def test_favour_scales() -> None:
    plain, favoured = weigh_classes(""), weigh_classes("lateral:3, ring:0")
    assert favoured[15] == 3 * plain[15]
    assert favoured[30] == 0.0
    assert (np.delete(favoured, [15, 30]) == np.delete(plain, [15, 30])).all()
