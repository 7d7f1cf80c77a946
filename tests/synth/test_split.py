"""Splits: parsed strictly, frames in whole sequences, pools disjoint and drawn from evenly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frames.errors import BadInput
from synth.split import (
    UNDIVIDED,
    Splits,
    choose,
    parse_split,
    partition,
    share_out,
    split_of,
)

THREE = parse_split("train:0.9,val:0.05,test:0.05")


def test_names_and_shares_are_read_in_order() -> None:
    assert Splits(("train", "val", "test"), (0.9, 0.05, 0.05)) == THREE
    assert parse_split(" a:0.5, b-2:0.5") == Splits(("a", "b-2"), (0.5, 0.5))
    assert parse_split("all:1") == UNDIVIDED
    assert parse_split("a:0.1,b:0.2,c:0.7000001").names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "split must be NAME:SHARE"),
        ("train", "got 'train' in 'train'"),
        ("train:most", "got 'train:most'"),
        ("train:nan", "got 'train:nan'"),
        ("train:0.9,", "got '' in 'train:0.9,'"),
        ("train:0.5:0.5", "split must be NAME:SHARE"),
        (":1", "a name must be letters"),
        ("a b:1", "a name must be letters"),
        ("2nd:1", "got '2nd'"),
        ("a:0.5,a:0.5", "'a' comes twice"),
        ("a:1,b:0", "the share of b must be > 0, got 0"),
        ("a:1.5,b:-0.5", "the share of b must be > 0, got -0.5"),
        ("a:0.5,b:0.4", "must sum to 1, got 0.9"),
        ("a:inf", "must sum to 1, got inf"),
        ("a:0.5,b:0.50001", "must sum to 1"),
    ],
)
def test_a_wrong_split_is_told_in_a_line(text: str, said: str) -> None:
    with pytest.raises(BadInput, match="split") as raised:
        parse_split(text)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_frames_are_cut_between_shards_where_that_suffices() -> None:
    assert THREE.ranges(1000, 1, 10) == {"train": (0, 900), "val": (900, 950), "test": (950, 1000)}
    # Ten shards leave one of the small splits without any: cut within shards then.
    assert THREE.ranges(1000, 1, 100) == {"train": (0, 900), "val": (900, 950), "test": (950, 1000)}
    two = parse_split("train:0.6,test:0.4")
    assert two.ranges(1000, 30, 100) == {"train": (0, 600), "test": (600, 1000)}  # 2 lcm(30, 100)
    assert two.ranges(10_000, 1, 4096) == {"train": (0, 6000), "test": (6000, 10_000)}  # not 4096


@given(
    st.lists(st.integers(1, 1000), min_size=1, max_size=6),
    st.integers(1, 5000),
    st.integers(1, 40),
    st.integers(1, 600),
)
def test_ranges_cover_all_frames_in_whole_sequences(
    weights: list[int], frames: int, length: int, per_shard: int
) -> None:
    splits = Splits(
        tuple(f"s{i}" for i in range(len(weights))), tuple(w / sum(weights) for w in weights)
    )
    sequences = -(-frames // length)
    if sequences < len(weights):
        with pytest.raises(BadInput, match=f"^{sequences} (sequences|frames) cannot be shared"):
            splits.ranges(frames, length, per_shard)
        return
    ranges = splits.ranges(frames, length, per_shard)
    bounds = [0, *(stop for _, stop in ranges.values())]
    assert [first for first, _ in ranges.values()] == bounds[:-1]
    assert bounds[-1] == frames
    assert (np.diff(bounds) > 0).all()
    assert all(b % length == 0 for b in bounds[:-1])
    ids = np.arange(frames)
    index = split_of(ranges, ids)
    for i, (first, stop) in enumerate(ranges.values()):
        assert (index[first:stop] == i).all()


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6), st.integers(0, 500))
def test_counts_are_whole_and_near_their_shares(weights: list[int], count: int) -> None:
    shares = np.array(weights) / sum(weights)
    splits = Splits(tuple(f"s{i}" for i in range(len(weights))), tuple(shares))
    if count < len(weights):
        with pytest.raises(BadInput, match="cannot be shared out"):
            share_out("things", count, splits)
        return
    counts = share_out("things", count, splits)
    assert counts.sum() == count and counts.min() >= 1
    assert (counts <= np.maximum(np.ceil(shares * count + 1e-6), 1)).all()
    taken = int((shares * count < 1).sum())  # at most one by each split that would have none
    assert (counts >= np.floor(shares * count - 1e-6) - taken).all()


def test_too_few_things_are_named() -> None:
    four = parse_split("a:0.25,b:0.25,c:0.25,d:0.25")
    with pytest.raises(BadInput, match=r"^3 objects cannot be shared out among 4 splits") as raised:
        partition(1, "objects", 3, four)
    assert "(a, b, c, d): give at least 4 objects, or fewer splits" in str(raised.value)


def test_pools_are_disjoint_proportional_and_reproducible() -> None:
    pools = partition(7, "identities", 200, THREE)
    assert np.bincount(pools).tolist() == [180, 10, 10]
    assert np.array_equal(pools, partition(7, "identities", 200, THREE))
    assert not np.array_equal(pools, partition(8, "identities", 200, THREE))
    assert not np.array_equal(pools, partition(7, "objects", 200, THREE))
    assert np.bincount(partition(7, "objects", 3, THREE)).tolist() == [1, 1, 1]
    assert partition(7, "objects", 5, UNDIVIDED).tolist() == [0] * 5


def test_every_thing_is_as_likely_in_each_split() -> None:
    seeds = 2000
    share = np.mean([partition(s, "objects", 20, THREE) == 0 for s in range(seeds)], axis=0)
    error = np.sqrt(0.9 * 0.1 / seeds)
    assert (np.abs(share - 0.9) < 5 * error).all()


def test_a_frame_draws_from_its_own_pool_evenly() -> None:
    rng = np.random.default_rng(0)
    pools = partition(3, "objects", 40, parse_split("a:0.5,b:0.3,c:0.2"))
    frames = 60_000
    split = rng.integers(0, 3, frames)
    u = rng.random(frames)
    chosen = choose(pools, split, u)
    assert (pools[chosen] == split).all()
    for k in range(3):
        counts = np.bincount(chosen[split == k], minlength=40)[pools == k]
        wanted = (split == k).sum() / (pools == k).sum()
        assert (np.abs(counts - wanted) < 5 * np.sqrt(wanted)).all()
    alone = [int(choose(pools, split[[i]], u[[i]])[0]) for i in range(100)]
    assert alone == chosen[:100].tolist()


def test_a_frame_draws_from_its_own_pool_by_weight() -> None:
    rng = np.random.default_rng(1)
    pools = partition(3, "objects", 40, parse_split("a:0.5,b:0.3,c:0.2"))
    weights = rng.integers(0, 4, 40) * 0.1
    frames = 60_000
    split, u = rng.integers(0, 3, frames), rng.random(frames)
    chosen = choose(pools, split, u, weights)
    assert (pools[chosen] == split).all()
    for k in range(3):
        own = weights[pools == k]
        counts = np.bincount(chosen[split == k], minlength=40)[pools == k]
        wanted = (split == k).sum() * own / own.sum()
        assert (np.abs(counts - wanted) <= 5 * np.sqrt(wanted)).all()
    alone = [int(choose(pools, split[[i]], u[[i]], weights)[0]) for i in range(100)]
    assert alone == chosen[:100].tolist()


def test_what_is_left_out_is_never_drawn_at_an_end() -> None:
    pools, last = np.array([1, 0, 1, 0, 0, 1]), np.nextafter(1.0, 0.0)
    weights = np.array([0.0, 0.0, 0.1, 0.7, 0.0, 0.0])
    split, u = np.array([0, 0, 1, 1]), np.array([0.0, last, 0.0, last])
    assert choose(pools, split, u, weights).tolist() == [3, 3, 2, 2]


def test_the_ends_of_the_unit_interval_are_in_the_pool() -> None:
    pools = np.array([1, 0, 1, 0, 0])
    split = np.array([0, 0, 1, 1])
    last = np.nextafter(1.0, 0.0)
    assert choose(pools, split, np.array([0.0, last, 0.0, last])).tolist() == [1, 4, 0, 2]
    assert choose(pools, split[:0], np.zeros(0)).tolist() == []
