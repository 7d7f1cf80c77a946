"""What a person drew, read with suspicion.

Label Studio stores whatever it is sent, and people delete, copy and relabel. The side is read from
the label and joints by their vertices' names; what cannot be understood is a `Doubt` with its
reason, for the review list. Nothing is guessed and nothing stops a pull.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.skeleton import KEYPOINT_NAMES, KEYPOINTS
from labeling.interface import (
    HAND,
    LABELS,
    NOTE,
    OCCLUDED,
    OTHER_PERSON,
    OUTSIDE,
    OWNER,
    QUALITIES,
    QUALITY,
    UNSURE,
    UNUSABLE,
)
from labeling.pixels import to_pixels
from labeling.proposals import find_spare_joints, is_spare

PLACED: Final = 0
"""Marks of a joint: seen at its place."""
HIDDEN: Final = 1
"""At its place, behind something."""
BEYOND: Final = 2
"""Outside the image."""
DELETED: Final = 3
"""Nothing can be said of it."""
MARK_NAMES: Final = ("placed", "occluded", "outside", "deleted")

_JOINTS: Final = {name: k for k, name in enumerate(KEYPOINT_NAMES)}
_MOST_SECONDS: Final = 1e9
_BORDER_PERCENT: Final = 1e-6
"""How far rounding may put a joint that was drawn on the border beyond it."""

_PER_REGION: Final = (OCCLUDED, OUTSIDE, OWNER)


class Doubt(Exception):
    """An answer that cannot be used as it is; the message says why."""


@dataclass(frozen=True, eq=False)
class DrawnHand:
    """One hand as one annotator left it."""

    side: str
    wearer: bool
    keypoints_px: NDArray[np.float64]
    """(21, 2); NaN for joints deleted or outside."""

    marks: NDArray[np.uint8]
    """(21,) see `MARK_NAMES`."""


@dataclass(frozen=True, eq=False)
class Answer:
    """One annotation."""

    number: int
    annotator: int
    updated_at: str
    skipped: bool
    ground_truth: bool
    lead_time_s: float
    """How long it took; NaN if unknown."""

    hands: tuple[DrawnHand, ...]
    unusable: bool
    unsure: bool
    note: str


def read_answer(annotation: Mapping[str, Any], camera: Camera) -> Answer:
    """An annotation of a frame of this camera. Raises Doubt for what cannot be understood."""
    number = annotation.get("id")
    if not isinstance(number, int):
        raise Doubt(f"an annotation without a number: {_show(number)}")
    skipped = annotation.get("was_cancelled") is True
    result = annotation.get("result")
    if not isinstance(result, list):
        raise Doubt(f"its result is no list: {_show(result)}")
    regions: dict[str, DrawnHand] = {}
    qualities: set[str] = set()
    note = ""
    if not skipped:
        items = [_check_item(item) for item in result]
        for item in items:
            if item["from_name"] == HAND:
                name = item["id"]
                if name in regions:
                    raise Doubt(f"two regions with the id {_show(name)}")
                regions[name] = _read_hand(item, camera)
        chosen = _read_marks([i for i in items if i["from_name"] in _PER_REGION], regions)
        regions = {name: _mark(h, chosen.get(name, {}), camera) for name, h in regions.items()}
        for item in items:
            if item["from_name"] == QUALITY:
                qualities |= _read_choices(item, QUALITIES)
            elif item["from_name"] == NOTE:
                note = _read_text(item)
    hands = tuple(h for h in regions.values() if not is_spare(h.side, h.keypoints_px, camera))
    for hand in hands:
        _check_spare_joints(hand, camera)
    for wearer in (True, False):
        sides = [h.side for h in hands if h.wearer == wearer]
        for side in ("left", "right"):
            if sides.count(side) > 1:
                whose = "of the wearer" if wearer else "of other people"
                raise Doubt(f"{sides.count(side)} {side} hands {whose}")
    return Answer(
        number,
        _read_annotator(annotation.get("completed_by")),
        str(annotation.get("updated_at") or ""),
        skipped,
        annotation.get("ground_truth") is True,
        read_seconds(annotation.get("lead_time")),
        hands,
        UNUSABLE in qualities,
        UNSURE in qualities,
        note,
    )


def read_seconds(value: Any) -> float:
    """How long an answer took, as Label Studio says; NaN for what is no time, or no person's."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 <= value <= _MOST_SECONDS else math.nan


def _check_item(item: Any) -> Mapping[str, Any]:
    known = (HAND, *_PER_REGION, QUALITY, NOTE)
    if not isinstance(item, Mapping) or not isinstance(item.get("value"), Mapping):
        raise Doubt(f"a region is none: {_show(item)}")
    if item.get("from_name") not in known:
        raise Doubt(f"a region of an unknown kind: {_show(item.get('from_name'))}")
    if not isinstance(item.get("id"), str):
        raise Doubt(f"a region's id is no text: {_show(item.get('id'))}")
    return item


