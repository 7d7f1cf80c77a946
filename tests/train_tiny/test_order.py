"""The order of an epoch: everything once, blocks near each other, any part by itself."""

import numpy as np
import pytest

from train_tiny.loading.order import WINDOW, Blocks, order_crops, shuffle_slots


def make_blocks(seed: int = 0, blocks: int = 45) -> Blocks:
    """Blocks of up to 20 frames, some empty, frames with one or two crops."""
    rng = np.random.default_rng(seed)
    frames, bounds, first = [], [0], 0
    for _ in range(blocks):
        count = int(rng.integers(0, 20))
        hands = rng.integers(0, 3, count)
        frames.append(np.repeat(first + np.arange(count), hands))
        bounds.append(bounds[-1] + int(hands.sum()))
        first += count
    return Blocks(np.concatenate(frames).astype(np.int64), np.array(bounds))


def test_every_crop_once() -> None:
    blocks = make_blocks()
    order = order_crops(blocks, 1, 0, 0, len(blocks))
    assert np.array_equal(np.sort(order), np.arange(len(blocks)))
    assert not np.array_equal(order, np.arange(len(blocks)))


@pytest.mark.parametrize(("first", "stop"), [(0, 1), (3, 90), (100, 101), (250, 400), (7, 7)])
def test_any_part_is_that_of_the_whole(first: int, stop: int) -> None:
    blocks = make_blocks()
    whole = order_crops(blocks, 5, 2, 0, len(blocks))
    assert len(blocks) > 400
    assert np.array_equal(order_crops(blocks, 5, 2, first, stop), whole[first:stop])


def test_a_pure_function_of_seed_and_epoch() -> None:
    blocks, again = make_blocks(), make_blocks()
    orders = [order_crops(blocks, s, e, 0, len(blocks)) for s, e in ((1, 0), (1, 1), (2, 0))]
    assert np.array_equal(orders[0], order_crops(again, 1, 0, 0, len(again)))
    # Of n crops in two random orders one keeps its place on average; with pairs, sd is below 1.5.
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert (orders[a] == orders[b]).sum() < 12


def test_a_window_of_blocks_is_read_at_a_time() -> None:
    blocks = make_blocks()
    order = order_crops(blocks, 1, 0, 0, len(blocks))
    block = np.searchsorted(blocks.bounds, order, "right") - 1
    first, last = {}, {}
    for place, one in enumerate(block.tolist()):
        first.setdefault(one, place)
        last[one] = place
    open_at_once = [sum(first[b] <= place <= last[b] for b in first) for place in range(len(order))]
    assert max(open_at_once) <= WINDOW
    # And they are mixed: neighbours are mostly of different blocks.
    assert (np.diff(block) != 0).mean() > 0.5


def test_crops_of_a_frame_are_neighbours_in_their_order() -> None:
    blocks = make_blocks()
    frame = blocks.frame[order_crops(blocks, 1, 0, 0, len(blocks))]
    assert (np.diff(frame) != 0).sum() + 1 == len(np.unique(frame))


def test_blocks_start_everywhere_alike() -> None:
    blocks = Blocks(np.arange(40), np.arange(41))
    firsts = [int(order_crops(blocks, seed, 0, 0, 1)[0]) for seed in range(800)]
    counts = np.bincount(firsts, minlength=40)
    # 20 each, Poisson's standard deviation 4.5: within five of them.
    assert np.abs(counts - 20).max() < 5 * np.sqrt(20)


def test_one_block_and_none_too_many() -> None:
    blocks = Blocks(np.array([0, 0, 3]), np.array([0, 3]))
    assert sorted(order_crops(blocks, 1, 0, 0, 3).tolist()) == [0, 1, 2]


def test_slots_are_a_permutation_of_their_own_each() -> None:
    one, two = shuffle_slots(1, 0, 0, 512), shuffle_slots(1, 0, 1, 512)
    assert np.array_equal(np.sort(one), np.arange(512))
    assert (one == two).sum() < 10
    assert np.array_equal(one, shuffle_slots(1, 0, 0, 512))
