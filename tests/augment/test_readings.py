"""Readings as files keep them, labels of what is not read, and sensors in dataset.json."""

from pathlib import Path

import numpy as np
import pytest

from augment.profile import load_profile
from augment.sensing import Sensing, choose_sensing, read_sensing
from augment.sensor import store_reading
from augment.shot import Reading
from augment.unread import forget_unread, mark_unread
from frames.errors import BadInput
from frames.reasons import MISMATCH, OUT_OF_RANGE, SHADOW


def store(depth_m: list[float], reason: list[int], scale: float = 10_000.0):
    depth, invalid = np.empty((1, len(reason)), np.uint16), np.empty((1, len(reason)), np.uint8)
    reading = Reading(np.array([depth_m], np.float32), np.array([reason], np.uint8))
    store_reading(reading, scale, depth, invalid)
    return depth[0].tolist(), invalid[0].tolist()


def test_depth_is_rounded_to_steps_and_what_they_cannot_hold_is_out_of_range() -> None:
    depth = [0.5, 0.50004, 0.50006, 6.5535, 6.5536, 1e9, np.inf, np.nan, 0.0, -1.0, 4e-5, 6e-5]
    steps, why = store(depth, [0] * len(depth))
    assert steps == [5000, 5000, 5001, 65535, 0, 0, 0, 0, 0, 0, 0, 1]
    assert why == [0, 0, 0, 0, *[OUT_OF_RANGE] * 7, 0]
    assert store([0.5], [0], 1000.0)[0] == [500]


def test_a_reason_leaves_no_depth() -> None:
    assert store([0.5, 0.0], [SHADOW, MISMATCH]) == ([0, 0], [SHADOW, MISMATCH])


def test_images_without_pixels() -> None:
    none = np.empty((0, 4), np.uint16)
    reading = Reading(np.empty((0, 4), np.float32), np.empty((0, 4), np.uint8))
    store_reading(reading, 1e4, none, np.empty((0, 4), np.uint8))


@pytest.fixture
def labels() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, visibility and cause of one hand: visible, occluded by itself, outside, in turn."""
    px = np.stack([np.arange(21) % 8, np.full(21, 2)], -1).astype(np.float32)[None]
    px[0, 2::3] = np.nan
    visibility = np.array([[2, 1, 0] * 7], np.uint8)
    return px, visibility, np.array([[0, 1, 4] * 7], np.uint8)


def test_visible_keypoints_without_a_reading_drop_out(labels) -> None:
    px, visibility, cause = labels
    invalid = np.zeros((2, 4, 8), np.uint8)
    invalid[1, 2, 3] = SHADOW
    seen, why = mark_unread(px, visibility, cause, np.array([1]), invalid)
    hit = (np.arange(21) % 3 == 0) & (np.arange(21) % 8 == 3)
    assert hit.any()
    np.testing.assert_array_equal(seen[0], np.where(hit, 1, visibility[0]))
    np.testing.assert_array_equal(why[0], np.where(hit, 5, cause[0]))
    unread, _ = mark_unread(px, visibility, cause, np.array([0]), invalid)
    np.testing.assert_array_equal(unread, visibility)
    assert visibility[0, 3] == 2  # the given ones are left alone


def test_clean_labels_can_be_had_back_and_another_sensor_starts_from_them(labels) -> None:
    px, visibility, cause = labels
    everything = np.full((1, 4, 8), MISMATCH, np.uint8)
    blind = mark_unread(px, visibility, cause, np.array([0]), everything)
    assert not (blind[0] == 2).any()
    again = forget_unread(*blind)
    np.testing.assert_array_equal(again[0], visibility)
    np.testing.assert_array_equal(again[1], cause)
    seeing = mark_unread(px, *blind, np.array([0]), np.zeros_like(everything))
    np.testing.assert_array_equal(seeing[0], visibility)


@pytest.mark.parametrize("name", ["ideal", "d435", "random"])
def test_a_sensor_comes_back_from_the_metadata_as_it_was(name: str) -> None:
    sensing = Sensing(load_profile(name), 2**63 - 1, True)
    again = read_sensing({"sensor": sensing.to_meta()}, Path("out"))
    assert again is not None and again.to_meta() == sensing.to_meta()
    assert again == sensing


def test_no_sensor() -> None:
    assert choose_sensing("", 0, False) is None and choose_sensing("none", 0, False) is None
    assert read_sensing({}, Path("out")) is None
    with pytest.raises(BadInput, match="bake stores what a sensor reads: name one"):
        choose_sensing("none", 0, True)


def test_sensors_that_match_pairs_are_always_baked() -> None:
    matched = choose_sensing("d435-matched", 0, False)
    assert matched is not None and matched.needs_pair and matched.baked
    fast = choose_sensing("d435", 0, False)
    assert fast is not None and not fast.needs_pair and not fast.baked


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("d435", "must have profile, seed and baked"),
        ({"seed": 1, "baked": True}, "must have profile"),
        ({"profile": {}, "seed": 1, "baked": True}, "name must be a text"),
        ({"seed": -1, "baked": True}, "seed must be a whole number from 0"),
        ({"seed": 1.5, "baked": True}, "seed must be a whole number"),
        ({"seed": 1, "baked": 1}, "baked must be true or false, got 1"),
    ],
)
def test_broken_entries(entry: object, said: str) -> None:
    if isinstance(entry, dict) and "profile" not in entry and "must have" not in said:
        entry = {"profile": load_profile("ideal").to_dict(), **entry}
    with pytest.raises(BadInput, match=said) as raised:
        read_sensing({"sensor": entry}, Path("out"))
    assert "dataset.json" in str(raised.value)
