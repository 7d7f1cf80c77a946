"""Poses run through themselves nowhere by more than 3 mm, measured on the mesh itself."""

from functools import cache

import numpy as np
import pytest
import trimesh

from synth.hand.angles import clamp
from synth.hand.collision import build_capsules, place_capsules, self_penetration
from synth.hand.kinematics import bone_transforms, pose_hands
from synth.pose.flesh import build_flesh
from synth.pose.library import PRESETS, fit_presets
from tests.synth.hand.rigs import people
from tests.synth.hand.winding import (
    Penetration,
    Solid,
    cut_solids,
    deepest,
    surface_distance,
    winding_numbers,
)

LIMIT_M = 0.003


@cache
def solids() -> list[Solid]:
    return cut_solids(people())


@cache
def relaxed() -> np.ndarray:
    """(I, P, 29) the named poses as they are sampled: fitted to each person."""
    flesh = build_flesh(people(), build_capsules(people()))
    count, poses = len(people().shape), len(PRESETS)
    who, preset = np.repeat(np.arange(count), poses), np.tile(np.arange(poses), count)
    return fit_presets(flesh, who, preset).reshape(count, poses, -1)


def worst_of(angles: np.ndarray) -> Penetration:
    """The deepest self-penetration of all people, angles (I, 29)."""
    rig = people()
    count = len(rig.rest_vertices)
    still = np.tile(np.eye(4), (count, 1, 1))
    vertices, _ = pose_hands(rig, np.arange(count), angles, still, np.zeros(count, bool))
    return max((deepest(rig, solids(), v) for v in vertices), key=lambda found: found.depth_m)


def test_winding_number_and_distance_know_a_box() -> None:
    box = trimesh.creation.box((2.0, 2.0, 2.0)).subdivide()
    corners = np.asarray(box.triangles, dtype=np.float64)
    points = np.random.default_rng(0).uniform(-2, 2, (300, 3))
    inside = (np.abs(points) < 1).all(1)
    np.testing.assert_allclose(winding_numbers(points, corners), inside, atol=1e-9)
    beyond = np.maximum(np.abs(points) - 1, 0)
    expected = np.where(inside, 1 - np.abs(points).max(1), np.linalg.norm(beyond, axis=1))
    np.testing.assert_allclose(surface_distance(points, corners), expected, atol=1e-12)


def test_straight_fingers_are_clear_and_crossed_ones_are_found() -> None:
    assert worst_of(np.zeros((16, 29))).depth_m == 0.0
    crossed = np.zeros((16, 29))
    crossed[:, 10], crossed[:, 15] = (
        np.radians(20),
        np.radians(-20),
    )  # index and middle into each other
    found = worst_of(crossed)
    assert found.depth_m > 0.004
    assert {"index", "middle"} == {part.split("_")[0] for part in found.pair.split(" in ")}


@pytest.mark.parametrize("pose", range(len(PRESETS)), ids=[p.name for p in PRESETS])
def test_named_pose_is_clear(pose: int) -> None:
    found = worst_of(relaxed()[:, pose])
    assert found.depth_m <= LIMIT_M, f"{found.pair}: {1000 * found.depth_m:.1f} mm"


def test_capsules_foretell_the_mesh() -> None:
    """Of poses that capsules call clear, at most one in fifty runs through itself by 3 mm."""
    rig, capsules = people(), build_capsules(people())
    rng = np.random.default_rng(0)
    count = 1500
    named = relaxed()
    who = np.arange(count) % len(named)
    first, second = (named[who, rng.integers(0, len(PRESETS), count)] for _ in range(2))
    share = rng.random((count, 1))
    angles = clamp(share * first + (1 - share) * second + rng.normal(0, 0.1, first.shape))
    still = np.tile(np.eye(4), (count, 1, 1))
    side = np.zeros(count, bool)
    transforms, _ = bone_transforms(rig, who, angles, still, side)
    depth = self_penetration(*place_capsules(capsules, who, transforms), capsules.pairs)
    clear = np.flatnonzero(depth < 0.002)[:300]
    assert len(clear) == 300
    vertices, _ = pose_hands(rig, who[clear], angles[clear], still[clear], side[clear])
    found = np.array([deepest(rig, solids(), v).depth_m for v in vertices])
    assert (found > LIMIT_M).mean() <= 0.02, np.quantile(found, [0.9, 0.99, 1.0])
