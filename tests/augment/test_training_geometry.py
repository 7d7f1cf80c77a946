"""Training geometry: drawn by keys alone, within its ranges, and exact when all is on."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from augment.geometry.images import Images
from augment.geometry.sample import HandLabels, Sample, make_hands, read_sample
from augment.geometry.training import TrainingGeometry, augment_sample, draw_geometry
from frames.camera import CAMERAS
from frames.errors import BadInput
from synth.config import SynthConfig
from synth.engine import generate
from tests.augment.test_crop import sample_of

EGO = CAMERAS["ego"]
STILL = TrainingGeometry(
    roll_range_rad=(0, 0),
    aim_range=(0, 0),
    zoom_range=(1, 1),
    flip_share=0,
    depth_factor_range=(1, 1),
    depth_offset_range_m=(0, 0),
)
ALL = TrainingGeometry(shift_range=(-0.1, 0.1), roll_range_rad=(-3, 3))


def sample(seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    depth = rng.integers(3000, 9000, (240, 320)).astype(np.uint16)
    parts = rng.integers(0, 17, (240, 320)).astype(np.uint8)
    return replace(sample_of(EGO, seed), images=Images(depth, parts))


def assert_same(a: Sample, b: Sample) -> None:
    assert a.camera == b.camera
    for name in ("depth", "parts"):
        assert getattr(a.images, name).tobytes() == getattr(b.images, name).tobytes()
    for field in fields(HandLabels):
        assert getattr(a.hands, field.name).tobytes() == getattr(b.hands, field.name).tobytes()


def test_the_same_keys_give_the_same_bytes() -> None:
    first = [augment_sample(sample(i), ALL, 5, i, 2) for i in range(4)]
    again = [augment_sample(sample(i), ALL, 5, i, 2) for i in reversed(range(4))]
    for a, b in zip(first, reversed(again), strict=True):
        assert_same(a, b)


def test_every_key_counts() -> None:
    cameras = {
        draw_geometry(sample(), ALL, seed, index, epoch).camera.fx
        for seed, index, epoch in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    }
    assert len(cameras) == 4


def test_numbers_do_not_depend_on_what_else_is_drawn() -> None:
    """A range turned off changes none of the other numbers."""
    one = sample()
    for index in range(8):
        every = draw_geometry(one, ALL, 3, index)
        flat = draw_geometry(one, replace(ALL, shift_range=(0, 0)), 3, index)
        np.testing.assert_array_equal(every.turn, flat.turn)
        assert every.camera.fx == flat.camera.fx and every.depth_factor == flat.depth_factor
        still = draw_geometry(one, replace(ALL, depth_factor_range=(1, 1)), 3, index)
        np.testing.assert_array_equal(every.turn, still.turn)
        assert every.mirrored == still.mirrored


def test_a_real_hand_of_unknown_depth_keeps_its_distance() -> None:
    """Labelled by people where the sensor read nothing: pixels are all that is known of it."""
    one = sample()
    unknown = np.full_like(one.hands.keypoints_cam_m, np.nan)
    hands = replace(
        one.hands,
        keypoints_cam_m=unknown,
        surface_depth_m=np.full_like(one.hands.surface_depth_m, np.nan),
    )
    blind = replace(one, hands=hands, images=Images(np.zeros((240, 320), np.uint16), None))
    out = [augment_sample(blind, ALL, 4, index) for index in range(4)]
    assert all(np.isfinite(o.hands.keypoints_px).any() for o in out)
    assert all(draw_geometry(blind, ALL, 4, i).depth_offset_m == 0 for i in range(4))
    assert draw_geometry(one, ALL, 4, 0).depth_offset_m != 0


def test_nothing_drawn_is_the_bare_crop() -> None:
    a, b = (draw_geometry(sample(), STILL, seed, 0) for seed in (1, 2))
    np.testing.assert_array_equal(a.turn, b.turn)
    assert a.camera == b.camera and not a.mirrored and a.stretch == 1


def draw_many(config: TrainingGeometry, count: int = 1500) -> list[Any]:
    one = sample()
    return [draw_geometry(one, config, 11, i) for i in range(count)]


def test_draws_are_even_over_their_ranges() -> None:
    """Means within 4 standard errors of an even distribution's: width / sqrt(12 n)."""
    count = 1500
    error = 4 / np.sqrt(12 * count)
    bare = draw_geometry(sample(), STILL, 0, 0)
    zoomed = draw_many(replace(STILL, zoom_range=(0.5, 2.0)), count)
    logs = np.log2([g.camera.fx / bare.camera.fx for g in zoomed])
    assert abs(logs.mean()) < 2 * error and -1 <= logs.min() < -0.97 and 0.97 < logs.max() <= 1
    factors = np.log2(
        [g.depth_factor for g in draw_many(replace(STILL, depth_factor_range=(0.5, 2.0)), count)]
    )
    assert abs(factors.mean()) < 2 * error
    offsets = np.array(
        [
            g.depth_offset_m
            for g in draw_many(replace(STILL, depth_offset_range_m=(0.0, 0.1)), count)
        ]
    )
    assert abs(offsets.mean() - 0.05) < 0.1 * error and offsets.min() >= 0 and offsets.max() < 0.1
    flips = np.mean([g.mirrored for g in draw_many(replace(STILL, flip_share=0.3), count)])
    assert abs(flips - 0.3) < 4 * np.sqrt(0.21 / count)
    rolled = draw_many(replace(STILL, around="frame", roll_range_rad=(-1, 1)), count)
    rolls = np.arctan2([g.turn[1, 0] for g in rolled], [g.turn[0, 0] for g in rolled])
    assert abs(rolls.mean()) < 2 * error and np.abs(rolls).max() <= 1
    shifts = np.array([g.camera.cx for g in draw_many(replace(STILL, shift_range=(-0.1, 0.1)))])
    assert abs(shifts.mean() - 63.5) < 0.2 * 128 * error
    assert np.abs(shifts - 63.5).max() <= 12.8


