"""What may be where, on float64 triangles apart from the sampler: nothing runs through anything."""

from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np
import pytest

from synth.config import OutfitConfig, RoomConfig, SceneConfig, SituationConfig
from synth.scene.hands import Hands
from synth.scene.placement import NEAREST_M
from synth.scene.scene import LAYERS, Scenes
from synth.scene.situation import GRASP, SITUATIONS, SLOTS, TOGETHER, TOUCH
from tests.synth.scene.witness import (
    World,
    boxes_meet,
    change_scene,
    depth_inside,
    generator,
    hand_faces,
    placed,
    props_of,
    world,
)

DEEP_M = 0.003
"""Flesh gives way so far."""
SLACK_M = 0.0005
"""What the solvers' coarser flesh misses."""


def _first(here: World, name: str) -> int:
    return here.maker.studio.stock.first[name]


def _pairs(frames_a: np.ndarray, frames_b: np.ndarray) -> Iterator[tuple[int, int]]:
    for n, frame in enumerate(frames_a):
        for m in np.flatnonzero(frames_b == frame):
            yield n, int(m)


def test_hands_are_not_inside_each_other() -> None:
    here = world()
    frame = here.scenes.hands.frame
    near, worst = 0, 0.0
    for a, b in _pairs(frame, frame):
        if a == b or not boxes_meet(here.skin[a], here.skin[b]):
            continue
        near += 1
        worst = max(worst, depth_inside(here.skin[a], here.skin[b], hand_faces(here, b)))
    assert near > 60
    assert worst <= DEEP_M + SLACK_M, f"{1000 * worst:.2f} mm"


def test_hands_are_not_inside_upper_arms() -> None:
    """Of another arm: the own one joins on."""
    here = world()
    hands, props = here.scenes.hands, here.scenes.props
    tubes = np.flatnonzero(props.model == _first(here, "arm"))
    near, worst = 0, 0.0
    for k, n in _pairs(props.frame[tubes], hands.frame):
        vertices, faces = placed(here, int(tubes[k]))
        if props.layer[tubes[k]] != hands.number[n] and boxes_meet(vertices, here.skin[n]):
            near += 1
            worst = max(worst, depth_inside(here.skin[n], vertices, faces))
    assert worst <= DEEP_M + SLACK_M, f"{1000 * worst:.2f} mm in {near}"


def test_hands_are_not_inside_things() -> None:
    here = world()
    hands, props = here.scenes.hands, here.scenes.props
    things = np.flatnonzero((props.layer >= SLOTS) & (props.layer < LAYERS))
    near, worst = 0, (0.0, -1)
    for k, n in _pairs(props.frame[things], hands.frame):
        vertices, faces = placed(here, int(things[k]))
        if boxes_meet(vertices, here.skin[n]):
            near += 1
            deep = depth_inside(here.skin[n], vertices, faces)
            worst = max(worst, (deep, int(hands.frame[n])))
    assert near > 200
    assert worst[0] <= DEEP_M + SLACK_M, f"{1000 * worst[0]:.2f} mm in frame {worst[1]}"


def test_things_are_not_inside_each_other() -> None:
    here = world()
    props = here.scenes.props
    things = np.flatnonzero((props.layer >= SLOTS) & (props.layer < LAYERS))
    near, worst = 0, 0.0
    for a, b in _pairs(props.frame[things], props.frame[things]):
        if a == b:
            continue
        (one, _), (two, faces) = placed(here, int(things[a])), placed(here, int(things[b]))
        if boxes_meet(one, two):
            near += 1
            worst = max(worst, depth_inside(one, two, faces))
    assert worst <= 0.001, f"{1000 * worst:.2f} mm in {near}"


def test_nothing_runs_through_tables_boards_and_clutter() -> None:
    """Hands and labelled things; the wearer's own body joins on to the arms."""
    here = world()
    hands, props = here.scenes.hands, here.scenes.props
    body = _first(here, "trunk"), _first(here, "head")
    behind = np.array([m for m in props_of(here, LAYERS) if props.model[m] not in body])
    things = np.flatnonzero((props.layer >= SLOTS) & (props.layer < LAYERS))
    near, found = 0, []
    for k, n in _pairs(props.frame[behind], hands.frame):
        vertices, faces = placed(here, int(behind[k]))
        if boxes_meet(vertices, here.skin[n]):
            near += 1
            found.append((depth_inside(here.skin[n], vertices, faces), int(hands.frame[n])))
    for k, j in _pairs(props.frame[behind], props.frame[things]):
        vertices, faces = placed(here, int(behind[k]))
        thing = placed(here, int(things[j]))[0]
        if boxes_meet(vertices, thing):
            near += 1
            found.append((depth_inside(thing, vertices, faces), int(props.frame[things[j]])))
    assert near > 80
    worst = max(found)
    assert worst[0] <= DEEP_M + SLACK_M, f"{1000 * worst[0]:.2f} mm in frame {worst[1]}"


def test_nothing_runs_through_walls_floor_or_ceiling() -> None:
    here = world()
    hands, around = here.scenes.hands, here.scenes.surroundings
    for n, b in enumerate(hands.frame):
        if around.present[b]:
            planes = around.planes[b][np.isfinite(around.planes[b]).all(1)]
            assert (here.skin[n] @ planes[:, :3].T - planes[:, 3]).max() < DEEP_M


