"""The catalogue: closed, outward, of real sizes, the same from the same seed; handles fit."""

import numpy as np
import pytest
import trimesh

from frames.errors import BadInput
from synth.things.catalogue import DRAWS, KINDS, build_catalogue, build_solid
from synth.things.draft import Draft
from synth.things.shapes import join
from synth.things.solid import Handle, Solid
from tests.synth.things.oracle import split_pieces, wind_triangles

THIN = {"card": 0.0008, "coin": 0.0016, "key": 0.002}


@pytest.fixture(scope="module")
def solids() -> tuple[Solid, ...]:
    return build_catalogue(7, 2)


def test_every_piece_is_closed_and_turned_outward(solids: tuple[Solid, ...]) -> None:
    for solid in solids:
        for faces in split_pieces(solid.model.faces):
            piece = trimesh.Trimesh(solid.model.vertices, faces, process=False)
            assert piece.is_watertight and piece.is_winding_consistent, solid.name
            assert piece.volume > 0, solid.name
            assert piece.area_faces.min() > 0, solid.name


def test_no_piece_is_inside_out_anywhere(solids: tuple[Solid, ...]) -> None:
    # A skin that crosses itself winds about some point other than once.
    rng = np.random.default_rng(0)
    for solid in solids[::2]:
        vertices = solid.model.vertices.astype(np.float64)
        for faces in split_pieces(solid.model.faces):
            low, high = vertices[faces].min((0, 1)), vertices[faces].max((0, 1))
            points = rng.uniform(low, high, (200, 3))
            turns = wind_triangles(points, vertices[faces])
            assert ((np.abs(turns) < 0.01) | (np.abs(turns - 1) < 0.01)).all(), solid.name


def test_sizes_are_those_of_things_in_a_hand(solids: tuple[Solid, ...]) -> None:
    for solid in solids:
        points = solid.model.vertices
        np.testing.assert_allclose(points.min(0), -solid.extent_m / 2, atol=1e-6)
        np.testing.assert_allclose(points.max(0), solid.extent_m / 2, atol=1e-6)
        assert 0.018 <= solid.extent_m.max() <= 0.35, solid.name
        assert solid.extent_m.min() >= THIN.get(solid.kind, 0.003), solid.name
        assert len(solid.model.faces) <= 600, solid.name
        assert solid.model.vertices.dtype == np.float32 and solid.model.faces.dtype == np.int32
        assert solid.model.codes.dtype == np.uint8 and not solid.model.codes.any()
    assert np.median([len(solid.model.faces) for solid in solids]) <= 300


def test_names_tell_solids_apart(solids: tuple[Solid, ...]) -> None:
    names = [solid.name for solid in solids]
    assert len(set(names)) == len(names) == 2 * len(KINDS) and len(KINDS) >= 35
    assert names[:2] == ["box-0", "box-1"]
    for solid in solids:
        assert solid.name.rsplit("-", 1)[0] == solid.kind == solid.model.name.rsplit("-", 1)[0]


def _corners(handle: Handle) -> np.ndarray:
    """Points of a handle's outline in the solid's frame."""
    T, half = handle.T_solid_from_handle, handle.half_m
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    if handle.round:
        angle = np.linspace(0, 2 * np.pi, 16)
        rim = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(16)])
        ball = np.ptp(half) < 1e-12
        signs = rim if ball else np.concatenate([rim - np.eye(3)[2], rim + np.eye(3)[2]])
    return (signs * half) @ T[:3, :3].T + T[:3, 3]


def test_handles_are_rigid_and_lie_within_the_solid_s_box(solids: tuple[Solid, ...]) -> None:
    for solid in solids:
        assert solid.handles, solid.name
        for handle in solid.handles:
            turn = handle.T_solid_from_handle[:3, :3]
            np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
            assert np.linalg.det(turn) == pytest.approx(1)
            assert (handle.half_m > 0).all()
            if handle.round:
                assert handle.half_m[0] == handle.half_m[1]
            beyond = (np.abs(_corners(handle)) - solid.extent_m / 2).max()
            assert beyond < 0.003, f"{solid.name}: {1000 * beyond:.1f} mm"


def test_what_is_long_and_thin_lies_on_the_axes_of_its_handle(solids: tuple[Solid, ...]) -> None:
    for solid in solids:
        for handle in solid.handles:
            if not handle.round:
                # x is the thin direction, z the long one.
                assert handle.half_m[0] <= handle.half_m[1] * 1.2 + 1e-9, solid.name


def test_the_skin_is_near_what_a_handle_says(solids: tuple[Solid, ...]) -> None:
    """Somewhere round a handle's middle there is stuff to hold: the thing fills part of it."""
    from synth.things.distance import pack_grids, solid_distances

    pack = pack_grids(solids)
    rng = np.random.default_rng(1)
    for s, solid in enumerate(solids):
        for handle in solid.handles:
            local = rng.uniform(-1, 1, (400, 3)) * handle.half_m
            T = handle.T_solid_from_handle
            points = local @ T[:3, :3].T + T[:3, 3]
            inside = solid_distances(pack, np.full(400, s), points) < 0
            assert inside.mean() > 0.04, f"{solid.name} {handle.half_m}"


def test_the_same_seed_gives_the_same_things() -> None:
    for kind in ("mug", "scissors", "lemon"):
        one, same = build_solid(5, kind, 3), build_solid(5, kind, 3)
        other = build_solid(6, kind, 3)
        assert one.name == f"{kind}-3"
        np.testing.assert_array_equal(one.model.vertices, same.model.vertices)
        np.testing.assert_array_equal(one.distance.values, same.distance.values)
        assert np.abs(one.extent_m - other.extent_m).max() > 1e-5


def test_a_thing_does_not_depend_on_how_many_there_are() -> None:
    few, many = build_catalogue(7, 1), build_catalogue(7, 2)
    for one, same in zip(few, many[::2], strict=True):
        assert one.name == same.name
        np.testing.assert_array_equal(one.model.vertices, same.model.vertices)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", [0.0, 1.0])
def test_makers_hold_at_the_ends_of_their_ranges(kind: str, end: float) -> None:
    drawn = 0

    def pick(low: float, high: float) -> float:
        nonlocal drawn
        drawn += 1
        assert low <= high
        return low + end * (high - low)

    draft: Draft = KINDS[kind](pick)
    assert drawn <= DRAWS
    vertices, faces = join(draft.parts)
    assert trimesh.Trimesh(vertices, faces, process=False).is_watertight


def test_too_few_variants_are_refused() -> None:
    with pytest.raises(BadInput, match="must be at least 1, got 0"):
        build_catalogue(0, 0)
