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
from train_tiny.finding.found import Finding, Found, overlap_boxes

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
    """Of keypoints: ap (mean over OKS 0.50, 0.55 ... 0.95), ap50, ap75, ar, NaN where boxes alone
    are found. Of boxes: box_ap (mean over IoU 0.50, 0.55 ... 0.95), box_ap50; and of those that
    score at least `least_score`, recall, precision and false finds a frame.

    found: all hands of each frame, however low their score. Recall: share of labelled hands whose
    box one found overlaps by `OVERLAP`; each is of one hand at most. NaN without any hand.
    """
    return {
        **measure_precision(found, labels, sigmas),
        **measure_box_precision(found, labels),
        **match_boxes(found, labels, least_score),
    }


def measure_precision(
    found: Sequence[Sequence[Found]],
    labels: Sequence[FrameLabels],
    sigmas: Sequence[float] = SIGMAS,
) -> dict[str, float]:
    """ap, ap50, ap75 and ar of keypoints, by faster-coco-eval.

    Raises BadInput where that is not installed.
    """
    names = ("ap", "ap50", "ap75", "ar")
    if any(not len(one.keypoints_px) for frame in found for one in frame):
        return dict.fromkeys(names, float("nan"))
    values = _measure_coco(found, labels, "keypoints", sigmas)
    return dict(zip(names, (values[k] for k in (0, 1, 2, 5)), strict=True))


def measure_box_precision(
    found: Sequence[Sequence[Found]], labels: Sequence[FrameLabels]
) -> dict[str, float]:
    """box_ap and box_ap50, likewise."""
    values = _measure_coco(found, labels, "bbox", SIGMAS)
    return {"box_ap": values[0], "box_ap50": values[1]}


def match_boxes(
    found: Sequence[Sequence[Found]], labels: Sequence[FrameLabels], least_score: float
) -> dict[str, float]:
    """recall, precision and false finds a frame of boxes at the operating point."""
    scores, hit = match_finds(found, labels)
    sure = scores >= least_score
    hands, hits, finds = _count_hands(labels), int((hit & sure).sum()), int(sure.sum())
    return {
        "recall": hits / hands if hands else float("nan"),
        "precision": hits / finds if finds else float("nan"),
        "false_finds": (finds - hits) / len(labels) if labels else float("nan"),
    }


def choose_point(found: Sequence[Sequence[Found]], labels: Sequence[FrameLabels]) -> float:
    """The least score with which recall and precision of the boxes have the highest F1; between
    that of the last find taken and that of the first one left out. `Finding`'s where no hand is
    found."""
    scores, hit = match_finds(found, labels)
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(hit[order])
    if not len(hits) or not hits[-1]:
        return Finding().least_score
    # 2 P R / (P + R) = 2 hits / (finds + hands).
    even = 2 * hits / (np.arange(1, len(hits) + 1) + _count_hands(labels))
    # A score that several finds have takes them all.
    last = np.append(scores[1:] < scores[:-1], True)
    best = int(np.argmax(np.where(last, even, -1)))
    return float(scores[best : best + 2].mean())


def match_finds(
    found: Sequence[Sequence[Found]], labels: Sequence[FrameLabels]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Score of every find, and whether its box is that of a labelled hand; finds that count neither
    way are left out.

    In each frame the surest one chooses first, and a hand is found once: how many there are above a
    score does not depend on what is below.
    """
    scores, hit = list[float](), list[bool]()
    for frame, truth in zip(found, labels, strict=True):
        free = [bound_keypoints(px) for px in truth.keypoints_px]
        for one in sorted(frame, key=lambda one: -one.score):
            overlaps = [overlap_boxes(one.box_px, box) for box in free]
            best = int(np.argmax(overlaps)) if overlaps else -1
            mine = best >= 0 and overlaps[best] >= OVERLAP
            if mine:
                del free[best]
            elif any(_is_inside(one.box_px, box) for box in truth.ignored_px):
                continue
            scores.append(one.score)
            hit.append(mine)
    return np.array(scores, np.float64), np.array(hit, bool)


def bound_keypoints(px: Floats) -> Floats:
    """(4,) x0, y0, x1, y1 around the known ones of (J, 2)."""
    known = px[np.isfinite(px).all(-1)]
    return np.concatenate([known.min(0) - 0.5, known.max(0) + 0.5]).astype(np.float32)


def _count_hands(labels: Sequence[FrameLabels]) -> int:
    return sum(len(frame.keypoints_px) for frame in labels)


def _measure_coco(
    found: Sequence[Sequence[Found]],
    labels: Sequence[FrameLabels],
    kind: str,
    sigmas: Sequence[float],
) -> list[float]:
    """COCO's ten numbers of `keypoints` or of `bbox`. Raises BadInput as `measure_precision`."""
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError:
        raise BadInput(
            "average precision needs faster-coco-eval: pip install 'handloom[train]'"
        ) from None
    if not _count_hands(labels):
        return [float("nan")] * 10
    detections = [_describe_found(image, one) for image, frame in enumerate(found) for one in frame]
    if not detections:
        return [0.0] * 10
    # It tells of its progress on the standard output.
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(_describe_labels(labels))
        evaluation = COCOeval_faster(
            truth, truth.loadRes(detections), kind, kpt_oks_sigmas=list(sigmas)
        )
        evaluation.params.maxDets = [MOST] if kind == "keypoints" else [1, 10, MOST]
        evaluation.params.areaRng = [[0, 1e10]] * len(evaluation.params.areaRng)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats[:10]]


def _is_inside(box: Floats, region: Floats) -> bool:
    """Whether most of a box lies in a region."""
    inner = np.minimum(box[2:], region[2:]) - np.maximum(box[:2], region[:2])
    area = float(np.prod(box[2:] - box[:2]))
    return float(np.prod(np.maximum(inner, 0))) >= OVERLAP * area


def _describe_found(image: int, one: Found) -> dict[str, Any]:
    x0, y0, x1, y1 = one.box_px.tolist()
    said: dict[str, Any] = {
        "image_id": image,
        "category_id": 1,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "score": float(one.score),
    }
    if len(one.keypoints_px):
        triples = np.concatenate([one.keypoints_px, one.scores[:, None]], 1)
        said["keypoints"] = triples.astype(float).ravel().tolist()
    return said


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
