"""Surroundings leave the foreground free, and come as often as they should."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from synth.config import RoomConfig, SynthConfig
from synth.generator import Generator
from synth.scene.arrangement import CLOSE, KINDS
from synth.scene.composition import Composition, compose, occupied
from synth.scene.surroundings import (
    MODELS,
    MOST_FACES,
    Surroundings,
    build_surroundings,
    take_surroundings,
)

SCENES = 1024
ROOMS = RoomConfig()


@cache
def maker() -> Generator:
    return Generator(SynthConfig(seed=3))


@cache
def foreground() -> tuple[Composition, np.ndarray, np.ndarray]:
    studio = maker().studio
    scene = compose(maker().config.scene, studio, 3, np.arange(SCENES))
    return scene, *occupied(scene, studio.extents)


def build(config: RoomConfig = ROOMS, rows: slice | np.ndarray = slice(None)) -> Surroundings:
    scene, points, radius = foreground()
    studio = maker().studio
    return build_surroundings(
        config, 3, scene.ids[rows], points[rows], radius[rows], scene.table[rows],
        scene.table_point[rows], scene.T_world_from_camera[rows], studio.stock.solids,
        pools=studio.pools, split=scene.split[rows], seated=scene.seated[rows],
    )  # fmt: skip


@cache
def everything() -> Surroundings:
    return build()


def piece_sizes(around: Surroundings) -> np.ndarray:
    """(M, 3) extents of the models before their maps."""
    solids = np.array([s.extent_m for s in maker().studio.stock.solids])
    unit = np.ones((len(MODELS), 3))
    return np.asarray(np.concatenate([unit, solids])[around.model])


def gaps_to_pieces(around: Surroundings, b: int, centre: np.ndarray) -> np.ndarray:
    """(M, P) distance from points (P, 3) to the oriented boxes of scene b's pieces."""
    own = np.flatnonzero(around.frame == b)
    T, size = around.T[own], piece_sizes(around)[own]
    scale = np.linalg.norm(T[:, :3, :3], axis=1)
    turn = T[:, :3, :3] / scale[:, None]
    local = np.einsum("mji,mpj->mpi", turn, centre[None] - T[:, None, :3, 3])
    beyond = np.maximum(np.abs(local) - (scale * size / 2)[:, None], 0)
    return np.asarray(np.linalg.norm(beyond, axis=2))


def test_balls_stay_inside_the_walls() -> None:
    _, points, radius = foreground()
    around = everything()
    rows = np.flatnonzero(around.present)
    out = np.einsum("bpi,bki->bkp", points[rows], around.planes[rows, :, :3])
    out += radius[rows, None] - around.planes[rows, :, 3, None]
    assert np.nanmax(out) < -0.0099
    assert np.allclose(np.linalg.norm(around.planes[..., :3], axis=-1), 1)
    assert (around.planes[..., 3] > 0).all(), "the camera is inside"


def test_no_piece_runs_through_a_ball() -> None:
    """Hands and arms, things' corners and boards; what rests on a table is over its top."""
    scene, points, radius = foreground()
    around = everything()
    tops = in_use(around)
    worst, checked = np.inf, 0
    for b in range(SCENES):
        own = np.flatnonzero(around.frame == b)
        there = np.flatnonzero((radius[b] >= 0) & ~np.isnan(points[b, :, 0]))
        if not len(own):
            continue
        gap = gaps_to_pieces(around, b, points[b, there]) - radius[b, there]
        # Tables in use, and their cupboards, are tested by what is over them (test_desk).
        over = points[b, there, 2] > scene.table[b] - 0.05
        under = around.T[own, 2, 3] < scene.table[b]
        gap = np.where(under[:, None] & over, np.inf, gap)[~np.isin(own, tops)]
        if gap.size:
            worst, checked = min(worst, gap.min()), checked + gap.shape[0]
    assert worst > 0.0099, f"{1000 * worst:.1f} mm"
    assert checked > 3 * SCENES


def in_use(around: Surroundings) -> np.ndarray:
    """Index of the top of every table in use: the highest large level face at its height."""
    scene, _, _ = foreground()
    top = around.T[:, 2, 3] + np.abs(around.T[:, 2, 2]) / 2
    size = np.linalg.norm(around.T[:, :3, :3], axis=1)
    asked = scene.table[around.frame]
    level = (np.abs(top - asked) < 1e-9) & (around.model < len(MODELS)) & (size[:, 2] < 0.06)
    return np.flatnonzero(level)


