"""Named poses: within limits, told apart, and showing what they are called."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from frames.skeleton import FINGERS, TIPS
from synth.hand.angles import LIMITS, clamp
from synth.hand.kinematics import pose_hands
from synth.pose.presets import KEY_POSES, PRESETS, preset_angles, preset_table
from tests.synth.scene.witness import generator

NAMES = [p.name for p in PRESETS]


@cache
def _pose(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and keypoints of 256 people in the wrist frame (-z to the fingers, +y dorsal)."""
    maker = generator()
    people = np.arange(len(maker.rig.shape))
    still = np.tile(np.eye(4), (len(people), 1, 1))
    angles = maker.presets[:, NAMES.index(name)]
    side = np.zeros(len(people), bool)
    return pose_hands(maker.rig, people, angles, still, side)


def _keypoints(name: str) -> np.ndarray:
    """(I, 21, 3) metres."""
    return _pose(name)[1].astype(np.float64)


def _straightness(points: np.ndarray, finger: str) -> np.ndarray:
    """(I,) end to end over along the bones, knuckle to tip: 1 for a straight finger."""
    chain = points[:, list(FINGERS[finger])]
    along = sum(np.linalg.norm(chain[:, b] - chain[:, a], axis=1) for a, b in pairwise(range(4)))
    return np.linalg.norm(chain[:, 3] - chain[:, 0], axis=1) / along


def test_tables_are_within_limits_and_unlike_each_other() -> None:
    table = preset_table()
    assert table.shape == (len(PRESETS), len(LIMITS)) and len(set(NAMES)) == len(NAMES)
    assert (table >= LIMITS[:, 0]).all() and (table <= LIMITS[:, 1]).all()
    np.testing.assert_array_equal(clamp(table), table)
    gap = np.linalg.norm(table[:, None] - table, axis=-1) + 9 * np.eye(len(table))
    assert np.degrees(gap.min()) > 15
    for preset, row in zip(PRESETS, table, strict=True):
        np.testing.assert_array_equal(preset_angles(preset), row)


def test_key_poses_are_those_of_the_task() -> None:
    assert KEY_POSES[0] == "none"
    assert set(KEY_POSES[1:]) == {"C", "finger", "fist", "L", "OK", "open", "pinch", "thumb"}


@pytest.mark.parametrize(
    ("name", "straight", "curled"),
    [
        ("flat", ("thumb", "index", "middle", "ring", "pinky"), ()),
        ("spread", ("thumb", "index", "middle", "ring", "pinky"), ()),
        ("fist", (), ("index", "middle", "ring", "pinky")),
        ("point", ("index",), ("middle", "ring", "pinky")),
        ("thumbs-up", ("thumb",), ("index", "middle", "ring", "pinky")),
        ("l-shape", ("thumb", "index"), ("middle", "ring", "pinky")),
        ("peace", ("index", "middle"), ("ring", "pinky")),
        ("horns", ("index", "pinky"), ("middle", "ring")),
        ("three", ("index", "middle", "ring"), ("pinky",)),
        ("four", ("index", "middle", "ring", "pinky"), ()),
        ("tabletop", ("index", "middle", "ring", "pinky"), ()),
    ],
)
def test_fingers_are_straight_or_curled(
    name: str, straight: tuple[str, ...], curled: tuple[str, ...]
) -> None:
    """On everyone."""
    points = _keypoints(name)
    for finger in straight:
        assert _straightness(points, finger).min() > 0.97, finger
    for finger in curled:
        assert _straightness(points, finger).max() < 0.7, finger


@pytest.mark.parametrize("name", ["pinch", "ok"])
def test_thumb_and_index_meet(name: str) -> None:
    """Skin to skin: a few millimetres between them on most people, as fitting leaves it."""
    maker = generator()
    part = np.zeros(maker.rig.rest_vertices.shape[1], int)
    part[maker.rig.faces.ravel()] = np.repeat(maker.rig.face_parts, 3)
    vertices = _pose(name)[0][::4]
    thumb, index = vertices[:, part == 4], vertices[:, part == 7]
    gap = np.array(
        [
            1000 * np.linalg.norm(a[:, None] - b, axis=-1).min()
            for a, b in zip(thumb, index, strict=True)
        ]
    )
    assert np.median(gap) < 6 and np.quantile(gap, 0.9) < 13
    # No other fingertip is nearer to the thumb's.
    points = _keypoints(name)
    away = np.array([np.linalg.norm(points[:, 4] - points[:, t], axis=1) for t in TIPS[1:]])
    assert (away.argmin(0) == 0).mean() > 0.98


def test_c_stays_open() -> None:
    points = _keypoints("c-shape")
    gap = np.linalg.norm(points[:, TIPS[0]] - points[:, TIPS[1]], axis=1)
    assert gap.min() > 0.025 and gap.max() < 0.12


def test_thumb_goes_up_with_thumbs_up_and_across_with_fist() -> None:
    up, fist = _keypoints("thumbs-up"), _keypoints("fist")
    direction = up[:, 4] - up[:, 2]
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    assert (direction[:, 0] < -0.5).all()  # radial, away from the fingers
    index, middle = fist[:, 6, 0], fist[:, 10, 0]
    assert (fist[:, 4, 0] > index - 0.02).mean() > 0.95  # the thumb's tip lies over the fingers
    assert (fist[:, 4, 0] < middle + 0.03).all()


def test_spread_is_wider_than_flat() -> None:
    flat, spread = _keypoints("flat"), _keypoints("spread")
    for a, b in pairwise(TIPS[1:]):
        wide, close = (np.linalg.norm(p[:, a] - p[:, b], axis=1) for p in (spread, flat))
        assert (wide > close + 0.003).all()


def test_every_key_pose_is_sampled_for_every_person() -> None:
    """Fitted tables stay near the authored ones: nobody's fist is an open hand."""
    away = np.degrees(np.abs(generator().presets - preset_table()))
    assert np.quantile(away, 0.99) < 12 and away.max() < 40
