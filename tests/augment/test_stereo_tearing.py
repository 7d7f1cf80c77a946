"""What is uneven in stereo: rough and calm surfaces, creases, torn outlines and limits, melting."""

from statistics import NormalDist

import numpy as np
import pytest
from stereo_shots import (
    NATIVE,
    QUIET,
    SMALL,
    effective_count,
    load_model,
    make_bar,
    make_shot,
    make_slope,
    make_wall,
)

from augment.effects.noise_field import fill_field
from augment.stereo.marks import NO_DISPARITY, Patches, mix_pixel, mix_row
from augment.stereo.melting import make_melting, melt_column, melt_row, soften_row
from augment.stereo.model import Stereo, sense_stereo
from frames.reasons import OUT_OF_RANGE

_FB = 424 * 0.05


def _errors(model: Stereo, frame: int, z: float = 0.5) -> np.ndarray:
    """(480, 768) errors of the disparity on a wall, px, beside the border's band."""
    depth = sense_stereo(model, make_shot(make_wall(z), NATIVE, frame, frame)).depth_m[:, 80:]
    assert (depth > 0).all()
    return _FB / depth.astype(np.float64) - _FB / z


@pytest.mark.parametrize("crease", [0.0, 0.5, 1.0])
def test_texture_and_creases_keep_the_rms(crease: float) -> None:
    parts = {"noise_px": 0.08, "slow_share": 0.5, "uneven": 2.0, "texture_length_px": 8.0}
    model = load_model(**{**QUIET, **parts, "crease": crease})
    squares = np.mean([np.square(_errors(model, i)).mean() for i in range(8)])
    # |1 + 2 x|^2 spreads the fresh part's variance: its own is 2.6 times that of normal squares.
    shares = ((1 - model.slow_share, 8.0), (model.slow_share, model.patch_length_px))
    n = effective_count(8 * 480 * 768, *shares)
    assert np.sqrt(squares) == pytest.approx(0.08, rel=4 * 2.6 / np.sqrt(2 * n))


def test_rough_places_are_as_wide_as_the_texture() -> None:
    parts = {"noise_px": 0.08, "noise_length_px": 0.0, "slow_share": 0.0, "uneven": 2.0}
    kinship = []
    for length in (0.0, 60.0):
        model = load_model(
            **{**QUIET, **parts, "patch_length_px": 4.0, "texture_length_px": length}
        )
        pairs = []
        for i in range(6):
            size = np.square(_errors(model, i)).reshape(48, 10, 64, 12).mean((1, 3))
            pairs.append(np.corrcoef(size[:, :-1].ravel(), size[:, 1:].ravel())[0, 1])
        kinship.append(np.mean(pairs))
    # Blocks of 10 x 12 px; 3,000 pairs a frame, fewer of them independent of each other.
    assert abs(kinship[0]) < 0.1
    assert kinship[1] > 0.7


def test_creases_are_lines() -> None:
    parts = {"noise_px": 0.08, "slow_share": 1.0, "texture_length_px": 60.0}
    bends = []
    for crease in (0.0, 1.0):
        model = load_model(**{**QUIET, **parts, "patch_length_px": 60.0, "crease": crease})
        e = _errors(model, 1)
        bends.append(np.abs(2 * e[:, 1:-1] - e[:, 2:] - e[:, :-2]))
    height = 0.08 * np.sqrt(12)
    # Waves bend everywhere a little; a step of sqrt(12) deviations bends two pixels by all of it.
    assert bends[0].max() < 0.1 * height
    assert bends[1].max() == pytest.approx(height, rel=0.1)
    on_lines = (bends[1] > 0.5 * height).mean()
    assert 0.01 < on_lines < 0.1
    assert np.median(bends[1]) < 0.02 * height


def _mix(tear: float) -> np.ndarray:
    a, b = 1.0 - tear, tear
    size = np.sqrt(a * a + 4 * np.sqrt(2 / np.pi) * a * b + 3 * b * b)
    badness, noise = np.empty((2, 400, 500), np.float32)
    fill_field(np.uint64(1), 0.0, badness)
    fill_field(np.uint64(2), 0.0, noise)
    gains = (np.float32(x) for x in (0.8, 0.6, a / size, b / size))
    patches, out = Patches(noise, badness, *gains), np.empty((400, 500), np.float32)
    for v in range(400):
        mix_row(patches, v, out[v])
    assert out[7, 9] == mix_pixel(patches, 7, 9)
    return out.astype(np.float64)


def test_tearing_keeps_the_variance_and_moves_it_to_few_places() -> None:
    smooth, torn = _mix(0.0), _mix(1.0)
    # 200,000 independent numbers; of x |x| / sqrt(3) the fourth moment is 105 / 9.
    assert smooth.var() == pytest.approx(1.0, abs=4 * np.sqrt(2 / 2e5) + 0.005)
    assert torn.var() == pytest.approx(1.0, abs=4 * np.sqrt(105 / 9 / 2e5) + 0.01)
    assert (torn**4).mean() == pytest.approx(105 / 9, rel=0.15)
    assert np.median(np.abs(torn)) < 0.45 * np.median(np.abs(smooth))
    order = np.argsort(smooth.ravel())
    assert (np.diff(torn.ravel()[order]) >= 0).all()


