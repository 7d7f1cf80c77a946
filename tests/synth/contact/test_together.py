"""Pairs of hands: clear of each other on the mesh, touching where they should, and reachable."""

from functools import cache

import numpy as np
import pytest

from frames.stream import uniform
from synth.config import TogetherConfig
from synth.contact.flesh import Flesh, build_flesh
from synth.contact.together import Pairs, meet_again, solve_together
from synth.contact.together_gaps import measure_pairs
from synth.contact.together_kinds import KIND_NAMES, KINDS
from synth.contact.together_objects import SharedHolds, solve_shared
from synth.contact.together_shares import Shares, list_shares
from synth.contact.together_table import draw_pair_pose, kind_table
from synth.hand.angles import LIMITS
from synth.hand.collision import Capsules, build_capsules
from synth.hand.kinematics import pose_hands
from synth.rigid import multiply, rotate
from synth.scene.arm import reach_best, straight_elbows
from synth.things.catalogue import build_solid
from synth.things.distance import DistancePack, pack_grids
from synth.things.solid import Solid
from tests.synth.contact.mesh_witness import witness_meeting
from tests.synth.hand.rigs import people
from tests.synth.hand.winding import surface_distance, winding_numbers

CONFIG = TogetherConfig()
MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])


@cache
def tools() -> tuple[Capsules, Flesh]:
    return build_capsules(people()), build_flesh(people())


def solve(ids: np.ndarray, left: np.ndarray, kind: np.ndarray | None = None) -> Pairs:
    return solve_together(CONFIG, 5, ids, "test", people(), *tools(), ids % 16, left, kind)


@cache
def sample() -> tuple[Pairs, np.ndarray, np.ndarray]:
    """Eight pairs of every kind, who, and which are left first."""
    kind = np.repeat(np.arange(len(KINDS)), 8)
    ids = np.arange(len(kind)) * 7
    left = ids % 2 == 1
    return solve(ids, left, kind), ids % 16, left


