"""Hands from a file of COCO keypoints, streamed and checked.

Nothing is made up: a hand's side must be said, a keypoint of flag 0 has no place, a crowd is no
hand.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from labeling.importing.keypoint_names import match_keypoints
from train_tiny.persons.json_stream import read_lists

SIDES: Final = ("left", "right")
_MOST_PIXELS: Final = 1 << 16


@dataclass(frozen=True, eq=False)
class CocoHand:
    """One annotation."""

    side: str
    wearer: bool
    keypoints: NDArray[np.float32]
    """(21, 3) x, y, flag: 0 not labelled, 1 hidden, 2 seen; whole numbers are pixel centres."""
    box: NDArray[np.float32]
    """(4,) `bbox` as x0, y0, x1, y1 of ours: -0.5 is the picture's edge; NaN for none."""
    visible_box: NDArray[np.float32]
    """(4,) `bbox_visible` likewise: then `box` goes around what is hidden too."""


@dataclass(eq=False)
class CocoImage:
    """A picture and its hands."""

    number: int
    file: str
    width: int
    height: int
    depth_scale: float
    """Steps a metre; 0 if the file does not say."""
    camera: dict[str, Any] | None
    """As a camera file has it, if the file says."""
    hands: list[CocoHand] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class CocoFile:
    """What a file says of hands."""

    images: list[CocoImage]
    """In the order of their ids, those without hands too."""
    crowds: int
    """Annotations that were left out: nobody can say whose keypoints they have."""


def read_coco(path: Path, side: str = "") -> CocoFile:
    """Read and check a file of annotations.

    side: of hands whose category and annotation do not say. Raises BadInput, naming file and
    element, for what cannot be.
    """
    if side not in ("", *SIDES):
        raise BadInput(f"side must be left or right, got {side!r}")
    images: dict[int, CocoImage] = {}
    categories: dict[Any, dict[str, Any]] = {}
    waiting: list[dict[str, Any]] = []
    for key, value in read_lists(path):
        if key not in ("images", "categories", "annotations"):
            continue
        if not isinstance(value, dict):
            raise BadInput(f"{path}: {key} must be objects, got {str(value)[:40]!r}")
        if key == "images":
            image = _read_image(path, value)
            if image.number in images:
                raise BadInput(f"{path}: two images have the id {image.number}")
            images[image.number] = image
        elif key == "categories":
            categories[str(value.get("id"))] = value
        else:  # nothing says that pictures and categories come first
            waiting.append(_shorten(path, value))
    if not images or not categories:
        missing = "categories" if images else "images"
        raise BadInput(f'{path} has no "{missing}": is it a file of COCO annotations?')
    places: dict[str, list[int]] = {}
    crowds = 0
    for one in waiting:
        crowds += bool(one["iscrowd"])
        if not one["iscrowd"]:
            _add(path, one, images, categories, places, side)
    return CocoFile([images[n] for n in sorted(images)], crowds)


def _read_image(path: Path, value: dict[str, Any]) -> CocoImage:
    number: Any = value.get("id")
    file = value.get("file_name")
    size: list[Any] = [value.get("width"), value.get("height")]
    good = _is_whole(number) and isinstance(file, str) and file
    if not good or not all(_is_whole(n) and 0 < n < _MOST_PIXELS for n in size):
        raise BadInput(
            f"{path}: image {number} must have a whole number for an id, a name of a file and a"
            f" size, got {file!r} of {size[0]} x {size[1]}"
        )
    scale: Any = value.get("depth_scale", 0)
    if not isinstance(scale, int | float) or not 0 <= scale < 1e9:
        raise BadInput(f"{path}: depth_scale of image {number} must be > 0, got {scale!r}")
    camera = value.get("camera")
    camera = camera if isinstance(camera, dict) else None
    return CocoImage(int(number), str(file), size[0], size[1], float(scale), camera)


def _shorten(path: Path, value: dict[str, Any]) -> dict[str, Any]:
    """What is needed of an annotation, its numbers as arrays."""
    names = ("id", "image_id", "category_id", "iscrowd", "side", "handedness", "wearer")
    out: dict[str, Any] = {name: value.get(name) for name in names}
    try:
        with np.errstate(over="ignore"):  # what is infinite then is told below
            points = np.asarray(value.get("keypoints") or [], np.float32).reshape(-1, 3)
            boxes = [_read_box(value.get(name)) for name in ("bbox", "bbox_visible")]
    except (ValueError, TypeError, OverflowError):
        raise _complain(path, value, "keypoints and boxes must be lists of numbers") from None
    if not np.isfinite(points).all() or not np.isin(points[:, 2], (0, 1, 2)).all():
        raise _complain(path, value, "keypoints must be x, y and a visibility of 0, 1 or 2")
    return out | {"keypoints": points, "boxes": boxes}


def _read_box(box: Any) -> NDArray[np.float32]:
    """x, y, width, height from the corner -> x0, y0, x1, y1 of pixels whose centres are whole."""
    if box is None:
        return np.full(4, np.nan, np.float32)
    x, y, width, height = (float(n) for n in box)
    return np.array([x - 0.5, y - 0.5, x + width - 0.5, y + height - 0.5], np.float32)


def _add(
    path: Path,
    one: dict[str, Any],
    images: dict[int, CocoImage],
    categories: dict[Any, dict[str, Any]],
    places: dict[str, list[int]],
    side: str,
) -> None:
    """Put an annotation into its picture."""
    image = images.get(one["image_id"]) if _is_whole(one["image_id"]) else None
    if image is None:
        raise _complain(path, one, f"there is no image {one['image_id']}")
    key = str(one["category_id"])
    if key not in categories:
        raise _complain(path, one, f"there is no category {key}")
    points = one["keypoints"]
    box, visible = one["boxes"]
    if not len(points) and np.isnan(box).any():
        return
    if len(points):
        if key not in places:
            names = categories[key].get("keypoints") or ()
            places[key] = match_keypoints(names, len(points), path)
        if len(points) <= max(places[key]):
            raise _complain(path, one, f"its category has more keypoints than its {len(points)}")
        points = points[places[key]]
    else:
        points = np.zeros((21, 3), np.float32)
    found = _find_side(one, str(categories[key].get("name", ""))) or side
    if not found:
        raise _complain(
            path,
            one,
            'nothing says whether it is a left or a right hand: name its category so, add "side",'
            " or give --side",
        )
    wearer = one["wearer"] is not False
    image.hands.append(CocoHand(found, wearer, points, box, visible))


def _find_side(one: dict[str, Any], category: str) -> str:
    for text in (one["side"], one["handedness"], category):
        found = [s for s in SIDES if s in str(text).lower()]
        if len(found) == 1:
            return found[0]
    return ""


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _complain(path: Path, value: dict[str, Any], text: str) -> BadInput:
    return BadInput(f"{path}: annotation {value.get('id', '?')}: {text}")
