"""Batches of crops: the same for any workers, resumable, masked where labels lack, errors clear."""

import hashlib
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from augment.occlusion.config import Occlusion
from frames.errors import BadInput
from frames.store.dataset import open_dataset
from frames.store.shard import shard_path
from synth.config import SynthConfig
from synth.engine import generate
from synth.pose.presets import KEY_POSES
from tests.frames.fabricate import write_dataset
from tests.train_tiny.real_frames import write_real
from train_tiny.loading.crop_loading import (
    LoaderConfig,
    feed_crops,
    open_sources,
)
from train_tiny.loading.taking import Taking
from train_tiny.ranks import Ranks

SMALL = LoaderConfig(batch=24, size_px=64, sensor="random")
PLAIN = replace(SMALL, sensor="none", occlusion=None, geometry=None, split=None)


def digest(batches: Any, most: int = 1000) -> list[str]:
    """A hash of every number of every batch."""
    out = []
    for images, targets in itertools.islice(batches, most):
        sha = hashlib.sha256(images.contiguous().numpy().tobytes())
        for tensor in (t for t in vars(targets).values() if t is not None):
            sha.update(tensor.contiguous().numpy().tobytes())
        out.append(sha.hexdigest())
    return out


def test_the_same_for_any_number_of_workers(rendered: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("train_tiny.loading.rounds.ROUND", 48)  # several rounds of so few
    mix = open_sources([rendered])
    alone = digest(feed_crops(mix, SMALL, 3).read())
    assert len(alone) == feed_crops(mix, SMALL, 0).batches >= 6
    assert len(set(alone)) == len(alone)
    for workers in (1, 2):
        assert digest(feed_crops(mix, SMALL, 3, workers=workers).read()) == alone
    other = open_sources([rendered])
    assert digest(feed_crops(other, SMALL, 3).read()) == alone


@pytest.mark.parametrize("start", [0, 1, 2, 5])
def test_goes_on_at_any_batch(rendered: Path, monkeypatch: Any, start: int) -> None:
    monkeypatch.setattr("train_tiny.loading.rounds.ROUND", 72)
    mix = open_sources([rendered])
    whole = digest(feed_crops(mix, SMALL, 3).read())
    assert digest(feed_crops(mix, SMALL, 3).read(start=start)) == whole[start:]
    assert digest(feed_crops(mix, SMALL, 3).read(start=len(whole))) == []


def test_endless_is_epoch_after_epoch(rendered: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("train_tiny.loading.rounds.ROUND", 72)
    mix = open_sources([rendered])
    count = feed_crops(mix, SMALL, 0).batches
    epochs = [one for e in range(3) for one in digest(feed_crops(mix, SMALL, 3).read(e))]
    endless = feed_crops(mix, SMALL, 3).read_on()
    assert digest(endless, 2 * count + 3) == epochs[: 2 * count + 3]
    for start in (2, count - 1, count + 1):
        endless = feed_crops(mix, SMALL, 3, workers=2).read_on(start)
        assert digest(endless, count) == epochs[start : start + count]
        endless.close()


def test_processes_share_an_epoch(rendered: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("train_tiny.loading.rounds.ROUND", 72)
    mix = open_sources([rendered])
    each = feed_crops(mix, SMALL, 0).batches // 2
    epochs = [digest(feed_crops(mix, SMALL, 3).read(e)) for e in range(2)]
    for rank in range(2):
        wanted = [b for one in epochs for b in one[rank * each : (rank + 1) * each]]
        for start in (0, 1, each):
            own = feed_crops(mix, SMALL, 3, ranks=Ranks(rank, count=2)).read_on(start)
            assert digest(own, 2 * each - start) == wanted[start:]
    with pytest.raises(BadInput, match="cannot be shared by 99 processes"):
        next(feed_crops(mix, SMALL, 3, ranks=Ranks(0, count=99)).read_on())


def test_epochs_and_seeds_differ(rendered: Path) -> None:
    mix = open_sources([rendered])
    made = [digest(feed_crops(mix, SMALL, s).read(e), 1)[0] for s, e in ((3, 0), (3, 1), (4, 0))]
    assert len(set(made)) == 3


def test_batches_are_exact_and_in_range(rendered: Path) -> None:
    mix = open_sources([rendered])
    for images, targets in feed_crops(mix, SMALL, 1).read():
        assert images.shape == (24, 1, 64, 64) and images.dtype == torch.float32
        assert images.min() >= 0 and images.max() <= 1
        assert targets.keypoints_px.shape == (24, 21, 2)
        px = targets.keypoints_px[torch.isfinite(targets.keypoints_px)]
        assert px.min() >= -0.5 and px.max() < 63.5
        assert (torch.isfinite(targets.keypoints_px).all(-1).sum(1) >= 8).all()
        assert set(targets.visible.unique().tolist()) >= {0.0, 1.0}
        assert torch.isin(targets.mask, torch.tensor([0.0, 1.0])).all()
        assert torch.isin(targets.right, torch.tensor([0.0, 1.0])).all()
        assert (targets.key_pose >= 0).all() and (targets.key_pose < len(KEY_POSES)).all()
        assert (targets.depth[torch.isfinite(targets.depth)].abs() < 4).all()


def test_every_hand_once_an_epoch(rendered: Path) -> None:
    """Crops without any draw, from clean depth: each has another reading, so that they tell."""
    mix = open_sources([rendered])
    config = replace(PLAIN, batch=1)
    count = mix.open(None, config.taking, "none").crops
    batches = [digest(feed_crops(mix, config, 1).read(epoch)) for epoch in (0, 1)]
    assert len(batches[0]) == len(set(batches[0])) == count
    assert set(batches[0]) == set(batches[1])
    assert batches[0] != batches[1]


def test_labels_lie_on_the_hand(rendered: Path) -> None:
    """Visible keypoints: their pixel is the hand's, and the joint a little behind its surface."""
    inside = total = 0
    behind = []
    for _, targets in feed_crops(open_sources([rendered]), PLAIN, 1).read():
        for px, seen, mask in zip(targets.keypoints_px, targets.visible, targets.mask, strict=True):
            near = torch.floor(px[seen == 1] + 0.5).long()
            inside += int(mask[near[:, 1], near[:, 0]].sum())
            total += len(near)
        below = targets.depth[..., 0][targets.visible == 1]
        behind.append(below[torch.isfinite(below)])
    assert total > 1000
    # Tips are on outlines, where the nearest of a crop's few pixels may be another surface.
    assert inside / total > 0.85
    median = 0.15 * torch.cat(behind).median().item()
    assert 0.002 < median < 0.02


def test_flips_change_sides(rendered: Path) -> None:
    config = replace(SMALL, batch=200)
    _, targets = next(feed_crops(open_sources([rendered]), config, 1).read())
    # Half of the crops are flipped: 100 right ones, standard deviation 7.
    assert abs(targets.right.sum().item() - 100) < 5 * 7.1


def test_shares_of_sources(tmp_path: Path, rendered: Path) -> None:
    """Real frames have no masks here: they tell where a crop is from."""
    real = write_real(tmp_path / "real", "full")
    mix = open_sources([rendered, real], [0.75, 0.25])
    config = replace(SMALL, batch=64)
    batches = feed_crops(mix, config, 1).read()
    counts = [int(torch.isnan(targets.mask[:, 0, 0]).sum()) for _, targets in batches]
    total = 64 * len(counts)
    sd = np.sqrt(total * 0.75 * 0.25)
    assert abs(sum(counts) - 0.25 * total) < 3 * sd
    each = np.sqrt(64 * 0.75 * 0.25)
    assert np.abs(np.array(counts) - 16).max() < 5 * each


@pytest.mark.parametrize("kind", ["boxes", "keypoints", "full"])
def test_real_frames_labelled_in_part(tmp_path: Path, kind: str) -> None:
    mix = open_sources([write_real(tmp_path / kind, kind)])
    config = LoaderConfig(batch=8, size_px=64, sensor="random", occlusion=Occlusion(share_before=1))
    count = 0
    for images, targets in feed_crops(mix, config, 1).read():
        assert images.max() > 0
        assert torch.isnan(targets.mask).all()
        assert (targets.key_pose == -1).all()
        assert torch.isfinite(targets.right).all()
        known = torch.isfinite(targets.keypoints_px).all(-1)
        assert known.any() == (kind != "boxes")
        assert torch.isfinite(targets.visible).any() == (kind != "boxes")
        assert torch.isfinite(targets.depth).any() == (kind == "full")
        count += len(images)
    assert count >= 8


def test_real_and_synthetic_in_one_batch(tmp_path: Path, rendered: Path) -> None:
    folders = [rendered, *(write_real(tmp_path / k, k) for k in ("boxes", "keypoints"))]
    mix = open_sources(folders, [2, 1, 1])
    images, targets = next(feed_crops(mix, replace(SMALL, batch=64), 1).read())
    assert torch.isfinite(images).all()
    assert 0 < torch.isnan(targets.mask[:, 0, 0]).sum() < 64
    assert 0 < (targets.key_pose == -1).sum() < 64
    assert 0 < torch.isnan(targets.keypoints_px).all(-1).all(-1).sum() < 64


def test_views_share_a_frame(rendered: Path) -> None:
    mix = open_sources([rendered])
    config = replace(SMALL, views=2)
    once, twice = (feed_crops(mix, c, 1) for c in (SMALL, config))
    assert twice.batches == pytest.approx(2 * once.batches, abs=1)
    made = digest(twice.read())
    assert len(set(made)) == len(made) == twice.batches
    assert made[3:] == digest(feed_crops(mix, config, 1).read(start=3))


def test_hands_of_a_frame(rendered: Path) -> None:
    mix = open_sources([rendered])
    frames = len(open_dataset(rendered))
    one = mix.open(None, Taking(hands=1), "none").crops
    own = mix.open(None, Taking(others=False), "none").crops
    two = mix.open(None, Taking(), "none").crops
    more = mix.open(None, Taking(hands=4), "none").crops
    assert one <= frames and one < own <= two <= more


def test_one_line_for_what_cannot_be_loaded(tmp_path: Path, rendered: Path) -> None:
    def load(folder: Path, config: LoaderConfig, workers: int = 0) -> str:
        with pytest.raises(BadInput) as caught:
            list(feed_crops(open_sources([folder]), config, 1, workers=workers).read())
        assert "\n" not in str(caught.value)
        return str(caught.value)

    for workers in (0, 1):
        said = load(rendered, replace(SMALL, sensor=""), workers)
        assert "has clean depth and no sensor: name one (--sensor random)" in said
    assert "sensor must be" in load(rendered, replace(SMALL, sensor="d436"))
    assert "cannot be put on later" in load(rendered, replace(SMALL, sensor="d435-matched"))
    assert "unknown split 'test'" in load(rendered, replace(SMALL, split="test"))
    blind = write_real(tmp_path / "blind", "none")
    assert "no depth image" in load(blind, replace(SMALL, split=None))
    # Ten centimetres is too near for anything.
    said = load(rendered, replace(SMALL, taking=Taking(least_read=1.01)))
    assert "of none: are they within its range?" in said
    with pytest.raises(BadInput, match="batch and views must be >= 1"):
        LoaderConfig(batch=0)
    with pytest.raises(BadInput, match="has no batch -1 to start with"):
        next(feed_crops(open_sources([rendered]), SMALL, 1).read(start=-1))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_shard(tmp_path: Path, workers: int) -> None:
    folder = write_dataset(tmp_path / "data", frames=40, row_group=4)
    config = replace(SMALL, split=None)
    mix = open_sources([folder])
    mix.open(config.split, config.taking, "none")
    path = shard_path(folder, 2)
    content = bytearray(path.read_bytes())
    # Images are most of a shard; its first bytes are columns without a sum of their own.
    content[len(content) // 4 : len(content) // 2] = bytes(len(content) // 4)
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        list(feed_crops(mix, config, 1, workers=workers).read())
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
    path.unlink()
    with pytest.raises(BadInput, match=r"missing|lacks"):
        list(feed_crops(open_sources([folder]), config, 1, workers=workers).read())


def test_a_matched_sensor_keeps_what_it_read(tmp_path: Path) -> None:
    config = SynthConfig(
        frames=6, seed=4, camera="ego-small", identities=2, variants=1, sensor="d435-matched",
        bake=True,
    )  # fmt: skip
    generate(tmp_path / "data", config, 1)
    mix = open_sources([tmp_path / "data"])
    own = digest(feed_crops(mix, replace(PLAIN, batch=4, sensor=""), 3).read())
    assert digest(feed_crops(mix, replace(PLAIN, batch=4, sensor="random"), 3).read()) == own
    assert digest(feed_crops(mix, replace(PLAIN, batch=4), 3).read()) != own
    # What is put before hands gets this sensor's edges, as in real frames.
    hidden = replace(PLAIN, batch=4, sensor="random", occlusion=Occlusion())
    assert digest(feed_crops(mix, hidden, 3).read()) != own