def vertices(pairs: Pairs, who: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    still = np.tile(np.eye(4), (len(who), 1, 1))
    first, _ = pose_hands(people(), who, pairs.angles[:, 0], still, left)
    second, _ = pose_hands(people(), who, pairs.angles[:, 1], pairs.T_first_from_second, ~left)
    return first, second


def test_nearly_every_pair_is_solved() -> None:
    pairs, _, _ = sample()
    share = pairs.ok.reshape(len(KINDS), -1).mean(1)
    assert pairs.ok.mean() > 0.97
    assert (share >= 0.75).all(), dict(zip(KIND_NAMES, share, strict=True))
    low, high = LIMITS[:, 0] - 1e-9, LIMITS[:, 1] + 1e-9
    assert ((pairs.angles >= low) & (pairs.angles <= high)).all()
    assert (pairs.angles[:, :, :2] == 0.0).all()


@pytest.mark.parametrize("kind", range(len(KINDS)), ids=KIND_NAMES)
def test_pair_is_clear_and_touches_on_the_mesh(kind: int) -> None:
    pairs, who, left = sample()
    first, second = vertices(pairs, who, left)
    good = [n for n in range(8 * kind, 8 * kind + 8) if pairs.ok[n]][:2]
    for n in good:
        found = witness_meeting(people(), first[n], second[n], arms=KINDS[kind].on_arm)
        assert found.depth_m <= 0.003
        if KINDS[kind].parts:
            assert found.touching >= KINDS[kind].parts
            assert found.gap_m <= 0.002
        else:
            assert found.depth_m == 0.0 and found.touching == 0 and found.gap_m >= 0.003


def test_hands_apart_keep_their_distance() -> None:
    """By brute force over vertices; the gap is meant along the approach: more is possible."""
    pairs, who, left = sample()
    first, second = vertices(pairs, who, left)
    apart = np.flatnonzero((kind_table().parts[pairs.kind] == 0) & pairs.ok)
    assert len(apart) > 40
    hand = people().skin_bone[:, 0] != 1
    for n in apart:
        a, b = first[n][hand].astype(float), second[n][hand].astype(float)
        least = np.sqrt(((a[:, None] - b[None]) ** 2).sum(2).min())
        assert 0.0035 < least < 0.3


def test_gaps_are_those_of_the_mesh() -> None:
    pairs, who, left = sample()
    first, second = vertices(pairs, who, left)
    for n in np.flatnonzero(pairs.ok & (pairs.gap_m[:, 0, 6] < 0.0015))[:6]:
        own = np.unique(people().faces[people().face_parts == 7])
        corners = second[n][people().faces].astype(np.float64)
        exact = surface_distance(first[n][own].astype(np.float64), corners).min()
        assert abs(max(pairs.gap_m[n, 0, 6], 0.0) - exact) < 0.0025


def test_pair_alone_equals_the_pair_in_a_batch() -> None:
    ids = np.arange(24)
    left = ids % 3 == 0
    together = solve(ids, left)
    for n in (0, 7, 23):
        alone = solve(ids[n : n + 1], left[n : n + 1])
        np.testing.assert_array_equal(alone.angles[0], together.angles[n])
        np.testing.assert_array_equal(alone.T_first_from_second[0], together.T_first_from_second[n])
        np.testing.assert_array_equal(alone.gap_m[0], together.gap_m[n])
        assert alone.kind[0] == together.kind[n] and alone.ok[0] == together.ok[n]


def test_left_first_is_the_mirror_image() -> None:
    ids = np.arange(20)
    right, left = solve(ids, np.zeros(20, bool)), solve(ids, np.ones(20, bool))
    np.testing.assert_array_equal(right.angles, left.angles)
    np.testing.assert_allclose(
        MIRROR @ right.T_first_from_second @ MIRROR, left.T_first_from_second, atol=1e-15
    )
    u = uniform(0, ids, "held", 6)
    a = draw_pair_pose(right.kind, u, np.zeros(20, bool))
    b = draw_pair_pose(right.kind, u, np.ones(20, bool))
    np.testing.assert_allclose(MIRROR[:3, :3] @ a @ MIRROR[:3, :3], b, atol=1e-15)


def test_shares_of_kinds() -> None:
    pairs = solve(np.arange(400), np.zeros(400, bool))
    apart = (kind_table().parts[pairs.kind] == 0).mean()
    assert abs(apart - CONFIG.apart_share) < 4 * np.sqrt(0.3 * 0.7 / 400)
    assert len(np.unique(pairs.kind)) > 25


def test_both_arms_reach_and_stay_clear() -> None:
    """Pairs held as proposed, 0.22 to 0.48 m before the chest: 60 % of single draws are reachable,
    nearly all of those are clear, forearms included."""
    pairs, who, left = sample()
    count, rig = len(who), people()
    u = uniform(0, np.arange(count), "place", 9)
    held = draw_pair_pose(pairs.kind, u[:, :6], left)
    T = pairs.T_first_from_second
    ahead = np.broadcast_to([0.0, 0.0, -0.08], (count, 3))
    middle = 0.5 * (ahead + rotate(T[:, :3, :3], ahead) + T[:, :3, 3])
    at = np.array([-0.08, 0.22, -0.42]) + u[:, 6:] * [0.16, 0.26, 0.27]
    pose = np.tile(np.eye(4), (count, 2, 1, 1))
    pose[:, 0, :3, :3], pose[:, 0, :3, 3] = held, at - rotate(held, middle)
    swivels = np.tile(np.radians(np.linspace(-20, 110, 8)), (count, 1))
    sides = np.stack([left, ~left], axis=1)

    def arms(h: int):  # type: ignore[no-untyped-def]
        length, elbow = rig.hand_length[who], straight_elbows(rig)[who]
        return reach_best(pose[:, h], sides[:, h], length, elbow, swivels)

    pose[:, 1] = multiply(pose[:, 0], T)
    reached = [arms(0), arms(1)]
    bent = np.stack([arm.wrist_angles for arm in reached], axis=1)
    capsules, flesh = tools()
    again = meet_again(CONFIG, rig, capsules, flesh, who, pairs, bent, left)
    pose[:, 1] = multiply(pose[:, 0], again.T_first_from_second)
    last = arms(1)
    again.angles[:, 1, :2] = last.wrist_angles
    fits = reached[0].fits & last.fits
    share = fits.reshape(len(KINDS), -1).mean(1)
    assert fits.mean() > 0.7
    assert (share >= 0.6).mean() > 0.8, dict(zip(KIND_NAMES, share, strict=True))
    _, depth = measure_pairs(rig, flesh, who, again.angles, pose, sides)
    assert (depth[fits & again.ok] <= 0.003).mean() > 0.95


@cache
def things() -> tuple[tuple[Solid, ...], Shares, DistancePack]:
    names = [(kind, variant) for kind in ("plate", "tablet", "kettle") for variant in (0, 1)]
    solids = tuple(build_solid(0, *name) for name in [*names, ("coin", 0)])
    return solids, list_shares(solids), pack_grids(solids)


def share_things(ids: np.ndarray, solid: np.ndarray) -> SharedHolds:
    _, shares, pack = things()
    return solve_shared(
        CONFIG, 3, ids, "test", people(), *tools(), shares, pack, ids % 16, solid, ids % 2 == 1
    )


def test_two_hands_hold_a_thing_clear_of_it() -> None:
    """By winding numbers and distances to the thing's own mesh."""
    solids, _, _ = things()
    ids = np.arange(24)
    solid = ids % 7
    holds = share_things(ids, solid)
    assert (holds.kind[solid == 6] == -1).all() and not holds.ok[solid == 6].any()
    assert holds.ok[solid < 6].mean() > 0.8
    left = ids % 2 == 1
    still = np.tile(np.eye(4), (24, 1, 1))
    poses = (still, holds.T_first_from_second)
    for n in np.flatnonzero(holds.ok)[:10]:
        model = solids[solid[n]].model
        T = holds.T_first_from_object[n]
        corners = (model.vertices.astype(np.float64) @ T[:3, :3].T + T[:3, 3])[model.faces]
        for h in (0, 1):
            row = slice(n, n + 1)
            side = left[row] if h == 0 else ~left[row]
            skin, _ = pose_hands(people(), ids[row] % 16, holds.angles[row, h], poses[h][row], side)
            points = skin[0].astype(np.float64)
            near = (
                (points > corners.min((0, 1)) - 0.003) & (points < corners.max((0, 1)) + 0.003)
            ).all(1)
            away = surface_distance(points[near], corners)
            inside = winding_numbers(points[near], corners) > 0.5
            assert away[inside].max(initial=0.0) <= 0.003
            part = np.zeros(len(points), np.int64)
            part[people().faces.ravel()] = np.repeat(people().face_parts, 3)
            assert len(np.unique(part[near][inside | (away <= 0.002)])) >= 3


def test_shared_hold_alone_equals_that_in_a_batch() -> None:
    ids = np.arange(8)
    together = share_things(ids, ids % 6)
    alone = share_things(ids[5:6], ids[5:6] % 6)
    np.testing.assert_array_equal(alone.T_first_from_object[0], together.T_first_from_object[5])
    np.testing.assert_array_equal(alone.angles[0], together.angles[5])
    np.testing.assert_array_equal(alone.R_body_from_first[0], together.R_body_from_first[5])