def _read_hand(item: Mapping[str, Any], camera: Camera) -> DrawnHand:
    size = (item.get("original_width"), item.get("original_height"))
    if size != (camera.width, camera.height):
        raise Doubt(
            f"drawn on an image of {_show(size[0])} x {_show(size[1])}, the depth has"
            f" {camera.width} x {camera.height}"
        )
    if item.get("image_rotation") not in (0, None):
        raise Doubt(f"the image was turned by {_show(item['image_rotation'])} degrees")
    labels = item["value"].get("vectorlabels")
    if not isinstance(labels, list) or len(labels) != 1 or labels[0] not in tuple(LABELS):
        raise Doubt(f"a hand must be {' or '.join(LABELS)}, got {_show(labels)}")
    label = labels[0]
    vertices = item["value"].get("vertices")
    if not isinstance(vertices, list):
        raise Doubt(f"{label} hand without joints: {_show(vertices)}")
    percent = np.full((KEYPOINTS, 2), np.nan)
    for vertex in vertices:
        name = vertex.get("id") if isinstance(vertex, Mapping) else None
        if not isinstance(name, str) or name not in _JOINTS:
            raise Doubt(
                f"{label} hand has a joint that is none of the 21 ({_show(name)}, {len(vertices)}"
                " vertices): was it drawn anew?"
            )
        k = _JOINTS[name]
        if np.isfinite(percent[k]).any():
            raise Doubt(f"{label} hand has the joint {name} twice")
        place = (vertex.get("x"), vertex.get("y"))
        for axis, value in zip("xy", place, strict=True):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise Doubt(f"{label} {name}: {axis} is no number: {_show(value)}")
            if not abs(value) <= 1e6:  # an integer may be too large for math.isfinite
                raise Doubt(f"{label} {name}: {axis} = {_show(value)}")
        percent[k] = place
    marks = np.where(np.isfinite(percent[:, 0]), PLACED, DELETED).astype(np.uint8)
    px = to_pixels(percent, camera.width, camera.height)
    return DrawnHand(LABELS[label], True, px, marks)


def _read_marks(
    items: Sequence[Mapping[str, Any]], regions: Mapping[str, DrawnHand]
) -> dict[str, dict[str, set[str]]]:
    """What was chosen, by region and control."""
    found: dict[str, dict[str, set[str]]] = {}
    for item in items:
        if item["id"] not in regions:
            raise Doubt(f"marks ({item['from_name']}) of a hand that is not there")
        known = (OTHER_PERSON,) if item["from_name"] == OWNER else KEYPOINT_NAMES
        mine = found.setdefault(item["id"], {})
        if item["from_name"] in mine:
            raise Doubt(f"marks ({item['from_name']}) of one hand twice")
        mine[item["from_name"]] = _read_choices(item, known)
    return found


def _mark(hand: DrawnHand, chosen: Mapping[str, set[str]], camera: Camera) -> DrawnHand:
    marks, px = hand.marks.copy(), hand.keypoints_px.copy()
    there = marks == PLACED
    for name in chosen.get(OCCLUDED, ()):
        if there[_JOINTS[name]]:
            marks[_JOINTS[name]] = HIDDEN
    for name in chosen.get(OUTSIDE, ()):
        if there[_JOINTS[name]]:
            marks[_JOINTS[name]] = BEYOND
    px[marks == BEYOND] = np.nan
    slack = _BORDER_PERCENT / 100.0 * max(camera.width, camera.height)
    limit = (camera.width - 0.5, camera.height - 0.5)
    with np.errstate(invalid="ignore"):
        out = ((px < -0.5 - slack) | (px > np.array(limit) + slack)).any(-1)
    if out.any():
        k = int(np.argmax(out))
        x, y = (px[k] + 0.5) / (camera.width, camera.height) * 100.0
        raise Doubt(
            f"{hand.side} {KEYPOINT_NAMES[k]} lies outside the image (x = {x:.6g} %, y = {y:.6g} %)"
            " and is not marked so"
        )
    # On the far border, where our pixel coordinates end, a joint is still in the last pixel.
    px = np.where(np.isfinite(px), np.clip(px, -0.5, np.nextafter(limit, 0.0)), px)
    return DrawnHand(hand.side, OTHER_PERSON not in chosen.get(OWNER, ()), px, marks)


def _check_spare_joints(hand: DrawnHand, camera: Camera) -> None:
    """A spare hand that was dragged in part only is no label."""
    left = find_spare_joints(hand.keypoints_px, camera)
    if left.sum() >= 3:
        raise Doubt(
            f"{int(left.sum())} joints of the {hand.side} hand still lie where the spare hand had"
            " them"
        )


def _read_choices(item: Mapping[str, Any], known: Sequence[str]) -> set[str]:
    choices = item["value"].get("choices")
    if not isinstance(choices, list):
        raise Doubt(f"{item['from_name']} is no list: {_show(choices)}")
    for choice in choices:
        if choice not in known:
            raise Doubt(f"{item['from_name']} has the unknown choice {_show(choice)}")
    return set(choices)


def _read_text(item: Mapping[str, Any]) -> str:
    text = item["value"].get("text")
    if isinstance(text, list):
        text = " ".join(str(t) for t in text)
    return str(text or "")


def _read_annotator(value: Any) -> int:
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, int) else -1


def _show(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
