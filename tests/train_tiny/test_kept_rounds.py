"""Rounds that are kept: the same samples as those made, in another order, whoever made them."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from frames.errors import BadInput
from tests.train_tiny.test_loading import SMALL, digest
from train_tiny.loading.crop_loading import Keep, feed_crops, open_sources


def read(rendered: Path, keep: Keep | None, epochs: int, workers: int = 0, start: int = 0) -> Any:
    mix = open_sources([rendered])
    batches = feed_crops(mix, SMALL, 3, workers, keep=keep).read_on(start)
    return itertools.islice(batches, epochs * feed_crops(mix, SMALL, 0).batches - start)


def list_samples(batches: Any) -> list[bytes]:
    """All images and key points of some batches, sorted."""
    out = []
    for images, targets in batches:
        pairs = zip(images.numpy(), targets.keypoints_px.numpy(), strict=True)
        out += [a.tobytes() + b.tobytes() for a, b in pairs]
    return sorted(out)


@pytest.fixture(autouse=True)
def several_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train_tiny.loading.rounds.ROUND", 48)


def test_later_epochs_have_the_samples_of_the_first(rendered: Path, tmp_path: Path) -> None:
    count = feed_crops(open_sources([rendered]), SMALL, 0).batches
    batches = list(read(rendered, Keep(tmp_path), 3))
    first, second, third = (batches[k * count : (k + 1) * count] for k in range(3))
    assert list_samples(first) == list_samples(second) == list_samples(third)
    orders = [digest(epoch) for epoch in (first, second, third)]
    assert not set(orders[0]) & set(orders[1]) and not set(orders[1]) & set(orders[2])


def test_kept_or_made_they_are_the_same_bytes(rendered: Path, tmp_path: Path) -> None:
    made = digest(read(rendered, Keep(tmp_path / "a"), 2))
    assert digest(read(rendered, Keep(tmp_path / "a"), 2)) == made
    assert digest(read(rendered, Keep(tmp_path / "b"), 2, workers=2)) == made
    # In the middle, half of the files lost.
    for path in sorted((tmp_path / "a").iterdir())[::2]:
        path.unlink()
    assert digest(read(rendered, Keep(tmp_path / "a"), 2, start=5)) == made[5:]


def test_fresh_epochs_are_as_if_nothing_was_kept(rendered: Path, tmp_path: Path) -> None:
    plain = feed_crops(open_sources([rendered]), SMALL, 3).read(epoch=1)
    keep = Keep(tmp_path, 2)
    kept = feed_crops(open_sources([rendered]), SMALL, 3, keep=keep).read(epoch=1)
    for (images, targets), (others, kept_targets) in zip(plain, kept, strict=True):
        assert torch.allclose(images, others, atol=0.5 / 65535)
        np.testing.assert_array_equal(targets.keypoints_px, kept_targets.keypoints_px)
        np.testing.assert_array_equal(targets.mask, kept_targets.mask)


def test_errors_name_the_file(rendered: Path, tmp_path: Path) -> None:
    list(read(rendered, Keep(tmp_path), 1))
    path = sorted(tmp_path.iterdir())[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(BadInput, match=f"{path.name} is damaged: remove it"):
        list(read(rendered, Keep(tmp_path), 1))
    with pytest.raises(BadInput, match="must be >= 1"):
        list(read(rendered, Keep(tmp_path, 0), 1))
