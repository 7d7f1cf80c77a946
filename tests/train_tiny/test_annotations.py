"""Files of annotations: read piece by piece, checked, crowds as masks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from frames.errors import BadInput
from tests.train_tiny.drawn_persons import (
    SIZE,
    annotate,
    compress,
    count_runs,
    write_persons,
)
from train_tiny.persons import json_stream
from train_tiny.persons.annotations import read_annotations
from train_tiny.persons.joint_layout import COCO, CROWDPOSE, lay_out_joints
from train_tiny.persons.json_stream import read_lists
from train_tiny.persons.regions import draw_regions, read_region
from train_tiny.specs import split_spec


def read(spec: str) -> Any:
    return read_annotations(split_spec(spec)[0])


@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 20])
def test_a_stream_reads_what_json_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(json_stream, "CHUNK", chunk)
    whole = {
        "info": {"a": [1, {"b": "]}"}], "n": -1.5e-3},
        "empty": [],
        "numbers": [12345, 678, 9.25, 1e3],
        "text": ['quoted "x", {', "ü\n", ""],
        "images": [{"id": k, "file_name": f"{k}.jpg"} for k in range(20)],
        "last": None,
    }
    for indent in (None, 2):
        path = tmp_path / f"{indent}.json"
        path.write_text(json.dumps(whole, indent=indent), encoding="utf-8")
        found: dict[str, Any] = {}
        for key, value in read_lists(path):
            if isinstance(whole[key], list):
                found.setdefault(key, []).append(value)
            else:
                found[key] = value
        assert found == {k: v for k, v in whole.items() if v != []}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"images": [{"id": 1}, {"id"', "ends too early"),
        ('{"images": [1 2]}', "',' or ']' was expected at character 14"),
        ("[1, 2]", "'{' was expected at character 0"),
        ('{"images": nothing}', "at character 11"),
        ("", "ends too early"),
    ],
)
def test_broken_files(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(BadInput, match="is not JSON") as error:
        list(read_lists(path))
    assert told in str(error.value) and str(path) in str(error.value)


@pytest.mark.parametrize("joints", [14, 17, 21])
def test_what_is_written_is_read(tmp_path: Path, joints: int) -> None:
    spec = write_persons(tmp_path, joints)
    found = read(spec)
    truth = json.loads((tmp_path / "annotations.json").read_text())
    assert [p.number for p in found.pictures] == [i["id"] for i in truth["images"]]
    assert [len(p.keypoints) for p in found.pictures] == [0, 1, 2, 0, 1, 2]
    sides = {1: 0.0, 2: 1.0} if joints == 21 else {1: np.nan}
    every = {p.number: (list(p.keypoints), list(p.right)) for p in found.pictures}
    for one in truth["annotations"]:
        points, right = (part.pop(0) for part in every[one["image_id"]])
        assert np.array_equal(points.ravel(), one["keypoints"])
        assert np.array_equal([right], [sides[one["category_id"]]], equal_nan=True)


def test_layouts_pair_left_and_right() -> None:
    coco = lay_out_joints(COCO)
    assert coco.mirror == (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
    assert lay_out_joints((), 14) == lay_out_joints(CROWDPOSE)
    assert lay_out_joints(CROWDPOSE).mirror == (1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 12, 13)
    hand = lay_out_joints([f"joint_{k}" for k in range(21)])
    assert hand.mirror == tuple(range(21)) and hand.sigmas[0] == 0.029
    # Those of pycocotools and of crowdposetools, in tenths.
    known = (0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62)
    known += (1.07, 1.07, 0.87, 0.87, 0.89, 0.89)
    assert coco.sigmas == pytest.approx(np.array(known) / 10)
    crowd = (0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89, 0.79, 0.79)
    assert lay_out_joints(CROWDPOSE).sigmas == pytest.approx(np.array(crowd) / 10)
    with pytest.raises(BadInput, match="no counterpart 'right_paw'"):
        lay_out_joints(["left_paw"])
    with pytest.raises(BadInput, match="no sigma"):
        _ = lay_out_joints(["tail"]).sigmas
    with pytest.raises(BadInput, match="only 17"):
        lay_out_joints((), 16)


def draw_crowd() -> np.ndarray:
    mask = np.zeros(SIZE[::-1], bool)
    mask[10:30, 40:70] = True
    mask[20:25, 50:55] = False
    mask[60:, 90:] = True
    return mask


@pytest.mark.parametrize("packed", [False, True])
def test_crowds_are_masks(packed: bool) -> None:
    mask = draw_crowd()
    runs = count_runs(mask)
    shape = {"size": list(SIZE[::-1]), "counts": compress(runs) if packed else runs}
    region = read_region({"segmentation": shape})
    assert region is not None
    assert np.array_equal(draw_regions([region], *SIZE) > 0, mask)


def test_polygons_and_boxes_cover_their_pixels() -> None:
    """A pixel from 10 to 20 and from 5 to 9 of COCO's corners: columns 10 .. 19, rows 5 .. 8."""
    wanted = np.zeros(SIZE[::-1], bool)
    wanted[5:9, 10:20] = True
    for value in (
        {"bbox": [10, 5, 10, 4]},
        {"segmentation": [[10, 5, 20, 5, 20, 9, 10, 9]], "bbox": [0, 0, 96, 64]},
    ):
        region = read_region(value)
        assert region is not None
        found = draw_regions([region], *SIZE) > 0
        # cv2 draws the border too: half a pixel more at most.
        assert (found >= wanted).all()
        assert found.sum() <= 12 * 6


