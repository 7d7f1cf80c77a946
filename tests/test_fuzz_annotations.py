"""What other tools and people say of frames, broken: COCO files, boxes, answers of annotators."""

import json
from pathlib import Path

import numpy as np
import pytest
from captures import CAMERA, make_frame
from fuzzing import SEEDS, Target, few, harm_json, harm_lines, meet, meets_refusals
from hypothesis import given

from frames.skeleton import KEYPOINT_NAMES
from labeling.outcomes import read_outcome, work_out, write_outcome
from labeling.proposals import add_spares, propose_labels
from labeling.tasks import build_prediction

pytest.importorskip("torch")

from labeling.importing.coco_file import read_coco
from train_tiny.persons.annotations import read_annotations
from train_tiny.persons.regions import draw_regions
from train_tiny.prediction.given_boxes import read_given_boxes

POINTS = [v for k in range(21) for v in (20 + 2 * k, 90 - k, 1 + k % 2)]
HAND = {
    "id": 7, "image_id": 4, "category_id": 1, "iscrowd": 0, "keypoints": POINTS,
    "num_keypoints": 21, "bbox": [10, 30, 70, 60], "bbox_visible": [12, 30, 60, 50],
    "area": 4200.0, "side": "left", "wearer": True,
    "segmentation": [[1, 1, 20, 1, 20, 20, 1, 20]],
}  # fmt: skip
TOLD = {
    "info": {"year": 2026},
    "licenses": [],
    "categories": [{"id": 1, "name": "left_hand", "keypoints": list(KEYPOINT_NAMES)}],
    "images": [
        {
            "id": 4, "file_name": "a.png", "width": 160, "height": 120, "depth_scale": 1000.0,
            "camera": CAMERA.to_dict(),
        },
        {"id": 9, "file_name": "b.png", "width": 160, "height": 120},
    ],
    "annotations": [
        HAND,
        {
            **HAND, "id": 8, "image_id": 9, "iscrowd": 1,
            "segmentation": {"counts": [0, 100, 19100], "size": [120, 160]},
        },
        {
            **HAND, "id": 9, "keypoints": [0] * 63,
            "segmentation": {"counts": "0]:0k9", "size": [120, 160]},
        },
    ],
}  # fmt: skip

BOXES = (
    '{"frame": "a.png", "box_px": [1, 2, 30.5, 40]}\n'
    '{"frame_id": 7, "box_px": [0, 0, 5, 5], "score": 0.5}\n'
)


def write_coco(folder: Path) -> Path:
    path = folder / "labels.json"
    told = {**TOLD, "annotations": TOLD["annotations"][:1]}
    path.write_text(json.dumps(told))
    return path


def write_regions(folder: Path) -> Path:
    path = folder / "labels.json"
    path.write_text(json.dumps({**TOLD, "annotations": [TOLD["annotations"][1], HAND]}))
    return path


def write_boxes(folder: Path) -> Path:
    path = folder / "boxes.jsonl"
    path.write_text(BOXES)
    return path


def write_answers(folder: Path) -> Path:
    """Two people's answers to one frame, as a server gives them."""
    drawn = build_prediction(add_spares(propose_labels(make_frame(0)), CAMERA), CAMERA, "labels")
    region = drawn["result"][0]
    result = [
        *drawn["result"],
        {**region, "from_name": "quality", "type": "choices", "value": {"choices": ["unsure"]}},
        {**region, "from_name": "note", "type": "textarea", "value": {"text": ["thumb", "?"]}},
    ]
    common = {"result": result, "was_cancelled": False, "ground_truth": False, "lead_time": 12.5}
    answers = [
        {**common, "id": 1, "completed_by": 3, "updated_at": "2026-01-02T03:04:05.678Z"},
        {**common, "id": 2, "completed_by": {"id": 4}, "updated_at": "2026-01-02T03:05:05Z"},
    ]
    path = folder / "answers.json"
    path.write_text(json.dumps(answers))
    return path


def read_answers(path: Path) -> None:
    """Nothing stops a pull: whatever cannot be understood is a doubt."""
    try:
        answers = json.loads(path.read_text())
    except (ValueError, RecursionError):
        return  # the client's to tell
    if not isinstance(answers, list) or not all(isinstance(a, dict) for a in answers):
        return
    for policy in ("latest", "agree"):
        outcome = work_out(answers, CAMERA, policy)
        assert all(len(reason.splitlines()) == 1 for reason, _ in outcome.doubts)
        again = read_outcome(write_outcome(outcome))
        assert (again.label is None) == (outcome.label is None)


def read_and_draw(path: Path) -> None:
    """As training does."""
    found = read_annotations(path)
    for picture in found.pictures:
        draw_regions(picture.unknown, min(picture.width, 640), min(picture.height, 480))
        np.asarray(picture.keypoints)


TARGETS = (
    Target("coco-import", write_coco, read_coco, harm_json),
    Target("coco-import-all", write_regions, read_coco, harm_json),
    Target("coco-train", write_coco, read_and_draw, harm_json),
    Target("coco-train-all", write_regions, read_and_draw, harm_json),
    Target("boxes", write_boxes, lambda p: read_given_boxes(str(p)), harm_lines),
    Target("answers", write_answers, read_answers, harm_json, patient=True),
)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
@few(60)
@given(seed=SEEDS)
def test_broken(target: Target, seed: int) -> None:
    meet(target, seed)


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_what_is_broken_is_read(target: Target) -> None:
    """Else there would be nothing to refuse."""
    assert meets_refusals(target) != target.patient
