"""The frames most worth labelling, by the real HandPose with a network that reads beads."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from labeling.capture.capturing import plan_capture, write_capture
from labeling.capture.recording import Request
from labeling.capture.selection import Selection
from labeling.capture.uncertainty import describe_hands, doubt_hands
from tests.train_tiny.coded_hands import (
    CAMERA,
    CodedFinder,
    CodedNet,
    draw_hands,
    place_hand,
)
from train_tiny import HandPose


def test_the_frame_that_lost_a_hand_is_worth_most(tmp_path: Path) -> None:
    places = [(200.0 + 4 * k, 160.0) for k in range(6)]
    images = [draw_hands(*([] if k == 3 else [place_hand(p)])) for k, p in enumerate(places)]
    path = tmp_path / "in.npz"
    stated = {**CAMERA.to_dict(), "depth_scale_per_m": 10_000}
    (tmp_path / "camera.json").write_text(json.dumps(stated))
    np.savez(path, depth=np.stack(images), time_s=np.arange(6) / 30)
    pose = HandPose(CodedNet(), 128, CodedFinder())
    found = pose(images[0], CAMERA)
    assert len(found) == 1 and doubt_hands(found) < 0.9
    assert (describe_hands(found) != 128).any()
    selection = Selection(most_worth=1, predictor="coded")
    job, _ = plan_capture(Request(str(path)), selection, pose)
    assert job.positions == (3,)
    assert write_capture(tmp_path / "out", job) == {"written": 1, "found": 0}
    meta = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert meta["capture"]["selection"]["predictor"] == "coded"
