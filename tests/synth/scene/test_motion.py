"""Sequences: smooth, held together, clear of each other, and every frame by itself."""

from dataclasses import replace
from functools import cache

import numpy as np

from synth.config import MotionConfig, SceneConfig, SynthConfig
from synth.generator import Generator
from synth.hand.kinematics import pose_hands
from synth.scene.clip import Rates, sample_clips
from synth.scene.composition import compose
from synth.scene.motion import Clip, drift, play
from synth.scene.rehearsal import AMPLITUDES, plan_motion
from synth.scene.scene import Scenes
from synth.scene.situation import FREE
from tests.synth.scene.witness import boxes_meet, depth_inside, generator

LENGTH, FPS, SEQUENCES = 24, 30.0, 24


@cache
def clips(length: int = LENGTH, fps: float = FPS) -> tuple[Scenes, Rates]:
    """Whole sequences, one after another."""
    maker, ids = generator(), np.arange(SEQUENCES * LENGTH)
    return sample_clips(SceneConfig(), maker.studio, 5, ids, length, fps)


def _in_camera(scenes: Scenes) -> np.ndarray:
    """(N, 4, 4) wrists in the camera's axes."""
    hands = scenes.hands
    return np.linalg.inv(scenes.T_world_from_camera)[hands.frame] @ hands.T_world_from_wrist


def _keypoints(scenes: Scenes) -> np.ndarray:
    hands, rig = scenes.hands, generator().rig
    return pose_hands(rig, hands.identity, hands.angles, _in_camera(scenes), hands.left)[1]


def _slots(scenes: Scenes, values: np.ndarray) -> np.ndarray:
    """(SEQUENCES, LENGTH, 4, ...) NaN for absent hands."""
    out = np.full((len(scenes.frame_ids), 4, *values.shape[1:]), np.nan)
    out[scenes.hands.frame, scenes.hands.slot] = values
    return out.reshape(-1, LENGTH, 4, *values.shape[1:])


def test_velocities_are_those_of_neighbouring_instants() -> None:
    """Frames a hundredth of a frame apart; differences over 1/1500 s hold to a few mm/s."""
    maker, fps, length = generator(), 1500.0, 24
    ids = np.arange(20 * length)
    scenes, rates = sample_clips(SceneConfig(), maker.studio, 5, ids, length, fps)
    hands = scenes.hands
    points = np.full((len(ids), 4, 21, 3), np.nan)
    told = points.copy()
    points[hands.frame, hands.slot] = _keypoints(scenes)
    told[hands.frame, hands.slot] = rates.keypoints
    points, told = (a.reshape(20, length, -1) for a in (points, told))
    found = (points[:, 8:] - points[:, :-8]) * fps / 8
    error = np.abs(found - told[:, 4:-4])
    speed = np.abs(told[np.isfinite(told)])
    assert speed.max() > 0.1
    # At the ends of a rest the pose's way has a corner in its acceleration.
    assert np.nanquantile(error, 0.99) < 0.005 and np.nanmax(error) < 0.05
    eye = scenes.T_world_from_camera.reshape(20, length, 4, 4)
    moved = (eye[:, 8:, :3, 3] - eye[:, :-8, :3, 3]) * fps / 8
    turn = np.swapaxes(eye[:, 4:-4, :3, :3], -1, -2)
    camera = rates.camera.reshape(20, length, 6)[:, 4:-4]
    np.testing.assert_allclose((turn @ moved[..., None])[..., 0], camera[..., :3], atol=1e-3)
    small = np.swapaxes(eye[:, :-8, :3, :3], -1, -2) @ eye[:, 8:, :3, :3]
    spin = np.stack([small[..., 2, 1], small[..., 0, 2], small[..., 1, 0]], -1)
    np.testing.assert_allclose(spin * fps / 8, camera[..., 3:], atol=5e-3)
    thing = np.linalg.inv(scenes.T_world_from_camera)[:, None] @ scenes.objects.T_world_from_object
    place = thing[..., :3, 3].reshape(20, length, -1, 3)
    moved = (place[:, 8:] - place[:, :-8]) * fps / 8
    there = scenes.objects.present.reshape(20, length, -1)[:, 4:-4]
    told = rates.objects.reshape(20, length, -1, 6)[:, 4:-4, :, :3]
    np.testing.assert_allclose(moved[there], told[there], atol=5e-3)


def test_motion_is_smooth() -> None:
    scenes, _ = clips()
    points = _slots(scenes, scenes.hands.T_world_from_wrist[:, :3, 3])
    step = np.linalg.norm(np.diff(points, axis=1), axis=-1)
    jolt = np.linalg.norm(np.diff(points, n=2, axis=1), axis=-1) * FPS**2
    assert np.nanmax(step) < 1.5 / FPS and np.nanmedian(step) > 1e-5
    assert np.nanmax(jolt) < 15.0  # m/s^2
    angles = _slots(scenes, scenes.hands.angles)
    assert np.nanmax(np.abs(np.diff(angles, axis=1))) < 0.6
    eye = scenes.T_world_from_camera[:, :3, 3].reshape(-1, LENGTH, 3)
    assert np.linalg.norm(np.diff(eye, axis=1), axis=-1).max() < 0.3 / FPS


def test_drift_has_unit_variance_and_is_a_function_of_time() -> None:
    ids, t = np.repeat(np.arange(400), 5), np.tile(np.linspace(0, 50, 5), 400)
    values = drift(3, ids, "x", 6, t)
    assert abs(values.std() - 1) < 0.05 and abs(values.mean()) < 0.05
    np.testing.assert_array_equal(values[7:8], drift(3, ids[7:8], "x", 6, t[7:8]))


