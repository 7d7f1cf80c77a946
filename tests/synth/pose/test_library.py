"""The library: complete, within limits, told apart, labelled truly, and looking like its names."""

from itertools import pairwise

import numpy as np
import pytest

from frames.skeleton import FINGERS, TIPS
from synth.hand.angles import DOFS, LIMITS, clamp
from synth.pose.feix import GRASPS
from synth.pose.library import (
    ALIKE_DEG,
    PART_START,
    PARTS,
    PRESETS,
    fit_presets,
    key_rows,
    preset_table,
    touch_table,
)
from synth.pose.likeness import nearest_key
from synth.pose.presets import KEY_POSES, preset_angles
from synth.pose.sampler import NEAR_KEY_DEG
from tests.synth.pose.fitted import COUNT, flesh, points_of

ABDUCTION = [k for k, name in enumerate(DOFS) if name.endswith("mcp_abduction") and k > 8]
NAMES = [p.name for p in PRESETS]


def _straightness(points: np.ndarray, finger: str) -> np.ndarray:
    """(I,) end to end over along the bones, knuckle to tip: 1 for a straight finger."""
    chain = points[:, list(FINGERS[finger])]
    along = sum(np.linalg.norm(chain[:, b] - chain[:, a], axis=1) for a, b in pairwise(range(4)))
    return np.asarray(np.linalg.norm(chain[:, 3] - chain[:, 0], axis=1) / along)


def test_names_are_unique_and_parts_are_complete() -> None:
    assert len(set(NAMES)) == len(NAMES) == PART_START[-1]
    letters = {p.name.removeprefix("asl-") for p in PARTS["asl"]}
    assert letters == set("abcdefghiklmnopqrstuvwxy")
    assert [p.name for p in PARTS["grasp"]] == [f"grasp {g.number} {g.name}" for g in GRASPS]
    assert [g.number for g in GRASPS] == list(range(1, 34))
    recorded = {p.name.removeprefix("recorded-") for p in PARTS["recorded"]}
    kinds = ("fist", "flat", "horns", "point", "relax", "shaka", "vulcan")
    assert recorded == {f"{k}-{side}" for k in kinds for side in ("left", "right")} | {
        f"{k}-headset" for k in ("relaxed", "pinch", "point")
    }
    tens = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    assert {p.name.split("-")[0] for p in PARTS["number"]} == set(tens)


def test_key_poses_are_those_of_the_task_and_vary() -> None:
    assert KEY_POSES == ("none", "C", "L", "OK", "finger", "fist", "open", "pinch", "thumb")
    shown = [p.key_pose for p in PARTS["key"]]
    assert all(shown.count(key) >= 3 for key in KEY_POSES[1:]) and "none" not in shown
    assert {p.key_pose for p in PRESETS} == set(KEY_POSES)


def test_tables_are_within_limits_and_unlike_each_other() -> None:
    table = preset_table()
    assert (table >= LIMITS[:, 0]).all() and (table <= LIMITS[:, 1]).all()
    np.testing.assert_array_equal(clamp(table), table)
    for preset, row in zip(PRESETS, table, strict=True):
        np.testing.assert_array_equal(preset_angles(preset), row)
    for start, stop in pairwise(PART_START):
        part = table[start:stop]
        gap = np.linalg.norm(part[:, None] - part, axis=-1) + 9 * np.eye(len(part))
        assert np.degrees(gap.min()) > 4


def test_what_equals_a_key_pose_carries_its_label() -> None:
    """A table without a label that is within 6 degrees of a key pose touches or fans otherwise."""
    table, touches = preset_table(), touch_table()
    keys = [j for j in key_rows() if PRESETS[j] not in PARTS["grasp"]]
    for k, preset in enumerate(PRESETS):
        if preset.key_pose == "none":
            alike = [j for j in keys if (touches[j] == touches[k]).all()]
            away = np.array([nearest_key(table[[k]], table[[j]])[0] for j in alike])
            close = np.array(alike, int)[away < np.radians(ALIKE_DEG)]
            fan = np.diff((table[k] - table[close])[:, ABDUCTION], axis=1)
            assert (np.degrees(np.abs(fan)).max(1, initial=0.0) > 12.0).all(), preset.name
    assert NEAR_KEY_DEG > ALIKE_DEG


@pytest.mark.parametrize(
    ("name", "straight", "curled"),
    [
        ("flat", ("thumb", "index", "middle", "ring", "pinky"), ()),
        ("spread", ("thumb", "index", "middle", "ring", "pinky"), ()),
        ("fist", (), ("index", "middle", "ring", "pinky")),
        ("fist-thumb-in", (), ("index", "middle", "ring", "pinky")),
        ("point", ("index",), ("middle", "ring", "pinky")),
        ("thumbs-up", ("thumb",), ("index", "middle", "ring", "pinky")),
        ("l-shape", ("thumb", "index"), ("middle", "ring", "pinky")),
        ("peace", ("index", "middle"), ("ring", "pinky")),
        ("horns", ("index", "pinky"), ("middle", "ring")),
        ("shaka", ("thumb", "pinky"), ("index", "middle", "ring")),
        ("three", ("index", "middle", "ring"), ("pinky",)),
        ("four", ("index", "middle", "ring", "pinky"), ()),
        ("tabletop", ("index", "middle", "ring", "pinky"), ()),
        ("asl-i", ("pinky",), ("index", "middle", "ring")),
        ("asl-w", ("index", "middle", "ring"), ()),
        ("asl-y", ("thumb", "pinky"), ("index", "middle", "ring")),
        ("three-thumb", ("thumb", "index", "middle"), ("ring", "pinky")),
    ],
)
def test_fingers_are_straight_or_curled(
    name: str, straight: tuple[str, ...], curled: tuple[str, ...]
) -> None:
    """On everyone."""
    points = points_of(name)
    for finger in straight:
        assert _straightness(points, finger).min() > 0.97, finger
    for finger in curled:
        assert _straightness(points, finger).max() < 0.7, finger


@pytest.mark.parametrize("name", ["c-shape", "c-wide", "asl-c"])
def test_c_stays_open(name: str) -> None:
    points = points_of(name)
    gap = np.linalg.norm(points[:, TIPS[0]] - points[:, TIPS[1]], axis=1)
    assert gap.min() > 0.025 and gap.max() < 0.13


def test_thumb_goes_up_with_thumbs_up_and_across_with_fist() -> None:
    up, fist = points_of("thumbs-up"), points_of("fist")
    direction = up[:, 4] - up[:, 2]
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    assert (direction[:, 0] < -0.5).all()  # radial, away from the fingers
    index, middle = fist[:, 6, 0], fist[:, 10, 0]
    assert (fist[:, 4, 0] > index - 0.02).mean() > 0.95  # the thumb's tip lies over the fingers
    assert (fist[:, 4, 0] < middle + 0.03).all()


def test_spread_is_wider_than_flat() -> None:
    flat, spread = points_of("flat"), points_of("spread")
    for a, b in pairwise(TIPS[1:]):
        wide, close = (np.linalg.norm(p[:, a] - p[:, b], axis=1) for p in (spread, flat))
        assert (wide > close + 0.003).all()


def test_fitted_poses_stay_near_their_tables() -> None:
    """Nobody's fist is an open hand."""
    count = len(PRESETS)
    who, preset = np.repeat(np.arange(COUNT), count), np.tile(np.arange(count), COUNT)
    away = np.degrees(np.abs(fit_presets(flesh(), who, preset) - preset_table()[preset]))
    assert np.quantile(away, 0.99) < 12 and away.max() < 40
