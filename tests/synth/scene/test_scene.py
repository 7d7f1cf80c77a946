"""What may be where: 2,048 scenes in which nothing runs through anything else, and their shares."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from synth.config import RoomConfig, SceneConfig
from synth.scene.placement import NEAREST_M, OBJECTS
from synth.scene.scene import Scenes
from tests.synth.hand.winding import surface_distance, winding_numbers
from tests.synth.scene.witness import World, change_scene, generator, world

Vertices = NDArray[np.floating]


def _object_vertices(here: World) -> list[tuple[int, int, Vertices]]:
    """(frame, place, (V, 3) world) of every object."""
    objects, out = here.scenes.objects, []
    for b, k in np.argwhere(objects.present):
        pose = objects.T_world_from_object[b, k]
        size = objects.size_m[b, k]
        solid = here.maker.solids[objects.solid[b, k]]
        out.append((int(b), int(k), (solid.vertices * size) @ pose[:3, :3].T + pose[:3, 3]))
    return out


def _depth_in_box(pose: np.ndarray, points: Vertices) -> float:
    """How deep the deepest of points (V, 3) lies in a box; negative: outside all of it."""
    sides = np.linalg.norm(pose[:3, :3], axis=0)
    local = (points - pose[:3, 3]) @ (pose[:3, :3] / sides)
    return float((sides / 2 - np.abs(local)).min(1).max())


def _foreground(here: World) -> list[tuple[int, Vertices]]:
    """Every hand's, upper arm's and object's vertices, with the frame's index."""
    frames = here.scenes.hands.frame.tolist()
    arms = [
        (b, v) for flesh in (here.skin, here.upper_arms) for b, v in zip(frames, flesh, strict=True)
    ]
    return arms + [(b, v) for b, _, v in _object_vertices(here)]


def test_nothing_runs_through_walls_floor_or_ceiling() -> None:
    here = world()
    rooms = here.scenes.rooms
    worst = max(
        float((v @ rooms.planes[b, :, :3].T - rooms.planes[b, :, 3]).max())
        for b, v in _foreground(here)
        if rooms.present[b]
    )
    assert worst < 0, f"{1000 * worst:.1f} mm beyond a wall"


def test_nothing_runs_through_table_or_furniture() -> None:
    here = world()
    rooms = here.scenes.rooms
    checked = 0
    for b, vertices in _foreground(here):
        for pose in rooms.box_pose[b][rooms.box_present[b]]:
            assert _depth_in_box(pose, vertices) < 0
            checked += 1
    assert checked > 4000


def test_camera_stands_free_in_the_room() -> None:
    rooms = world().scenes.rooms
    origin = np.zeros((1, 3))
    for b in range(len(rooms.present)):
        for pose in rooms.box_pose[b][rooms.box_present[b]]:
            assert _depth_in_box(pose, origin) < -0.1
    assert (rooms.planes[rooms.present][..., 3] > 0.3).all()
    np.testing.assert_allclose(np.linalg.norm(rooms.planes[..., :3], axis=-1), 1, atol=1e-9)
    # Floor and ceiling are level, walls upright.
    np.testing.assert_allclose(np.abs(rooms.planes[:, 4:, 2]), 1, atol=1e-12)
    np.testing.assert_allclose(rooms.planes[:, :4, 2], 0, atol=1e-12)


def test_hands_do_not_touch() -> None:
    here = world()
    hands, faces = here.scenes.hands, here.maker.rig.faces
    pairs = np.flatnonzero(hands.frame[1:] == hands.frame[:-1])
    near = 0
    for n in pairs:
        for a, c in ((n, n + 1), (n + 1, n)):
            mine = np.concatenate([here.skin[a], here.upper_arms[a]]).astype(np.float64)
            other = here.skin[c].astype(np.float64)
            points = mine[((mine > other.min(0)) & (mine < other.max(0))).all(1)]
            # Skin that is inside is near skin: no limb is thicker than 11 cm.
            away = ((points[:, None] - other[None, ::6]) ** 2).sum(-1)
            points = points[(away < 0.055**2).any(1)]
            if not len(points):
                continue
            winding = faces[:, ::-1] if hands.left[c] else faces
            # Every second vertex: a crossing of any depth has many.
            assert (winding_numbers(points[::2], other[winding]) < 0.5).all()
            near += 1
    assert len(pairs) > 900 and near > 50


def test_objects_keep_clear_of_hands_and_of_each_other() -> None:
    here = world()
    objects, hands = here.scenes.objects, here.scenes.hands
    corners = {}
    for b, k, vertices in _object_vertices(here):
        solid = here.maker.solids[objects.solid[b, k]]
        corners[b, k] = vertices[solid.faces].astype(np.float64)
    near = 0
    for (b, k), surface in corners.items():
        low, high = surface.min((0, 1)), surface.max((0, 1))
        mine = np.flatnonzero(hands.frame == b)
        bodies = [flesh[n] for flesh in (here.skin, here.upper_arms) for n in mine]
        if k and (b, 0) in corners:
            bodies.append(corners[b, 0].reshape(-1, 3))
        for body in bodies:
            points = body[((body > low) & (body < high)).all(1)].astype(np.float64)
            if len(points):
                near += 1
                assert (winding_numbers(points, surface) < 0.5).all()
                if near % 20 == 0:
                    assert surface_distance(points, surface).min() > 0.001
    assert near > 200


def test_no_object_comes_close_to_the_camera() -> None:
    for _, _, vertices in _object_vertices(world()):
        assert np.linalg.norm(vertices, axis=1).min() > NEAREST_M


def test_objects_are_about_the_hands_and_some_before_them() -> None:
    here = world()
    objects, hands = here.scenes.objects, here.scenes.hands
    first = hands.T_world_from_wrist[hands.slot == 0][:, :3, 3]
    away = np.linalg.norm(objects.T_world_from_object[..., :3, 3] - first[:, None], axis=-1)
    assert (away[objects.present] < 0.5).all()
    nearer = np.linalg.norm(objects.T_world_from_object[..., :3, 3], axis=-1)
    before = (nearer < np.linalg.norm(first, axis=1)[:, None] - 0.03)[objects.present].mean()
    assert 0.3 < before < 0.8


def _shares(scenes: Scenes) -> dict[str, float]:
    hands, rooms = scenes.hands, scenes.rooms
    return {
        "two": (hands.slot == 1).sum() / len(scenes.frame_ids),
        "first left": hands.left[hands.slot == 0].mean(),
        "empty": 1 - rooms.present.mean(),
        "table": rooms.box_present[:, 0].mean(),
    }


def test_shares_are_those_of_the_options() -> None:
    """Within four standard errors."""
    scenes = world().scenes
    config = SceneConfig()
    expected = {
        "two": config.two_hands_share,
        "first left": 0.5,
        "empty": config.room.empty_share,
        "table": config.room.table_share,
    }
    count = len(scenes.frame_ids)
    for name, found in _shares(scenes).items():
        p = expected[name]
        assert abs(found - p) < 4 * np.sqrt(p * (1 - p) / count), name
    # Both hands are one of each side; an object that finds no free place is left out.
    hands = scenes.hands
    twice = hands.frame[hands.slot == 1]
    left = np.zeros(count)
    np.add.at(left, hands.frame, hands.left)
    assert (left[twice] == 1).all()
    error = 4 * np.sqrt(0.25 / count)
    for k in range(OBJECTS):
        share = scenes.objects.present[:, k].mean()
        assert 0.88 * config.object_share - error < share < config.object_share + error


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_shares_of_none_and_all(share: float) -> None:
    scene = SceneConfig(
        two_hands_share=share,
        object_share=share,
        room=RoomConfig(empty_share=share, table_share=share),
    )
    scenes = change_scene(generator(), scene).sample(np.arange(300))
    found = _shares(scenes)
    assert found["empty"] == found["table"] == share
    assert found["two"] == 0 if not share else found["two"] > 0.99
    assert scenes.objects.present.mean() >= 0.85 * share
    if not share:
        assert not scenes.objects.present.any()
    # Furniture stands in rooms only.
    assert scenes.rooms.box_present[:, 1:].any() == (share == 0)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_furniture_and_objects_are_as_many_as_asked(share: float) -> None:
    room = RoomConfig(empty_share=0.0, furniture_share=share)
    scene = SceneConfig(object_share=1.0, max_objects=1, room=room)
    scenes = change_scene(generator(), scene).sample(np.arange(400))
    found = scenes.rooms.box_present[:, 1:]
    assert abs(found.mean() - share) <= 4 * np.sqrt(share * (1 - share) / found.size)
    assert scenes.objects.present.sum(1).max() == 1


def test_options_that_do_not_concern_the_hands_leave_them_alone() -> None:
    maker, ids = generator(), np.arange(200)
    before = maker.sample(ids)
    scene = SceneConfig()
    for other in (
        replace(scene, object_share=1.0),
        replace(scene, object_share=0.0),
        replace(scene, room=RoomConfig(empty_share=0.9, table_share=0.9, wall_m=(1.0, 2.0))),
    ):
        after = change_scene(maker, other).sample(ids)
        np.testing.assert_array_equal(before.T_world_from_camera, after.T_world_from_camera)
        for name in ("frame", "slot", "left", "identity", "angles", "preset", "T_world_from_wrist"):
            np.testing.assert_array_equal(
                getattr(before.hands, name), getattr(after.hands, name), name
            )
    # Objects are those that they were, whichever room stands around them.
    for name in ("present", "solid", "size_m", "T_world_from_object"):
        np.testing.assert_array_equal(getattr(before.objects, name), getattr(after.objects, name))


def test_second_hand_leaves_the_first_alone() -> None:
    maker, ids = generator(), np.arange(200)
    both, one = (
        change_scene(maker, SceneConfig(two_hands_share=share)).sample(ids).hands
        for share in (1.0, 0.0)
    )
    first = both.slot == 0
    for name in ("frame", "left", "identity", "angles", "preset", "T_world_from_wrist"):
        np.testing.assert_array_equal(getattr(both, name)[first], getattr(one, name), name)


def test_scenes_follow_from_seed_and_number_alone() -> None:
    maker = generator()
    ids = np.arange(100, 228)
    batch = maker.sample(ids)
    for b in (0, 17, 127):
        alone = maker.sample(ids[b : b + 1])
        mine = batch.hands.frame == b
        for name in ("slot", "left", "identity", "angles", "preset", "T_world_from_wrist"):
            np.testing.assert_array_equal(
                getattr(batch.hands, name)[mine], getattr(alone.hands, name), name
            )
        for part in ("objects", "rooms"):
            there, here = getattr(batch, part), getattr(alone, part)
            for name in vars(here):
                np.testing.assert_array_equal(getattr(there, name)[b], getattr(here, name)[0])
    other = generator(seed=6).sample(ids)
    assert not np.array_equal(other.T_world_from_camera, batch.T_world_from_camera)
