"""Tasks before they are sent: pixels to percent and back, and what is refused."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from captures import CAMERA, make_frame
from hypothesis import given
from hypothesis import strategies as st

from frames.errors import BadInput
from labeling.answers import read_answer
from labeling.pixels import to_percent, to_pixels
from labeling.proposals import Proposal, add_spares, build_spare, is_spare, propose_labels
from labeling.tasks import build_prediction, check_prediction, check_task


@given(st.floats(-0.5, 4000.0, width=32), st.integers(1, 8192), st.floats(-0.5, 4000.0, width=32))
def test_pixels_come_back_to_the_bit(u: float, size: int, v: float) -> None:
    """Of float32, which is what datasets hold."""
    px = np.array([u, v], np.float32)
    again = to_pixels(to_percent(px, size, size + 1), size, size + 1)
    assert np.abs(again - px).max() < 1e-9
    assert np.array_equal(again.astype(np.float32), px) or np.abs(px).min() < 1e-3


def test_the_corners_of_an_image() -> None:
    assert to_percent([-0.5, -0.5], 160, 120).tolist() == [0.0, 0.0]
    assert to_percent([159.5, 119.5], 160, 120).tolist() == [100.0, 100.0]
    assert to_percent([0.0, 0.0], 100, 50).tolist() == [0.5, 1.0]


def make_prediction() -> dict[str, Any]:
    frame = make_frame(0)
    return build_prediction(add_spares(propose_labels(frame), CAMERA), CAMERA, "labels")


def test_what_is_built_may_be_sent_and_read() -> None:
    prediction = make_prediction()
    check_prediction(prediction, "k")
    answer = read_answer({**prediction, "id": 1}, CAMERA)
    for drawn, hand in zip(answer.hands, make_frame(0).hands, strict=True):
        assert drawn.side == hand.side
        assert np.abs(drawn.keypoints_px - hand.keypoints_px).max() < 1e-9


def test_joints_beyond_the_border_are_drawn_on_it_and_marked() -> None:
    px = np.stack([np.linspace(-60, 220, 21), np.linspace(-40, 170, 21)], -1)
    px[5] = np.nan
    hand = Proposal("left", px, np.ones(21), np.ones(21), 0.5)
    prediction = build_prediction((hand,), CAMERA, "m")
    check_prediction(prediction, "k")
    inside = CAMERA.contains(px)
    answer = read_answer({**prediction, "id": 1}, CAMERA).hands[0]
    assert np.array_equal(np.isfinite(answer.keypoints_px).all(-1), inside)
    assert (answer.marks[~inside & np.isfinite(px[:, 0])] == 2).all() and answer.marks[5] == 3


def test_a_spare_is_told_by_its_place() -> None:
    for side in ("left", "right"):
        spare = build_spare(side, CAMERA)
        assert CAMERA.contains(spare.keypoints_px).all()
        assert is_spare(side, spare.keypoints_px, CAMERA)
        moved = spare.keypoints_px + np.array((0.0, 0.01))
        assert not is_spare(side, moved, CAMERA)


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def do(prediction: dict[str, Any]) -> None:
        *way, last = path.split(".")
        at: Any = prediction
        for step in way:
            at = at[int(step)] if step.isdecimal() else at[step]
        at[int(last) if last.isdecimal() else last] = value

    return do


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("score", 1.7, "score must be within 0..1, got 1.7"),
        ("score", float("nan"), "score must be within 0..1"),
        ("model_version", "", "has no model_version"),
        ("result.0.value.vectorlabels", ["Foot"], "must be one of Left, Right"),
        ("result.1.value.vectorlabels", ["Left"], "two hands Left"),
        ("result.0.value.vertices.3.x", 140.0, "x of Left thumb_ip must be within 0..100 %"),
        ("result.0.value.vertices.3.y", None, "got None"),
        ("result.0.value.vertices.3.y", float("nan"), "within 0..100"),
        ("result.0.value.vertices.3.id", "wrist", "are not the 21"),
        ("result.0.score", None, "score of hand Left"),
    ],
)
def test_what_label_studio_would_take_is_refused(path: str, value: Any, said: str) -> None:
    prediction = copy.deepcopy(make_prediction())
    change(path, value)(prediction)
    with pytest.raises(BadInput, match="prediction of frame k") as caught:
        check_prediction(prediction, "k")
    assert said in str(caught.value)


def test_tasks_that_lack_something_are_refused() -> None:
    data = {
        "frame_id": "k",
        "image": "i",
        "caption": "c",
        "depth_sha256": "d",
        "dataset": "s",
        "frame": 1,
    }
    check_task({"data": data, "predictions": []}, ())
    for name in data:
        broken = {k: v for k, v in data.items() if k != name}
        with pytest.raises(BadInput, match=r"lacks|has no frame_id"):
            check_task({"data": broken}, ())
    with pytest.raises(BadInput, match="lacks previous"):
        check_task({"data": data}, ("previous",))
    with pytest.raises(BadInput, match="unknown data path"):
        check_task({"data": {**data, "path": "/etc"}}, ())
