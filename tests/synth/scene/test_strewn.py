"""Soft things are clear of the foreground, as often as they should be, and fixed in the world."""

from dataclasses import replace
from functools import cache

import numpy as np

from frames.stream import uniform
from synth.config import SynthConfig
from synth.generator import Generator
from synth.scene.arrangement import CLOSE, DICE, ROOM
from synth.scene.bank import PILE
from synth.scene.pieces import CAPACITY
from synth.scene.surroundings import MODELS, Surroundings, take_surroundings
from tests.synth.scene.test_surroundings import (
    ROOMS,
    SCENES,
    assert_share,
    build,
    everything,
    foreground,
    in_use,
    maker,
)


def soft(around: Surroundings) -> np.ndarray:
    """Index of the pieces that only scenes with soft things have."""
    return np.flatnonzero((around.model >= PILE[0]) & (around.model < len(MODELS)))


def dice() -> np.ndarray:
    scene, _, _ = foreground()
    return uniform(3, scene.ids, "surroundings/soft", DICE["soft"])


@cache
def samples(model: int) -> np.ndarray:
    """Points all over a model's skin: corners, and middles of faces and of edges."""
    v, f = MODELS[model].vertices.astype(np.float64), MODELS[model].faces
    middles = [v[f].mean(1), *((v[f[:, i]] + v[f[:, (i + 1) % 3]]) / 2 for i in range(3))]
    return np.concatenate([v, *middles])


def posed(around: Surroundings, k: int) -> np.ndarray:
    T = around.T[k]
    return np.asarray(samples(int(around.model[k])) @ T[:3, :3].T + T[:3, 3])


def test_skin_of_soft_things_is_clear_of_hands_arms_and_things() -> None:
    """From their meshes, not from boxes: 1 cm to every ball and to every labelled thing."""
    scene, points, radius = foreground()
    around = everything()
    extents = maker().studio.extents
    nearest, thing, checked = np.inf, np.inf, 0
    for k in soft(around):
        b = around.frame[k]
        if around.kind[b] == CLOSE:
            continue
        skin = posed(around, k)
        there = (radius[b] > 0) & ~np.isnan(points[b, :, 0])
        gap = np.linalg.norm(skin[:, None] - points[b, there], axis=2) - radius[b, there]
        nearest = min(nearest, gap.min())
        for j in np.flatnonzero(scene.objects.present[b]):
            T = scene.objects.T_world_from_object[b, j]
            local = (skin - T[:3, 3]) @ T[:3, :3]
            beyond = np.maximum(np.abs(local) - extents[scene.objects.solid[b, j]] / 2, 0)
            thing = min(thing, np.linalg.norm(beyond, axis=1).min())
        checked += 1
    assert nearest > 0.0099, f"{1000 * nearest:.1f} mm"
    assert thing > 0.0099, f"{1000 * thing:.1f} mm"
    assert checked > SCENES


def test_tables_in_use_stay_level_under_what_rests_there() -> None:
    """Over a top in use soft things begin a hair above it, and hands near it have none below."""
    scene, points, radius = foreground()
    around = everything()
    tops = {int(around.frame[k]): around.T[k] for k in in_use(around)}
    rows = soft(around)
    over = resting = 0
    for k in rows[np.isin(around.frame[rows], list(tops))]:
        b = int(around.frame[k])
        if around.T[k, 2, 2] == 0.0:
            continue  # it hangs at a wall or an edge
        T, skin = tops[b], posed(around, k)
        local = (skin - T[:3, 3]) @ np.linalg.inv(T[:3, :3]).T
        if np.abs(local[:, :2].mean(0)).max() > 0.5 or skin[:, 2].max() < scene.table[b]:
            continue
        assert skin[:, 2].min() > scene.table[b] + 1e-4
        over += 1
        low = (points[b, :, 2] - radius[b] < scene.table[b] + 0.01) & (radius[b] > 0)
        for at, reach in zip(points[b, low], radius[b, low], strict=True):
            beside = np.maximum(np.abs(skin[:, :2] - at[:2]) - reach, 0)
            upright = np.abs(skin[:, 2] - at[2]) < reach
            assert np.linalg.norm(beside[upright], axis=1).min(initial=1.0) > 0.0
            resting += 1
    assert over > 300 and resting > 300


def test_share_of_soft_rooms() -> None:
    around = everything()
    drawn = dice()[:, 0] < ROOMS.soft_share
    assert_share(drawn, ROOMS.soft_share)
    has = np.isin(np.arange(SCENES), around.frame[soft(around)])
    assert not has[~drawn].any()
    rooms = around.kind >= ROOM
    # Some find no place, or drew none.
    assert has[drawn & rooms].mean() > 0.75


def test_no_soft_things_where_none_are_wanted() -> None:
    around = everything()
    none = build(replace(ROOMS, soft_share=0.0))
    assert not len(soft(none))
    for b in np.flatnonzero(dice()[:, 0] >= ROOMS.soft_share)[:100]:
        one, other = (take_surroundings(a, np.array([b])) for a in (around, none))
        assert np.array_equal(one.T, other.T) and np.array_equal(one.model, other.model)
        assert np.array_equal(one.planes, other.planes)


def test_tables_are_bare_or_crowded() -> None:
    around = everything()
    tops = np.unique(around.frame[in_use(around)])
    tops = tops[dice()[tops, 0] < ROOMS.soft_share]
    count = np.bincount(around.frame[soft(around)], minlength=SCENES)[tops]
    low, middle, high = np.percentile(count, (10, 50, 95))
    assert low <= 2 and 2 <= middle <= 8 and high >= 9
    few = build(replace(ROOMS, soft_share=1.0, max_soft=0))
    full = build(replace(ROOMS, soft_share=1.0, max_soft=24))
    assert len(soft(full)) > len(soft(few)) + 3 * SCENES // 2
    assert np.bincount(full.frame).max() <= CAPACITY


def test_frames_alone_have_the_same_soft_things() -> None:
    around = everything()
    count = np.bincount(around.frame[soft(around)], minlength=SCENES)
    for b in np.argsort(-count)[:12]:
        alone, part = build(rows=np.array([b])), take_surroundings(around, np.array([b]))
        assert np.array_equal(alone.T, part.T) and np.array_equal(alone.model, part.model)


def test_sequences_keep_their_soft_things_in_place() -> None:
    made = Generator(SynthConfig(seed=3, sequence_length=4))
    around = made.sample(np.arange(64)).surroundings
    assert len(soft(around)) > 40
    for b in range(0, 64, 4):
        first = around.frame == b
        for k in range(b + 1, b + 4):
            assert np.array_equal(around.T[around.frame == k], around.T[first])
            assert np.array_equal(around.model[around.frame == k], around.model[first])
