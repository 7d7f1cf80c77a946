"""What prediction reads and writes: sources, boxes, both files, pictures, videos."""

import json
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

torch = pytest.importorskip("torch")

from frames.errors import BadInput  # noqa: E402
from tests.train_tiny.coded_hands import (  # noqa: E402
    CAMERA,
    CodedFinder,
    CodedNet,
    bound,
    draw_hands,
    place_hand,
)
from tests.train_tiny.drawn_hands import Silence  # noqa: E402
from tests.train_tiny.real_frames import write_real  # noqa: E402
from train_tiny.prediction.depth_frame import SourceOptions  # noqa: E402
from train_tiny.prediction.depth_sources import open_source  # noqa: E402
from train_tiny.prediction.files import COLUMNS, read_predictions  # noqa: E402
from train_tiny.prediction.given_boxes import GivenBoxes, read_given_boxes  # noqa: E402
from train_tiny.prediction.hand_pose import HandPose  # noqa: E402
from train_tiny.prediction.pictures import Video, draw_prediction  # noqa: E402
from train_tiny.prediction.predicting import PredictionPlan, predict_source  # noqa: E402

MIDDLES = [(120.0 + 8 * k, 150.0) for k in range(6)]


def write_folder(folder: Path, kind: str = "png", scale: float | None = 10_000) -> Path:
    """Six frames of a hand that moves to the right, and the camera's file."""
    folder.mkdir(parents=True)
    stated = {} if scale is None else {"depth_scale_per_m": scale}
    (folder / "camera.json").write_text(json.dumps({**CAMERA.to_dict(), **stated}))
    images = [draw_hands(place_hand(middle)) for middle in MIDDLES]
    if kind == "npy":
        np.save(folder / "all.npy", np.stack(images))
    elif kind == "metres":
        np.save(folder / "all.npy", np.stack(images).astype(np.float32) / 1e4)
    else:
        for k, image in enumerate(images):
            assert cv2.imwrite(str(folder / f"{k:03d}.depth.{kind}"), image)
            (folder / f"{k:03d}.rgb.jpg").write_bytes(b"colour pictures are passed over")
    return folder


@pytest.fixture
def pose() -> HandPose:
    """Knows every keypoint."""
    return HandPose(CodedNet(), 128, CodedFinder())


@pytest.mark.parametrize("kind", ["png", "tiff", "npy", "metres"])
def test_folders_of_images(pose: HandPose, tmp_path: Path, kind: str) -> None:
    source = open_source(write_folder(tmp_path / "in", kind), SourceOptions())
    assert len(source) == 6
    found = predict_source(pose, source, tmp_path / "out", PredictionPlan(), Silence(), {})
    assert (found["frames"], found["hands"], found["right"]) == (6, 6, 6)
    rows = read_predictions(tmp_path / "out/predictions.parquet")
    for row, middle in zip(rows, MIDDLES, strict=True):
        truth = place_hand(middle)
        assert np.abs(row["keypoints_px"] - CAMERA.project(truth)).max() < 2
        assert np.linalg.norm(row["keypoints_cam_m"] - truth, axis=1).max() < 4e-3
    names = [row["frame"] for row in rows]
    assert names == (
        [f"{k:03d}.depth.{kind}" for k in range(6)]
        if kind in ("png", "tiff")
        else [f"all.npy[{k}]" for k in range(6)]
    )
    shorter = open_source(tmp_path / "in", SourceOptions(frames=2))
    assert len(shorter) == len(list(shorter)) == 2


def test_both_files_say_the_same(pose: HandPose, tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path / "in"), SourceOptions(fps=30))
    predict_source(pose, source, tmp_path / "out", PredictionPlan(), Silence(), {})
    table = read_predictions(tmp_path / "out/predictions.parquet")
    lines = read_predictions(tmp_path / "out/predictions.jsonl")
    assert len(table) == len(lines) == 6
    for one, other in zip(table, lines, strict=True):
        assert list(one) == list(other) == [c.name for c in COLUMNS]
        for column in COLUMNS:
            a, b = one[column.name], other[column.name]
            if isinstance(a, str) or a is None:
                assert a == b
            else:
                assert np.allclose(a, b, atol=1e-3), column.name
    assert [row["frame_id"] for row in table] == list(range(6))
    assert {row["track"] for row in table} == {0}
    assert [row["found_by"] for row in table] == ["finder", *["follow"] * 5]
    assert table[3]["time_s"] == pytest.approx(0.1) and table[3]["sequence_id"] == 0
    schema = pq.read_schema(tmp_path / "out/predictions.parquet")
    assert schema.field("keypoints_px").metadata == {b"shape": b"21,2"}
    summary = json.loads((tmp_path / "out/predictions.json").read_text())
    assert (summary["frames"], summary["hands"], summary["tracks"]) == (6, 6, 1)


def test_the_same_bytes_again_and_nothing_of_before(pose: HandPose, tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path / "in"), SourceOptions())
    plan, out = PredictionPlan(pictures=True, video=True), tmp_path / "out"
    predict_source(pose, source, out, plan, Silence(), {})
    names = ("predictions.parquet", "predictions.jsonl", "predictions.json", "sheet.png")
    first = [(out / name).read_bytes() for name in names]
    assert len(list((out / "pictures").glob("*.png"))) == 6
    predict_source(pose, source, out, PredictionPlan(), Silence(), {})
    assert [(out / name).read_bytes() for name in names] == first
    assert not list((out / "pictures").glob("*.png")) and not (out / "predictions.mp4").exists()


