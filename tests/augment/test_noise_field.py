"""Noise from keys: distribution, correlation in space and time, and that it is a function of keys.

Fields are drawn many times; a mean over n independent numbers has the standard error s / sqrt(n). A
smooth field of H x W pixels with length L holds about H W / (pi L^2 / 2) independent values of its
square (the integral of the squared correlation exp(-2 r^2 / L^2)).
"""

import math

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from augment.effects.noise_field import (
    effect_key,
    fill_field,
    fill_temporal_field,
    hash_normal,
    hash_uniform,
)
from augment.shot import Keys


@njit
def _draw(key, n, normal):  # type: ignore[no-untyped-def]
    out = np.empty(n, np.float64)
    for i in range(n):
        out[i] = hash_normal(key, i) if normal else hash_uniform(key, i)
    return out


def _field(key: int, length: float, shape: tuple[int, int] = (120, 160)) -> NDArray[np.float32]:
    out = np.empty(shape, np.float32)
    fill_field(effect_key(key, "test"), length, out)
    return out


def test_hashed_numbers_have_their_distribution() -> None:
    n = 1_000_000
    x = _draw(effect_key(1, "normal"), n, True)
    # Standard errors: mean 1e-3, variance 1.4e-3, skewness 2.4e-3, kurtosis 4.9e-3.
    assert abs(x.mean()) < 5e-3
    assert abs(x.var() - 1) < 7e-3
    assert abs((x**3).mean()) < 2e-2
    assert abs((x**4).mean() - 3) < 5 * math.sqrt(96 / n)
    for at in (1.0, 2.0, 3.0):  # tails
        share = math.erfc(at / math.sqrt(2))
        assert abs((np.abs(x) > at).mean() - share) < 5 * math.sqrt(share / n)
    u = _draw(effect_key(1, "uniform"), n, False)
    assert u.min() >= 0 and u.max() < 1
    counts = np.histogram(u, 64, (0, 1))[0]
    assert abs(((counts - n / 64) ** 2 / (n / 64)).sum() - 63) < 5 * math.sqrt(2 * 63)
    # Neighbours in index and in key have nothing to do with each other (standard error 1e-3).
    y = _draw(effect_key(2, "normal"), n, True)
    assert abs((x[1:] * x[:-1]).mean()) < 5e-3
    assert abs((x * y).mean()) < 5e-3


@pytest.mark.parametrize("length", [0.0, 0.5, 1.0, 1.45, 2.4, 2.6, 5.0, 12.0])
def test_fields_have_unit_variance_and_their_length(length: float) -> None:
    fields = np.stack([_field(k, length) for k in range(100)]).astype(np.float64)
    area = max(1.0, math.pi * length**2 / 2)
    n = fields.size / area
    assert abs(fields.mean()) < 5 * math.sqrt(max(1.0, math.pi * length**2) / fields.size)
    assert abs(fields.var() - 1) < 5 * math.sqrt(2 / n)
    # Everywhere, not on the average: the variance of each pixel over fields (standard error 0.14).
    assert np.abs(fields.var(0) - 1).max() < 6.5 * math.sqrt(2 / 100)
    lags = [1, 2] if length < 2 else [1, 2, round(length)]
    for lag in lags:
        right = (fields[:, :, lag:] * fields[:, :, :-lag]).mean()
        down = (fields[:, lag:] * fields[:, :-lag]).mean()
        expected = math.exp(-((lag / length) ** 2)) if length else 0.0
        # 0.025: what B-splines and 7 taps differ from a Gaussian.
        for got in (right, down):
            assert abs(got - expected) < 0.025 + 5 * math.sqrt(2 / n)


def test_a_long_field_is_smooth_and_normal() -> None:
    fields = np.stack([_field(k, 6.0) for k in range(200)])
    steps = np.abs(np.diff(fields, axis=2)).max()
    assert steps < 6 * math.sqrt(2) / 6.0  # a step a pixel has the deviation sqrt(2) / length
    n = fields.size / (math.pi * 36 / 4)
    assert abs((fields.astype(np.float64) ** 4).mean() - 3) < 5 * math.sqrt(96 / n)


def test_fields_are_functions_of_their_keys() -> None:
    for length in (0.0, 1.5, 4.0):
        assert np.array_equal(_field(7, length), _field(7, length))
        assert abs((_field(7, length) * _field(8, length)).mean()) < 0.15
    assert effect_key(1, "a") != effect_key(1, "b") != effect_key(2, "b")
    keys = {int(effect_key(k, e)) for k in range(1000) for e in ("a", "b")}
    assert len(keys) == 2000


def test_fields_of_any_shape() -> None:
    for length in (0.0, 0.1, 1.0, 3.0, 500.0):
        for shape in ((0, 0), (0, 5), (3, 0), (1, 1), (1, 7), (5, 1), (3, 3)):
            assert np.isfinite(_field(1, length, shape)).all()


def _film(fixed: float, memory: float, times: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """(sequences, frames, pixels) of a field that hardly correlates in space."""
    out = np.empty((n, len(times), 24, 32), np.float32)
    for s in range(n):
        for i, t in enumerate(times):
            keys = Keys(frame=1000 * s + i, sequence=7000 + s, device=1)
            fill_temporal_field(keys, "film", float(t), fixed, memory, 1.0, out[s, i])
    return out.reshape(n, len(times), -1).astype(np.float64)


@pytest.mark.parametrize(("fixed", "memory"), [(0.0, 0.0), (0.4, 0.0), (0.0, 0.5), (0.3, 0.5)])
def test_time_correlates_as_set(fixed: float, memory: float) -> None:
    times = np.arange(40) * 0.1
    film = _film(fixed, memory, times, 40)
    independent = film.size / len(times) / (math.pi / 2)  # pixels, at one time
    error = 5 * math.sqrt(2 / independent)
    assert np.abs((film**2).mean((0, 2)) - 1).max() < error  # at every time
    lag = 5
    got = (film[:, lag:] * film[:, :-lag]).mean()
    moving = math.exp(-1) if memory else 0.0  # at 5 x 0.1 s = the memory
    # 0.01: the phase of the times and nodes.
    assert abs(got - (fixed + (1 - fixed) * moving)) < 0.01 + error
    far = (film[:, 30:] * film[:, :-30]).mean()
    assert abs(far - fixed) < error


def test_one_sequence_is_not_another_and_effects_differ() -> None:
    a, b = np.empty((60, 80), np.float32), np.empty((60, 80), np.float32)
    fill_temporal_field(Keys(1, 2, 3), "x", 0.0, 1.0, 0.0, 1.0, a)
    fill_temporal_field(Keys(9, 2, 4), "x", 1.0, 1.0, 0.0, 1.0, b)
    assert np.array_equal(a, b)  # the fixed pattern asks for the sequence alone
    fill_temporal_field(Keys(1, 3, 3), "x", 0.0, 1.0, 0.0, 1.0, b)
    assert abs((a * b).mean()) < 5 * math.sqrt(math.pi / 2 / a.size)
    fill_temporal_field(Keys(1, 2, 3), "y", 0.0, 1.0, 0.0, 1.0, b)
    assert abs((a * b).mean()) < 5 * math.sqrt(math.pi / 2 / a.size)
