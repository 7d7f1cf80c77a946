"""Stereo by matching: what it gives back of planes, steps and shadows; keys; odd inputs."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from augment.matched_stereo.infrared_pair import expose_pair
from augment.matched_stereo.pair import Eye, Pair, Window
from augment.matched_stereo.sensing import match_pair, sense_matched_stereo
from augment.profile import load_profile
from augment.sensor import sense
from augment.shot import Reading
from frames.camera import Camera
from frames.errors import BadInput
from frames.reasons import NOTHING, OUT_OF_RANGE, SHADOW
from tests.augment.matched_scenes import (
    NATIVE,
    SMALL,
    facing,
    load_model,
    make_pair,
    make_shot,
    tilted,
)

FB = 424.0 * 0.05
LENGTH_PX = 3.5
"""Distance at which the error's correlation has fallen to 1/e (measured, docs)."""
WIDE = Camera("pinhole", 420, 200, 424.0, 424.0, 209.5, 99.5)


def _errors(z: float, slope: float, keys: range) -> np.ndarray:
    """Errors of disparity, px, on tilted planes; pixels that the right eye's image lacks apart."""
    model, out = load_model(quantum_px=0.0), []
    for key in keys:
        shot = make_shot(model, WIDE, [tilted(z, slope, 0.1)], key)
        assert shot.pair is not None
        left, right = expose_pair(model, shot, shot.pair)
        window = shot.pair.windows[0]
        disparity, _ = match_pair(model, shot.pair, window, left[0], right[0])
        inner = np.s_[10:-10, int(FB / z) + 30 : -10]
        assert (disparity[inner] > 0).mean() > 0.999
        out.append((disparity - FB / window.left_eye.depth_m)[inner])
    return np.concatenate(out)


@pytest.mark.parametrize(("z", "rms_mm"), [(0.3, 0.34), (0.5, 0.94), (1.0, 3.77)])
def test_rms_on_a_wall_is_the_published_one(z: float, rms_mm: float) -> None:
    # D435 with a subpixel RMS of 0.08 px: z^2 s / (f B). Ours is what it is: within a fifth.
    error = _errors(z, 0.25, range(2))
    assert 1e3 * z * z / FB * error.std() == pytest.approx(rms_mm, rel=0.2)


def test_rms_grows_as_the_square_of_the_distance() -> None:
    # The same disparity error near and far: the depth's follows z^2 / (f B).
    near, far = _errors(0.3, 0.25, range(2)).std(), _errors(0.9, 0.25, range(2)).std()
    assert far / near == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("slope", [0.25, -0.25, 0.6])
def test_a_tilted_plane_is_unbiased(slope: float) -> None:
    error = _errors(0.45, slope, range(3))
    # Errors within pi L^2 px go together; a texture's own share of what pixel locking is left
    # (0.03 px) does not average out within a plane of a few disparities.
    standard_error = error.std() * np.sqrt(np.pi * LENGTH_PX**2 / error.size)
    assert abs(error.mean()) < 4 * standard_error + 0.006
    assert abs(np.median(error)) < 0.02


def test_refinement_takes_the_bands_off() -> None:
    def bands(refinements: float) -> float:
        model = load_model(refinements=refinements, quantum_px=0.0)
        shot = make_shot(model, WIDE, [tilted(0.45, 0.25, 0.1)])
        assert shot.pair is not None
        left, right = expose_pair(model, shot, shot.pair)
        disparity, _ = match_pair(model, shot.pair, shot.pair.windows[0], left[0], right[0])
        truth = FB / shot.pair.windows[0].left_eye.depth_m
        error, phase = disparity - truth, truth % 1.0
        inner = np.zeros(truth.shape, bool)
        inner[10:-10, 80:-10] = True
        means = [error[inner & (np.floor(phase * 8) == k)].mean() for k in range(8)]
        return float(np.ptp(means)) / 2

    assert bands(0) > 0.1
    assert bands(2) < 0.05


def test_errors_of_neighbours_go_together() -> None:
    error = _errors(0.45, 0.25, range(1))
    error = error - error.mean()
    at = [float((error[:, :-k] * error[:, k:]).mean() / error.var()) for k in (1, 3, 4, 12)]
    assert at[0] > 0.7
    assert at[1] > np.exp(-1) - 0.05 > at[2] - 0.1
    assert abs(at[3]) < 0.15


BACK_FRONT = [(0.7, 0.35), (0.6, 0.4), (1.0, 0.3)]


