"""Frames by number: the same in any company, and stored as they were rendered."""

import dataclasses
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from frames.camera import CAMERAS
from frames.camera_file import build_camera
from frames.errors import BadInput
from frames.store.codec import decode_depth, decode_parts
from synth.config import PoseConfig, RoomConfig, SceneConfig, SynthConfig
from synth.description import describe
from synth.generator import Generator
from synth.pose.library import PRESETS
from tests.synth.scene.witness import change_scene, generator


@cache
def _batch() -> pa.Table:
    return generator("ego-small").make_table(0, 128)


def _rows(table: pa.Table, first: int = 0, count: int = 1 << 30) -> str:
    """Frames to the last bit: Python writes every float so that none is lost, and NaN as NaN."""
    return repr(table.slice(first, count).to_pylist())


def _row(table: pa.Table, k: int) -> str:
    return _rows(table, k, 1)


@pytest.mark.parametrize("frame", [0, 1, 63, 127])
def test_frame_alone_equals_the_frame_in_a_batch(frame: int) -> None:
    alone = generator("ego-small").make_table(frame, frame + 1)
    assert _row(alone, 0) == _row(_batch(), frame)


def test_any_cut_of_the_numbers_gives_the_same_rows() -> None:
    maker = generator("ego-small")
    parts = [maker.make_table(a, b) for a, b in ((0, 1), (1, 40), (40, 77), (77, 128))]
    assert _rows(pa.concat_tables(parts)) == _rows(_batch())


def test_batch_boundaries_inside_a_table_do_not_show() -> None:
    maker = generator("ego-small")
    size = maker.batch
    assert size >= 64
    across = maker.make_table(size - 2, size + 2)
    for k in range(4):
        frame = size - 2 + k
        assert _row(across, k) == _row(maker.make_table(frame, frame + 1), 0)


def test_a_fresh_generator_gives_the_same_frames() -> None:
    """No state of an earlier frame is left in canvas or caches."""
    config = dataclasses.replace(generator("ego-small").config)
    assert _rows(Generator(config).make_table(90, 96)) == _rows(_batch(), 90, 6)


def test_other_seeds_give_other_frames() -> None:
    other = Generator(dataclasses.replace(generator("ego-small").config, seed=99, identities=2))
    assert _row(other.make_table(3, 4), 0) != _row(_batch(), 3)


def _hand_columns(table: pa.Table, names: tuple[str, ...]) -> str:
    rows = table.column("hands").to_pylist()
    return repr([[[hand[n] for n in names] for hand in hands] for hands in rows])


GEOMETRY = (
    "side",
    "keypoints_px",
    "keypoints_cam_m",
    "key_pose",
    "joint_angles_rad",
    "shape",
    "identity",
    "T_camera_from_wrist",
    "box_amodal_px",
)
"""Of a hand, what nothing else in the scene can change."""


@pytest.mark.parametrize(
    "scene",
    [
        SceneConfig(object_share=0.0),
        SceneConfig(object_share=1.0),
        SceneConfig(room=RoomConfig(empty_share=1.0)),
        SceneConfig(room=RoomConfig(table_share=1.0, wall_m=(0.5, 0.7))),
    ],
)
def test_surroundings_leave_hands_alone(scene: SceneConfig) -> None:
    other = change_scene(generator("ego-small"), scene).make_table(0, 64)
    before = _batch().slice(0, 64)
    assert _hand_columns(other, GEOMETRY) == _hand_columns(before, GEOMETRY)
    assert other.column("T_world_from_camera").equals(before.column("T_world_from_camera"))
    assert not other.column("parts").equals(before.column("parts")) or (
        scene.object_share == SceneConfig().object_share
    )


def test_pose_options_leave_people_and_heads_alone() -> None:
    scene = SceneConfig(pose=PoseConfig(key_share=0.7, between_share=0.0, jitter_deg=0.0))
    other = change_scene(generator("ego-small"), scene).make_table(0, 64)
    before = _batch().slice(0, 64)
    first = [[h[0][n] for n in ("side", "identity")] for h in other.column("hands").to_pylist()]
    was = [[h[0][n] for n in ("side", "identity")] for h in before.column("hands").to_pylist()]
    assert first == was
    assert other.column("T_world_from_camera").equals(before.column("T_world_from_camera"))


def test_stored_images_are_the_rendered_ones() -> None:
    maker = generator("ego-small")
    images = maker.render(maker.sample(np.arange(16)))
    table = _batch().slice(0, 16)
    for k in range(16):
        depth = decode_depth(table.column("clean_depth")[k].as_py(), 120, 160)
        parts = decode_parts(table.column("parts")[k].as_py(), 120, 160)
        np.testing.assert_array_equal(depth, images.depth[k])
        np.testing.assert_array_equal(parts, images.codes[k])


def test_rows_say_what_the_scenes_are() -> None:
    maker = generator("ego-small")
    scenes = maker.sample(np.arange(128))
    table = _batch()
    assert table.column("frame_id").to_pylist() == list(range(128))
    hands, objects, solids = scenes.hands, scenes.objects, maker.studio.stock.solids
    rows = [h for row in table.column("hands").to_pylist() for h in row]
    assert [h["side"] == "left" for h in rows] == hands.left.tolist()
    assert [h["identity"] for h in rows] == hands.identity.tolist()
    assert [h["part_base"] for h in rows] == (32 * hands.number).tolist()
    poses = [PRESETS[p].key_pose if p >= 0 else "none" for p in hands.preset]
    assert [h["key_pose"] for h in rows] == poses
    angles = np.array([h["joint_angles_rad"] for h in rows])
    np.testing.assert_allclose(angles, hands.angles, atol=1e-6)
    # part codes of objects count up from 224, and the image shows no others
    for b, row in enumerate(table.column("objects").to_pylist()):
        places = np.flatnonzero(objects.present[b])
        assert [o["part_code"] for o in row] == [224 + j for j in range(len(places))]
        assert [o["kind"] for o in row] == [solids[objects.solid[b, k]].kind for k in places]
        assert [o["name"] for o in row] == [solids[objects.solid[b, k]].name for k in places]
        for o, k in zip(row, places, strict=True):
            np.testing.assert_allclose(o["size_m"], solids[objects.solid[b, k]].extent_m, rtol=1e-6)
            expected = (
                np.linalg.inv(scenes.T_world_from_camera[b]) @ objects.T_world_from_object[b, k]
            )
            found = np.array(o["T_camera_from_object"]).reshape(4, 4)
            np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_camera_may_be_given_in_place_of_a_name() -> None:
    maker = Generator(SynthConfig(identities=2), CAMERAS["ego-small"])
    assert maker.camera is CAMERAS["ego-small"]
    assert maker.make_table(0, 1).column("camera")[0].as_py()["width"] == 160


def test_description_is_complete_and_the_same_twice() -> None:
    config = SynthConfig(frames=10, camera="d435", seed=3)
    meta = describe(config)
    assert meta == describe(config)
    assert meta["frames"] == 10 and meta["seed"] == 3 and meta["camera"]["width"] == 424
    assert build_camera(meta["camera"]) == CAMERAS["d435"]
    assert meta["key_poses"][0] == "none" and "fist" in meta["key_poses"]
    assert len(meta["joint_angle_names"]) == 29
    assert meta["config"]["scene"]["room"]["table_share"] == config.scene.room.table_share


@pytest.mark.parametrize("hand", ["glove", "builtin:x", "mano", "mano:"])
def test_unknown_hands_are_named(hand: str) -> None:
    with pytest.raises(BadInput, match="hand"):
        Generator(SynthConfig(hand=hand))
