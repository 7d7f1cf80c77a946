# ruff: noqa: E402
"""COCO keypoints with depth as a dataset: what was said is there, and nothing else."""

import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "frames")]

from commands import assert_refused, call
from fabricate import write_dataset

from frames.camera import CAMERAS
from frames.checks.verify import verify_dataset
from frames.engines.filling import fill_dataset
from frames.errors import BadInput
from frames.exports.coco import Coco
from frames.exports.exporting import export_dataset
from frames.exports.source import StoredSource
from frames.skeleton import KEYPOINT_NAMES
from frames.store.dataset import open_dataset
from labeling.importing.coco_file import read_coco
from labeling.importing.job import CocoImport, plan_import

SIZE = (160, 120)
MMPOSE = ["wrist"] + [
    f"{f}{j}" for f in ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
    for j in (1, 2, 3, 4)
]  # fmt: skip


def write_coco(folder: Path, **changes: Any) -> Path:
    """A flat hand at half a metre before a wall, and a picture of nobody."""
    folder.mkdir(exist_ok=True)
    depth = np.full(SIZE[::-1], 1500, np.uint16)
    depth[30:90, 40:110] = 500
    depth[60, 60] = 0  # a hole under the wrist
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / name), depth)
    points = [[60 + 2 * k, 60 - k, 2] for k in range(21)]
    points[3] = [80, 50, 1]
    points[4] = [0, 0, 0]
    points[5] = [500, 20, 2]  # said to be seen, beyond the picture
    annotation = {
        "id": 7, "image_id": 4, "category_id": 1, "iscrowd": 0,
        "keypoints": [v for p in points for v in p], "bbox": [40, 30, 70, 60],
    }  # fmt: skip
    told = {
        "images": [
            {"id": 9, "file_name": "b.png", "width": 160, "height": 120},
            {"id": 4, "file_name": "a.png", "width": 160, "height": 120},
        ],
        "annotations": [
            {**annotation, **changes.pop("annotation", {})},
            {"id": 8, "image_id": 4, "category_id": 1, "iscrowd": 1, "bbox": [0, 0, 9, 9]},
        ],
        "categories": [{"id": 1, "name": "right hand", "keypoints": list(KEYPOINT_NAMES)}],
        **changes,
    }
    path = folder / "labels.json"
    path.write_text(json.dumps(told))
    return path


def import_all(path: Path, out: Path, **options: Any) -> list[Any]:
    given = {"camera": "ego-small", "depth_scale": 1000.0, **options}
    job = plan_import(CocoImport(path, path.parent, **given))
    fill_dataset(out, job, 1)
    assert verify_dataset(out).problems == ()
    return list(open_dataset(out))


def test_what_was_said_is_there_and_nothing_else(tmp_path: Path) -> None:
    frames = import_all(write_coco(tmp_path / "in"), tmp_path / "out")
    assert [f.origin for f in frames] == ["a.png", "b.png"]
    assert frames[1].hands == ()
    frame, hand = frames[0], frames[0].hands[0]
    assert (frame.source, frame.depth_scale, frame.clean_depth) == ("real", 1000.0, None)
    assert (hand.side, hand.wearer) == ("right", True)
    # 0: seen, but the depth has a hole there; 3: hidden; 4: not labelled; 5: outside.
    assert hand.visibility[:7].tolist() == [1, 2, 2, 1, 0, 0, 2]
    assert hand.occlusion[:7].tolist() == [5, 0, 0, 0, 0, 4, 0]
    assert np.isnan(hand.keypoints_px[[4, 5]]).all()
    np.testing.assert_array_equal(hand.keypoints_px[1], (62, 59))
    # Lifted where it is seen and read, by the flesh that is over the joint.
    lifted = np.isfinite(hand.keypoints_cam_m).all(-1)
    assert lifted[[1, 2, 6]].all() and not lifted[[3, 4, 5]].any()
    assert (hand.provenance[lifted] == 3).all() and hand.provenance[4] == 255
    assert np.all(np.abs(hand.keypoints_cam_m[lifted, 2] - 0.5) < 0.03)
    np.testing.assert_allclose(
        CAMERAS["ego-small"].project(hand.keypoints_cam_m[lifted]),
        hand.keypoints_px[lifted], atol=1e-4,
    )  # fmt: skip
    np.testing.assert_array_equal(hand.box_px, [39.5, 29.5, 109.5, 89.5])
    assert np.isnan(hand.box_amodal_px).all() and np.isnan(hand.visible_fraction)
    assert hand.joint_angles_rad is None and frame.parts is None


def test_an_export_comes_back(tmp_path: Path) -> None:
    source = write_dataset(tmp_path / "data", 12, 8)
    export_dataset(StoredSource(source), tmp_path / "coco", Coco())
    path = tmp_path / "coco" / "annotations" / "all.json"
    job = CocoImport(path, tmp_path / "coco" / "images")  # camera and scale are in the file
    fill_dataset(tmp_path / "back", plan_import(job), 1)
    for was, is_ in zip(open_dataset(source), open_dataset(tmp_path / "back"), strict=True):
        np.testing.assert_array_equal(is_.depth, was.clean_depth)
        assert (is_.camera, is_.depth_scale) == (was.camera, was.depth_scale)
        assert len(is_.hands) == len(was.hands)
        for a, b in zip(was.hands, is_.hands, strict=True):
            assert (a.side, a.wearer) == (b.side, b.wearer)
            known = a.visibility > 0
            np.testing.assert_array_equal(b.keypoints_px[known], a.keypoints_px[known])
            np.testing.assert_array_equal(b.visibility, a.visibility)
            np.testing.assert_array_equal(b.box_px, a.box_px)
            np.testing.assert_array_equal(b.box_amodal_px, a.box_amodal_px)
            assert np.isnan(b.keypoints_px[~known]).all()
            assert (b.provenance[known] != 0).all()  # nobody knows it to be exact any more