def test_a_frame_alone_equals_the_frame_in_a_batch() -> None:
    config = SynthConfig(
        frames=1 << 20, seed=5, camera="ego-small", identities=8, sequence_length=7
    )
    maker = Generator(config)
    batch = maker.make_table(0, 30)
    for k in (0, 6, 7, 20, 29):
        alone = maker.make_table(k, k + 1)
        assert repr(alone.to_pylist()) == repr(batch.slice(k, 1).to_pylist())


def test_who_and_what_stay_through_a_sequence() -> None:
    scenes, _ = clips()
    assert (scenes.sequence == scenes.frame_ids // LENGTH).all()
    np.testing.assert_allclose(scenes.time_s, (scenes.frame_ids % LENGTH) / FPS, atol=1e-12)
    for name in ("identity", "left", "solid", "grasp", "action"):
        values = _slots(scenes, getattr(scenes.hands, name).astype(float))
        np.testing.assert_array_equal(values, np.repeat(values[:, :1], LENGTH, axis=1), name)
    solid = np.where(scenes.objects.present, scenes.objects.solid, -1).reshape(-1, LENGTH, 6)
    assert (solid == solid[:, :1]).all()


def test_held_things_stay_in_the_hand() -> None:
    scenes, _ = clips()
    hands = scenes.hands
    held = np.flatnonzero((hands.solid >= 0) & (hands.thing == hands.slot))
    thing = scenes.objects.T_world_from_object[hands.frame[held], hands.slot[held]]
    found = np.linalg.inv(hands.T_world_from_wrist[held]) @ thing
    np.testing.assert_allclose(found, hands.T_wrist_from_object[held], atol=1e-9)
    place = _slots(scenes, hands.T_wrist_from_object)
    np.testing.assert_array_equal(place, np.repeat(place[:, :1], LENGTH, axis=1))
    # So do the fingers of every hand that is not free.
    fingers = _slots(scenes, np.where((hands.action != FREE)[:, None], hands.angles[:, 2:], 0.0))
    np.testing.assert_array_equal(fingers, np.repeat(fingers[:, :1], LENGTH, axis=1))


def test_sliding_hands_stay_on_their_plane() -> None:
    scenes, _ = clips()
    hands = scenes.hands
    flat = np.flatnonzero(~np.isnan(hands.plane[:, 0]))
    normal = (hands.T_world_from_wrist[flat, :3, :3] @ hands.plane[flat, :3, None])[..., 0]
    height = hands.plane[flat, 3] + (normal * hands.T_world_from_wrist[flat, :3, 3]).sum(1)
    rows = np.full((len(hands.frame), 4), np.nan)
    rows[flat] = np.column_stack([normal, height])
    planes = _slots(scenes, rows)
    assert np.isfinite(planes).any()
    np.testing.assert_allclose(planes, np.repeat(planes[:, :1], LENGTH, axis=1), atol=1e-9)


def test_named_poses_are_told_only_at_rest() -> None:
    scenes, _ = clips()
    hands = scenes.hands
    names = _slots(scenes, hands.preset.astype(float))
    angles = _slots(scenes, hands.angles[:, 2:])
    free = _slots(scenes, (hands.action == FREE).astype(float)) == 1
    still = np.abs(np.diff(angles, axis=1)).max(-1)
    named = (names[:, 1:] >= 0) & (names[:, 1:] == names[:, :-1]) & free[:, 1:]
    assert named.sum() > 20 and still[named].max() < 1e-9


def test_nothing_runs_through_anything_in_motion() -> None:
    scenes, _ = clips()
    hands, maker = scenes.hands, generator()
    pose = (hands.identity, hands.angles, hands.T_world_from_wrist, hands.left)
    skin = pose_hands(maker.rig, *pose)[0]
    stock = maker.studio.stock.solids
    near, worst = 0, 0.0
    for n in range(0, len(hands.frame), 3):
        b = hands.frame[n]
        for k in np.flatnonzero(scenes.objects.present[b]):
            T, model = scenes.objects.T_world_from_object[b, k], None
            model = stock[scenes.objects.solid[b, k]].model
            points = model.vertices @ T[:3, :3].T + T[:3, 3]
            if boxes_meet(points, skin[n]):
                near += 1
                worst = max(worst, depth_inside(skin[n], points, model.faces))
        for m in np.flatnonzero((hands.frame == b) & (hands.slot > hands.slot[n])):
            if boxes_meet(skin[m], skin[n]):
                faces = maker.rig.faces[:, ::-1] if hands.left[m] else maker.rig.faces
                worst = max(worst, depth_inside(skin[n], skin[m], faces))
    assert near > 20 and worst <= 0.0035, f"{1000 * worst:.2f} mm"


def test_scenes_that_cannot_move_so_far_move_less() -> None:
    maker, ids = generator(), np.arange(200)
    wild = replace(SceneConfig(), motion=MotionConfig(travel_m=0.3, turn_deg=60.0))
    times = np.linspace(0, 2, 24)
    sizes = []
    for config in (SceneConfig(), wild):
        scene = compose(config, maker.studio, 5, ids)
        sizes.append(plan_motion(config, maker.studio, 5, scene, times))
        assert set(np.unique(sizes[-1])) <= {0.0, *AMPLITUDES}
    assert sizes[0].mean() > sizes[1].mean() and (sizes[0] > 0).mean() > 0.5
    # One that stands still shows what the single frame would.
    scene = compose(wild, maker.studio, 5, ids)
    clip = Clip(np.arange(200), np.full(200, 0.7))
    played = play(wild, maker.studio, 5, scene, np.zeros(200), clip)[0]
    np.testing.assert_allclose(
        played.hands.T_world_from_wrist, scene.hands.T_world_from_wrist, atol=1e-12
    )
    np.testing.assert_allclose(played.hands.angles[:, 2:], scene.hands.angles[:, 2:], atol=1e-12)