def test_nothing_is_right_before_the_camera() -> None:
    here = world()
    hands, props, eyes = here.scenes.hands, here.scenes.props, here.scenes.T_world_from_camera
    low, high = SceneConfig().body.distance_m
    middle = hands.T_world_from_wrist[:, :3, 3] - 0.5 * (
        here.maker.rig.hand_length[hands.identity, None] * hands.T_world_from_wrist[:, :3, 2]
    )
    away = np.linalg.norm(middle - eyes[hands.frame][:, :3, 3], axis=1)
    assert (away > low - 0.01).all() and (away[hands.wearer] < high + 0.01).all()
    for m in np.flatnonzero((props.layer >= SLOTS) & (props.layer < LAYERS)):
        apart = placed(here, int(m))[0] - eyes[props.frame[m]][:3, 3]
        assert np.linalg.norm(apart, axis=1).min() > NEAREST_M - 0.005


def _near(found: float, wanted: float, count: int, lost: float = 0.0) -> bool:
    """Within four standard errors; `lost`: share that may find no place."""
    error = 4 * np.sqrt(max(wanted * (1 - wanted), 1e-4) / count)
    return wanted * (1 - lost) - error <= found <= wanted + error


def test_shares_are_those_of_the_options() -> None:
    scenes = generator().sample(np.arange(4096))
    config, hands, count = SceneConfig(), scenes.hands, 4096
    share = config.situation
    got = np.bincount(scenes.situation, minlength=4) / count
    assert _near(got[GRASP], share.grasp_share, count, 0.1), got
    assert _near(got[TOUCH], share.touch_share, count, 0.1), got
    assert _near(got[TOGETHER], share.together_share, count, 0.15), got
    assert hands.left[hands.slot == 0].mean() == pytest.approx(0.5, abs=0.035)
    assert (hands.slot == 0).mean() > 0.5 and (hands.slot == 0).sum() > 0.97 * count
    two = config.two_hands_share + (1 - config.two_hands_share) * share.together_share
    assert _near((hands.slot == 1).sum() / count, two, count, 0.1)
    assert _near((hands.slot == 2).sum() / count, config.others_share, count, 0.4)
    for k in (SLOTS, SLOTS + 1):
        found = scenes.objects.present[:, k].mean()
        assert _near(found, config.object_share, count, 0.2), (k, found)
    both = hands.frame[hands.slot == 1]
    left = np.bincount(hands.frame[hands.wearer], hands.left[hands.wearer], minlength=count)
    alone = np.isin(both, hands.frame[hands.slot == 0])
    assert (left[both[alone]] == 1).all()


@pytest.mark.parametrize("name", ["grasp", "touch", "together"])
def test_one_situation_alone(name: str) -> None:
    none = {f"{k}_share": 0.0 for k in ("grasp", "touch", "together")}
    scene = SceneConfig(situation=SituationConfig(**none | {f"{name}_share": 1.0}))
    scenes = change_scene(generator(), scene).sample(np.arange(512))
    assert (scenes.situation == SITUATIONS.index(name)).mean() > 0.85


def test_none_of_anything() -> None:
    scene = SceneConfig(
        two_hands_share=0.0,
        others_share=0.0,
        object_share=0.0,
        situation=SituationConfig(grasp_share=0.0, touch_share=0.0, together_share=0.0),
    )
    scenes = change_scene(generator(), scene).sample(np.arange(300))
    assert (scenes.situation == 0).all() and (scenes.hands.slot == 0).all()
    assert not scenes.objects.present.any() and (scenes.hands.solid < 0).all()


def _same_hands(one: Hands, two: Hands, names: tuple[str, ...] = ()) -> None:
    for name in names or tuple(f.name for f in fields(Hands)):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), name)


@pytest.mark.parametrize(
    "scene",
    [
        SceneConfig(object_share=1.0),
        SceneConfig(object_share=0.0),
        SceneConfig(room=RoomConfig(empty_share=0.9, table_share=0.9, wall_m=(1.0, 2.0))),
        SceneConfig(outfit=OutfitConfig(sleeve_share=1.0, watch_share=1.0, ring_share=1.0)),
    ],
)
def test_options_that_do_not_concern_hands_leave_them_alone(scene: SceneConfig) -> None:
    maker, ids = generator(), np.arange(200)
    before, after = maker.sample(ids), change_scene(maker, scene).sample(ids)
    np.testing.assert_array_equal(before.T_world_from_camera, after.T_world_from_camera)
    _same_hands(before.hands, after.hands)


def test_second_hand_leaves_the_first_alone() -> None:
    maker, ids = generator(), np.arange(200)
    both, one = (
        change_scene(maker, replace(SceneConfig(), two_hands_share=share, others_share=share))
        .sample(ids)
        .hands
        for share in (1.0, 0.0)
    )
    first = both.slot == 0
    alone = one.slot == 0
    for f in fields(Hands):
        np.testing.assert_array_equal(
            getattr(both, f.name)[first], getattr(one, f.name)[alone], f.name
        )


def _frame(scenes: Scenes, b: int) -> dict[str, np.ndarray]:
    """All that frame b of a batch holds."""
    out = {}
    for part, own in (("hands", scenes.hands.frame == b), ("props", scenes.props.frame == b)):
        table = getattr(scenes, part)
        for f in fields(table):
            if f.name != "frame":
                out[f"{part}.{f.name}"] = getattr(table, f.name)[own]
    for f in fields(scenes.objects):
        out[f.name] = getattr(scenes.objects, f.name)[b]
    out["worn"] = scenes.worn[scenes.hands.frame == b]
    out["camera"] = scenes.T_world_from_camera[b]
    return out


def test_scenes_follow_from_seed_and_number_alone() -> None:
    maker, ids = generator(), np.arange(100, 228)
    batch = maker.sample(ids)
    for b in (0, 17, 64, 127):
        alone, mine = _frame(maker.sample(ids[b : b + 1]), 0), _frame(batch, b)
        for name, values in alone.items():
            np.testing.assert_array_equal(values, mine[name], name)
    other = generator(seed=6).sample(ids)
    assert not np.array_equal(other.T_world_from_camera, batch.T_world_from_camera)