def test_who_has_no_keypoints_is_unknown(tmp_path: Path) -> None:
    def change(meta: dict[str, Any]) -> None:
        shape = {"size": list(SIZE[::-1]), "counts": count_runs(draw_crowd())}
        annotate(meta, 10, None)
        annotate(meta, 11, None, iscrowd=1, segmentation=shape)
        annotate(meta, 12, None, bbox=None)

    first, second, third = read(write_persons(tmp_path, change=change)).pictures[:3]
    assert first.unknown[0].box == (1, 2, 30, 40) and not first.keypoints
    assert second.unknown[0].runs and len(second.keypoints) == 1
    assert not third.unknown and len(third.keypoints) == 2


def spoil(key: str, value: Any, what: str = "annotations") -> Any:
    def change(meta: dict[str, Any]) -> None:
        meta[what][0][key] = value

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (spoil("keypoints", [1, 2, 2] * 16), "annotation 1: 17 keypoints were expected, got 16"),
        (spoil("keypoints", [1, 2]), "annotation 1: keypoints must be triples"),
        (spoil("keypoints", [1, 2, 3] * 17), "a visibility of 0, 1 or 2"),
        (spoil("image_id", 99), "annotation 1: there is no image 99"),
        (spoil("category_id", 5), "annotation 1: there is no category 5"),
        (spoil("width", 0, "images"), "image 10 must have"),
        (spoil("id", 11, "images"), "two images have the id 11"),
        (spoil("keypoints", ["left_arm"], "categories"), "no counterpart 'right_arm'"),
        (lambda meta: meta.pop("images"), 'has no "images"'),
        (lambda meta: meta["images"][0].pop("file_name"), 'image 10 has no "file_name"'),
        (lambda meta: annotate(meta, 10, None, segmentation={"size": [64, 96], "counts": [3]}),
         "runs of 3 pixels in a picture of 96 x 64"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_one_line(tmp_path: Path, change: Any, told: str) -> None:
    with pytest.raises(BadInput) as error:
        read(write_persons(tmp_path, change=change))
    assert told in str(error.value) and "\n" not in str(error.value)
    assert "annotations.json" in str(error.value)


def test_files_that_are_something_else(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    boxes = {"images": [{"id": 1, "file_name": "a", "width": 4, "height": 4}]}
    boxes |= {"categories": [{"id": 1, "name": "cat"}], "annotations": []}
    path.write_text(json.dumps(boxes))
    with pytest.raises(BadInput, match="has no keypoints"):
        read_annotations(path)
    with pytest.raises(BadInput, match="cannot read"):
        read_annotations(tmp_path / "none.json")
