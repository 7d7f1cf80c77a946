"""Occluders in a sensor's own reading: noise on them, holes beside them; and draws and settings."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from augment.occlusion.config import BEFORE, BEHIND, Occlusion
from augment.occlusion.finish import Finish, finish_reading
from augment.occlusion.insertion import insert_occluders
from augment.occlusion.plan import AIM, EACH, PLAN, draw_count, plan_kinds
from frames.camera import Camera
from frames.errors import BadInput
from frames.parts import CAUSE_DROPOUT
from frames.reasons import MIXED, SHADOW
from frames.record import Frame
from frames.store.rows import Rows
from tests.synth.scene.witness import generator

CAMERA = Camera("pinhole", 240, 200, 200.0, 200.0, 119.5, 99.5)
FRONT, BACK = 4000, 8000


@cache
def make_frames() -> tuple[Frame, ...]:
    rows = Rows(generator("ego-small").make_table(0, 24))
    return tuple(rows.frame(i) for i in range(24))


def make_square() -> tuple[Frame, np.ndarray, np.ndarray]:
    """A wall at 0.8 m, before and after a square at 0.4 m, and the frame."""
    before = np.full((200, 240), BACK, np.uint16)
    after = before.copy()
    after[60:140, 80:160] = FRONT
    frame = Frame(
        0, "real", CAMERA, None, 1e4, after.copy(), None, None, np.zeros(after.shape, np.uint8),
        "x", None, (), (),
    )  # fmt: skip
    return frame, before, after


@pytest.mark.parametrize("baseline", [0.05, -0.05])
def test_shadow_has_its_width_on_its_side(baseline: float) -> None:
    frame, before, after = make_square()
    out = finish_reading(frame, before, after, Finish(baseline, 0.0, 0.0), 1)
    assert out.depth is not None and out.invalid is not None
    width = 200 * 0.05 * (1 / 0.4 - 1 / 0.8)
    row = out.depth[100] == 0
    assert abs(row.sum() - width) <= 1
    # The second eye to the right misses what lies left of the square.
    columns = np.flatnonzero(row)
    assert (columns < 80).all() if baseline > 0 else (columns >= 160).all()
    assert (out.invalid[out.depth == 0] == SHADOW).all()
    assert not (out.depth[:60] == 0).any()


def test_noise_is_as_large_as_asked_for() -> None:
    frame, before, after = make_square()
    out = finish_reading(frame, before, after, Finish(0.0, 0.0, 0.01, 2.0), 3)
    assert out.depth is not None
    new = before != after
    off = (out.depth[new].astype(float) - FRONT) / 1e4
    sigma = 0.01 * 0.4**2
    # Correlated over 2 px: about one independent number in 2 pi pixels.
    count = new.sum() / (2 * np.pi)
    assert abs(off.mean()) < 4 * sigma / np.sqrt(count)
    assert abs(off.std() / sigma - 1) < 4 / np.sqrt(2 * count)
    assert (out.depth[~new] == BACK).all()


def test_rim_is_ragged_and_outside() -> None:
    frame, before, after = make_square()
    widths = []
    for key in range(20):
        out = finish_reading(frame, before, after, Finish(0.0, 1.5, 0.0), key)
        assert out.depth is not None and out.invalid is not None
        holes = out.depth == 0
        assert not (holes & (before != after)).any()
        assert (out.invalid[holes] == MIXED).all()
        widths.append(holes[70:130, :80].sum(1))
    # Whole pixels of a log-normal width of mean 1.5.
    assert np.mean(widths) == pytest.approx(1.5, abs=0.25)
    assert np.std(widths) > 0.3


def test_keypoints_in_new_holes_are_dropped() -> None:
    """On real frames: wherever a hole was torn, a visible keypoint is occluded by dropout."""
    finish, torn = Finish(0.05, 2.0), 0
    config = Occlusion(share_before=1)
    for old in make_frames():
        real = replace(old, source="real", depth=old.clean_depth, clean_depth=None, parts=None)
        for epoch in range(6):
            out = insert_occluders(real, config, 1, epoch=epoch, finish=finish)
            bare = insert_occluders(real, config, 1, epoch=epoch)
            if out is real:
                continue
            assert out.depth is not None and bare.depth is not None
            holes = (out.depth == 0) & (bare.depth > 0)
            for hand, plain in zip(out.hands, bare.hands, strict=True):
                for k in np.flatnonzero(plain.visibility):
                    u, v = np.floor(hand.keypoints_px[k].astype(float) + 0.5).astype(int)
                    lost = holes[v, u] and plain.visibility[k] == 2
                    torn += lost
                    assert (hand.occlusion[k] == CAUSE_DROPOUT) == lost
                    if holes[v, u]:
                        assert np.isnan(hand.surface_depth_m[k])
    assert torn > 3


def test_both_depths_of_a_frame_get_the_occluder() -> None:
    old = next(f for f in make_frames() if f.clean_depth is not None)
    assert old.clean_depth is not None
    noisy = np.where(old.clean_depth > 0, old.clean_depth + 7, 0).astype(np.uint16)
    invalid = np.where(noisy == 0, np.uint8(1), np.uint8(0))
    both = replace(old, depth=noisy, invalid=invalid, sensor="d435")
    out = insert_occluders(both, Occlusion(share_before=1), 1)
    assert out.clean_depth is not None and out.depth is not None and out.invalid is not None
    new = out.clean_depth != old.clean_depth
    assert new.any()
    assert np.array_equal(out.depth[new], out.clean_depth[new])
    assert np.array_equal(out.depth[~new], noisy[~new])
    assert np.array_equal(out.invalid == 0, out.depth > 0)


def test_kinds_come_by_weight() -> None:
    config = Occlusion(share_before=1, share_behind=0.3, number_before=(1, 3), cable=0)
    rng, n = np.random.default_rng(2), 6000
    plans = [plan_kinds(config, rng.random(PLAN + 4 * EACH), True) for _ in range(n)]
    behind = np.mean([plan[0] in BEHIND for plan in plans])
    assert abs(behind - 0.3) < 4 * np.sqrt(0.21 / n)
    ahead = [[k for k in plan if k in BEFORE] for plan in plans]
    counts = np.bincount([len(a) for a in ahead], minlength=4) / n
    assert np.abs(counts - [0, 4 / 7, 2 / 7, 1 / 7]).max() < 4 * np.sqrt(0.25 / n)
    flat = [k for a in ahead for k in a]
    total = sum(config.weights[k] for k in BEFORE)
    for kind in BEFORE:
        share = config.weights[kind] / total
        found = np.mean([k == kind for k in flat])
        assert abs(found - share) < 4 * np.sqrt(share * (1 - share) / len(flat)) + 1e-12
    assert AIM < EACH
    nothing = replace(config, **dict.fromkeys((*BEFORE, *BEHIND), 0.0))
    assert plan_kinds(nothing, rng.random(PLAN + 4 * EACH), True) == []
    assert "cut_hand" not in plan_kinds(replace(config, cut_hand=1e5), np.full(200, 0.5), False)


def test_counts_of_one() -> None:
    assert {draw_count((2, 2), u) for u in (0.0, 0.5, 0.999999)} == {2}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"share_before": 1.5}, r"share_before must be a share from 0 to 1, got 1\.5"),
        ({"share_cut": -0.1}, "share_cut must be a share"),
        ({"share_dropout": float("nan")}, "share_dropout must be a share"),
        ({"number_before": (0, 3)}, r"number_before must be \(least, most\)"),
        ({"number_before": (3, 2)}, "number_before must be"),
        ({"dropout_number": (1.5, 2)}, "dropout_number must be"),
        ({"clearance_m": (0.1, 0.01)}, r"clearance_m must be \(low, high\) with 0 < low"),
        ({"strap_width_m": (0.0, 0.01)}, "strap_width_m must be"),
        ({"strap_width_m": 0.02}, "strap_width_m must be"),
        ({"cut_of_hand": (0.1, 1.1)}, "cut_of_hand must be"),
        ({"paper": -1}, "paper must be a number >= 0, got -1"),
        ({"near_m": 0}, "near_m must be metres from"),
        ({"tilt_rad": 2}, "tilt_rad must be radians"),
        ({"flesh_m": float("inf")}, "flesh_m must be a number"),
    ],
)
def test_settings_that_cannot_be(values: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        Occlusion(**values)  # type: ignore[arg-type]


def test_finish_that_cannot_be() -> None:
    with pytest.raises(BadInput, match=r"baseline_m must be from -1\.0 to 1\.0, got 3"):
        Finish(baseline_m=3)
    with pytest.raises(BadInput, match="ragged_px"):
        Finish(ragged_px=float("nan"))
