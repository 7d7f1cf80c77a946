"""Hands: outlines found, rings and bands counted, the shadow's baseline, the roughness."""

import numpy as np
import pytest

from augment.calibrate.capture import Capture, Clip
from augment.calibrate.edges import list_bands
from augment.calibrate.hands import find_hands, measure_hand_roughness, measure_shares, sum_hands
from augment.calibrate.local_plane import measure_roughness
from augment.calibrate.shadow_bands import measure_bands
from augment.calibrate.silhouette import find_hand, follow_hand, label_surfaces
from augment.effects.shadow import find_shadow
from frames.camera import Camera

CAMERA = Camera("pinhole", 240, 180, 200.0, 200.0, 119.5, 89.5)
SCALE = 10_000.0


def draw_hand(near_m: float, far_m: float, radius: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """A disc before a wall: depth and mask."""
    v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
    hand = (u - 120) ** 2 + (v - 90) ** 2 <= radius**2
    depth = np.where(hand, near_m, far_m) * SCALE
    return np.rint(depth).astype(np.uint16), hand


def record(baseline_m: float, count: int, marked: bool) -> Capture:
    """Discs at several distances with the shadows of a second viewpoint, and nothing else."""
    depths, masks = [], []
    for i in range(count):
        depth, hand = draw_hand(0.35 + 0.02 * i, 0.8 + 0.05 * i)
        depth[find_shadow(depth, SCALE, CAMERA, baseline_m) > 0] = 0
        depths.append(depth)
        masks.append(hand)
    clip = Clip("hands", np.stack(depths), np.stack(masks) if marked else None)
    return Capture("made", CAMERA, SCALE, (clip,))


@pytest.mark.parametrize("baseline_m", [0.05, -0.03])
@pytest.mark.parametrize("marked", [True, False])
def test_the_shadow_gives_side_and_baseline(baseline_m: float, marked: bool) -> None:
    capture = record(baseline_m, 10, marked)
    frames, known = find_hands(capture)
    assert len(frames) == 10 and known == marked
    found = {e.name: e for e in measure_bands(sum_hands(frames, SCALE, known), capture.camera.fx)}
    shadow = found["shadow_baseline"]
    assert shadow.value is not None and shadow.error is not None
    # Rows of whole pixels: the error of the bootstrap, and a third of a pixel of 15.
    assert shadow.value == pytest.approx(baseline_m, abs=3 * shadow.error + 0.02 * abs(baseline_m))
    wide, narrow = ("left", "right") if baseline_m > 0 else ("right", "left")
    assert (found[f"band_{narrow}"].value or 0) < 1 < (found[f"band_{wide}"].value or 0)


def test_bands_of_known_width() -> None:
    depth, hand = draw_hand(0.4, 0.9)
    for row, mask in zip(depth, hand, strict=True):
        if mask.any():
            first = int(np.argmax(mask))
            row[first - 7 : first] = 0
    bands = list_bands(depth, hand, SCALE)
    left, right = (bands[bands[:, 0] == side] for side in (0, 1))
    assert set(left[:, 2]) == {7.0} and set(right[:, 2]) == {0.0}
    np.testing.assert_allclose(bands[:, 3], 1 / 0.4 - 1 / 0.9, rtol=1e-6)
    grown = depth.copy()
    for row, mask in zip(grown, hand, strict=True):
        if mask.any():
            stop = mask.size - int(np.argmax(mask[::-1]))
            row[stop : stop + 2] = 4000
    bands = list_bands(grown, hand, SCALE)
    assert set(bands[bands[:, 0] == 1, 4]) == {2.0}
    assert not len(list_bands(np.where(hand, depth, 0).astype(np.uint16), hand, SCALE))


def test_shares_of_holes_in_rings() -> None:
    rng = np.random.default_rng(3)
    depths, masks = [], []
    for _ in range(12):
        depth, hand = draw_hand(0.4, 0.9)
        depth[(rng.random(depth.shape) < 0.3) & ~hand] = 0
        depth[(rng.random(depth.shape) < 0.05) & hand] = 0
        depths.append(depth)
        masks.append(hand)
    capture = Capture("made", CAMERA, SCALE, (Clip("a", np.stack(depths), np.stack(masks)),))
    frames, marked = find_hands(capture)
    found = {e.name: e for e in measure_shares(sum_hands(frames, SCALE, marked))}
    for name, truth in (
        ("ring_outside_holes", 0.3),
        ("ring_inside_holes", 0.05),
        ("hand_fill", 0.95),
    ):
        one = found[name]
        assert one.value is not None and one.error is not None
        assert abs(one.value - truth) < 3.5 * one.error
        # 12 discs: about 800 pixels of a ring each.
        pixels = 12 * (5026 if name == "hand_fill" else 750)
        assert one.error == pytest.approx(np.sqrt(truth * (1 - truth) / pixels), rel=0.7)


def test_the_roughness_is_the_residual_of_least_squares() -> None:
    rng = np.random.default_rng(4)
    depth = rng.integers(4000, 4020, (30, 30)).astype(np.uint16)
    rough = measure_roughness(depth, np.ones(depth.shape, bool), SCALE)
    v, u = np.mgrid[-3:4, -3:4]
    design = np.stack([np.ones(49), u.ravel(), v.ravel()], -1)
    window = depth[7:14, 9:16].astype(float).ravel()
    terms = np.linalg.lstsq(design, window, rcond=None)[0]
    wanted = np.sqrt(np.mean((window - design @ terms) ** 2)) / SCALE
    assert rough[10, 12] == pytest.approx(wanted, rel=1e-5)
    assert np.isnan(rough[:3]).all() and np.isnan(rough[:, -3:]).all()
    depth[10, 12] = 0
    assert np.isnan(measure_roughness(depth, np.ones(depth.shape, bool), SCALE)[7:14, 9:16]).all()


def test_the_nearest_thing_that_stands_out_is_the_hand() -> None:
    depth, hand = draw_hand(0.4, 0.9)
    depth[80:100, 60:70] = 8000  # a box behind, and a hole of three pixels in the hand
    depth[90, 118:121] = 0
    np.testing.assert_array_equal(find_hand(depth, SCALE), hand)
    np.testing.assert_array_equal(follow_hand(depth, hand, SCALE), hand)
    flat = np.full(depth.shape, 7000, np.uint16)
    assert find_hand(flat, SCALE) is None
    assert find_hand(np.zeros_like(flat), SCALE) is None
    assert (label_surfaces(np.zeros((3, 4), np.uint16), 1, 0) == -1).all()


def test_without_a_hand_everything_is_refused() -> None:
    why = "no hand stands out"
    every = [*measure_shares(None), *measure_bands(None, 200.0), *measure_hand_roughness(None)]
    assert every and all(e.value is None and why in e.why for e in every)