def test_alone_as_in_a_batch() -> None:
    whole = everything()
    for b in (0, 1, 7, 100, 511):
        alone = build(rows=np.array([b]))
        part = take_surroundings(whole, np.array([b]))
        assert alone.names()[0] == part.names()[0]
        for name in ("present", "planes", "kind", "model", "T"):
            assert np.array_equal(getattr(alone, name), getattr(part, name)), name


def test_frames_of_sequences_share_their_scene() -> None:
    whole = everything()
    index = np.array([4, 4, 9, 2])
    part = take_surroundings(whole, index)
    for k, b in enumerate(index):
        own = np.flatnonzero(whole.frame == b)
        assert np.array_equal(part.T[part.frame == k], whole.T[own])
        assert np.array_equal(part.model[part.frame == k], whole.model[own])
    assert np.all(np.diff(part.frame) >= 0)


def test_shares() -> None:
    scene, _, _ = foreground()
    around = everything()
    free = np.isnan(scene.table)
    close = around.kind == CLOSE
    assert not close[~free].any()
    assert_share(close[free], ROOMS.close_share)
    assert_share(np.isin(around.names(), ["empty", "ground"])[~close], ROOMS.empty_share)
    tables = np.isin(around.names(), ["table", "desk", "counter"])
    rooms = ~np.isin(around.names(), ["empty", "ground", "close"])
    assert tables[~free & rooms].all()
    # A table that finds no place is left out.
    assert ROOMS.table_share - 0.1 < tables[free & rooms].mean() < ROOMS.table_share + 0.05
    assert set(around.names()) == set(KINDS)


def assert_share(flags: np.ndarray, share: float) -> None:
    error = 4 * np.sqrt(share * (1 - share) / len(flags))
    assert abs(flags.mean() - share) < error, f"{flags.mean():.3f}"


@pytest.mark.parametrize("name", ["close_share", "empty_share", "table_share", "shelves_share"])
def test_shares_of_nothing(name: str) -> None:
    around = build(replace(ROOMS, **{name: 0.0}))
    kinds = {
        "close_share": ["close"],
        "empty_share": ["empty", "ground"],
        "table_share": [],
        "shelves_share": ["shelves"],
    }[name]
    assert not np.isin(around.names(), kinds).any()
    if name == "table_share":
        tables = np.isin(around.names(), ["table", "desk", "counter"])
        assert not tables[np.isnan(foreground()[0].table)].any()


def test_close_surfaces_are_where_they_should_be() -> None:
    """The gap to the nearest ball, all of which are on the camera's side, is log-uniform."""
    scene, points, radius = foreground()
    around = build(replace(ROOMS, close_share=1.0))
    rows = np.flatnonzero(around.kind == CLOSE)
    last = np.flatnonzero(np.diff(around.frame, append=SCENES))
    slab = around.T[last[np.searchsorted(around.frame[last], rows)]]
    thick = np.linalg.norm(slab[:, :3, 2], axis=1)
    normal = slab[:, :3, 2] / thick[:, None]
    offset = np.einsum("bi,bi->b", normal, slab[:, :3, 3]) - thick / 2
    depth = offset[:, None] - np.einsum("bi,bpi->bp", normal, points[rows]) - radius[rows]
    depth[radius[rows] < 0] = np.nan
    gap = np.nanmin(depth, axis=1)
    assert gap.min() > 0.0299 and gap.max() < 0.3001
    share = np.log(gap / 0.03) / np.log(10)
    assert np.abs(np.sort(share) - (np.arange(len(share)) + 0.5) / len(share)).max() < 0.085
    axis = scene.T_world_from_camera[rows, :3, 2]
    assert np.einsum("bi,bi->b", axis, normal).min() > np.cos(np.pi / 4) - 1e-9
    assert len(rows) > 500


def test_pieces_are_cheap() -> None:
    around = everything()
    faces = np.array([len(m.faces) for m in MODELS] + [
        len(s.model.faces) for s in maker().studio.stock.solids
    ])  # fmt: skip
    assert faces[around.model].max() <= MOST_FACES
    assert faces[around.model].sum() / SCENES < 600
