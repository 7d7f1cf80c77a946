"""The equations of one pixel, against the figures that they are known for."""

import math

import numpy as np
import pytest
from numba import njit

from augment.time_of_flight.coverage import tabulate_coverage
from augment.time_of_flight.phasor import (
    SPEED_OF_LIGHT,
    add_detour,
    demodulate,
    measure_turns,
    move_phasor,
    sample_phasor,
    shot_sigma,
    spin,
    to_phasor,
    to_range,
    unambiguous_range,
    wiggle,
)


@njit
def _spin_all(turns, out):  # type: ignore[no-untyped-def]
    for i in range(turns.shape[0]):
        out[i, 0], out[i, 1] = spin(turns[i])
        out[i, 2] = measure_turns(out[i, 0], out[i, 1])


def test_ranges_wrap_at_half_a_wavelength() -> None:
    assert unambiguous_range(100e6) == pytest.approx(1.499, abs=5e-4)
    assert unambiguous_range(150e6) == pytest.approx(0.999, abs=5e-4)
    assert to_range(to_phasor(1.2, 150e6), 150e6) == pytest.approx(1.2 - 0.99931, abs=1e-4)


def test_four_samples_give_their_phasor_back() -> None:
    phasors = to_phasor(np.linspace(0, 3, 50), 80e6, 7.0)
    np.testing.assert_allclose(demodulate(sample_phasor(phasors, 11.0)), phasors, atol=1e-12)


def test_shot_noise() -> None:
    assert shot_sigma(100e6, 1e4, 5e3) == pytest.approx(3.37e-3, abs=5e-6)
    both = shot_sigma(100e6, 1e4, 5e3, 100.0)  # read noise as large as shot noise
    assert both == pytest.approx(math.sqrt(2) * shot_sigma(100e6, 1e4, 5e3))


def test_shot_noise_is_what_four_noisy_samples_have() -> None:
    n, rng = 100_000, np.random.default_rng(0)
    samples = sample_phasor(np.full(n, to_phasor(0.5, 100e6, 5e3)), 1e4)
    r = to_range(demodulate(samples + rng.normal(0, 100.0, samples.shape)), 100e6)
    # A standard deviation of n numbers has the standard error 1 / sqrt(2 n) of itself.
    assert r.std() == pytest.approx(shot_sigma(100e6, 1e4, 5e3), rel=4 / math.sqrt(2 * n))


def test_mixed_pixel() -> None:
    mixed = 0.5 * to_phasor(0.40, 150e6) + 0.5 * to_phasor(0.55, 150e6)
    assert to_range(mixed, 150e6) == pytest.approx(0.4750, abs=5e-5)
    assert abs(mixed) == pytest.approx(0.891, abs=5e-4)


@pytest.mark.parametrize(("share", "error_mm"), [(0.05, 4.5), (0.1, 8.7), (0.2, 16.1)])
def test_multipath(share: float, error_mm: float) -> None:
    read = to_range(add_detour(to_phasor(0.4, 150e6), share, 0.1, 150e6), 150e6)
    assert 1e3 * (read - 0.4) == pytest.approx(error_mm, abs=0.06)


def test_wiggling_is_the_fourth_harmonic() -> None:
    phase = np.arange(256) * (2 * math.pi / 256)
    spectrum = np.abs(np.fft.rfft(wiggle(phase, 0.02, 0.7) - phase)) / 128
    assert np.argmax(spectrum) == 4
    assert spectrum[4] == pytest.approx(0.02)
    assert np.delete(spectrum, 4).max() < 1e-12


def test_motion_is_what_four_samples_of_a_moving_surface_see() -> None:
    phase = np.linspace(0, 2 * math.pi, 37)
    for step in (0.0, 0.01, -0.2, 1.0):
        times = np.arange(4)[:, None] - 1.5
        seen = np.cos(phase + step * times + np.arange(4)[:, None] * math.pi / 2)
        np.testing.assert_allclose(move_phasor(phase, step), demodulate(seen), atol=1e-12)


def test_fast_sine_and_arctangent() -> None:
    turns = np.random.default_rng(1).uniform(-1, 20, 100_000).astype(np.float32)
    out = np.empty((len(turns), 3), np.float32)
    _spin_all(turns, out)
    exact = 2 * math.pi * turns.astype(np.float64)
    # Half a last bit of float32 at 1 is 6e-8.
    assert np.abs(out[:, 0] - np.cos(exact)).max() < 1e-6
    assert np.abs(out[:, 1] - np.sin(exact)).max() < 1e-6
    error = out[:, 2] - turns.astype(np.float64)
    assert np.abs(error - np.rint(error)).max() < 2e-7
    assert out[:, 2].min() >= 0 and out[:, 2].max() <= 1


def test_arctangent_of_the_axes_and_of_nothing() -> None:
    @njit
    def read(re, im):  # type: ignore[no-untyped-def]
        return measure_turns(re, im)

    one, none = np.float32(1), np.float32(0)
    axes = ((one, none), (none, one), (-one, none), (none, -one))
    assert [read(*axis) for axis in axes] == [0, 0.25, 0.5, 0.75]
    assert read(none, none) == 0


def _pattern(rows: list[list[int]]) -> int:
    return sum(bit << i for i, bit in enumerate(b for row in rows for b in row))


def test_shares_of_a_pixel_beside_a_straight_outline() -> None:
    """The near half plane ends half a pixel to the left: the tail of pixel and point spread."""
    blur = 0.25
    table = tabulate_coverage(1.0, blur)[0]
    x = np.linspace(-4, 4, 16001)
    scale = 1 / (blur * math.sqrt(2))
    weight = np.array([math.erf((a + 0.5) * scale) - math.erf((a - 0.5) * scale) for a in x])
    exact = weight[x < -0.5].sum() / weight.sum()
    share = table[_pattern([[1, 0, 0]] * 3)]
    assert share[0] == pytest.approx(exact, abs=1e-3)
    # One pixel of motion to the right moves the weight at the outline from far to near.
    at_edge = weight[np.argmin(np.abs(x + 0.5))] / weight.sum() / (x[1] - x[0])
    assert share[1] == pytest.approx(at_edge, rel=0.01)
    assert share[2] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(table[_pattern([[1] * 3, [0] * 3, [0] * 3]), 2], share[1], rtol=1e-5)


def test_shares_of_near_and_far_add_up() -> None:
    for table in (tabulate_coverage(1.0, 0.4), tabulate_coverage(0.4, 0.2)):
        np.testing.assert_allclose(table[:, :, 0] + table[:, ::-1, 0], 1, atol=1e-6)
        assert table[:, 0].max() == 0 and table[:, 511, 0].min() == pytest.approx(1)


def test_a_small_pixel_in_a_large_one_sees_one_surface_more_often() -> None:
    edge = _pattern([[1, 1, 0]] * 3)
    large, small = tabulate_coverage(1.0, 0.4)[:, edge, 0], tabulate_coverage(0.3, 0.12)[:, edge, 0]
    assert large.shape == (1,) and small.shape == (16,)
    assert large[0] < 0.9 < np.median(small)


def test_speed_of_light() -> None:
    assert SPEED_OF_LIGHT == 299_792_458
