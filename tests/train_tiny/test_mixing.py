"""Several sources in their shares, in every run of rounds."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from frames.errors import BadInput
from tests.frames.fabricate import write_dataset
from train_tiny.loading.mixing import Sources, open_sources
from train_tiny.loading.taking import Taking


def make_sources(sizes: tuple[int, ...], shares: tuple[float, ...] | None) -> Sources:
    stubs: Any = tuple(SimpleNamespace(crops=n) for n in sizes)
    return Sources(stubs, shares)


SHARES = (0.8, 0.2), (1 / 3, 1 / 3, 1 / 3), (0.997, 0.002, 0.001), (1.0,), (0.5, 0.3, 0.15, 0.05)


@pytest.mark.parametrize("shares", SHARES)
def test_rounds_are_full_and_join(shares: tuple[float, ...]) -> None:
    sources = make_sources((1000,) * len(shares), shares)
    stops = [0] * len(shares)
    for number in range(200):
        spans = sources.split_round(number, 512)
        assert sum(stop - first for first, stop in spans) == 512
        assert [first for first, _ in spans] == stops
        stops = [stop for _, stop in spans]
        assert all(stop >= first for first, stop in spans)


@pytest.mark.parametrize("shares", SHARES)
def test_shares_hold_in_every_run_of_rounds(shares: tuple[float, ...]) -> None:
    sources = make_sources((1000,) * len(shares), shares)
    rounds, size = 300, 96
    spans = np.array([sources.split_round(n, size) for n in range(rounds)])
    counts = spans[..., 1] - spans[..., 0]
    assert np.abs(counts - np.array(shares) * size).max() <= 1.0
    wanted = np.array(shares) * rounds * size
    off = np.abs(counts.sum(0) - wanted)
    # Nearer than independent draws would come, by far.
    sd = np.sqrt(wanted * (1 - np.array(shares)))
    assert (off <= np.maximum(0.2 * sd, 3.0)).all(), (off, sd)


def test_an_epoch_meets_everything_once() -> None:
    assert make_sources((900, 50), (0.9, 0.1)).crops == 1000
    assert make_sources((900, 400), (0.9, 0.1)).crops == 4000
    alike = make_sources((900, 300), None)
    assert alike.crops == 1200
    assert np.allclose(alike.shares, (0.75, 0.25))


def test_shares_need_not_sum_to_one() -> None:
    assert open_sources(["a", "b"], [4, 1]).shares == (0.8, 0.2)
    assert open_sources(["a", "b"]).shares is None


@pytest.mark.parametrize(
    ("specs", "shares", "said"),
    [
        ([], None, "no data to train on"),
        (["a", "b"], [1.0], "one share for each of 2 datasets, got 1: 1"),
        (["a"], [0.5, 0.5], "one share for each of 1 datasets, got 2"),
        (["a", "b"], [1.0, 0.0], "shares of a mix must be > 0, got 1,0"),
        (["a", "b"], [1.0, -2.0], "shares of a mix must be > 0"),
        (["a", "b"], [1.0, float("nan")], "shares of a mix must be > 0"),
        (["a", "b"], [1.0, float("inf")], "shares of a mix must be > 0"),
    ],
)
def test_what_cannot_be_mixed(specs: list[str], shares: list[float] | None, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        open_sources(specs, shares)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere"):
        open_sources([tmp_path / "nowhere"]).open("train", Taking())
    folder = write_dataset(tmp_path / "parts", splits={"train": (0, 12), "val": (12, 20)})
    with pytest.raises(BadInput, match="unknown split 'test'; known: train, val"):
        open_sources([folder]).open("test", Taking())
    whole = write_dataset(tmp_path / "whole")
    with pytest.raises(BadInput, match="unknown split 'val'; the dataset has none"):
        open_sources([whole]).open("val", Taking())
    with pytest.raises(BadInput, match="has no hand to train on among its 20 frames"):
        open_sources([whole]).open("train", Taking(least_keypoints=22))


def test_a_dataset_without_splits_is_all_train(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "whole")
    mix = open_sources([folder])
    assert mix.open("train", Taking()).crops == mix.open(None, Taking()).crops > 20


def test_a_last_round_that_is_not_full() -> None:
    sources = make_sources((900, 100), (0.9, 0.1))
    before = sources.split_round(2, 96)
    part = sources.split_round(2, 96, 40)
    assert [first for first, _ in part] == [first for first, _ in before]
    assert sum(stop - first for first, stop in part) == 40
    assert abs(part[1][1] - part[1][0] - 4) <= 1
