"""Annotation files as COCO and CrowdPose have them (cocodataset.org, "Data format"): persons, or
hands, with keypoints in pictures.

Whoever is there without keypoints, and every crowd, is a region of which nothing is known.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.errors import BadInput
from train_tiny.persons.joint_layout import JointLayout, lay_out_joints
from train_tiny.persons.json_stream import read_lists
from train_tiny.persons.regions import Region, read_region

Floats = NDArray[np.float32]

_SIDES: Final = {"left": 0.0, "right": 1.0}


@dataclass(eq=False)
class Picture:
    """A picture and whoever is in it."""

    number: int
    """Its id."""
    file: str
    width: int
    height: int
    keypoints: list[Floats] = field(default_factory=list)
    """(J, 3) of each one: x, y of pixels, whole numbers their centres, and what is known of it:
    0 nothing, 1 hidden, 2 seen."""
    right: list[float] = field(default_factory=list)
    """1 for a right hand, 0 for a left one, NaN for anything else."""
    unknown: list[Region] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Annotations:
    """What a file says."""

    path: Path
    pictures: list[Picture]
    """In the order of their ids."""
    layout: JointLayout


def read_annotations(path: Path) -> Annotations:
    """Read and check a file of keypoint annotations, element by element.

    Categories with keypoints must all have the same; those without are left out. Pictures of
    nobody stay: they are background. Raises BadInput, naming the file and the element, for what
    cannot be.
    """
    pictures: dict[Any, Picture] = {}
    categories: dict[Any, dict[str, Any]] = {}
    waiting: list[dict[str, Any]] = []
    reader = _Reader(path)
    for key, value in read_lists(path):
        if key == "images":
            made = reader.read_picture(value)
            if made.number in pictures:
                raise BadInput(f"{path}: two images have the id {made.number}")
            pictures[made.number] = made
        elif key == "categories":
            reader.check_category(value)
            categories[value["id"]] = value
        elif key == "annotations":
            # Nothing says that pictures come first.
            waiting.append(reader.shorten(value))
    if not pictures or not categories:
        missing = "images" if not pictures else "categories"
        raise BadInput(f'{path} has no "{missing}": is it a file of COCO annotations?')
    layout = _lay_out(path, categories, waiting)
    for one in waiting:
        reader.add(one, pictures, categories, len(layout.names))
    return Annotations(path, [pictures[n] for n in sorted(pictures)], layout)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self, value: Any, what: str, *names: str) -> None:
        if not isinstance(value, dict):
            raise BadInput(f"{self._path}: {what} must be an object, got {str(value)[:40]!r}")
        for name in names:
            if name not in value:
                raise BadInput(f'{self._path}: {what} {value.get("id", "?")} has no "{name}"')

    def check_category(self, value: Any) -> None:
        self.check(value, "category", "id")
        names = value.get("keypoints") or []
        named = isinstance(names, list) and all(isinstance(n, str) for n in names)
        if not _is_whole(value["id"]) or not named:
            raise BadInput(
                f"{self._path}: category {value['id']} must have a whole number for an id, and"
                f" names for keypoints, got {names}"
            )

    def read_picture(self, value: Any) -> Picture:
        self.check(value, "image", "id", "file_name", "width", "height")
        width, height, file = value["width"], value["height"], value["file_name"]
        good = isinstance(file, str) and _is_whole(value["id"])
        if not good or not all(_is_whole(n) and 0 < n < 1 << 16 for n in (width, height)):
            raise BadInput(
                f"{self._path}: image {value['id']} must have a whole number for an id, a name of a"
                f" file and a size, got {file!r} of {width} x {height}"
            )
        return Picture(value["id"], file, width, height)

    def shorten(self, value: Any) -> dict[str, Any]:
        """What is needed of an annotation."""
        self.check(value, "annotation", "image_id", "category_id")
        names = ("id", "image_id", "category_id", "iscrowd")
        out = {name: value.get(name) for name in names}
        points = value.get("keypoints")
        if points is not None:
            try:
                with np.errstate(over="ignore"):  # what is infinite then is told later
                    out["keypoints"] = np.asarray(points, np.float32).reshape(-1, 3)
            except (ValueError, TypeError, OverflowError):
                raise self._complain(value, "keypoints must be triples of numbers") from None
        if out["iscrowd"] or points is None or not out["keypoints"][:, 2].any():
            out["region"] = self._read_region(value)
        return out

    def add(
        self,
        one: dict[str, Any],
        pictures: dict[Any, Picture],
        categories: dict[Any, dict[str, Any]],
        joints: int,
    ) -> None:
        """Put an annotation into its picture."""
        for name, known in (("image", pictures), ("category", categories)):
            number = one[f"{name}_id"]
            if not _is_whole(number) or number not in known:
                raise self._complain(one, f"there is no {name} {number}")
        picture, category = pictures[one["image_id"]], categories[one["category_id"]]
        if "region" in one:
            if one["region"] is not None and ("keypoints" in one or _is_keyed(category)):
                picture.unknown.append(one["region"])
            return
        points = one["keypoints"]
        if len(points) != joints:
            raise self._complain(one, f"{joints} keypoints were expected, got {len(points)}")
        if not np.isfinite(points).all() or not np.isin(points[:, 2], (0, 1, 2)).all():
            raise self._complain(one, "keypoints must be x, y and a visibility of 0, 1 or 2")
        picture.keypoints.append(points)
        name = str(category.get("name", "")).lower()
        side = next((v for s, v in _SIDES.items() if s in name), float("nan"))
        picture.right.append(side)

    def _read_region(self, value: dict[str, Any]) -> Region | None:
        try:
            return read_region(value)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            text = f"segmentation and bbox cannot be read ({error})"
            raise self._complain(value, text) from None

    def _complain(self, value: dict[str, Any], text: str) -> BadInput:
        return BadInput(f"{self._path}: annotation {value.get('id', '?')}: {text}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_keyed(category: dict[str, Any]) -> bool:
    return bool(category.get("keypoints")) or str(category.get("name")) == "person"


def _lay_out(
    path: Path, categories: dict[Any, dict[str, Any]], annotations: list[dict[str, Any]]
) -> JointLayout:
    named = {tuple(c["keypoints"]) for c in categories.values() if c.get("keypoints")}
    if len(named) > 1:
        raise BadInput(f"{path}: its categories have different keypoints; one kind is needed")
    count = next((len(a["keypoints"]) for a in annotations if "keypoints" in a), 0)
    if not named and not count:
        raise BadInput(f"{path} has no keypoints: is it a file of boxes or masks?")
    try:
        return lay_out_joints(next(iter(named), ()), count)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None