def test_torn_shadows_are_smooth_for_a_while() -> None:
    moved = {}
    for tear in (0.0, 1.0):
        model = load_model(**{**QUIET, "fray_px": 4.0, "patch_length_px": 6.0, "tear": tear})
        found = []
        for i in range(30):
            z = sense_stereo(model, make_shot(make_bar(0.4, 0.8, 120, 220), SMALL, i, i)).depth_m
            found.append((z[:, 40:120] == 0).sum(1))
        moved[tear] = np.concatenate(found) - np.median(np.concatenate(found))
    still = {tear: (m == 0).mean() for tear, m in moved.items()}
    # As far on the average, of fewer pixels: most ends stay where they are.
    assert still[1.0] > 2 * still[0.0]
    assert moved[1.0].std() == pytest.approx(moved[0.0].std(), rel=0.25)


def test_the_near_limit_is_torn() -> None:
    depth = make_slope(0.25, 0.8)  # 0.14 to 1.25 m
    d, bands = _FB / depth, (60, 80, 90, 95)
    for fray in (0.0, 10.0):
        limits = {"max_disparity_px": 100.0, "near_fray_px": fray, "slope_limit": 100.0}
        model, lost = load_model(**{**QUIET, **limits}), []
        for i in range(8):
            reading = sense_stereo(model, make_shot(depth, NATIVE, i, i))
            assert (reading.depth_m[d > 100.1] == 0).all()
            out = reading.reason == OUT_OF_RANGE
            lost.append([out[(d > a) & (d < a + 5)].mean() for a in bands])
        # Lost where fray (x + 1) > 100 - d of a normal x. A band of 31 px has 150 patches a frame:
        # the standard error of a share of 8 frames is 0.014.
        room = 100 - np.add.outer(np.arange(0.5, 5, 1), bands)
        normal = NormalDist().cdf
        wanted = [[normal(1 - r / fray) if fray else 0.0 for r in row] for row in room]
        assert np.mean(lost, 0) == pytest.approx(np.mean(wanted, 0), abs=4 * 0.014 if fray else 0)


def _melt(image: np.ndarray, half: float, limit: float, spread: float = 0.0) -> np.ndarray:
    """By the kernels, rows in order as `window_matching` feeds them."""
    height, width = image.shape
    melting = make_melting(half, np.float32(limit), width)
    taps = len(melting[4]) - 1
    size, out = 2 * taps + 1, np.empty_like(image)
    patch = np.linspace(-1, 1, width).astype(np.float32)
    for v in range(height + taps):
        if v < height:
            melting[0][taps : taps + width] = image[v]
            if spread > 0:
                soften_row(melting, v, np.float32(spread), patch)
            melt_row(melting, v, melting[1][v % size])
        if v >= taps:
            melt_column(melting, v - taps, height, out[v - taps])
    return out


def _melt_plainly(image: np.ndarray, half: float, limit: np.ndarray | float) -> np.ndarray:
    """The same in numpy: the weighted mean of the docs, rows first, columns after."""
    image = image.astype(np.float64)
    taps = max(int(np.ceil(half + 0.5)) - 1, 0)
    for axis in (1, 0):
        top, bottom = np.zeros_like(image), np.ones_like(image)
        for k in [k for k in range(-taps, taps + 1) if k]:
            pad = [(taps, taps) if a == axis else (0, 0) for a in range(2)]
            other = np.pad(image, pad, constant_values=float(NO_DISPARITY))
            other = np.take(other, np.arange(image.shape[axis]) + taps + k, axis)
            step = other - image
            weight = min(max(half + 0.5 - abs(k), 0), 1) * np.maximum(1 - (step / limit) ** 2, 0)
            top, bottom = top + weight * step, bottom + weight
        image = image + top / bottom
    return image


@pytest.mark.parametrize("half", [0.3, 0.8, 1.4, 2.0, 2.4, 3.3])
@pytest.mark.parametrize("spread", [0.0, 0.9])
def test_melting_is_the_weighted_mean(half: float, spread: float) -> None:
    image = np.cumsum(np.random.default_rng(1).normal(0, 1, (9, 23)), 1).astype(np.float32)
    limit = 2.0 * np.maximum(1 + spread * np.linspace(-1, 1, 23), 0.25)
    expected = _melt_plainly(image, half, np.broadcast_to(limit, image.shape))
    np.testing.assert_allclose(_melt(image, half, 2.0, spread), expected, atol=2e-5)


def test_melting_goes_farther_where_matching_is_bad() -> None:
    step = np.where(np.arange(40) < 20, 0.0, 3.0).astype(np.float32)
    image = np.tile(step[:, None], (1, 30))
    out = _melt(image, 2.4, 2.5, spread=0.9)
    ramp = np.abs(out - image).sum(0)
    assert ramp[0] == 0  # a limit of 0.6: the step of 3 stays
    assert ramp[-1] > 1  # of 4.8: it melts
    plane = np.add.outer(0.3 * np.arange(20), 0.2 * np.arange(30)).astype(np.float32)
    # Its own limit alone counts for a pixel, so weights stay symmetric and planes where they are.
    assert np.abs(_melt(plane, 2.4, 2.5, spread=0.9) - plane)[3:-3, 3:-3].max() < 1e-5
