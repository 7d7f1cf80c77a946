"""COCO exports, read by COCO's own tools and compared with the dataset."""

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from augment.export_source import SensedSource
from frames.exports.coco import PIECES, Coco, _Writer
from frames.exports.coco_labels import label_hand
from frames.exports.exporting import export_dataset
from frames.exports.mmpose_info import SIGMAS
from frames.exports.pieces import Piece
from frames.parts import FOREARM
from frames.record import Frame, Hand
from frames.skeleton import KEYPOINT_NAMES
from train_tiny.evaluation.frame_scores import SIGMAS as SCORED
from train_tiny.persons.annotations import read_annotations

coco_api = pytest.importorskip("faster_coco_eval")


@pytest.fixture(scope="module")
def exported(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("coco") / "out"
    export_dataset(SensedSource(source), out, Coco())
    return out


def list_visible(frame: Frame) -> list[tuple[int, Hand]]:
    """The hands with a pixel in the picture, covered or not, and their places."""
    return [(k, h) for k, h in enumerate(frame.hands) if np.isfinite(h.box_amodal_px).all()]


def open_split(exported: Path, split: str) -> Any:
    return coco_api.COCO(str(exported / "annotations" / f"{split}.json"))


def test_every_frame_is_in_its_split(exported: Path) -> None:
    found = {
        split: open_split(exported, split).getImgIds() for split in ("train", "my-val", "unsplit")
    }
    assert found == {
        "train": list(range(14)), "my-val": list(range(14, 22)), "unsplit": [22, 23],
    }  # fmt: skip


def test_pictures_are_the_depth_images(exported: Path, shown: list[Frame]) -> None:
    coco = open_split(exported, "train")
    for image in coco.loadImgs(coco.getImgIds()):
        frame = shown[image["id"]]
        depth = cv2.imread(str(exported / "images" / image["file_name"]), cv2.IMREAD_UNCHANGED)
        assert depth.dtype == np.uint16
        np.testing.assert_array_equal(depth, frame.reading)
        assert image["depth_scale"] == frame.depth_scale
        assert (image["width"], image["height"]) == (frame.camera.width, frame.camera.height)
        assert image["camera"] == frame.camera.to_dict()


def test_annotations_are_the_hands(exported: Path, shown: list[Frame]) -> None:
    coco = open_split(exported, "my-val")
    names = {c["id"]: c["name"] for c in coco.loadCats(coco.getCatIds())}
    for number in coco.getImgIds():
        frame = shown[number]
        found = {a["id"]: a for a in coco.loadAnns(coco.getAnnIds(number))}
        wanted = {8 * number + k + 1: hand for k, hand in list_visible(frame)}
        assert found.keys() == wanted.keys()
        for key, hand in wanted.items():
            one = found[key]
            assert names[one["category_id"]] == f"{hand.side}_hand"
            points = np.array(one["keypoints"]).reshape(21, 3)
            np.testing.assert_array_equal(points[:, 2], hand.visibility)
            known = hand.visibility > 0
            # To the bit: nine digits name every float32.
            np.testing.assert_array_equal(points[known, :2].astype("f4"), hand.keypoints_px[known])
            assert not points[~known].any()
            assert one["num_keypoints"] == known.sum()
            x0, y0, x1, y1 = hand.box_amodal_px.tolist()
            assert one["bbox"] == [x0 + 0.5, y0 + 0.5, x1 - x0, y1 - y0]
            assert one["area"] == (x1 - x0) * (y1 - y0)
            assert one["iscrowd"] == 0
            cam = np.array(one["keypoints_cam_m"], float).reshape(21, 3)
            np.testing.assert_array_equal(cam.astype("f4"), hand.keypoints_cam_m)
            assert one["occlusion"] == hand.occlusion.tolist()
            assert (one["side"], one["wearer"]) == (hand.side, hand.wearer)


def test_masks_are_the_pixels_in_which_a_hand_is_seen(exported: Path, shown: list[Frame]) -> None:
    coco = open_split(exported, "train")
    for one in coco.loadAnns(coco.getAnnIds()):
        frame = shown[one["image_id"]]
        base = 32 * ((one["id"] - 1) % 8)
        seen = (frame.parts > base) & (frame.parts < base + FOREARM)
        np.testing.assert_array_equal(coco.annToMask(one), seen)


def test_labels_as_detections_are_perfect(exported: Path) -> None:
    coco = open_split(exported, "train")
    found = [
        {**{n: a[n] for n in ("image_id", "category_id", "keypoints")}, "score": 0.9}
        for a in coco.loadAnns(coco.getAnnIds())
    ]
    options = {"kpt_oks_sigmas": list(SIGMAS), "print_function": lambda *_: None}
    scored = coco_api.COCOeval_faster(coco, coco.loadRes(found), "keypoints", **options)
    scored.evaluate()
    scored.accumulate()
    scored.summarize()
    assert scored.stats[0] == pytest.approx(1)


def test_dataset_info_is_what_mmpose_parses(exported: Path) -> None:
    """By the rules of mmpose's parse_pose_metainfo (mmpose/datasets/datasets/utils.py)."""
    scope: dict[str, Any] = {}
    exec((exported / "dataset_info.py").read_text(), scope)
    info = scope["dataset_info"]
    assert {"dataset_name", "keypoint_info", "skeleton_info", "joint_weights", "sigmas"} <= {*info}
    names = {k: point["name"] for k, point in info["keypoint_info"].items()}
    assert tuple(names[k] for k in range(21)) == KEYPOINT_NAMES
    # A mirror swaps no keypoints of one hand.
    assert {point["swap"] for point in info["keypoint_info"].values()} == {""}
    links = [bone["link"] for bone in info["skeleton_info"].values()]
    assert len(links) == 20
    assert all(name in KEYPOINT_NAMES for link in links for name in link)
    assert len(info["joint_weights"]) == len(info["sigmas"]) == 21
    assert tuple(info["sigmas"]) == SCORED


def test_our_own_reader_of_annotations_reads_them(exported: Path, shown: list[Frame]) -> None:
    read = read_annotations(exported / "annotations" / "train.json")
    assert [p.number for p in read.pictures] == list(range(14))
    for picture in read.pictures:
        hands = [h for _, h in list_visible(shown[picture.number]) if h.visibility.any()]
        assert picture.right == [float(h.side == "right") for h in hands]


def test_annotation_files_grow_in_constant_memory(tmp_path: Path) -> None:
    (tmp_path / PIECES).mkdir()
    line = b'{"id":1,"filling":"' + b"x" * 100_000 + b'"}'
    pieces = [Piece("all", k, 64, 0, 1) for k in range(64)]
    for piece in pieces:
        (tmp_path / PIECES / piece.name).write_bytes(line + b"\n\n" + line)
    writer = _Writer(tmp_path, pieces, {}, "CC0-1.0")

    class Sink:
        size = 0

        def write(self, data: bytes) -> int:
            self.size += len(data)
            return len(data)

    sink: Any = Sink()
    tracemalloc.start()
    try:
        writer.write(sink)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sink.size > 128 * 100_000
    assert peak < 10 * 100_000


def test_real_hands_are_boxed_by_what_is_known_of_them(shown: list[Frame]) -> None:
    hand = next(h for h in shown[0].hands if (h.visibility > 0).sum() > 2)
    nothing = np.full(4, np.nan, np.float32)
    bare = replace(hand, box_px=nothing, box_amodal_px=nothing)
    one = label_hand(shown[0], 0, bare)
    assert one is not None
    px = hand.keypoints_px[hand.visibility > 0].astype(float)
    x, y, w, h = one["bbox"]
    np.testing.assert_allclose([x, y], px.min(0))
    np.testing.assert_allclose([x + w, y + h], px.max(0) + 1)
    gone = replace(bare, visibility=np.zeros(21, np.uint8))
    assert label_hand(shown[0], 0, gone) is None
    json.dumps(one, allow_nan=False)
