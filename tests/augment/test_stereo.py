"""Stereo's noise against published figures, and quality terms as librealsense defines them."""

import numpy as np
import pytest
from stereo_shots import (
    NATIVE,
    QUIET,
    effective_count,
    load_model,
    make_shot,
    make_slope,
    make_wall,
)

from augment.stereo.model import Stereo, sense_stereo

_FB = 424 * 0.05


def _count(model: Stereo, n: int) -> float:
    fresh, slow = 1 - model.slow_share, model.slow_share
    return effective_count(n, (fresh, model.noise_length_px), (slow, model.patch_length_px))


@pytest.mark.parametrize(("z", "rms_mm"), [(0.3, 0.34), (0.5, 0.94), (1.0, 3.77), (2.0, 15.1)])
def test_rms_error_is_the_published_one(z: float, rms_mm: float) -> None:
    model = load_model(locking_px=0.0, hole_share=0.0)
    reading = sense_stereo(model, make_shot(make_wall(z), NATIVE))
    seen = reading.depth_m > 0
    errors = reading.depth_m[seen] - z
    got = 1e3 * np.sqrt(np.mean(np.square(errors)))
    # s 0.08 px; the standard error of a deviation is 1 / sqrt(2 n) of it: about 0.6 %. Published
    # with two or three digits, hence half a digit more.
    error = 4 / np.sqrt(2 * _count(model, int(seen.sum())))
    assert abs(got / rms_mm - 1) < error + 0.005 / rms_mm * 10 ** (rms_mm > 10)
    assert reading.sigma_m is not None
    # The map of sigma says the same, without the steps of disparity and file (1 % and less).
    assert np.median(reading.sigma_m[seen]) * 1e3 == pytest.approx(rms_mm, rel=0.02)


def test_no_bias() -> None:
    # A slope, so that the pull towards whole disparities averages out over 13 of them.
    model = load_model(hole_share=0.0)
    depth = make_slope(0.6, 0.3)
    shot = make_shot(depth, NATIVE)
    reading = sense_stereo(model, shot)
    seen = reading.depth_m > 0
    d = _FB / reading.depth_m[seen].astype(float) - _FB / (shot.depth[seen] / 1e4)
    parts = (
        (1 - model.slow_share, model.noise_length_px),
        (model.slow_share, model.patch_length_px),
    )
    area = sum(share * np.pi * length**2 for share, length in parts)
    error = model.noise_px * np.sqrt(area / seen.sum())
    # One slope holds 13 pulls, not a whole number: a fraction of one cycle remains.
    assert abs(d.mean()) < 4 * error + model.locking_px / (np.pi * 13)


def test_correlation_length() -> None:
    length = 4.0
    model = load_model(slow_share=0.0, noise_length_px=length, locking_px=0.0, hole_share=0.0)
    reading = sense_stereo(model, make_shot(make_wall(0.5), NATIVE))
    e = (reading.depth_m - 0.5)[20:-20, 80:-20].astype(float)
    e -= e.mean()
    n = effective_count(e.size, (1.0, length))
    for lag in (1, 2, 3, 4, 6, 8):
        expected = np.exp(-((lag / length) ** 2))
        for a, b in ((e[:, lag:], e[:, :-lag]), (e[lag:], e[:-lag])):
            # The standard error of a correlation is below 1 / sqrt(n); steps of disparity add 2 %
            # of white variance.
            assert abs((a * b).mean() / e.var() - expected) < 4 / np.sqrt(n) + 0.03


def test_steps_of_disparity_and_depth() -> None:
    model = load_model(depth_step_m=0.0)
    z = sense_stereo(model, make_shot(make_wall(0.7), NATIVE)).depth_m
    steps = _FB / z[z > 0].astype(float) * 32
    assert np.abs(steps - np.round(steps)).max() < 0.01
    assert len(np.unique(np.round(steps))) > 10
    model = load_model(depth_step_m=0.001, quantum_px=0.0)
    z = sense_stereo(model, make_shot(make_wall(0.7), NATIVE)).depth_m
    millimetres = z[z > 0].astype(float) * 1e3
    assert np.abs(millimetres - np.round(millimetres)).max() < 1e-3


