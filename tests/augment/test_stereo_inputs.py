"""Stereo on odd inputs, its filters, its profiles, and the same bytes every time."""

import numpy as np
import pytest
from stereo_shots import (
    NATIVE,
    QUIET,
    SMALL,
    load_model,
    make_bar,
    make_shot,
    make_slope,
    make_wall,
)

from augment.profile import Profile, load_profile
from augment.shot import Keys, Shot
from augment.stereo.depth_filters import filter_median
from augment.stereo.model import sense_stereo
from frames.camera import CAMERAS, Camera
from frames.reasons import NOTHING, OUT_OF_RANGE


def _check(reading, shape) -> None:  # type: ignore[no-untyped-def]
    assert reading.depth_m.shape == reading.reason.shape == reading.sigma_m.shape == shape
    assert reading.depth_m.dtype == reading.sigma_m.dtype == np.float32
    assert np.isfinite(reading.depth_m).all() and np.isfinite(reading.sigma_m).all()
    assert ((reading.depth_m > 0) == (reading.reason == 0)).all()
    assert ((reading.sigma_m > 0) == (reading.reason == 0)).all()


@pytest.mark.parametrize("name", ["d435", "zed"])
def test_odd_images(name: str) -> None:
    model = load_model(name)
    for height, width in ((1, 1), (1, 7), (7, 1), (3, 3), (240, 2)):
        camera = Camera("pinhole", width, height, 200.0, 200.0, width / 2, height / 2)
        for z in (0.0, 0.0001, 0.05, 0.5, 6.5535):
            _check(sense_stereo(model, make_shot(make_wall(z, camera), camera)), (height, width))
    for shape in ((0, 0), (0, 320), (64, 0)):
        shot = make_shot(np.zeros(shape), SMALL)
        _check(sense_stereo(model, shot), shape)


def test_nothing_there() -> None:
    reading = sense_stereo(load_model(), make_shot(make_wall(0.0), NATIVE))
    assert (reading.reason == NOTHING).all()


def test_beyond_the_range() -> None:
    reading = sense_stereo(load_model(far_m=2.0), make_shot(make_wall(4.0), NATIVE))
    assert (reading.reason == OUT_OF_RANGE).all()


def test_noise_of_depth_is_no_trouble() -> None:
    rng = np.random.default_rng(0)
    depth = rng.integers(0, 65536, (64, 320), np.uint16)
    keys = Keys(1, 2, 3)
    light = np.full(256, 0.5, np.float32)
    parts = rng.integers(0, 256, depth.shape).astype(np.uint8)
    for name in ("d435", "zed"):
        shot = Shot(SMALL, depth, 1e4, parts, light, None, 0.0, keys)
        _check(sense_stereo(load_model(name), shot), depth.shape)


def test_fisheye_rim() -> None:
    camera = CAMERAS["ahat"]
    outside = np.isnan(camera.ray_table()[..., 0])
    assert outside.any()
    depth = np.where(outside, 0.0, 0.5)
    depth[200:300, :] = np.where(outside[200:300], 0.0, 0.3)
    for side in (1.0, -1.0):
        reading = sense_stereo(load_model(second_eye=side), make_shot(depth, camera))
        _check(reading, depth.shape)
        assert (reading.reason[outside] == NOTHING).all()
        assert (reading.reason[~outside] == 0).mean() > 0.7


def test_same_bytes() -> None:
    model = load_model()
    depth = make_slope(0.6, 0.3, SMALL)

    def sense(frame: int, sequence: int, time_s: float = 0.0) -> bytes:
        r = sense_stereo(model, make_shot(depth, SMALL, frame, sequence, time_s))
        assert r.sigma_m is not None
        return r.depth_m.tobytes() + r.reason.tobytes() + r.sigma_m.tobytes()

    first = sense(5, 6)
    other = sense(6, 6)
    assert sense(5, 6) == first  # whatever came between
    assert len({first, other, sense(5, 7), sense(5, 6, 0.1)}) == 4


def test_inputs_stay_as_they_are() -> None:
    shot = make_shot(make_bar(0.4, 0.8, 100, 200), SMALL)
    before = shot.depth.copy(), shot.parts.copy(), shot.reflectance.copy()
    sense_stereo(load_model("zed", fill_px=50.0), shot)
    after = shot.depth, shot.parts, shot.reflectance
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_median_is_numpys() -> None:
    image = np.random.default_rng(1).normal(size=(17, 23)).astype(np.float32)
    padded = np.pad(image, 1, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    assert (filter_median(image) == np.median(windows, axis=(2, 3))).all()


def test_filling_paints_the_left_over_the_shadow() -> None:
    depth = make_bar(0.4, 0.8, 120, 220)
    empty = sense_stereo(load_model(**QUIET), make_shot(depth, SMALL))
    full = sense_stereo(load_model(**{**QUIET, "fill_px": 1000.0}), make_shot(depth, SMALL))
    holes = empty.reason != 0
    holes[:, :40] = False  # nothing stands left of the band at the border
    assert holes.any()
    assert (full.reason[holes] == 0).all()
    assert np.allclose(full.depth_m[holes], 0.8, atol=1e-3)
    part = sense_stereo(load_model(**{**QUIET, "fill_px": 5.0}), make_shot(depth, SMALL))
    assert (empty.reason[:, 40:] != 0).sum(1).mean() - (part.reason[:, 40:] != 0).sum(1).mean() == 5


@pytest.mark.parametrize("name", ["d435", "zed"])
def test_profiles_name_their_sources(name: str) -> None:
    profile = load_profile(name)
    assert isinstance(profile, Profile)
    assert all(len(one.source) > 5 for one in profile.given.values())
    for one in profile.given.values():
        if one.spread is not None:
            assert one.spread[0] <= one.value <= one.spread[1]