@pytest.mark.parametrize(("back", "front"), BACK_FRONT)
def test_shadow_on_one_side_as_wide_as_geometry_says(back: float, front: float) -> None:
    model = load_model()
    bar = facing(front, 1, x_m=(-0.03, 0.03))
    reading = sense_matched_stereo(model, make_shot(model, WIDE, [facing(back), bar]))
    left = 209.5 - 424 * 0.03 / front
    right = 209.5 + 424 * 0.03 / front
    width = FB * (1 / front - 1 / back)
    rows = np.s_[20:-20]
    holes = reading.depth_m[rows] == 0
    beside = holes[:, int(left - width) - 12 : int(left) + 6].sum(1)
    # Matching lets the front grow into its shadow and cuts ragged ends: 3 px.
    assert beside.mean() == pytest.approx(width, abs=3)
    assert holes[:, int(right) - 6 : int(right) + 40].sum(1).mean() < 0.5
    shadow = (reading.reason[rows] == SHADOW)[:, int(left - width) - 12 :]
    assert shadow.sum(1).mean() > 0.8 * width


def _rise(step_m: float) -> float:
    """How far a step on a table is smeared: px from 10 to 90 % of it, at a bar's right side."""
    model, table = load_model(smooth_px=1.0), 0.45
    bar = facing(table - step_m, 1, x_m=(-0.05, 0.012))
    profiles = []
    for key in range(3):
        reading = sense_matched_stereo(model, make_shot(model, WIDE, [facing(table), bar], key))
        seen = np.where(reading.depth_m > 0, reading.depth_m, np.nan)[20:-20]
        profiles.append(np.nanmean((table - seen[:, 195:260]) / step_m, axis=0))
    profile = np.mean(profiles, axis=0)
    return float(np.argmax(profile < 0.1) - np.argmax(profile < 0.9))


def test_small_steps_melt_over_longer_ways() -> None:
    small, middle, large = _rise(0.005), _rise(0.02), _rise(0.15)
    assert small > middle >= large
    assert small >= 5
    assert large <= 3


def test_same_keys_same_bytes_whatever_was_before() -> None:
    model = load_model()
    planes = [facing(0.6), facing(0.4, 1, x_m=(-0.03, 0.03))]
    shots = [make_shot(model, SMALL, planes, key) for key in (1, 2)]
    first = [sense_matched_stereo(model, shot) for shot in shots]
    again = [sense_matched_stereo(model, shot) for shot in reversed(shots)][::-1]
    for a, b in zip(first, again, strict=True):
        assert a.depth_m.tobytes() == b.depth_m.tobytes()
        assert a.reason.tobytes() == b.reason.tobytes()
    assert first[0].depth_m.tobytes() != first[1].depth_m.tobytes()
    threads = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        b = sense_matched_stereo(model, shots[0])
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(threads)
    assert b.depth_m.tobytes() == first[0].depth_m.tobytes()


def test_windows_agree_with_the_whole_image() -> None:
    model = load_model()
    planes = [tilted(0.6, 0.2, 0.1), facing(0.4, 1, x_m=(-0.03, 0.03), y_m=(-0.04, 0.04))]
    whole = make_shot(model, SMALL, planes)
    part = replace(whole, pair=make_pair(model, SMALL, planes, [(60, 40, 260, 200)]))
    a, b = sense_matched_stereo(model, whole), sense_matched_stereo(model, part)
    inner = np.s_[30:90, 40:120]
    both = (a.depth_m[inner] > 0) & (b.depth_m[inner] > 0)
    assert both.mean() > 0.9 * (a.depth_m[inner] > 0).mean()
    gap = np.abs(FB / a.depth_m[inner][both] - FB / b.depth_m[inner][both])
    assert np.median(gap) < 0.1
    # Outside the fast model stands in, with the same sort of reading.
    assert (b.depth_m[:, 140:] > 0).mean() > 0.8
    _check(b)


def _check(reading: Reading) -> None:
    assert reading.depth_m.dtype == np.float32
    assert reading.reason.dtype == np.uint8
    assert np.isfinite(reading.depth_m).all()
    assert ((reading.reason == 0) == (reading.depth_m > 0)).all()


def test_a_shot_without_a_pair_is_refused() -> None:
    model = load_model()
    shot = replace(make_shot(model, SMALL, [facing(0.5)]), pair=None)
    with pytest.raises(BadInput, match="both eyes' views"):
        sense_matched_stereo(model, shot)
    with pytest.raises(BadInput, match="both eyes' views"):
        sense(load_profile("d435-matched"), shot)


def test_a_pair_of_another_device_is_refused() -> None:
    model = load_model()
    shot = make_shot(model, SMALL, [facing(0.5)])
    with pytest.raises(BadInput, match=r"baseline of 0\.05 m, the sensor has"):
        sense_matched_stereo(replace(model, baseline_m=0.1), shot)


