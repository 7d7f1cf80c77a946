"""Frames rendered as they are consumed: as stored ones would be, never the same twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from frames.errors import BadInput
from frames.record import Frame
from frames.store.dataset import open_dataset
from synth.config_file import load_config
from synth.engine import generate
from tests.train_tiny.test_loading import SMALL, digest
from train_tiny.loading.crop_loading import feed_crops, open_sources
from train_tiny.loading.live import LONGER, LiveSource
from train_tiny.loading.taking import Taking

TEXT = """
frames = 64
seed = 4
camera = "ego-small"
identities = 8
variants = 1
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "config.toml"
    path.write_text(TEXT)
    return path


def list_frames(source: LiveSource, epoch: int, first: int, stop: int) -> list[Frame]:
    return [taken.frame for taken in source.take(1, epoch, first, stop)]


def test_as_stored(config: Path, tmp_path: Path) -> None:
    """Frames are those that the same configuration writes."""
    generate(tmp_path / "data", load_config(config), 1)
    live = LiveSource(config, None, None)
    stored = open_dataset(tmp_path / "data")
    for one, other in zip(list_frames(live, 0, 0, 8), stored, strict=False):
        assert one.frame_id == other.frame_id
        assert one.clean_depth is not None and other.clean_depth is not None
        assert np.array_equal(one.clean_depth, other.clean_depth)
        assert np.array_equal(one.hands[0].keypoints_cam_m, other.hands[0].keypoints_cam_m)


def test_rounds_and_epochs_have_frames_of_their_own(config: Path) -> None:
    source = LiveSource(config, None, Taking())
    spans = ((0, 0, 20), (0, 20, 40), (0, 40, source.crops), (1, 0, 30))
    ids = [frame.frame_id for span in spans for frame in list_frames(source, *span)]
    assert len(set(ids)) == len(ids)


def test_about_as_many_crops_as_asked_for(config: Path) -> None:
    source = LiveSource(config, None, Taking())
    counts = [
        sum(len(t.hands) for t in source.take(1, epoch, 0, source.crops)) for epoch in range(3)
    ]
    assert all(0.8 * source.crops <= count <= source.crops for count in counts)
    one = LiveSource(config, None, Taking(hands=1))
    assert one.crops == 64


def test_the_same_for_any_workers_and_from_any_batch(config: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("train_tiny.loading.rounds.ROUND", 24)
    mix = open_sources([f"live:{config}"])
    whole = digest(feed_crops(mix, SMALL, 2).read())
    assert len(whole) == feed_crops(mix, SMALL, 0).batches >= 3
    assert digest(feed_crops(mix, SMALL, 2, workers=2).read()) == whole
    assert digest(feed_crops(mix, SMALL, 2).read(start=2)) == whole[2:]
    assert not {*digest(feed_crops(mix, SMALL, 2).read(1))} & {*whole}


def test_mixed_with_stored_frames(config: Path, rendered: Path) -> None:
    mix = open_sources([rendered, f"live:{config}"], [0.5, 0.5])
    images, targets = next(feed_crops(mix, replace(SMALL, batch=40), 2).read())
    assert images.shape[0] == 40
    assert torch.isfinite(targets.keypoints_px).any()


def test_splits_draw_from_their_own(tmp_path: Path) -> None:
    path = tmp_path / "split.toml"
    path.write_text(TEXT + 'split = "train:0.75,val:0.25"\n')
    train, val = (LiveSource(path, name, Taking()) for name in ("train", "val"))
    assert train.crops == pytest.approx(3 * val.crops, abs=4)
    people = [
        {hand.identity for frame in list_frames(s, 0, 0, s.crops) for hand in frame.hands}
        for s in (train, val)
    ]
    assert people[0] and people[1] and not people[0] & people[1]
    first = list_frames(val, 0, 0, 1)[0].frame_id
    assert first == 48 * LONGER


def test_one_line_for_what_cannot_be(tmp_path: Path, config: Path) -> None:
    with pytest.raises(BadInput, match="unknown split 'val'; the configuration has none"):
        LiveSource(config, "val", Taking())
    with pytest.raises(BadInput, match="cannot be read"):
        open_sources([f"live:{tmp_path / 'no.toml'}"]).open("train", Taking())
    matched = tmp_path / "matched.toml"
    matched.write_text('sensor = "d435-matched"\n')
    with pytest.raises(BadInput, match="matches rendered pairs"):
        LiveSource(matched, "train", Taking())
    bad = tmp_path / "bad.toml"
    bad.write_text("frames = -1\n")
    with pytest.raises(BadInput, match="frames"):
        LiveSource(bad, "train", Taking())
    with pytest.raises(BadInput, match="no sensor"):
        list(feed_crops(open_sources([f"live:{config}"]), replace(SMALL, sensor=""), 1).read())
