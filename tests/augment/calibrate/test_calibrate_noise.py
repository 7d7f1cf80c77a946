"""Walls of known noise, through formulae alone: every figure comes back within its own error."""

import functools
import math

import numpy as np
import pytest
from wall_captures import SMALL, make_capture, make_wall

from augment.calibrate.correlation import correlate
from augment.calibrate.mixture import fit_lengths
from augment.calibrate.noise import Rounding, fit_exponent, fit_growth, measure_walls, pool_sigma
from augment.calibrate.quantum import Comb, find_comb
from augment.calibrate.variogram import SPACE_LAGS, find_fall, invert_rounding
from augment.calibrate.wall import find_walls
from augment.effects.noise_field import effect_key, fill_field

DISTANCES = (0.4, 0.7, 1.2)
SIGMA = 0.0074  # 0.08 px of a device of f B = 10.8 px m


@functools.cache
def find_length(length_px: float) -> float:
    """Where the correlation of such a field is 1/e, read off a large one: fields are not quite
    Gaussian.
    """
    field = np.empty((2000, 2000), np.float32)
    fill_field(effect_key(1, "test"), length_px, field)
    lags = [t for t in SPACE_LAGS if t < 4 * length_px]
    curve = [
        (np.mean(field[:, t:] * field[:, :-t]) + np.mean(field[t:] * field[:-t])) / 2 for t in lags
    ]
    return find_fall(np.array(lags, float), np.array(curve) / np.mean(field**2))


def measure(seed: int, quantum: float, length: float, fixed: float, warp: float = 0.0):
    """(value - truth) / error of what a capture with these parameters shows."""
    clips = [
        make_wall(seed, d, 8, SIGMA, length, fixed, quantum, warp=warp, camera=SMALL)
        for d in DISTANCES
    ]
    capture = make_capture(*clips, camera=SMALL)
    walls, _ = find_walls(capture)
    assert [round(w.distance_m, 1) for w in walls] == list(DISTANCES)
    comb = find_comb(walls, capture.depth_scale)
    rounding = Rounding()
    out = {}
    if quantum:
        assert isinstance(comb, Comb) and comb.in_disparity
        rounding = Rounding(inverse=comb.period)
        out["quantum"] = (comb.period - quantum) / comb.error
    else:
        assert isinstance(comb, str)
    noise = measure_walls(walls, rounding)
    found = correlate(walls, rounding).estimates
    truths = (
        (pool_sigma(noise), SIGMA),
        (fit_exponent(noise), 2.0),
        (found["correlation_length"], find_length(length)),
        (found["fixed_share"], fixed),
    )
    for one, truth in truths:
        assert one.value is not None and one.error is not None, one
        out[one.name] = (one.value - truth) / one.error
    return out


@pytest.mark.parametrize(
    ("quantum", "length", "fixed", "warp"),
    [(0.0, 3.0, 0.3, 0.0), (0.0116, 3.0, 0.5, 0.02), (0.02, 1.5, 0.2, 0.0)],
    ids=["smooth", "steps and a warped lens", "coarse steps"],
)
def test_known_noise_is_found_within_its_standard_errors(
    quantum: float, length: float, fixed: float, warp: float
) -> None:
    scores: dict[str, list[float]] = {}
    for seed in range(12):
        for name, z in measure(seed, quantum, length, fixed, warp).items():
            scores.setdefault(name, []).append(z)
    for name, values in scores.items():
        z = np.array(values)
        # Of 168 numbers one beyond 3.5 has a chance of 8 %; twelve of unit variance have a mean
        # square below 2.4 in 99.7 % of cases, and an error may be too small by a sixth.
        assert np.abs(z).max() < 3.5, (name, z)
        assert np.square(z).mean() < 3.3, (name, z)


def test_rounding_is_taken_out_of_differences() -> None:
    rng = np.random.default_rng(1)
    n = 400_000
    base = rng.random(n) * 100
    for spread, shift in ((0.1, 0.0), (0.3, 0.0), (0.2, 0.37), (1.0, 0.2)):
        d = rng.normal(0, spread, n)
        half = 0.5 * np.mean((np.rint(base + d + shift) - np.rint(base) - shift) ** 2)
        # Standard error of half a mean square, at most 1 here: below 0.002.
        assert invert_rounding(half, 1.0, shift) == pytest.approx(spread**2 / 2, abs=0.004)
    assert invert_rounding(0.3, 0.0, 0.0) == 0.3


