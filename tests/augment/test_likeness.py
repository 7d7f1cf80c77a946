"""Sensors on synthetic hands beside figures of real frames: what docs/sensors/likeness.md says."""

from functools import lru_cache

import numpy as np
import pytest

from augment.effects.noise_field import fill_field
from bench.likeness import (
    Figure,
    compare_flicker,
    measure_flicker,
    measure_holes,
    measure_residual,
    measure_shadows,
)
from bench.relief import LAGS, measure_relief
from bench.sensed_hands import DEVICE_CAMERAS, SensedHands, sense_hands

FRAMES, BURST = 12, 8


@lru_cache(maxsize=1)
def _see(name: str) -> tuple[SensedHands, ...]:
    return tuple(sense_hands(name, DEVICE_CAMERAS[name], FRAMES, burst=BURST))


def _find(figures: list[Figure], effect: str) -> Figure:
    return next(f for f in figures if f.effect.startswith(effect))


def test_figures_fit_within_a_quarter() -> None:
    one = Figure("x", "y", 1.24, "mm", (0.5, 1.0), "")
    assert one.fits
    assert not Figure("x", "y", 1.26, "mm", (0.5, 1.0), "").fits
    assert not Figure("x", "y", 0.37, "mm", (0.5, 1.0), "").fits
    assert Figure("x", "y", 1.0, "mm", None, "").fits is None
    assert not Figure("x", "y", float("nan"), "mm", (0.5, 1.0), "").fits


@pytest.mark.parametrize("name", ["sr300", "azure-kinect", "zed", "d435"])
def test_holes_lie_outside_hands(name: str) -> None:
    figures = measure_holes(name, _see(name))
    outside, inside = _find(figures, "holes, ring outside"), _find(figures, "holes, ring inside")
    assert outside.fits
    assert inside.value < outside.value / 8
    if name in ("d435", "azure-kinect"):
        assert inside.fits


def test_temporal_deviation_is_above_the_local_residual() -> None:
    seen = _see("d435")
    assert measure_flicker("d435", seen).fits
    flicker, residual = compare_flicker(seen)  # without steps of a millimetre
    assert flicker > 1.1 * residual


@pytest.mark.parametrize(
    ("name", "z", "real"),
    [
        ("d435", 0.3, (0.35, 0.35)),
        ("d435", 0.5, (0.7, 0.7)),
        ("sr300", 0.3, (0.1, 0.5)),
        ("sr300", 0.5, (0.1, 0.5)),
        ("zed", 0.5, (0.1, 0.5)),
    ],
)
def test_residual_from_a_plane(name: str, z: float, real: tuple[float, float]) -> None:
    # Thousands of windows, but of a dozen hands: their shape makes a tenth of difference.
    assert measure_residual(name, z, real, FRAMES).fits


def test_residual_of_stereo_grows_with_depth_and_that_of_stripes_hardly() -> None:
    stereo = [measure_residual("d435", z, None, FRAMES).value for z in (0.3, 0.8)]
    stripes = [measure_residual("sr300", z, None, FRAMES).value for z in (0.3, 0.5)]
    assert stereo[1] > 2.5 * stereo[0]
    assert stripes[1] < 2 * stripes[0]


def test_bands_beside_a_hand_before_a_wall() -> None:
    left, right = measure_shadows("sr300")
    assert left.fits and right.fits
    left, right = measure_shadows("d435")
    # The outline stands about a finger's radius behind what of the hand is nearest, and the hand
    # grows by 2.8 px into its shadow, which lies on the left: the second eye is right of the first.
    shadow = 424 * 0.05 * (1 / 0.34 - 1 / 0.7) - 2.8
    assert left.value == pytest.approx(shadow, rel=0.2)
    assert right.value < 3


def test_frames_depend_on_their_number_alone() -> None:
    camera = DEVICE_CAMERAS["zed"]
    alone = next(iter(sense_hands("zed", camera, 1, first=2)))
    third = list(sense_hands("zed", camera, 3))[2]
    np.testing.assert_array_equal(alone.burst, third.burst)


def test_relief_is_the_correlation_of_what_is_on_even_surfaces() -> None:
    length, depths = 3.0, []
    y, x = (np.mgrid[:24, :24] / 23.0 - 0.5).reshape(2, -1)
    r2 = 23.0**2 * (np.subtract.outer(x, x) ** 2 + np.subtract.outer(y, y) ** 2)
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)
    rest = np.eye(576) - terms @ np.linalg.pinv(terms)
    left = (rest @ np.exp(-r2 / length**2) @ rest).reshape(24, 24, 24, 24)
    expected = [
        np.mean([left[i, :, i + k, :].diagonal().mean() for i in range(24 - k)]) for k in LAGS
    ]
    expected /= np.mean([left[i, :, i, :].diagonal().mean() for i in range(24)])
    for i in range(4):
        error = np.empty((480, 640), np.float32)
        fill_field(np.uint64(i), length, error)
        v, u = np.mgrid[:480, :640]
        disparity = 40.0 + 0.01 * u - 0.02 * v + 0.05 * error
        depth = np.round(4e5 / disparity * (1.0 + 0.5 * (u > 300))).astype(np.uint16)
        depth[200:260, 100:130] = 0
        depths.append(depth)
    for found in measure_relief(depths).values():
        # The field's correlation less what the parabola takes along, long waves first. 2,000 blocks
        # of 40 independent numbers are known to 0.004; the calmer half has a little less of waves.
        assert np.array(found) == pytest.approx(expected, abs=0.04)
    assert np.isnan(measure_relief([np.zeros((48, 48), np.uint16)])["down"]).all()
    assert np.isnan(measure_relief([])["along"]).all()
