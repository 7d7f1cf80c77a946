"""Tasks as they are sent: data, pre-annotations, and what must hold before they leave.

Label Studio checks nothing on import (it takes unknown labels, x = 140 and null), so we do.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np

from frames.camera import Camera
from frames.errors import BadInput
from frames.skeleton import KEYPOINT_NAMES, PARENTS
from labeling.interface import BESIDE, HAND, IMAGE, LABELS, OCCLUDED, OUTSIDE
from labeling.pixels import to_percent
from labeling.proposals import SEEN, Proposal, measure_certainty

UNSURE_BELOW: Final = 0.3
"""A joint with less confidence is named in its hand's note."""

KEY: Final = "frame_id"
"""Where a task's data name its frame: what makes a task ours, and one of its kind."""

_DATA_KEYS: Final = (KEY, "image", "caption", "depth_sha256", "dataset", "frame")
_LABEL_OF: Final = {side: label for label, side in LABELS.items()}


def build_prediction(
    proposals: Sequence[Proposal], camera: Camera, model_version: str
) -> dict[str, Any]:
    """A prediction of Label Studio: both hands as skeletons, their occluded and outside joints."""
    result: list[dict[str, Any]] = []
    for proposal in proposals:
        result += _build_region(proposal, camera)
    return {
        "model_version": model_version,
        "score": round(measure_certainty(proposals), 6),
        "result": result,
    }


def _build_region(proposal: Proposal, camera: Camera) -> list[dict[str, Any]]:
    width, height = camera.width, camera.height
    px = np.asarray(proposal.keypoints_px, np.float64)
    inside = camera.contains(px)
    known = np.asarray(np.isfinite(px).all(-1))
    # A joint beyond the border is drawn on it, and marked.
    clamped = np.clip(px, -0.5, (width - 0.5, height - 0.5))
    percent = to_percent(np.where(inside[:, None], px, clamped), width, height)
    vertices = []
    for k, name in enumerate(KEYPOINT_NAMES):
        if not known[k]:
            continue
        before = PARENTS[k]
        while before >= 0 and not known[before]:
            before = PARENTS[before]
        vertices.append(
            {
                "id": name,
                "x": float(percent[k, 0]),
                "y": float(percent[k, 1]),
                "prevPointId": None if before < 0 else KEYPOINT_NAMES[before],
                "isBezier": False,
            }
        )
    common = {
        "id": proposal.side,
        "to_name": IMAGE,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
    }
    value = {"vertices": vertices, "closed": False, "vectorlabels": [_LABEL_OF[proposal.side]]}
    region: dict[str, Any] = {
        **common,
        "type": "vectorlabels",
        "from_name": HAND,
        "score": round(float(proposal.score), 6),
        "value": value,
    }
    unsure = [
        f"{name} {proposal.confidence[k]:.2f}"
        for k, name in enumerate(KEYPOINT_NAMES)
        if known[k] and proposal.confidence[k] < UNSURE_BELOW
    ]
    if unsure and not proposal.spare:
        region["meta"] = {"text": ["unsure of " + ", ".join(unsure)]}
    regions = [region]
    marks = {
        OCCLUDED: known & inside & (proposal.likely_visible < SEEN),
        OUTSIDE: known & ~inside,
    }
    for name, marked in marks.items():
        if marked.any():
            chosen = [KEYPOINT_NAMES[k] for k in np.flatnonzero(marked)]
            regions.append(
                {**common, "type": "choices", "from_name": name, "value": {"choices": chosen}}
            )
    return regions


def mark_prediction(
    prediction: dict[str, Any], mark: str, sides: Collection[str]
) -> dict[str, Any]:
    """The prediction with a note on the hands of these sides, which annotators read."""
    result = []
    for item in prediction["result"]:
        if item["type"] == "vectorlabels" and item["id"] in sides:
            notes = [mark, *item.get("meta", {}).get("text", [])]
            item = {**item, "meta": {"text": notes}}
        result.append(item)
    return {**prediction, "result": result}


def find_mark(result: Any, beginning: str) -> str:
    """The first note of a result, as a server gave it, that begins like this; "" for none."""
    for item in result if isinstance(result, list) else []:
        meta = item.get("meta") if isinstance(item, Mapping) else None
        text = meta.get("text") if isinstance(meta, Mapping) else None
        for note in text if isinstance(text, list) else [text]:
            if isinstance(note, str) and note.startswith(beginning):
                return note
    return ""


def check_task(task: dict[str, Any], beside: tuple[str, ...]) -> None:
    """Raises BadInput, naming the frame, for a task that must not be sent."""
    data = task.get("data", {})
    key = data.get(KEY)
    if not isinstance(key, str) or not key:
        raise BadInput(f"a task has no {KEY}: {sorted(data)}")
    for name in (*_DATA_KEYS, *beside):
        if name not in data:
            raise BadInput(f"task of frame {key} lacks {name}")
    for name in ("image", *beside):
        if not isinstance(data[name], str) or not data[name]:
            raise BadInput(f"task of frame {key}: {name} must be an address, got {data[name]!r}")
    unknown = sorted(set(data) - {*_DATA_KEYS, *BESIDE})
    if unknown:
        raise BadInput(f"task of frame {key} has the unknown data {unknown[0]}")
    for prediction in task.get("predictions", []):
        check_prediction(prediction, key)


def check_prediction(prediction: dict[str, Any], key: str) -> None:
    """Raises BadInput, naming the frame, for a prediction that must not be sent."""
    where = f"prediction of frame {key}"
    if not prediction.get("model_version"):
        raise BadInput(f"{where} has no model_version")
    _check_share(prediction.get("score"), f"{where}: score")
    hands: dict[str, str] = {}
    for item in prediction["result"]:
        if item["type"] != "vectorlabels":
            if item["id"] not in hands:
                raise BadInput(f"{where}: marks of no hand ({item['id']!r})")
            wrong = set(item["value"]["choices"]) - set(KEYPOINT_NAMES)
            if wrong or item["from_name"] not in (OCCLUDED, OUTSIDE):
                raise BadInput(f"{where}: unknown mark {sorted(wrong) or item['from_name']}")
            continue
        labels = item["value"]["vectorlabels"]
        if len(labels) != 1 or labels[0] not in LABELS:
            raise BadInput(f"{where}: a hand must be one of {', '.join(LABELS)}, got {labels}")
        if item["id"] in hands or labels[0] in hands.values():
            raise BadInput(f"{where}: two hands {labels[0]}")
        hands[item["id"]] = labels[0]
        _check_share(item["score"], f"{where}: score of hand {labels[0]}")
        names = [v["id"] for v in item["value"]["vertices"]]
        if len(set(names)) != len(names) or not set(names) <= set(KEYPOINT_NAMES):
            raise BadInput(f"{where}: joints of {labels[0]} are not the 21: {names}")
        for vertex in item["value"]["vertices"]:
            for axis in "xy":
                value = vertex[axis]
                if not isinstance(value, float) or not 0.0 <= value <= 100.0:
                    raise BadInput(
                        f"{where}: {axis} of {labels[0]} {vertex['id']} must be within 0..100 %,"
                        f" got {value!r}"
                    )


def _check_share(value: Any, what: str) -> None:
    if not isinstance(value, float) or not math.isfinite(value) or not 0 <= value <= 1:
        raise BadInput(f"{what} must be within 0..1, got {value!r}")