def test_a_fisheye_is_refused() -> None:
    model = load_model()
    shot = make_shot(model, SMALL, [facing(0.5)])
    lens = Camera("kannala-brandt", 64, 64, 30.0, 30.0, 31.5, 31.5, (0.0,) * 4, 1.2)
    with pytest.raises(BadInput, match="needs a pinhole"):
        sense_matched_stereo(model, replace(shot, camera=lens))


def test_passive_eyes_read_where_there_is_texture() -> None:
    passive = {"projector": 0.0, "ambient": 1.0, "speckle": 0.0, "texture_m": 0.003}
    bare, rich = ({**passive, "texture": t} for t in (0.0, 0.35))
    shares = []
    for changes in (bare, rich):
        model = load_model(**changes)
        reading = sense_matched_stereo(model, make_shot(model, SMALL, [tilted(0.5, 0.2, 0.1)]))
        _check(reading)
        truth = make_shot(model, SMALL, [tilted(0.5, 0.2, 0.1)]).depth / 1e4
        shares.append((np.abs(reading.depth_m - truth) < 0.02)[:, 30:].mean())
    assert shares[0] < 0.5 < 0.95 < shares[1]


def test_nothing_there_reads_nothing() -> None:
    model = load_model()
    reading = sense_matched_stereo(model, make_shot(model, SMALL, []))
    _check(reading)
    assert (reading.depth_m == 0).mean() > 0.95
    assert (reading.reason[reading.depth_m == 0] == NOTHING).all()


def test_beyond_the_range_is_said_so() -> None:
    model = load_model(far_m=0.8)
    reading = sense_matched_stereo(model, make_shot(model, SMALL, [facing(1.2)]))
    _check(reading)
    assert (reading.reason == OUT_OF_RANGE).mean() > 0.8
    near = sense_matched_stereo(load_model(), make_shot(load_model(), SMALL, [facing(0.1)]))
    _check(near)
    assert ((near.depth_m == 0) | (near.depth_m > 0.16)).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (40, 5)])
def test_tiny_images(size: tuple[int, int]) -> None:
    model = load_model()
    camera = Camera("pinhole", *size, 212.0, 212.0, 0.0, 0.0)
    reading = sense_matched_stereo(model, make_shot(model, camera, [facing(0.5)]))
    assert reading.depth_m.shape == size[::-1]
    _check(reading)


def test_no_windows_and_empty_windows() -> None:
    model = load_model()
    shot = make_shot(model, SMALL, [facing(0.5)])
    assert shot.pair is not None
    _check(sense_matched_stereo(model, replace(shot, pair=replace(shot.pair, windows=()))))
    empty = Eye(5, np.zeros((0, 0), np.float32), np.zeros((0, 0), np.uint8))
    wide = Eye(-11, np.zeros((0, 16), np.float32), np.zeros((0, 16), np.uint8))
    hollow = Pair(shot.pair.camera, shot.pair.baseline_m, (Window(5, 16, empty, wide),))
    _check(sense_matched_stereo(model, replace(shot, pair=hollow)))


def test_a_finer_dataset_than_the_device() -> None:
    model = load_model()
    camera = Camera("pinhole", 160, 120, 636.0, 636.0, 79.5, 59.5)
    reading = sense_matched_stereo(model, make_shot(model, camera, [facing(0.5)]))
    _check(reading)
    seen = reading.depth_m[:, 100:]
    assert np.median(seen[seen > 0]) == pytest.approx(0.5, abs=0.002)


def test_black_and_white_surfaces() -> None:
    model = load_model()
    for light in (0.0, 1.0):
        planes = [facing(0.5), facing(0.3, 1, x_m=(-0.02, 0.02))]
        shot = make_shot(model, NATIVE, planes, 1, light)
        _check(sense_matched_stereo(model, shot))


def test_a_near_hand_does_not_take_the_wall_behind() -> None:
    # Exposed for the hand, a wall of a third of its reflectance has a hundredth of its light.
    model = load_model()
    hand = facing(0.18, 3, x_m=(-0.03, 0.03), y_m=(-0.03, 0.1))
    shot = make_shot(model, WIDE, [facing(1.2), hand], reflectance=0.6)
    shot.reflectance[0] = 0.2
    wall = sense_matched_stereo(model, shot).depth_m[10:80, 300:400]
    assert (wall > 0).mean() > 0.8
    assert np.median(wall[wall > 0]) == pytest.approx(1.2, rel=0.02)
