"""Named poses run through themselves nowhere by more than 3 mm, measured on the mesh itself."""

from functools import cache

import numpy as np
import pytest
import trimesh

from synth.hand.kinematics import pose_hands
from synth.pose.presets import PRESETS, Preset, preset_angles
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

UNRELAXED = {"fist", "point", "thumbs-up", "l-shape", "peace", "horns", "ok", "grip"}
"""Poses whose table still presses flesh too deep for some people."""


@cache
def solids() -> list[Solid]:
    return cut_solids(people())


def worst_of(angles: np.ndarray) -> Penetration:
    """The deepest self-penetration of all people in one pose (29,)."""
    rig = people()
    count = len(rig.rest_vertices)
    still = np.tile(np.eye(4), (count, 1, 1))
    vertices, _ = pose_hands(
        rig, np.arange(count), np.tile(angles, (count, 1)), still, np.zeros(count, bool)
    )
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
    assert worst_of(np.zeros(29)).depth_m == 0.0
    crossed = np.zeros(29)
    crossed[10], crossed[15] = np.radians(20), np.radians(-20)  # index and middle into each other
    found = worst_of(crossed)
    assert found.depth_m > 0.004
    assert {"index", "middle"} == {part.split("_")[0] for part in found.pair.split(" in ")}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.name)
def test_named_pose_is_clear(preset: Preset, request: pytest.FixtureRequest) -> None:
    if preset.name in UNRELAXED:
        request.applymarker(pytest.mark.xfail(reason="the table is not relaxed for every hand"))
    found = worst_of(preset_angles(preset))
    assert found.depth_m <= LIMIT_M, f"{found.pair}: {1000 * found.depth_m:.1f} mm"
