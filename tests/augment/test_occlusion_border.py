"""Frames cut by a border, against the same scene rendered by the moved camera."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from augment.occlusion.border import cut_frame, move_frame
from augment.occlusion.config import Occlusion
from augment.occlusion.insertion import insert_occluders
from frames.camera import CAMERAS
from frames.parts import (
    CAUSE_OUTSIDE,
    VISIBILITY_OUTSIDE,
)
from frames.record import Frame
from frames.store.rows import Rows
from synth.frame_renderer import render_scenes
from synth.raster.canvas import Canvas as Painter
from synth.scene.scene import LAYERS
from tests.frames.frame_table import find_faults
from tests.synth.scene.witness import generator

ALWAYS = Occlusion(share_cut=1)


@cache
def make_frames(camera: str, count: int) -> tuple[Frame, ...]:
    rows = Rows(generator(camera).make_table(0, count))
    return tuple(rows.frame(i) for i in range(count))


@pytest.mark.parametrize(
    ("right", "down"), [(40, 0), (-37, 0), (0, 25), (0, -31), (30, 20), (-60, 45)]
)
def test_moved_frame_is_what_the_moved_camera_sees(right: int, down: int) -> None:
    maker, count = generator("ego-small"), 32
    frames = make_frames("ego-small", count)
    camera = replace(maker.camera, cx=maker.camera.cx + right, cy=maker.camera.cy + down)
    scenes = maker.sample(np.arange(count))
    truth = render_scenes(scenes, camera, maker.studio, Painter(camera, LAYERS))
    height, width = truth.depth.shape[1:]
    kept = (
        slice(max(down, 0), height + min(down, 0)),
        slice(max(right, 0), width + min(right, 0)),
    )
    seen = np.zeros((height, width), bool)
    seen[kept] = True
    hands = iter(range(len(truth.hands.visible_fraction)))
    done = cut = 0
    for b, old in enumerate(frames):
        mine = [next(hands) for _ in old.hands]
        frame = move_frame(old, right, down)
        if frame is None:
            continue
        done += 1
        assert frame.camera == camera
        assert frame.parts is not None and frame.clean_depth is not None
        assert not frame.parts[~seen].any() and not frame.clean_depth[~seen].any()
        assert (frame.parts != truth.codes[b])[seen].sum() <= 2
        apart = np.abs(frame.clean_depth.astype(int) - truth.depth[b])[seen]
        assert (apart > 1).sum() <= 4
        for n, hand, before in zip(mine, frame.hands, old.hands, strict=True):
            wanted = truth.hands.keypoints
            assert np.allclose(hand.keypoints_px, wanted.keypoints_px[n], atol=1e-4)
            u = np.floor(hand.keypoints_px[:, 0] + 0.5).astype(int)
            v = np.floor(hand.keypoints_px[:, 1] + 0.5).astype(int)
            inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
            known = ~inside
            known[inside] = seen[v[inside], u[inside]]
            assert np.array_equal(hand.visibility[known], wanted.visibility[n][known])
            assert np.array_equal(hand.occlusion[known], wanted.occlusion[n][known])
            assert np.allclose(
                hand.surface_depth_m[known],
                wanted.surface_depth_m[n][known],
                atol=2e-4,
                equal_nan=True,
            )
            assert known.all()
            assert np.allclose(hand.box_px, truth.hands.box_px[n], atol=1e-3, equal_nan=True)
            assert np.allclose(
                hand.box_amodal_px, truth.hands.box_amodal_px[n], atol=1e-3, equal_nan=True
            )
            assert hand.visible_fraction == pytest.approx(
                float(truth.hands.visible_fraction[n]), abs=1e-6, nan_ok=True
            )
            gone = (before.visibility != VISIBILITY_OUTSIDE) & (
                hand.visibility == VISIBILITY_OUTSIDE
            )
            assert (hand.occlusion[gone] == CAUSE_OUTSIDE).all()
            cut += int(gone.any())
    # Arms come from below: hardly any frame can be moved up.
    assert done >= (1 if down < 0 else 4)
    assert cut >= (0 if down < 0 and not right else 1)


@pytest.mark.parametrize("camera", ["ego-small", "ahat", "azure-nfov"])
def test_verify_finds_nothing_wrong_with_cut_frames(camera: str) -> None:
    frames = make_frames(camera, 32 if camera == "ego-small" else 12)
    moved, lost = 0, []
    for epoch in range(4):
        out = [cut_frame(f, ALWAYS, 1, epoch=epoch) for f in frames]
        assert find_faults(out) == []
        for frame, old in zip(out, frames, strict=True):
            if frame.camera == old.camera:
                continue
            moved += 1
            gone = [
                ((a.visibility == 0) & (b.visibility > 0)).sum()
                for a, b in zip(frame.hands, old.hands, strict=True)
            ]
            lost.append(max(gone))
    assert moved > len(frames)
    assert np.mean(lost) > 2


def test_what_is_covered_is_not_guessed_at() -> None:
    """Behind an occluder a hand's pixels are not known: where some might leave, nothing moves."""
    refused = 0
    for old in make_frames("ego-small", 32):
        covered = insert_occluders(old, Occlusion(share_before=1, share_behind=0), 4)
        for move in ((60, 0), (-60, 0), (0, 45)):
            frame = move_frame(covered, *move)
            if frame is None:
                refused += move_frame(old, *move) is not None
                continue
            plain = move_frame(old, *move)
            assert plain is not None
            for a, b in zip(frame.hands, plain.hands, strict=False):
                assert np.array_equal(a.box_amodal_px, b.box_amodal_px, equal_nan=True)
    assert refused > 0


def test_no_move_and_moves_out_of_the_image() -> None:
    frame = make_frames("ego-small", 1)[0]
    assert move_frame(frame, 0, 0) is frame
    assert move_frame(frame, 160, 0) is None
    assert move_frame(frame, 0, -4000) is None


def test_frame_without_parts_is_clipped() -> None:
    old = make_frames("ego-small", 8)[2]
    real = replace(old, source="real", depth=old.clean_depth, clean_depth=None, parts=None)
    frame = move_frame(real, 70, 0)
    assert frame is not None and frame.depth is not None
    assert not frame.depth[:, :70].any()
    assert np.array_equal(frame.depth[:, 70:], real.depth[:, :-70])  # type: ignore[index]
    for hand, before in zip(frame.hands, real.hands, strict=True):
        right = min(before.box_px[2] + 70, CAMERAS["ego-small"].width - 0.5)
        if before.box_px[0] + 70 < CAMERAS["ego-small"].width - 0.5:
            assert hand.box_px[2] == right
        if right != before.box_px[2] + 70:
            assert np.isnan(hand.visible_fraction)


def test_frame_without_hands_or_draw_stays() -> None:
    frame = make_frames("ego-small", 1)[0]
    assert cut_frame(replace(frame, hands=()), ALWAYS, 1) == replace(frame, hands=())
    assert cut_frame(frame, Occlusion(share_cut=0), 1) is frame
