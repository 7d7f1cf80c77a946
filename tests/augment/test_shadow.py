"""Shadows: width and side by the formula, against a ray caster, and inputs at the edge."""

import numpy as np
import pytest

from augment.effects.shadow import find_shadow
from frames.camera import CAMERAS, Camera

_CAMERA = Camera("pinhole", 640, 32, 580.0, 580.0, 319.5, 15.5)


def _wall_and_bar(front_m: float, back_m: float, first: int, stop: int) -> np.ndarray:
    depth = np.full((32, 640), round(back_m * 1e4), np.uint16)
    depth[:, first:stop] = round(front_m * 1e4)
    return depth


@pytest.mark.parametrize("baseline", [0.075, -0.075, 0.02, -0.0213])
@pytest.mark.parametrize(("front", "back"), [(0.6, 1.0), (0.33, 0.7), (1.0, 1.3), (0.6, 6.5)])
def test_width_and_side_are_the_formulas(baseline: float, front: float, back: float) -> None:
    shadow = find_shadow(_wall_and_bar(front, back, 250, 450), 1e4, _CAMERA, baseline)
    width = 580 * abs(baseline) * (1 / front - 1 / back)
    row = np.flatnonzero(shadow[7])
    assert (shadow == shadow[7]).all()
    assert abs(len(row) - width) <= 1.0
    assert len(row) == row[-1] - row[0] + 1
    if baseline > 0:
        assert row[-1] == 249
    else:
        assert row[0] == 450


def test_width_is_right_on_the_average() -> None:
    widths, errors = np.linspace(0.5, 0.9, 200), []
    for front in widths:
        shadow = find_shadow(_wall_and_bar(front, 1.5, 250, 450)[:1], 1e4, _one_row(), 0.075)
        errors.append(shadow.sum() - 580 * 0.075 * (1 / front - 1 / 1.5))
    # A width rounded to pixels: uniform, deviation 0.29, standard error 0.02 of 200.
    assert abs(np.mean(errors)) < 5 * 0.29 / np.sqrt(200)


def _one_row() -> Camera:
    return Camera("pinhole", 640, 1, 580.0, 580.0, 319.5, 0.0)


def test_light_passes_a_thin_front_on_its_other_side() -> None:
    # A 10 px finger shifts by 65 px: only its own breadth of the wall is dark, 65 px away.
    shadow = find_shadow(_wall_and_bar(0.4, 1.0, 300, 310), 1e4, _CAMERA, 0.075)
    row = np.flatnonzero(shadow[0])
    shift = 580 * 0.075 * (1 / 0.4 - 1 / 1.0)
    assert abs(len(row) - 10) <= 1
    assert abs(row.mean() - (304.5 - shift)) <= 1


def test_slanting_planes_lie_in_no_shadow_of_their_own() -> None:
    x = (np.arange(640) - 319.5) / 580
    for slope in (-4.0, -1.0, 1.0, 4.0):  # z = 0.8 + slope X: up to 76 degrees
        z = 0.8 / (1 - slope * x)
        depth = np.where((z > 0.2) & (z < 6), np.round(z * 1e4), 0).astype(np.uint16)
        for baseline in (0.075, -0.075):
            shadow = find_shadow(np.tile(depth, (32, 1)), 1e4, _CAMERA, baseline)
            assert not shadow.any(), (slope, baseline)


def test_against_casting_rays_to_the_second_viewpoint() -> None:
    """A random skyline; each visible point's line to the projector is walked step by step."""
    rng = np.random.default_rng(5)
    z = np.repeat(rng.uniform(0.4, 1.2, 16), 40)
    depth = np.round(z * 1e4).astype(np.uint16)[None]
    x = (np.arange(640) - 319.5) / 580
    b = 0.06
    got = find_shadow(depth, 1e4, _one_row(), b)[0]
    want = np.zeros(640, np.uint8)
    for u in range(640):
        s = np.linspace(0, 1, 4000)[1:-1]  # from the point to the projector
        px = x[u] * z[u] * (1 - s) + b * s
        pz = z[u] * (1 - s)
        col = np.floor(px / pz * 580 + 319.5 + 0.5)
        ok = (col >= 0) & (col < 640) & (np.abs(col - u) >= 1)
        want[u] = (z[col[ok].astype(int)] < pz[ok] * 0.999).any()
    # A front has no thickness here but a solid one for the rays: only far side walls may differ.
    assert (got != want).mean() < 0.04


def test_odd_images() -> None:
    for shape in ((0, 0), (0, 640), (1, 1)):
        camera = Camera("pinhole", max(1, shape[1]), max(1, shape[0]), 500.0, 500.0, 0.0, 0.0)
        assert find_shadow(np.zeros(shape, np.uint16), 1e4, camera, 0.05).shape == shape
    empty = np.zeros((32, 640), np.uint16)
    assert not find_shadow(empty, 1e4, _CAMERA, 0.075).any()
    full = np.full((32, 640), 65535, np.uint16)
    assert not find_shadow(full, 1e4, _CAMERA, 0.075).any()
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 65536, (32, 640)).astype(np.uint16)  # 0.1 mm before the lens too
    noise[:, ::7] = 1
    shadow = find_shadow(noise, 1e4, _CAMERA, -0.075)
    assert not shadow[noise == 0].any()
    assert not find_shadow(noise, 1e4, _CAMERA, 0.0).any()


def test_a_fisheyes_dark_corners_are_left_alone() -> None:
    camera = CAMERAS["ahat"]
    depth = np.full((512, 512), 10000, np.uint16)
    depth[200:300, 200:300] = 5000
    shadow = find_shadow(depth, 1e4, camera, 0.05)
    blind = np.isnan(camera.ray_table()[..., 0])
    assert not shadow[blind].any()
    assert shadow[250, 190:200].all() and not shadow[250, 300:].any()
