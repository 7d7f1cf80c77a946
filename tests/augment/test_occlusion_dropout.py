"""Patches without a reading: what they take and what they leave."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from augment.occlusion.config import Occlusion
from augment.occlusion.dropout import drop_readings
from frames.parts import CAUSE_DROPOUT, CAUSE_NONE, VISIBILITY_OCCLUDED, VISIBILITY_VISIBLE
from frames.reasons import DROPOUT, LOW_SIGNAL, NOTHING
from frames.record import Frame
from frames.store.rows import Rows
from tests.frames.frame_table import find_faults
from tests.synth.scene.witness import generator

ALWAYS = Occlusion(share_dropout=1)


@cache
def make_frames() -> tuple[Frame, ...]:
    rows = Rows(generator("ego-small").make_table(0, 32))
    return tuple(rows.frame(i) for i in range(32))


def test_patches_take_readings_and_nothing_else() -> None:
    dropped = 0
    for epoch in range(4):
        frames = [drop_readings(f, ALWAYS, 1, epoch=epoch) for f in make_frames()]
        assert find_faults(frames) == []
        for frame, old in zip(frames, make_frames(), strict=True):
            if frame is old:
                continue
            assert frame.depth is not None and old.clean_depth is not None
            assert frame.clean_depth is old.clean_depth and frame.parts is old.parts
            holes = (frame.depth == 0) & (old.clean_depth > 0)
            assert holes.any()
            assert np.array_equal(frame.depth[~holes], old.clean_depth[~holes])
            assert frame.invalid is not None
            assert (frame.invalid[holes] == DROPOUT).all()
            assert (frame.invalid[old.clean_depth == 0] == NOTHING).all()
            assert (frame.invalid[frame.depth > 0] == 0).all()
            for hand, before in zip(frame.hands, old.hands, strict=True):
                for name in ("box_px", "box_amodal_px", "visible_fraction", "surface_depth_m"):
                    a, b = getattr(hand, name), getattr(before, name)
                    assert np.array_equal(a, b, equal_nan=True)
                for k in np.flatnonzero(before.visibility):
                    u, v = np.floor(hand.keypoints_px[k].astype(float) + 0.5).astype(int)
                    unread = frame.depth[v, u] == 0
                    lost = unread and before.visibility[k] == VISIBILITY_VISIBLE
                    dropped += lost
                    wanted = (VISIBILITY_OCCLUDED, CAUSE_DROPOUT) if lost else None
                    wanted = wanted or (before.visibility[k], before.occlusion[k])
                    assert (hand.visibility[k], hand.occlusion[k]) == wanted
    assert dropped > 50


def test_patches_have_the_angles_asked_for() -> None:
    """Squares of one size cover what they should, but where the image ends or they overlap."""
    config = replace(
        ALWAYS, dropout_side_rad=(0.2, 0.2), dropout_number=(1, 1), dropout_near_hand=0.0
    )
    camera = make_frames()[0].camera
    flat = np.full((camera.height, camera.width), 5000, np.uint16)
    areas = []
    for k in range(400):
        frame = replace(make_frames()[0], frame_id=k, clean_depth=flat, hands=())
        out = drop_readings(frame, config, 1)
        areas.append((out.reading == 0).sum() if out.reading is not None else 0)
    side = 0.2 * camera.fx
    # Squares have side^2 pixels, a round blob pi / 4 of that and a bit: no area goes beyond.
    assert max(areas) <= 1.25 * side**2
    assert np.median(areas) > 0.6 * side**2


def test_share_of_frames() -> None:
    config, n = Occlusion(share_dropout=0.3), 600
    frame = make_frames()[0]
    hit = [drop_readings(replace(frame, frame_id=k), config, 1) for k in range(n)]
    share = np.mean([f.depth is not None for f in hit])
    # A draw may miss everything that has a reading, hardly ever though.
    assert abs(share - 0.3) < 4 * np.sqrt(0.3 * 0.7 / n) + 0.02


def test_reading_of_a_sensor_loses_its_surface_too() -> None:
    old = make_frames()[1]
    assert old.clean_depth is not None
    invalid = np.zeros(old.clean_depth.shape, np.uint8)
    depth = old.clean_depth.copy()
    depth[:10], invalid[:10] = 0, LOW_SIGNAL
    real = replace(old, source="real", clean_depth=None, depth=depth, invalid=invalid)
    hidden = 0
    for epoch in range(10):
        out = drop_readings(real, ALWAYS, 1, epoch=epoch)
        assert out.invalid is not None and out.depth is not None
        assert (out.invalid[:10] == LOW_SIGNAL).all()
        for hand in out.hands:
            lost = hand.occlusion == CAUSE_DROPOUT
            hidden += lost.sum()
            assert np.isnan(hand.surface_depth_m[lost]).all()
    assert hidden > 5
    no_reasons = drop_readings(replace(real, invalid=None), ALWAYS, 1)
    assert no_reasons.invalid is None


def test_nothing_to_drop() -> None:
    frame = make_frames()[0]
    assert frame.clean_depth is not None
    assert drop_readings(frame, Occlusion(share_dropout=0), 1) is frame
    blind = replace(frame, clean_depth=None)
    assert drop_readings(blind, ALWAYS, 1) is blind
    holes = replace(frame, clean_depth=np.zeros_like(frame.clean_depth))
    assert drop_readings(holes, ALWAYS, 1) is holes


def test_a_draw_depends_on_its_keys_alone() -> None:
    frame = make_frames()[3]
    one, two = (drop_readings(frame, ALWAYS, 1) for _ in range(2))
    assert one.depth is not None and two.depth is not None
    assert one.depth.tobytes() == two.depth.tobytes()
    other = drop_readings(frame, ALWAYS, 1, epoch=1)
    assert other.depth is None or other.depth.tobytes() != one.depth.tobytes()


def test_visible_keypoints_elsewhere_keep_their_cause() -> None:
    for frame in make_frames():
        out = drop_readings(frame, ALWAYS, 2)
        for hand in out.hands:
            seen = hand.visibility == VISIBILITY_VISIBLE
            assert (hand.occlusion[seen] == CAUSE_NONE).all()


@pytest.mark.parametrize("size", [1, 2])
def test_tiny_image(size: int) -> None:
    old = make_frames()[0]
    camera = replace(old.camera, width=size, height=size)
    tiny = np.full((size, size), 700, np.uint16)
    frame = replace(old, camera=camera, clean_depth=tiny, parts=None, hands=(), objects=())
    for epoch in range(30):
        out = drop_readings(frame, ALWAYS, 1, epoch=epoch)
        assert out is frame or (out.depth == 0).any()  # type: ignore[union-attr]