@pytest.mark.parametrize("names", [MMPOSE, ["palm", *reversed(KEYPOINT_NAMES)]])
def test_keypoints_are_found_by_name(names: list[str], tmp_path: Path) -> None:
    flags = [v for k in range(len(names)) for v in (10 + k, 20, 2)]
    path = write_coco(
        tmp_path / "in",
        categories=[{"id": 1, "name": "left", "keypoints": names}],
        annotation={"keypoints": flags},
    )
    hand = read_coco(path).images[0].hands[0]
    wanted = range(10, 31) if names is MMPOSE else range(31, 10, -1)
    assert hand.keypoints[:, 0].tolist() == list(wanted)
    assert hand.side == "left"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"categories": [{"id": 1, "name": "hand"}]}, "annotation 7: nothing says whether it is"),
        ({"categories": [{"id": 2, "name": "left"}]}, "annotation 7: there is no category 1"),
        ({"annotation": {"image_id": 5}}, "annotation 7: there is no image 5"),
        ({"annotation": {"keypoints": [1.0, 2.0]}}, "annotation 7: keypoints and boxes must be"),
        ({"annotation": {"keypoints": [1, 2, 3] * 21}}, "a visibility of 0, 1 or 2"),
        ({"annotation": {"keypoints": [[1, {}, 2]]}}, "must be lists of numbers"),
        ({"annotation": {"bbox": "wide"}}, "must be lists of numbers"),
        ({"annotation": {"bbox": [1, 2, 3]}}, "must be lists of numbers"),
        ({"annotation": {"keypoints": [1, 2, 2] * 20}}, "more keypoints than its 20"),
        ({"images": [{"id": 4, "file_name": "a.png", "width": 0, "height": 9}]}, "0 x 9"),
        ({"images": []}, 'has no "images"'),
        ({"categories": [{"id": 1, "name": "left", "keypoints": ["nose"] * 21}]}, "'wrist'"),
    ],
)
def test_what_cannot_be_is_said(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said):
        read_coco(write_coco(tmp_path / "in", **changes))


def test_broken_files_never_do_worse(tmp_path: Path) -> None:
    """Cut, or with characters changed: a clear error, or a file that is read."""
    good = write_coco(tmp_path / "in").read_text()
    random.seed(1)
    path = tmp_path / "broken.json"
    for _ in range(300):
        text = list(good)
        for _ in range(random.randint(1, 4)):
            text[random.randrange(len(text))] = random.choice('{}[]",:0-9.eE\\x tN\x00é')
        cut = random.randrange(len(text)) if random.random() < 0.3 else len(text)
        path.write_text("".join(text[:cut]))
        try:
            read_coco(path)
        except BadInput as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("spoil", "options", "said"),
    [
        (lambda f: (f / "a.png").unlink(), [], "a.png is missing"),
        (lambda f: (f / "a.png").write_bytes(b"x"), [], "cannot be read as a picture"),
        (lambda f: cv2.imwrite(str(f / "a.png"), np.zeros((120, 160), np.uint8)), [], "16 bits"),
        (lambda f: cv2.imwrite(str(f / "a.png"), np.zeros((9, 9), np.uint16)), [], "9 x 9 pixels"),
        (lambda f: None, ["--camera", ""], "does not say which camera took a.png"),
        (lambda f: None, ["--camera", "ego"], "the camera has 320 x 240"),
        (lambda f: None, ["--depth-scale", "0"], "give --depth-scale"),
        (lambda f: None, ["--side", "middle"], "side must be left or right"),
        (lambda f: shutil.rmtree(f), [], "no such file"),
    ],
)
def test_the_command_refuses_in_one_line(
    spoil: Any, options: list[str], said: str, tmp_path: Path, capsys: Any
) -> None:
    path = write_coco(tmp_path / "in")
    spoil(path.parent)
    arguments = ["--camera", "ego-small", "--depth-scale", "1000", "--workers", "1", *options]
    out = tmp_path / "out"
    assert_refused(call(capsys, "import", "coco", path, path.parent, out, *arguments), said)
    assert not out.exists() or not list(out.rglob("*.parquet"))


def test_the_command_says_what_it_made(tmp_path: Path, capsys: Any) -> None:
    path = write_coco(tmp_path / "in")
    given = ("--camera", "ego-small", "--depth-scale", 1000, "--workers", 1, "--json")
    told = call(capsys, "import", "coco", path, path.parent, tmp_path / "out", *given)
    assert told.code == 0, told.err
    read = json.loads(told.out)
    assert (read["written"], read["hands"], read["crowds_left_out"]) == (2, 1, 1)