def test_the_length_of_a_gaussian_correlation() -> None:
    lags = np.array(SPACE_LAGS, float)
    for length in (0.8, 2.0, 5.5, 17.0):
        assert find_fall(lags, np.exp(-((lags / length) ** 2))) == pytest.approx(length, rel=1e-6)
    assert math.isnan(find_fall(lags, np.full(len(lags), 0.9)))


def test_two_lengths_are_told_apart_and_one_is_not_taken_for_two() -> None:
    lags = np.array(SPACE_LAGS, float)
    both = 0.3 * np.exp(-((lags / 1.3) ** 2)) + 0.7 * np.exp(-((lags / 9.0) ** 2))
    fine, smooth, share, better = fit_lengths(both)
    assert (fine, smooth, share) == pytest.approx((1.3, 9.0, 0.7), rel=0.05)
    assert better > 20
    rng = np.random.default_rng(2)
    alone = np.exp(-((lags / 4.0) ** 2)) + rng.normal(0, 0.003, len(lags))
    assert fit_lengths(alone)[3] < 20


def test_steps_of_depth_are_told_from_steps_of_disparity() -> None:
    clips = [make_wall(3, d, 4, 0.002, 2.0, step_m=0.002, camera=SMALL) for d in DISTANCES]
    capture = make_capture(*clips, camera=SMALL)
    comb = find_comb(find_walls(capture)[0], capture.depth_scale)
    assert isinstance(comb, Comb) and not comb.in_disparity
    assert comb.period == pytest.approx(0.002, rel=1e-3)


def test_noise_that_does_not_grow_has_the_exponent_zero() -> None:
    clips = [make_wall(4, d, 4, 0.001 / d**2, 2.0, camera=SMALL) for d in DISTANCES]
    walls, _ = find_walls(make_capture(*clips, camera=SMALL))
    noise = measure_walls(walls, Rounding())
    exponent = fit_exponent(noise)
    assert exponent.value == pytest.approx(0.0, abs=3 * (exponent.error or 0))
    floor, growth = fit_growth(noise)
    assert floor.value == pytest.approx(0.001, abs=3 * (floor.error or 0) + 2e-6)
    assert growth.value == pytest.approx(0.0, abs=3 * (growth.error or 0))


def test_temporal_noise_is_librealsenses() -> None:
    clip = make_wall(5, 0.7, 20, SIGMA, 0.0, 0.0, camera=SMALL)
    walls, _ = find_walls(make_capture(clip, camera=SMALL))
    (noise,) = measure_walls(walls, Rounding())
    depth = clip.depth[:, walls[0].surface.region] / 10_000.0
    assert noise.temporal_m.value == pytest.approx(np.median(depth.std(0, ddof=1)), rel=0.02)


def test_what_a_capture_cannot_tell_is_refused_with_a_reason() -> None:
    one_frame = [make_wall(6, d, 1, SIGMA, 2.0, camera=SMALL) for d in DISTANCES]
    walls, _ = find_walls(make_capture(*one_frame, camera=SMALL))
    noise = measure_walls(walls, Rounding())
    assert "one frame only" in noise[0].temporal_m.why
    found = correlate(walls, Rounding()).estimates
    assert found["correlation_length"].value is not None
    for name in ("fixed_share", "slow_share", "memory", "fresh_length"):
        assert found[name].value is None and "one frame only" in found[name].why
    assert "2 distances" in fit_exponent(noise[:1]).why
    assert "2 distances" in fit_growth(noise[:1])[1].why
    assert correlate([], Rounding()).estimates["correlation_length"].why == "no wall was found"


def test_no_wall_in_what_is_not_flat_and_none_in_holes() -> None:
    rng = np.random.default_rng(0)
    clip = make_wall(7, 0.7, 3, SIGMA, camera=SMALL)
    rough = (clip.depth * (1 + 0.3 * rng.random(clip.depth.shape[1:]))).astype(np.uint16)
    bad = type(clip)("rough", rough), type(clip)("holes", np.zeros_like(rough))
    walls, reasons = find_walls(make_capture(*bad, camera=SMALL))
    assert not walls
    assert "no plane fills 40%" in reasons[0] and "no pixel has a reading" in reasons[1]


def test_a_camera_that_moves_says_nothing_of_time() -> None:
    # A tenth of a millimetre a frame: too little to be seen from one frame to the next.
    clip = make_wall(8, 0.7, 12, 0.0005, camera=SMALL)
    drift = np.arange(12, dtype=np.uint16)[:, None, None]
    moved = type(clip)("drift", (clip.depth + drift).astype(np.uint16))
    walls, _ = find_walls(make_capture(moved, camera=SMALL))
    assert [w.moved for w in walls] == [True]
    assert "moved" in correlate(walls, Rounding()).estimates["fixed_share"].why
