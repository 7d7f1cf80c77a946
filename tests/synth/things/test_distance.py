"""The distance to a solid's skin: against closed forms and brute force, and its derivative."""

import numpy as np
import pytest
import trimesh

from synth.things.catalogue import build_catalogue, build_solid
from synth.things.distance import pack_grids, solid_distance, solid_distances, solid_gradient
from synth.things.distance_field import MARGIN_M, MAX_SAMPLES, sample_distance
from synth.things.solid import Solid, make_solid
from tests.synth.things.oracle import measure_union, sample_skin


def _solid(mesh: trimesh.Trimesh) -> Solid:
    return make_solid("thing", "thing", mesh.vertices, mesh.faces, (), False)


def _look_up(solid: Solid, points: np.ndarray) -> np.ndarray:
    return solid_distances(pack_grids([solid]), np.zeros(len(points), np.int64), points)


@pytest.mark.parametrize("radius", [0.02, 0.04, 0.075])
def test_a_ball_is_as_far_as_its_formula_says(radius: float) -> None:
    solid = _solid(trimesh.creation.icosphere(4, radius))
    rng = np.random.default_rng(0)
    direction = rng.normal(size=(4000, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    away = rng.uniform(-0.006, 0.01, 4000)
    error = _look_up(solid, direction * (radius + away)[:, None]) - away
    assert np.abs(error).max() < 0.0004


def test_a_block_is_as_far_as_its_formula_says() -> None:
    half = np.array([0.05, 0.03, 0.012])
    solid = _solid(trimesh.creation.box(2 * half))
    points = np.random.default_rng(1).uniform(-1, 1, (4000, 3)) * (half + 0.02)
    beyond = np.abs(points) - half
    exact = np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(1), 0)
    error = np.abs(_look_up(solid, points) - exact)[np.abs(exact) < 0.01]
    assert error.max() < 0.0012 and error.mean() < 0.0001


SMOOTH = ("ball", "egg", "lemon")
KINDS = ("mug", "bottle", "bowl", "phone", "card", "pen", "coin", "hammer", "banana", "tape")


@pytest.mark.parametrize("kind", [*SMOOTH, *KINDS])
def test_distance_is_that_of_brute_force(kind: str) -> None:
    solid = build_solid(3, kind, 0)
    vertices, faces = solid.model.vertices, solid.model.faces
    skin, normal = sample_skin(np.random.default_rng(2), vertices, faces, 600)
    away = np.random.default_rng(3).uniform(-0.003, 0.01, 600)
    points = skin + normal * away[:, None]
    exact = measure_union(points, vertices, faces)
    error = np.abs(_look_up(solid, points) - exact)
    outside = exact > 0
    worst = 0.0004 if kind in SMOOTH else 0.0014
    assert error[outside].max() < worst
    assert np.percentile(error[outside], 95) < 0.0006 and error[outside].mean() < 0.00015
    # In the middle of a wall the ridge of the distance lies between samples.
    assert error[~outside].max() < 0.0025


@pytest.mark.parametrize("kind", ["card", "pen", "coin", "key", "knife", "fork"])
def test_a_thin_thing_has_an_inside_and_points_away_from_it(kind: str) -> None:
    solid = build_solid(0, kind, 1)
    pack = pack_grids([solid])
    assert solid.distance.values.min() < -0.0002
    skin, normal = sample_skin(
        np.random.default_rng(4), solid.model.vertices, solid.model.faces, 300
    )
    # Off the skin by 4 mm: farther than from any rim or tine beside it, so outside.
    points = skin + 0.004 * normal
    clear = measure_union(points, solid.model.vertices, solid.model.faces) > 0.0039
    slopes = np.array([solid_gradient(pack, 0, *p) for p in points[clear]])
    assert (slopes[:, 0] > 0.003).all()
    facing = (slopes[:, 1:] * normal[clear]).sum(1)
    assert np.percentile(facing, 5) > 0.8


def test_signs_hold_far_and_near_for_every_sample() -> None:
    for kind in ("mug", "pliers", "kettle", "controller"):
        solid = build_solid(1, kind, 0)
        grid = solid.distance
        index = np.stack(np.meshgrid(*map(np.arange, grid.values.shape), indexing="ij"), -1)
        chosen = np.random.default_rng(5).permutation(grid.values.size)[:4000]
        points = grid.origin + index.reshape(-1, 3)[chosen] * grid.spacing
        exact = measure_union(points, solid.model.vertices, solid.model.faces)
        got = grid.values.reshape(-1)[chosen]
        clear = np.abs(exact) > 1e-6
        np.testing.assert_array_equal(got[clear] < 0, exact[clear] < 0)
        near = np.abs(exact) < 0.012
        np.testing.assert_allclose(got[near], exact[near], atol=1e-6)
        # Farther out one triangle serves for eight samples: never too near, and seldom too far.
        over = (np.abs(got) - np.abs(exact))[~near]
        assert over.min() > -1e-6 and over.max() < np.linalg.norm(grid.spacing)
        assert np.percentile(over, 95) < 0.0005


def test_every_side_of_a_grid_has_its_margin_and_its_size_is_bounded() -> None:
    for kind in ("card", "pan", "pen", "cube", "book"):
        solid = build_solid(2, kind, 0)
        grid = solid.distance
        last = grid.origin + (np.array(grid.values.shape) - 1) * grid.spacing
        assert (grid.origin <= -solid.extent_m / 2 - MARGIN_M + 1e-9).all()
        assert (last >= solid.extent_m / 2 + MARGIN_M - 1e-9).all()
        assert grid.values.size <= MAX_SAMPLES and grid.values.dtype == np.float32


def test_the_slope_is_the_derivative_of_the_distance() -> None:
    solids = [build_solid(0, kind, 0) for kind in ("mug", "phone", "ball")]
    pack = pack_grids(solids)
    rng = np.random.default_rng(6)
    step = 1e-7
    for s in range(3):
        reach = 0.8 * solids[s].extent_m + 0.04
        for point in rng.uniform(-1, 1, (300, 3)) * reach:
            value, *slope = solid_gradient(pack, s, *point)
            assert value == solid_distance(pack, s, *point)
            for axis, move in enumerate(np.eye(3) * step):
                ahead = solid_distance(pack, s, *(point + move))
                behind = solid_distance(pack, s, *(point - move))
                assert (ahead - behind) / (2 * step) == pytest.approx(slope[axis], abs=2e-5)


def test_beyond_the_grid_distance_is_continuous_and_grows() -> None:
    solid = _solid(trimesh.creation.icosphere(3, 0.03))
    way = np.linspace(0.03, 0.5, 400)[:, None] * np.array([0.6, 0.64, 0.48])
    values = _look_up(solid, way)
    assert (np.diff(values) > 0).all() and np.diff(values).max() < 2 * np.diff(values).min()
    # The clamped point's value and the way to it: no less than the truth, by the triangle.
    exact = np.linalg.norm(way, axis=1) - 0.03
    assert (values > exact - 0.0004).all() and (values < 1.5 * exact + 0.002).all()


def test_solids_of_a_pack_do_not_mix() -> None:
    kinds = ("pen", "plate", "cube")
    solids = [build_solid(0, kind, 0) for kind in kinds]
    pack = pack_grids(solids)
    points = np.random.default_rng(7).uniform(-0.1, 0.1, (90, 3))
    which = np.arange(90) % 3
    mixed = solid_distances(pack, which, points)
    for s, solid in enumerate(solids):
        np.testing.assert_array_equal(mixed[which == s], _look_up(solid, points[which == s]))


def test_nothing_packs_to_nothing() -> None:
    pack = pack_grids(())
    assert len(pack.values) == 0 and pack.shape.shape == (0, 3)


def test_signs_do_not_depend_on_which_way_the_lines_run() -> None:
    """A line that slips through a seam would differ from lines along another axis."""
    for solid in build_catalogue(5, 2):
        faces = solid.model.faces
        other = sample_distance(np.ascontiguousarray(solid.model.vertices[:, [1, 2, 0]]), faces)
        one, two = solid.distance.values, other.values.transpose(2, 0, 1)
        assert one.shape == two.shape
        clear = np.minimum(np.abs(one), np.abs(two)) > 1e-5
        np.testing.assert_array_equal((one < 0)[clear], (two < 0)[clear], solid.name)
