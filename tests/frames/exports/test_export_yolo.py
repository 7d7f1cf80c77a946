"""Ultralytics exports, read by the format's documentation (docs.ultralytics.com/datasets/pose) and
compared with the dataset."""

import ast
from pathlib import Path

import cv2
import numpy as np
import pytest

from augment.export_source import SensedSource
from frames.exports.exporting import export_dataset
from frames.exports.formats import FormatOptions, choose_format
from frames.exports.picture import DepthPicture
from frames.record import Frame


@pytest.fixture(scope="module")
def exported(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("yolo") / "out"
    export_dataset(SensedSource(source), out, choose_format("yolo"))
    return out


def read_yaml(path: Path) -> dict[str, str]:
    """The keys of the first level; lists stay text."""
    lines = (x for x in path.read_text().splitlines() if not x.startswith((" ", "#")))
    return {key: value.strip() for key, _, value in (x.partition(":") for x in lines)}


def test_a_line_a_hand(exported: Path, shown: list[Frame]) -> None:
    paths = sorted((exported / "labels").rglob("*.txt"))
    assert [int(p.stem) for p in paths if "train" in p.parts] == list(range(14))
    assert len(paths) == len(shown)
    for path in paths:
        frame = shown[int(path.stem)]
        size = np.array([frame.camera.width, frame.camera.height])
        hands = [h for h in frame.hands if np.isfinite(h.box_amodal_px).all()]
        rows = np.loadtxt(path, ndmin=2).reshape(-1, 5 + 21 * 3)
        assert len(rows) == len(hands)
        # Ultralytics refuses anything else.
        assert (rows[:, 1:5] >= 0).all() and (rows[:, 1:5] <= 1).all()
        for row, hand in zip(rows, hands, strict=True):
            assert row[0] == ("left", "right").index(hand.side)
            centre, extent = row[1:3] * size - 0.5, row[3:5] * size
            box = np.concatenate([centre - extent / 2, centre + extent / 2])
            np.testing.assert_allclose(box, hand.box_amodal_px, atol=1e-5)
            points = row[5:].reshape(21, 3)
            np.testing.assert_array_equal(points[:, 2], hand.visibility)
            known = hand.visibility > 0
            px = points[known, :2] * size - 0.5
            np.testing.assert_allclose(px, hand.keypoints_px[known], atol=1e-5)
            assert ((points[:, :2] >= 0) & (points[:, :2] <= 1)).all()
            assert not points[~known].any()


def test_every_picture_has_its_labels_where_ultralytics_looks(exported: Path) -> None:
    pictures = sorted((exported / "images").rglob("*.png"))
    assert len(pictures) == 24
    for path in pictures:
        labels = Path(str(path).replace("/images/", "/labels/")).with_suffix(".txt")
        assert labels.is_file()


def test_pictures_have_the_stated_tones(exported: Path, shown: list[Frame]) -> None:
    for path in (exported / "images").rglob("*.png"):
        tones = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        frame = shown[int(path.stem)]
        assert tones.dtype == np.uint8 and tones.shape == frame.reading.shape
        z = frame.reading / frame.depth_scale
        np.testing.assert_array_equal(tones == 0, frame.reading == 0)
        near = (z >= 0.1) & (z <= 1.4)
        back = 1.4 - (tones[near].astype(float) - 1) * 1.3 / 254
        # Half a tone.
        assert np.abs(back - z[near]).max() <= 1.3 / 254 / 2 + 1e-9


def test_data_yaml(exported: Path) -> None:
    told = read_yaml(exported / "data.yaml")
    assert (told["train"], told["my-val"]) == ("images/train", "images/my-val")
    assert told["val"].startswith("images/") and (exported / told["val"]).is_dir()
    assert ast.literal_eval(told["kpt_shape"]) == [21, 3]
    assert ast.literal_eval(told["flip_idx"]) == list(range(21))
    assert told["channels"] == "1"
    assert "  0: left_hand\n  1: right_hand\n" in (exported / "data.yaml").read_text()


def test_no_split_is_both_train_and_val_when_told(tmp_path: Path, source: Path) -> None:
    form = choose_format("yolo", FormatOptions(image="colour", far_m=2.0))
    export_dataset(SensedSource(source), tmp_path / "out", form, ["my-val"])
    told = read_yaml(tmp_path / "out" / "data.yaml")
    assert told["train"] == told["val"] == "images/my-val"
    assert "# there is no split train" in (tmp_path / "out" / "data.yaml").read_text()
    assert told["channels"] == "3"


def test_colours_are_of_the_tones(shown: list[Frame]) -> None:
    frame = shown[0]
    depth = frame.reading.copy()
    depth[0] = 0
    data = DepthPicture("colour").encode(depth, frame.depth_scale)
    painted = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    tones = cv2.imdecode(
        np.frombuffer(DepthPicture("depth8").encode(depth, frame.depth_scale), np.uint8), -1
    )
    assert not painted[0].any()
    table = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_TURBO)[:, 0]
    np.testing.assert_array_equal(painted[1:], table[tones[1:]])