def test_aim_moves_the_hand_by_its_share() -> None:
    one = sample()
    bare = draw_geometry(one, STILL, 0, 0)
    config = replace(STILL, aim_range=(0.1, 0.1))
    aimed = draw_geometry(one, config, 0, 0)
    where = aimed.camera.project(aimed.turn @ bare.turn[2])
    # The camera looks to the right and down, so the hand moves to the left and up.
    np.testing.assert_allclose(where, 63.5 - 12.8, atol=0.6)
    assert aimed.camera == bare.camera


@pytest.mark.parametrize("name", ["ego", "ahat", "azure-nfov"])
def test_everything_at_once_is_exact(name: str) -> None:
    """Points, K and pixels agree to 1e-3 px after all steps, for every lens."""
    camera = CAMERAS[name]
    for index in range(20):
        one = sample_of(camera, index)
        if (one.hands.visibility[0] > 0).sum() < 4:
            continue
        out = augment_sample(one, ALL, 1, index)
        again = out.camera.project(out.hands.keypoints_cam_m.astype(np.float64))
        near = (np.abs(again) < 1000).all(-1)
        np.testing.assert_allclose(out.hands.keypoints_px[near], again[near], atol=1e-3)
        homogeneous = out.hands.keypoints_cam_m.astype(np.float64) @ out.K.T
        np.testing.assert_allclose(
            (homogeneous[..., :2] / homogeneous[..., 2:])[near], again[near], atol=1e-6
        )


def test_the_whole_view_keeps_everything() -> None:
    one = sample()
    config = replace(STILL, around="frame", size=(320, 240))
    out = augment_sample(one, config, 0, 0)
    assert out.camera == EGO
    np.testing.assert_array_equal(out.images.depth, one.images.depth)
    np.testing.assert_allclose(out.hands.keypoints_px, one.hands.keypoints_px, atol=2e-5)
    half = augment_sample(one, replace(config, size=(160, 120), roll_range_rad=(0.2, 0.2)), 0, 0)
    assert half.camera.fx == EGO.fx / 2 and half.images.depth.shape == (120, 160)
    wide = draw_geometry(sample_of(CAMERAS["ahat"]), replace(config, size=(128, 128)), 0, 0)
    assert wide.camera.model == "pinhole"


