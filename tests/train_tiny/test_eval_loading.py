"""Batches for evaluation: every hand once, in order, and what is told of each is so."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from augment.sensed import open_sensed
from frames.store.dataset import open_dataset
from tests.train_tiny.real_frames import write_real
from train_tiny.loading.crop_loading import LoaderConfig, open_sources
from train_tiny.loading.crops import HALF_RANGE_M, encode_depth
from train_tiny.loading.eval_loading import evaluate_with, make_eval_loader
from train_tiny.loading.taking import Taking

CONFIG = evaluate_with(LoaderConfig(batch=16, size_px=64, sensor="none"), "val")


def test_every_hand_once_in_order(rendered: Path) -> None:
    places = [
        (facts.frame_id[i], facts.hand[i])
        for images, _, facts in make_eval_loader(open_sources([rendered]), CONFIG)
        for i in range(len(images))
    ]
    assert places == sorted(places) and len(set(places)) == len(places)
    wanted = [
        (frame.frame_id, k)
        for frame in open_dataset(rendered, split="val")
        for k, hand in enumerate(frame.hands)
        if (hand.visibility > 0).sum() >= 8 and not hand.visible_fraction < 0.1
    ]
    assert {*places} <= {*wanted} and len(places) > 0.9 * len(wanted)


def test_the_same_for_any_workers(rendered: Path) -> None:
    mix = open_sources([rendered])
    config = replace(CONFIG, sensor="random")

    def load(workers: int) -> list[Any]:
        return [
            (images.numpy().tobytes(), targets.depth.numpy().tobytes(), facts.sensor)
            for images, targets, facts in make_eval_loader(mix, config, 5, workers)
        ]

    alone = load(0)
    assert load(2) == alone
    assert len({name for _, _, names in alone for name in names}) > 2


def test_facts(rendered: Path) -> None:
    for images, targets, facts in make_eval_loader(open_sources([rendered]), CONFIG):
        assert facts.source == [str(rendered)] * len(images)
        for i in range(len(images)):
            frame = open_dataset(rendered)[int(facts.frame_id[i])]
            hand = frame.hands[facts.hand[i]]
            assert facts.situation[i] == frame.situation
            assert facts.key_pose[i] == (hand.key_pose or "")
            assert facts.wearer[i] == hand.wearer
            assert targets.right[i] == (hand.side == "right")
            cam = hand.keypoints_cam_m
            palm = np.linalg.norm(cam[0] - cam[9])
            assert facts.palm_m[i] == pytest.approx(palm, rel=1e-5)
            middle = np.linalg.norm((cam[0] + cam[9]) / 2)
            assert facts.distance_m[i] == pytest.approx(middle, rel=1e-5)
            # In the crop: the palm's length at its distance, never shorter than its picture.
            own = facts.keypoints_cam_m[i]
            z = (own[0, 2] + own[9, 2]) / 2
            assert facts.palm_px[i] == pytest.approx(palm * facts.camera[i].fx / z, rel=1e-4)
            px = targets.keypoints_px[i].numpy()
            there = np.isfinite(px).all(-1)
            assert np.allclose(facts.camera[i].project(own)[there], px[there], atol=1e-2)
            image = encode_depth(facts.depth_m[i], float(facts.reference_m[i]))
            assert np.array_equal(image, images[i, 0].numpy())
            behind = targets.depth[i, :, 1].numpy() * HALF_RANGE_M + facts.reference_m[i]
            assert np.allclose(behind[there], own[there, 2], atol=1e-5)


def test_noise_is_that_of_the_dataset_read_elsewhere(rendered: Path) -> None:
    """With a seed, evaluation sees what `open_sensed` gives, and nothing new each time."""
    mix = open_sources([rendered])
    config = replace(CONFIG, sensor="d435", size_px=64)
    data = open_sensed(rendered, split="val", sensor="d435", seed=7)
    _, _, facts = next(make_eval_loader(mix, config, seed=7))
    frame = next(f for f in data if f.frame_id == facts.frame_id[0])
    assert frame.depth is not None
    seen = np.unique(facts.depth_m[0][facts.depth_m[0] > 0])
    # The crop's depths are turned and interpolated: within those that the frame has.
    read = frame.depth[frame.depth > 0] / frame.depth_scale
    assert read.min() * 0.9 < seen.min() < seen.max() < read.max() * 1.2


@pytest.mark.parametrize("kind", ["boxes", "keypoints", "full"])
def test_partial_labels(tmp_path: Path, kind: str) -> None:
    mix = open_sources([write_real(tmp_path / kind, kind)])
    config = evaluate_with(CONFIG, None)
    count = 0
    for images, targets, facts in make_eval_loader(mix, config):
        count += len(images)
        assert np.isfinite(facts.palm_px).any() == (kind != "boxes")
        assert np.isfinite(facts.palm_m).any() == (kind == "full")
        assert np.isfinite(facts.distance_m).all()
        assert facts.sensor == [""] * len(images) and facts.key_pose == [""] * len(images)
        assert (targets.key_pose == -1).all()
    assert count > 10


def test_hands_that_are_hardly_read_are_left_out(rendered: Path) -> None:
    def count(least: float) -> int:
        config = replace(CONFIG, sensor="kinect-v1", taking=Taking(least_read=least))
        batches = make_eval_loader(open_sources([rendered]), config)
        return sum(len(images) for images, _, _ in batches)

    assert count(0.0) > count(0.4) > count(0.95)