def test_pull_towards_whole_disparities() -> None:
    model = load_model(**{**QUIET, "locking_px": 0.05})
    depth = make_slope(0.6, 0.3)
    shot = make_shot(depth, NATIVE)
    reading = sense_stereo(model, shot)
    seen = reading.depth_m > 0
    d = _FB / (shot.depth[seen] / 1e4)
    pull = _FB / reading.depth_m[seen].astype(float) - d
    amplitude = 2 * np.mean(pull * np.sin(2 * np.pi * d))
    # 13 disparities, not a whole number of cycles: 1 / 26 at most.
    assert amplitude == pytest.approx(0.05, rel=0.04)
    rest = pull - 0.05 * np.sin(2 * np.pi * d)
    assert np.abs(rest).max() < 0.0005


def _sequence(model: Stereo, z: float, frames: int) -> np.ndarray:
    depth = make_wall(z)
    shots = [make_shot(depth, NATIVE, 100 + i, 7, i / 30) for i in range(frames)]
    return np.stack([sense_stereo(model, s).depth_m for s in shots])[:, 100:180, 200:400]


def test_temporal_noise_is_what_does_not_stay() -> None:
    # librealsense: the median over pixels of each pixel's deviation over 40 frames.
    model = load_model(memory_s=0.0, locking_px=0.0, hole_share=0.0, quantum_px=0.0)
    z = _sequence(model, 0.5, 40)
    changing = 1 - model.slow_share * model.fixed_share
    expected = 0.25 * model.noise_px / _FB * np.sqrt(changing)
    # A deviation of 40 samples has a median 1 % low and errs by 11 %, over 300 independent ones.
    got = np.median(z.std(0, ddof=1))
    assert got == pytest.approx(0.99 * expected, rel=4 * 0.113 * 1.25 / np.sqrt(300))
    # What stays: the correlation of the means of two halves, by the variance of either.
    first, second = z[:20].mean(0), z[20:].mean(0)
    stays = model.slow_share * model.fixed_share
    share = stays / (stays + changing / 20)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] == pytest.approx(share, abs=0.15)


def test_slow_part_is_forgotten_in_its_time() -> None:
    model = load_model(
        slow_share=1.0, fixed_share=0.0, memory_s=0.2, patch_length_px=3.0,
        **dict.fromkeys(("locking_px", "hole_share", "quantum_px", "depth_step_m"), 0.0),
    )  # fmt: skip
    z = _sequence(model, 0.5, 25) - 0.5
    now = np.concatenate([a.ravel() for a in z[:-6]])
    later = np.concatenate([a.ravel() for a in z[6:]])
    # 6 frames at 30 a second are the memory: 1/e, of about five independent times 80 x 200 px.
    assert np.corrcoef(now, later)[0, 1] == pytest.approx(np.exp(-1), abs=0.1)


def test_quality_terms() -> None:
    model = load_model()
    depth = make_slope(0.8, 0.1)
    shot = make_shot(depth, NATIVE)
    reading = sense_stereo(model, shot)
    z = reading.depth_m[40:-40, 100:-40].astype(float)
    fill = (z > 0).mean()
    assert 1 - 3 * model.hole_share < fill <= 1
    # Plane fit in disparity, where a plane is one, and the subpixel RMS
    # sqrt(mean((f B / Z - f B / Z_plane)^2)).
    v, u = np.nonzero(z)
    d = _FB / z[v, u]
    a = np.stack([np.ones_like(d), u, v], 1)
    plane = a @ np.linalg.lstsq(a, d, rcond=None)[0]
    subpixel = np.sqrt(np.mean(np.square(d - plane)))
    expected = np.sqrt(model.noise_px**2 + model.locking_px**2 / 2 + model.quantum_px**2 / 12)
    assert subpixel == pytest.approx(expected, rel=4 / np.sqrt(2 * _count(model, len(d))))
    plane_rms = np.sqrt(np.mean(np.square(z[v, u] - _FB / plane)))
    assert plane_rms == pytest.approx(expected * np.mean((_FB / plane) ** 2) / _FB, rel=0.05)


def test_little_light_is_noisier_then_lost() -> None:
    model = load_model(low_signal=0.05, rim_loss=0.0)
    z = []
    for distance in (0.5, 2.0, 3.0, 6.0):
        reading = sense_stereo(model, make_shot(make_wall(distance), NATIVE))
        seen = reading.depth_m[:, 60:] > 0
        z.append(seen.mean())
    assert z[0] > 0.99 and z[0] >= z[1] > z[2] > z[3]
    dark = make_shot(make_wall(1.0), NATIVE)
    dark.reflectance[:] = 0.055
    reading = sense_stereo(model, dark)
    assert reading.sigma_m is not None
    assert np.nanmedian(reading.sigma_m[reading.depth_m > 0]) > 1.3 * 0.08 / _FB