def test_a_failed_run_leaves_no_predictions(pose: HandPose, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in")
    (folder / "003.depth.png").write_bytes(b"cut short")
    source = open_source(folder, SourceOptions())
    plan = PredictionPlan(video=True)
    with pytest.raises(BadInput, match=r"003\.depth\.png cannot be read as a picture"):
        predict_source(pose, source, tmp_path / "out", plan, Silence(), {})
    assert not [p for p in (tmp_path / "out").rglob("*") if p.is_file()]


def test_other_folders_are_left_alone(pose: HandPose, tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path / "in"), SourceOptions())
    with pytest.raises(BadInput, match="is not empty and holds no predictions alone"):
        predict_source(pose, source, tmp_path / "in", PredictionPlan(), Silence(), {})
    assert len(list((tmp_path / "in").iterdir())) == 13


def test_labelled_boxes(pose: HandPose, tmp_path: Path) -> None:
    """A hand for each labelled box, in the labels' order."""
    source = open_source(write_real(tmp_path / "data", "full", 8), SourceOptions())
    plan = PredictionPlan(boxes=GivenBoxes())
    predict_source(pose, source, tmp_path / "out", plan, Silence(), {})
    rows = read_predictions(tmp_path / "out/predictions.jsonl")
    frames = {frame.frame_id: frame for frame in source}
    boxed = {(f.frame_id, k) for f in frames.values() for k in range(len(GivenBoxes().list(f)))}
    assert {(r["frame_id"], r["hand"]) for r in rows} <= boxed and len(rows) > len(boxed) / 2
    assert {r["found_by"] for r in rows} == {"box"} and {r["frame"] for r in rows} == {None}


def test_predictions_are_boxes(pose: HandPose, tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path / "in"), SourceOptions())
    predict_source(pose, source, tmp_path / "one", PredictionPlan(), Silence(), {})
    for name in ("predictions.parquet", "predictions.jsonl"):
        plan = PredictionPlan(boxes=read_given_boxes(str(tmp_path / "one" / name)))
        predict_source(HandPose(CodedNet(), 128), source, tmp_path / "two", plan, Silence(), {})
        rows = read_predictions(tmp_path / "two" / name)
        assert [r["found_by"] for r in rows] == ["box"] * 6
        for row, middle in zip(rows, MIDDLES, strict=True):
            assert np.abs(row["keypoints_px"] - CAMERA.project(place_hand(middle))).max() < 2


def test_hands_are_followed_from_the_boxes_of_one_frame(tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path / "in"), SourceOptions(fps=30))
    boxes = tmp_path / "boxes.jsonl"
    line = {"frame": "000.depth.png", "box_px": bound(place_hand(MIDDLES[0]))}
    boxes.write_text(json.dumps(line) + "\n\n")
    plan = PredictionPlan(boxes=read_given_boxes(str(boxes)), follow=10)
    predict_source(HandPose(CodedNet(), 128), source, tmp_path / "out", plan, Silence(), {})
    rows = read_predictions(tmp_path / "out/predictions.jsonl")
    assert [r["found_by"] for r in rows] == ["box", *["follow"] * 5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no box in it"),
        ("x", "line 1 of .* is no JSON object"),
        ('{"frame_id": 0}', 'line 1 of .*: "box_px" must be'),
        ('{"frame_id": 0, "box_px": [9, 0, 3, 4]}', r"got \[9, 0, 3, 4\]"),
        ('\n{"box_px": [0, 0, 3, 4]}', "line 2 of .* names no frame"),
    ],
)
def test_bad_boxes(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "boxes.jsonl").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_given_boxes(str(tmp_path / "boxes.jsonl"))
    with pytest.raises(BadInput, match="cannot read the boxes' file"):
        read_given_boxes(str(tmp_path / "nowhere.jsonl"))


def test_pictures_show_the_hands(pose: HandPose, tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path / "in"), SourceOptions())
    frame = next(iter(source))
    hands = pose(frame.depth, frame.camera, None, frame.depth_scale)
    bare, drawn = draw_prediction(frame, []), draw_prediction(frame, hands)
    assert drawn.shape == bare.shape and drawn.dtype == np.uint8
    changed = (drawn != bare).any(-1)[24:]
    v, u = np.nonzero(changed)
    x0, y0, x1, y1 = hands[0].box_px
    inside = (u > x0 - 25) & (u < x1 + 25) & (v > y0 - 25) & (v < y1 + 25)
    # Depths are coloured by the hands' range, so most of the picture changes; the most, there.
    assert inside.sum() > 500
    tip = np.rint(hands[0].keypoints_px[8]).astype(int)
    assert (drawn[24 + tip[1], tip[0]] != bare[24 + tip[1], tip[0]]).any()


def test_a_video_is_read_back(tmp_path: Path) -> None:
    video = Video(tmp_path / "a.mp4", 25.0)
    shades = [20, 120, 220]
    for shade in shades:
        video.add(np.full((121, 161, 3), (shade, 10, 10), np.uint8))
    assert not (tmp_path / "a.mp4").exists()
    video.finish()
    read = cv2.VideoCapture(str(tmp_path / "a.mp4"))
    assert read.get(cv2.CAP_PROP_FPS) == 25
    for shade in shades:
        there, picture = read.read()
        assert there and picture.shape == (120, 160, 3)
        # Red first when written, blue first as OpenCV reads.
        assert abs(float(picture[..., 2].mean()) - shade) < 12 and picture[..., 0].mean() < 40
    assert not read.read()[0]
    with pytest.raises(BadInput, match=r"a video is written as \.mp4"):
        Video(tmp_path / "a.avi", 25)


def test_the_docs_name_every_column() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/prediction.md").read_text()
    for column in COLUMNS:
        assert f"`{column.name}`" in text, column.name
