"""Which frames are taken: time, stride, change, worth; the same whoever asks, and only these."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames.camera import Camera
from frames.errors import BadInput
from labeling.capture.diversity import choose_diverse
from labeling.capture.grid import grid_depth, measure_change
from labeling.capture.pairing import pair_times
from labeling.capture.recording import Head, Sight, Timeline, build_timeline
from labeling.capture.selection import Selection, choose_positions
from labeling.capture.uncertainty import describe_hands, doubt_hands, weigh_frames
from labeling.capture.units import Units

CAMERA = Camera("pinhole", 64, 48, 50.0, 50.0, 31.5, 23.5)
SECOND = 10**9


def draw_scene(x: int, near_m: float = 0.4, noise: int = 0) -> np.ndarray:
    """A hand-sized block at a column, before a wall at 1 m, in millimetres."""
    image = np.full((48, 64), 1000, np.int64)
    image[12:36, x : x + 12] = round(near_m * 1000)
    image += np.random.default_rng(noise).integers(-2, 3, image.shape) * (noise > 0)
    return image.astype(np.uint16)


@dataclass
class Fake:
    """A recording of given images; it counts what is read."""

    images: list[np.ndarray]
    times: np.ndarray | None = None
    sequence: np.ndarray | None = None
    reads: list[int] = field(default_factory=list)

    @property
    def head(self) -> Head:
        count = len(self.images)
        sequence = np.zeros(count, np.int64) if self.sequence is None else self.sequence
        names = tuple(str(k) for k in range(int(sequence.max()) + 1))
        line = Timeline(sequence, self.times, names)
        return Head("fake", CAMERA, Units(1000.0), line, ())

    def read(self, positions: Sequence[int]) -> Iterator[Sight]:
        for p in positions:
            self.reads.append(p)
            yield Sight(self.images[p])

    def name_origin(self, position: int) -> str:
        return str(position)


def choose(recording: Any, who: Any = None, **options: Any) -> list[int]:
    return choose_positions(recording, Selection(**options), who).tolist()


def test_time_and_stride_count_in_every_sequence() -> None:
    times = np.concatenate([SECOND * np.arange(10) + 5, SECOND * np.arange(6) + 77])
    sequence = np.repeat([0, 1], [10, 6])
    recording = Fake([draw_scene(0)] * 16, times, sequence)
    assert choose(recording) == list(range(16))
    assert choose(recording, start=2) == [*range(2, 10), *range(12, 16)]
    assert choose(recording, start=2, stop=4.5) == [2, 3, 4, 12, 13, 14]
    assert choose(recording, stride=4) == [0, 4, 8, 10, 14]
    assert choose(recording, start=1, stride=4) == [1, 5, 9, 11, 15]
    assert recording.reads == []


def test_no_frame_left_and_no_times_are_told() -> None:
    with pytest.raises(BadInput, match=r"no frame is left between 20 and the last s"):
        choose(Fake([draw_scene(0)] * 3, SECOND * np.arange(3)), start=20)
    with pytest.raises(BadInput, match=r"no time stamps.*--fps"):
        choose(Fake([draw_scene(0)] * 3), start=1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"start": -1.0}, "start must be >= 0"),
        ({"start": float("nan")}, "start must be >= 0"),
        ({"stop": float("inf")}, "stop must be >= 0"),
        ({"start": 3.0, "stop": 2.0}, "stop must be after start"),
        ({"stride": 0}, "stride must be >= 1"),
        ({"min_change": 1.5}, "min-change must be a share"),
        ({"most_worth": -1}, "most-worth must be >= 0"),
    ],
)
def test_selections_that_cannot_be(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Selection(**options)


def test_near_duplicates_are_left_out_and_slow_drift_is_not() -> None:
    still = [draw_scene(10, noise=k) for k in range(1, 6)]
    drift = [draw_scene(10 + k) for k in range(12)]
    assert choose(Fake(still), min_change=0.02) == [0]
    taken = choose(Fake(drift), min_change=0.05)
    assert 2 < len(taken) < 12  # compared with the last one taken, not with the last one
    assert choose(Fake(drift), min_change=0.0) == list(range(12))
    both = Fake([*still, *still], None, np.repeat([0, 1], 5))
    assert choose(both, min_change=0.02) == [0, 5]  # each sequence begins with one


def test_change_is_of_what_is_near() -> None:
    a = draw_scene(10)
    wall = a.copy()
    wall[wall == 1000] = 1150  # within reach
    beyond = np.where(a == 1000, 1900, a).astype(np.uint16)
    farther = np.where(a == 1000, 2500, a).astype(np.uint16)
    grids = [grid_depth(image, 1000.0) for image in (a, wall, beyond, farther)]
    assert measure_change(grids[0], grids[0]) == 0
    assert measure_change(grids[0], grids[1]) > 0.7
    assert measure_change(grids[2], grids[3]) == 0
    assert measure_change(np.zeros_like(a), np.zeros_like(a)) == 0


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (24, 32), (576, 640), (7, 1001)])
@pytest.mark.parametrize("scale", [1000.0, 10_000.0])
def test_a_grid_is_of_metres_whatever_size_and_scale(shape: tuple, scale: float) -> None:
    def tone(depth_m: float) -> int:
        grid = grid_depth(np.full(shape, round(depth_m * scale), np.uint16), scale)
        assert grid.shape == (24, 32) and len(np.unique(grid)) == 1
        return int(grid[0, 0])

    assert [tone(z) for z in (0.0, 0.1, 0.2, 1.2, 3.0)] == [0, 255, 255, 0, 0]
    # 1 / z, evenly.
    assert tone(0.5) == round(255 * (1 / 0.5 - 1 / 1.2) / (1 / 0.2 - 1 / 1.2))


def cover(points: np.ndarray, chosen: np.ndarray) -> float:
    gap = np.linalg.norm(points[:, None].astype(float) - points[None, chosen], axis=-1)
    return float(gap.min(1).max())


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 12), st.integers(0, 2**31))
def test_k_centers_cover_within_twice_the_best(n: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 256, (n, 3)).astype(np.uint8)
    chosen = choose_diverse(points, np.ones(n), count)
    assert len(chosen) == min(n, count) == len(set(chosen.tolist()))
    assert (np.diff(chosen) > 0).all()
    best = min(cover(points, rng.choice(n, min(n, count), False)) for _ in range(50))
    assert cover(points, chosen) <= 2 * best + 1e-9


def test_equal_frames_are_taken_once_before_any_comes_again() -> None:
    points = np.repeat(np.array([[0, 0], [200, 0], [0, 200], [90, 90]], np.uint8), 5, 0)
    chosen = choose_diverse(points, np.ones(20), 4)
    assert sorted(c // 5 for c in chosen.tolist()) == [0, 1, 2, 3]
    assert len(choose_diverse(points, np.ones(20), 7)) == 7


def test_what_is_worth_more_is_taken_first() -> None:
    points = np.random.default_rng(0).integers(0, 256, (200, 8)).astype(np.uint8)
    worth = np.full(200, 0.2)
    worth[::10] = 1.0
    chosen = choose_diverse(points, worth, 20)
    assert (worth[chosen] == 1).sum() >= 15
    assert int(np.argmax(worth)) % 10 == 0
    np.testing.assert_array_equal(chosen, choose_diverse(points, worth, 20))


def test_most_worth_without_a_model_takes_what_differs() -> None:
    images = [draw_scene(5, noise=k) for k in range(1, 9)]
    images[3], images[6] = draw_scene(40), draw_scene(25, 0.25)
    taken = choose(Fake(images), most_worth=3)
    assert len(taken) == 3 and {3, 6} <= set(taken)
    assert choose(Fake(images), most_worth=8) == list(range(8))
    assert choose(Fake(images), most_worth=99) == list(range(8))


def make_hand(confidence: float, right: float = 1.0, spread: float = 0.0) -> SimpleNamespace:
    points = np.zeros((21, 3), np.float32)
    points[:, 0] = spread * np.arange(21)
    points[:, 2] = 0.4
    return SimpleNamespace(
        right=right, score=confidence, confidence=np.full(21, confidence, np.float32),
        keypoints_cam_m=points,
    )  # fmt: skip


def test_doubt_is_of_joints_and_of_sides() -> None:
    assert doubt_hands([]) == 0
    assert doubt_hands([make_hand(1.0)]) == pytest.approx(0)
    assert doubt_hands([make_hand(0.3)]) == pytest.approx(0.7)
    assert doubt_hands([make_hand(1.0, right=0.5)]) == pytest.approx(0.5)
    assert doubt_hands([make_hand(1.0), make_hand(0.2)]) == pytest.approx(0.8)
    odd = make_hand(1.0, right=float("nan"))
    odd.confidence[:] = np.nan
    assert doubt_hands([odd]) == 1


def test_a_hand_lost_for_a_moment_is_worth_most() -> None:
    doubts, sequence = np.full(7, 0.1), np.array([0, 0, 0, 0, 1, 1, 1])
    worth = weigh_frames(doubts, [2, 1, 2, 2, 0, 1, 1], sequence)
    assert worth.tolist() == pytest.approx([0.28, 1.0, *[0.28] * 5])
    assert weigh_frames([0.5], [1], np.zeros(1, np.int64)).tolist() == pytest.approx([0.6])
    assert doubts.tolist() == [0.1] * 7  # not changed for the caller


def test_poses_are_told_apart_by_side_and_shape() -> None:
    none, flat = describe_hands([]), describe_hands([make_hand(0.9, spread=0.005)])
    left = describe_hands([make_hand(0.9, right=0.0, spread=0.005)])
    assert none.shape == (126,) and (none == 128).all()
    assert (flat != none).any() and (left != flat).any()
    far = make_hand(0.9, spread=0.005)
    far.keypoints_cam_m += 0.3  # place does not count, the wrist is the origin
    np.testing.assert_array_equal(describe_hands([far]), flat)


def test_the_predictor_decides_with_diversity() -> None:
    images = [draw_scene(5 + k % 2) for k in range(12)]
    asked = []

    def predict(depth_m: np.ndarray, camera: Camera) -> list[SimpleNamespace]:
        asked.append(depth_m.copy())
        return [make_hand(0.1 if len(asked) in (5, 9) else 0.95, spread=0.002 * len(asked))]

    taken = choose(Fake(images), predict, most_worth=2, predictor="x")
    assert taken == [4, 8]
    assert len(asked) == 12 and asked[0].dtype == np.float32
    np.testing.assert_allclose(asked[0], images[0] / 1000, rtol=1e-6)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(-50, 300), min_size=1, max_size=20, unique=True),
    st.lists(st.integers(-50, 300), max_size=20),
)
def test_pairs_are_the_nearest(depth: list[int], other: list[int]) -> None:
    depth_ns = np.array(sorted(depth), np.int64) * 10**6
    other_ns = np.array(other, np.int64) * 10**6
    pairs = pair_times(depth_ns, other_ns)
    for t, k in zip(depth_ns, pairs, strict=True):
        if k >= 0:
            assert abs(other_ns[k] - t) == np.abs(other_ns - t).min()
    again = pair_times(depth_ns, depth_ns)
    assert again.tolist() == list(range(len(depth_ns)))


def test_pairs_far_apart_are_none() -> None:
    depth = np.arange(5) * 33_000_000
    assert pair_times(depth, depth + 10_000_000).tolist() == [0, 1, 2, 3, 4]
    assert pair_times(depth, depth[:1]).tolist() == [0, 0, -1, -1, -1]
    assert pair_times(depth, depth + 10 * SECOND).tolist() == [-1] * 5
    # Colour at 15 a second beside depth at 30.
    assert pair_times(depth, depth[::2]).tolist() == [0, 0, 1, 1, 2]


def test_times_that_do_not_grow_are_told_with_the_mend() -> None:
    times = np.array([0, 2, 1]) * SECOND
    with pytest.raises(BadInput, match=r"out of order: frame 2 has 1\.0+ s after 2\.0+ s; --fps"):
        build_timeline(["a"], [3], [times], 0, "x")
    with pytest.raises(BadInput, match="out of order"):
        build_timeline(["a"], [2], [np.zeros(2, np.int64)], 0, "x")
    counted = build_timeline(["a"], [3], [times], 30.0, "x").time_ns
    assert counted is not None and counted.tolist() == [0, 33_333_333, 66_666_667]
    with pytest.raises(BadInput, match="x has no depth frame"):
        build_timeline([], [], [], 0, "x")
