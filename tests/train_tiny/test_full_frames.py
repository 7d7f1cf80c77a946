"""Whole frames: maps about every hand, tags on their pixels, what is not taught left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from frames.errors import BadInput
from frames.store.dataset import open_dataset
from tests.train_tiny.real_frames import write_real
from tests.train_tiny.test_loading import digest
from train_tiny.loading.crop_loading import open_sources
from train_tiny.loading.frame_loading import (
    FrameLoaderConfig,
    feed_frames,
    make_frame_eval_loader,
)
from train_tiny.loading.taking import Taking
from train_tiny.losses.full_frames import (
    FAR_M,
    NEAR_M,
    FrameTargets,
    draw_heatmaps,
    draw_mask,
    encode_frame,
    index_tags,
    measure_shares,
)

SMALL = FrameLoaderConfig(batch=8, size_px=(128, 96), sensor="random")
PLAIN = replace(SMALL, sensor="none", occlusion=None, geometry=None, split="val")


def place_hands(*hands: np.ndarray, ignored: tuple[float, ...] = ()) -> FrameTargets:
    """One frame of 64 x 48 with hands of 21 keypoints each."""
    px = torch.full((1, 3, 21, 2), torch.nan)
    box = torch.full((1, 3, 4), torch.nan)
    for k, hand in enumerate(hands):
        px[0, k] = torch.from_numpy(hand)
    if ignored:
        box[0, 0] = torch.tensor(ignored)
    return FrameTargets(px, torch.ones(1, 3, 21), torch.ones(1, 3), box)


def test_depth_is_near_or_far() -> None:
    depth = np.array([0, 0.02, NEAR_M, (NEAR_M + FAR_M) / 2, FAR_M, 5.0], np.float32)
    assert np.allclose(encode_frame(depth), [0, 1, 1, 0.5, 0, 0])


@pytest.mark.parametrize("stride", [2, 4])
def test_heatmaps_peak_at_keypoints(stride: int) -> None:
    rng = np.random.default_rng(0)
    hands = [rng.uniform((4, 4), (60, 44), (21, 2)).astype(np.float32) for _ in range(2)]
    heat = draw_heatmaps(place_hands(*hands), 48, 64, stride)
    assert heat.shape == (1, 21, 48 // stride, 64 // stride)
    for joint in range(21):
        wanted = np.zeros(heat.shape[2:])
        y, x = np.mgrid[: heat.shape[2], : heat.shape[3]]
        for hand in hands:
            u, v = (hand[joint] + 0.5) / stride - 0.5
            wanted = np.maximum(wanted, np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * 2.0**2)))
        assert np.allclose(heat[0, joint].numpy(), wanted, atol=1e-5)


def test_keypoints_that_are_not_there_have_no_map() -> None:
    hand = np.full((21, 2), np.nan, np.float32)
    hand[3] = 20, 20
    heat = draw_heatmaps(place_hands(hand), 48, 64, 4)
    assert heat[0, 3].max() > 0.9
    assert heat[0].sum() == heat[0, 3].sum()
    assert draw_heatmaps(place_hands(), 48, 64, 4).sum() == 0


def test_tags_are_read_at_the_peaks() -> None:
    rng = np.random.default_rng(1)
    hands = [rng.uniform((0, 0), (63, 47), (21, 2)).astype(np.float32) for _ in range(2)]
    hands[1][5] = np.nan
    targets = place_hands(*hands)
    index, there = index_tags(targets, 48, 64, 4)
    assert index.shape == there.shape == (1, 3, 21)
    assert there.sum() == 41 and not there[0, 1, 5] and not there[0, 2].any()
    heat = draw_heatmaps(targets, 48, 64, 4)
    value = heat.flatten(1).gather(1, index.flatten(1)).view(there.shape)[there]
    # Half a cell away in both directions at most.
    assert value.min() >= np.exp(-0.5 / (2 * 2.0**2)) - 1e-5
    joint, place = index // (12 * 16), index % (12 * 16)
    assert (joint[0, 0] == torch.arange(21)).all()
    u, v = place[0, 0] % 16, place[0, 0] // 16
    cells = (hands[0] + 0.5) / 4 - 0.5
    assert np.abs(u.numpy() - cells[:, 0]).max() <= 0.5 + 1e-6
    assert np.abs(v.numpy() - cells[:, 1]).max() <= 0.5 + 1e-6


def test_what_is_not_taught_is_masked() -> None:
    mask = draw_mask(place_hands(ignored=(20, 16, 35, 31)), 48, 64, 4)
    assert mask.shape == (1, 1, 12, 16)
    y, x = np.nonzero(mask[0, 0].numpy() == 0)
    # Cells 5 to 8 and 4 to 7, two more to each side.
    assert (x.min(), x.max(), y.min(), y.max()) == (3, 10, 2, 9)
    assert draw_mask(place_hands(), 48, 64, 4).all()


def test_batches(rendered: Path) -> None:
    mix = open_sources([rendered])
    assert feed_frames(mix, SMALL, 0).batches == 16
    hands = []
    for images, targets in feed_frames(mix, SMALL, 1).read():
        assert images.shape == (8, 1, 96, 128) and images.min() >= 0 and images.max() <= 1
        there = torch.isfinite(targets.right)
        assert (torch.isfinite(targets.keypoints_px).all(-1).any(-1) <= there).all()
        hands.append(there.sum(1))
    # Most frames have one or two; with 'random' sensors some have none that is read.
    counts = torch.bincount(torch.cat(hands), minlength=3)
    assert counts[1] > 10 and counts[2] > 10


def test_the_same_for_any_workers_and_from_any_batch(rendered: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("train_tiny.loading.rounds.ROUND", 24)
    mix = open_sources([rendered])
    whole = digest(feed_frames(mix, SMALL, 1).read())
    assert digest(feed_frames(mix, SMALL, 1, workers=2).read()) == whole
    assert digest(feed_frames(mix, SMALL, 1).read(start=5)) == whole[5:]


def test_evaluation_has_every_frame_in_order(rendered: Path) -> None:
    ids, checked = [], 0
    for _, targets, facts in make_frame_eval_loader(open_sources([rendered]), PLAIN):
        for i, frame_id in enumerate(facts.frame_id.tolist()):
            ids.append(frame_id)
            frame = open_dataset(rendered)[frame_id]
            assert facts.situation[i] == frame.situation
            scale = facts.camera[i].fx / frame.camera.fx
            assert scale == pytest.approx(0.8)
            own = targets.keypoints_px[i][torch.isfinite(targets.right[i])]
            for px in own.numpy():
                errors = [
                    np.nanmax(np.abs((hand.keypoints_px + 0.5) * scale - 0.5 - px))
                    for hand in frame.hands
                ]
                assert min(errors) < 1e-2
                checked += 1
    assert ids == [f.frame_id for f in open_dataset(rendered, split="val")]
    assert checked > 30


def test_other_proportions_have_a_rim(rendered: Path) -> None:
    config = replace(PLAIN, size_px=(128, 128))
    images, targets, facts = next(make_frame_eval_loader(open_sources([rendered]), config))
    assert (facts.camera[0].width, facts.camera[0].height) == (128, 96)
    assert images[:, :, 96:].abs().max() == 0 and images[:, :, :96].max() > 0
    y = targets.keypoints_px[..., 1]
    assert y[torch.isfinite(y)].max() < 95.5


@pytest.mark.parametrize("kind", ["boxes", "keypoints"])
def test_real_frames(tmp_path: Path, kind: str) -> None:
    mix = open_sources([write_real(tmp_path / kind, kind)])
    config = replace(SMALL, split=None)
    taught = ignored = 0
    for _, targets in feed_frames(mix, config, 1).read():
        taught += int(torch.isfinite(targets.right).sum())
        ignored += int(torch.isfinite(targets.ignored_px).all(-1).sum())
    assert (taught > 10) == (kind == "keypoints")
    assert ignored > 10 or kind == "keypoints"


def test_hands_with_few_labels_are_ignored(rendered: Path) -> None:
    config = replace(PLAIN, taking=Taking(least_keypoints=22))
    _, targets, _ = next(make_frame_eval_loader(open_sources([rendered]), config))
    assert torch.isnan(targets.right).all()
    assert torch.isfinite(targets.ignored_px).all(-1).sum() >= 8


def test_sizes_that_cannot_be() -> None:
    with pytest.raises(BadInput, match="multiples of 16"):
        FrameLoaderConfig(size_px=(250, 192))


def test_views_of_a_frame_share_its_reading(rendered: Path) -> None:
    """Two views of each frame: as many batches of half as many frames, each view its own."""
    mix = open_sources([rendered])
    twice = replace(SMALL, views=2)
    assert feed_frames(mix, twice, 0).batches == 2 * feed_frames(mix, SMALL, 0).batches
    made = [images for images, _ in feed_frames(mix, twice, 1).read()]
    once = torch.cat([images for images, _ in feed_frames(mix, SMALL, 1).read()])
    images = torch.cat(made)
    assert len(images) == 2 * len(once)
    # The first views are those that are made without others; the second ones are none of them.
    seen = once[once.flatten(1).any(1)]
    same = (images[:, None] == seen[None]).flatten(2).all(-1)
    assert len(seen) > 100 and (same.sum(0) == 1).all() and (same.sum(1) <= 1).all()
    others = images[~same.any(1) & images.flatten(1).any(1)]
    assert len(others) > 100
    assert len({image.numpy().tobytes() for image in others}) == len(others)


def test_shares_of_cells_that_are_hand(rendered: Path) -> None:
    """Against a loop over the pixels; a rim has none, forearms and things neither."""
    images, targets, _ = next(make_frame_eval_loader(open_sources([rendered]), PLAIN))
    assert targets.hand_share is not None and targets.hand_share.shape == (8, 24, 32)
    parts = np.zeros((6, 9), np.uint8)
    parts[0, :4] = 1, 16, 17, 33
    parts[1, :4] = 224, 225, 32, 0
    parts[5, 8] = 5
    out = np.full((3, 4), np.nan, np.float32)
    measure_shares(parts, out)
    assert out[0, 0] == 3 / 16 and out[1, 2] == 1 / 16 and out.sum() == 4 / 16
    measure_shares(None, out)
    assert np.isnan(out).all()
    for share, px in zip(targets.hand_share, targets.keypoints_px, strict=True):
        known = px[torch.isfinite(px).all(-1)]
        if len(known):
            low, high = known.amin(0) // 4, known.amax(0) // 4
            v, u = share.nonzero().T
            assert len(u) and (u >= low[0] - 8).all() and (v <= high[1] + 8).all()
    assert not targets.hand_share[(images > 0).flatten(1).sum(1) == 0].any()
