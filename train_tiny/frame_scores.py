"""How well hands are found in whole frames: COCO's average precision of keypoints, boxes found.

Object keypoint similarity (cocodataset.org, keypoint evaluation) with the hands' sigmas of
COCO-WholeBody (Jin et al. 2020, arXiv 2007.11858), the area that of the labelled keypoints' box.
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from train_tiny.finding import Found

Floats = NDArray[np.float32]

SIGMAS: Final = (
    *(0.029, 0.022, 0.035, 0.037, 0.047),
    *(0.026, 0.025, 0.024, 0.035),
    *(0.018, 0.024, 0.022, 0.026),
    *(0.017, 0.021, 0.021, 0.032),
    *(0.020, 0.019, 0.022, 0.031),
)
"""Of the wrist, then of each finger's joints from thumb to pinky: how far annotators differ, in
square roots of the area."""

OVERLAP: Final = 0.5
"""Intersection over union from which on a box is found."""

MOST: Final = 20
"""Hands of a frame that count, as in COCO."""


@dataclass(frozen=True, eq=False)
class FrameLabels:
    """What there is in a frame, in pixels."""

    keypoints_px: Floats
    """(N, J, 2) of each hand; NaN for what is not labelled or outside."""
    ignored_px: Floats
    """(M, 4) boxes x0, y0, x1, y1 in which whatever is found counts neither way."""


def score_frames(
    found: Sequence[Sequence[Found]],
    labels: Sequence[FrameLabels],
    least_score: float,
    sigmas: Sequence[float] = SIGMAS,
) -> dict[str, float]:
    """ap (mean over OKS 0.50, 0.55 ... 0.95), ap50, ap75, ar; and of those that score at least
    `least_score`, by boxes: recall, precision and false finds a frame.

    found: all hands of each frame, however low their score. Recall: share of labelled hands whose
    box one found overlaps by `OVERLAP`; each is of one hand at most. NaN without any hand.
    """
    return measure_precision(found, labels, sigmas) | match_boxes(found, labels, least_score)


def measure_precision(
    found: Sequence[Sequence[Found]],
    labels: Sequence[FrameLabels],
    sigmas: Sequence[float] = SIGMAS,
) -> dict[str, float]:
    """ap, ap50, ap75 and ar of keypoints, by faster-coco-eval.

    Raises BadInput where that is not installed.
    """
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError:
        raise BadInput(
            "average precision needs faster-coco-eval: pip install 'handloom[train]'"
        ) from None
    hands = sum(len(frame.keypoints_px) for frame in labels)
    names = ("ap", "ap50", "ap75", "ar")
    if not hands:
        return dict.fromkeys(names, float("nan"))
    detections = [_describe_found(image, one) for image, frame in enumerate(found) for one in frame]
    if not detections:
        return dict.fromkeys(names, 0.0)
    # It tells of its progress on the standard output.
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(_describe_labels(labels))
        evaluation = COCOeval_faster(
            truth, truth.loadRes(detections), "keypoints", kpt_oks_sigmas=list(sigmas)
        )
        evaluation.params.maxDets = [MOST]
        evaluation.params.areaRng = [[0, 1e10]] * 3
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = evaluation.stats
    return dict(zip(names, (float(values[k]) for k in (0, 1, 2, 5)), strict=True))


def match_boxes(
    found: Sequence[Sequence[Found]], labels: Sequence[FrameLabels], least_score: float
) -> dict[str, float]:
    """recall, precision and false finds a frame of boxes at the operating point."""
    hits = hands = finds = 0
    for frame, truth in zip(found, labels, strict=True):
        boxes = [bound_keypoints(px) for px in truth.keypoints_px]
        hands += len(boxes)
        free = set(range(len(boxes)))
        for one in sorted(frame, key=lambda one: -one.score):
            if one.score < least_score:
                break
            overlaps = {k: overlap_boxes(one.box_px, boxes[k]) for k in free}
            best = max(overlaps, key=lambda k: overlaps[k], default=-1)
            if best >= 0 and overlaps[best] >= OVERLAP:
                free.discard(best)
                hits += 1
                finds += 1
            elif not any(_is_inside(one.box_px, box) for box in truth.ignored_px):
                finds += 1
    return {
        "recall": hits / hands if hands else float("nan"),
        "precision": hits / finds if finds else float("nan"),
        "false_finds": (finds - hits) / len(labels) if labels else float("nan"),
    }


def bound_keypoints(px: Floats) -> Floats:
    """(4,) x0, y0, x1, y1 around the known ones of (J, 2)."""
    known = px[np.isfinite(px).all(-1)]
    return np.concatenate([known.min(0) - 0.5, known.max(0) + 0.5]).astype(np.float32)


def overlap_boxes(one: Floats, other: Floats) -> float:
    """Intersection over union."""
    inner = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    both = float(np.prod(np.maximum(inner, 0)))
    either = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])) - both
    return both / either if either > 0 else 0.0


def _is_inside(box: Floats, region: Floats) -> bool:
    """Whether most of a box lies in a region."""
    inner = np.minimum(box[2:], region[2:]) - np.maximum(box[:2], region[:2])
    area = float(np.prod(box[2:] - box[:2]))
    return float(np.prod(np.maximum(inner, 0))) >= OVERLAP * area


def _describe_found(image: int, one: Found) -> dict[str, Any]:
    x0, y0, x1, y1 = one.box_px.tolist()
    triples = np.concatenate([one.keypoints_px, one.scores[:, None]], 1)
    return {
        "image_id": image,
        "category_id": 1,
        "keypoints": triples.astype(float).ravel().tolist(),
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "score": float(one.score),
    }


def _describe_labels(labels: Sequence[FrameLabels]) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    joints = 0
    for image, frame in enumerate(labels):
        for px in frame.keypoints_px:
            joints = len(px)
            known = np.isfinite(px).all(-1)
            triples = np.where(known[:, None], np.insert(px, 2, 2, 1), 0.0)
            annotations.append(_annotate(image, bound_keypoints(px), triples, int(known.sum())))
        for box in frame.ignored_px:
            annotations.append(_annotate(image, box, None, 0))
    for annotation in annotations:
        annotation["keypoints"] = annotation["keypoints"] or [0.0] * (3 * joints)
    for number, annotation in enumerate(annotations):
        annotation["id"] = number + 1
    return {
        "info": {},
        "images": [{"id": image, "width": 1, "height": 1} for image in range(len(labels))],
        "categories": [{"id": 1, "name": "hand"}],
        "annotations": annotations,
    }


def _annotate(
    image: int, box: Floats, triples: NDArray[np.float64] | None, count: int
) -> dict[str, Any]:
    """A hand, or, without keypoints, a region of a crowd, which COCO ignores."""
    x0, y0, x1, y1 = (float(n) for n in box)
    return {
        "image_id": image,
        "category_id": 1,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": (x1 - x0) * (y1 - y0),
        "iscrowd": int(triples is None),
        "num_keypoints": count,
        "keypoints": None if triples is None else triples.ravel().tolist(),
    }