def test_real_frames_have_what_they_have() -> None:
    """Depth and a box, nothing else: crops, and what is absent stays absent."""
    depth = np.full((240, 320), 6000, np.uint16)
    hands = make_hands(1, box_px=[[100, 60, 180, 110]])
    out = augment_sample(Sample(EGO, Images(depth), hands, 1e4), ALL, 0, 0)
    assert out.images.parts is None and np.isfinite(out.hands.box_px).all()
    assert np.isnan(out.hands.keypoints_px).all() and not out.hands.visibility.any()
    without = Sample(EGO, Images(None), hands)
    still = augment_sample(without, replace(ALL, depth_offset_range_m=(0, 0)), 0, 0)
    assert augment_sample(without, ALL, 0, 0).camera == still.camera


def test_frames_of_a_dataset(tmp_path: Any) -> None:
    """Through a folder and back: rendered frames augmented, checked by their own labels."""
    from frames.store.dataset import open_dataset

    generate(tmp_path / "d", SynthConfig(frames=4, camera="ego-small", identities=4), workers=1)
    done = 0
    for frame in open_dataset(tmp_path / "d"):
        one = read_sample(frame)
        for hand in range(len(one.hands)):
            if not (one.hands.visibility[hand] > 0).any():
                continue
            out = augment_sample(one, replace(ALL, size=(96, 96)), 0, frame.frame_id, 0, hand)
            assert out.images.depth.shape == out.images.parts.shape == (96, 96)
            assert out.images.depth.dtype == np.uint16
            again = out.camera.project(out.hands.keypoints_cam_m.astype(np.float64))
            near = (np.abs(again) < 1000).all(-1)
            np.testing.assert_allclose(out.hands.keypoints_px[near], again[near], atol=1e-3)
            done += 1
    assert done >= 3


CASES: dict[str, dict[str, Any]] = {
    "size must be \\(width, height\\)": {"size": (0, 5)},
    "size must be \\(width, height\\), 1 to 8192 pixels, got \\(5,\\)": {"size": (5,)},
    "around must be auto, keypoints, box, mask or frame": {"around": "hand"},
    "resampling must be surface or nearest": {"resampling": "linear"},
    "margin must be > 0, got 0": {"margin": 0},
    "side_m must be >= 0, got nan": {"side_m": np.nan},
    "least_px must be >= 0, got -1": {"least_px": -1},
    "flip_share must be 0 to 1, got 2": {"flip_share": 2},
    "zoom_range must be \\(lowest, highest\\) within 0.01 to 100, got \\(0, 1\\)": {
        "zoom_range": (0, 1)
    },
    "roll_range_rad must be \\(lowest, highest\\), got \\(1, -1\\)": {"roll_range_rad": (1, -1)},
    "aim_range must be": {"aim_range": (0, np.nan)},
    "depth_factor_range must be": {"depth_factor_range": (-1, 1)},
    "depth_offset_range_m must be": {"depth_offset_range_m": (0.0,)},
}


@pytest.mark.parametrize("message", CASES)
def test_what_cannot_be_is_one_clear_line(message: str) -> None:
    with pytest.raises(BadInput, match=message) as error:
        TrainingGeometry(**CASES[message])
    assert "\n" not in str(error.value)


def test_a_hand_out_of_view_is_one_clear_line() -> None:
    hidden = replace(sample().hands, visibility=np.zeros((1, 21), np.uint8))
    with pytest.raises(BadInput, match="hand 0 has no keypoint"):
        augment_sample(replace(sample(), hands=hidden, images=Images(None)), ALL, 0, 0)
