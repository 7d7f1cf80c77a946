"""Pictures of persons for LitePose: files of annotations as a source of samples.

coco:ANNOTATIONS.json@IMAGES    a file as COCO or CrowdPose has it, and the pictures' folder
coco:ANNOTATIONS.json           the same, pictures beside it
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from augment.sensing import Sensing
from frames.errors import BadInput
from frames.store.pictures import is_measurable, measure_picture
from frames.store.shard import ROW_GROUP
from train_tiny.loading.order import Blocks, order_crops
from train_tiny.loading.packing import allocate
from train_tiny.loading.rounds import Packed
from train_tiny.loading.sources import PASSES
from train_tiny.persons.annotations import Annotations, Picture, read_annotations
from train_tiny.persons.joint_layout import JointLayout
from train_tiny.persons.views import PersonGeometry, View, draw_warp, view_picture
from train_tiny.specs import COCO, split_spec

MOST: Final = 30
"""Persons of a picture that are taught; smaller ones beyond that are left unknown."""


@dataclass(frozen=True, eq=False)
class TakenPicture:
    """A picture that is asked for; `train_tiny.loading.sources.Taken` of such a source."""

    picture: Picture
    epoch: int


class PersonSource:
    """A file of annotations and its pictures; `train_tiny.loading.sources.Source`."""

    def __init__(self, spec: str) -> None:
        """Raises BadInput for a file that cannot be read, and one without a picture."""
        self._spec = spec
        file, folder = split_spec(spec)
        found: Annotations = read_annotations(file)
        self.pictures, self.layout = found.pictures, found.layout
        self.folder = folder
        count = len(self.pictures)
        bounds = np.append(np.arange(0, count, ROW_GROUP), count)
        self._blocks = Blocks(np.arange(count), bounds)

    @property
    def name(self) -> str:
        """What was asked for."""
        return self._spec

    @property
    def crops(self) -> int:
        """Pictures."""
        return len(self.pictures)

    @property
    def sensing(self) -> Sensing | None:
        """Colour has no sensor model."""
        return None

    def take(self, seed: int, epoch: int, first: int, stop: int) -> Iterator[TakenPicture]:
        """See `train_tiny.loading.sources.StoredSource.take`."""
        while first < stop:
            turn, begin = divmod(first, self.crops)
            end = min(self.crops, begin + stop - first)
            key = epoch * PASSES + turn
            for place in order_crops(self._blocks, seed, key, begin, end):
                yield TakenPicture(self.pictures[place], key)
            first += end - begin

    def take_in_order(self, first: int, stop: int) -> Iterator[TakenPicture]:
        """Pictures first, ..., stop - 1 by their ids."""
        yield from (TakenPicture(picture, 0) for picture in self.pictures[first:stop])


@dataclass(frozen=True)
class Persons:
    """Views of pictures as samples of a round; `train_tiny.loading.rounds.Kind`."""

    layout: JointLayout
    size_px: tuple[int, int]
    geometry: PersonGeometry | None
    seed: int

    @property
    def views(self) -> int:
        """One of each."""
        return 1

    def allocate(self, count: int, shared: bool) -> Packed:
        """Room for `count` pictures."""
        width, height = self.size_px
        joints = len(self.layout.names)
        shapes: dict[str, tuple[tuple[int, ...], torch.dtype]] = {
            "image": ((3, height, width), torch.uint8),
            "keypoints_px": ((MOST, joints, 2), torch.float32),
            "visible": ((MOST, joints), torch.float32),
            "right": ((MOST,), torch.float32),
            "ignored_px": ((MOST, 4), torch.float32),
            "unknown": ((height, width), torch.bool),
        }
        return allocate(count, shapes, shared)

    def make(
        self, count: int, taken: Iterator[TakenPicture], source: PersonSource, sprites: Any
    ) -> Iterator[View]:
        """`count` views."""
        for one in islice(taken, count):
            yield self.view(one, source)

    def view(self, one: TakenPicture, source: PersonSource) -> View:
        """One view. Raises BadInput for a picture that cannot be read, or is of another size."""
        picture = one.picture
        image = read_picture(source.folder / picture.file)
        if image.shape[:2] != (picture.height, picture.width):
            raise BadInput(
                f"{source.folder / picture.file} has {image.shape[1]} x {image.shape[0]} pixels,"
                f" {picture.width} x {picture.height} by its annotations"
            )
        warp, flip = draw_warp(
            *((picture.width, picture.height), self.size_px, self.geometry, self.seed),
            *(picture.number, one.epoch),
        )
        return view_picture(image, picture, self.layout, warp, flip, self.size_px)

    def put(self, arrays: dict[str, NDArray[Any]], place: int, one: View) -> None:
        """Write a view; the largest persons first."""
        for name in ("keypoints_px", "visible", "right", "ignored_px"):
            arrays[name][place] = np.nan
        arrays["image"][place] = np.moveaxis(one.image, 2, 0)
        arrays["unknown"][place] = one.unknown
        labelled = np.isfinite(one.keypoints_px[..., 0])
        there = np.flatnonzero(labelled.any(1))
        if not len(there):
            return
        low, high = np.nanmin(one.keypoints_px[there], 1), np.nanmax(one.keypoints_px[there], 1)
        order = np.argsort(-np.prod(high - low + 1, axis=1), kind="stable")
        mine, rest = there[order[:MOST]], order[MOST : 2 * MOST]
        count = len(mine)
        arrays["keypoints_px"][place, :count] = one.keypoints_px[mine]
        arrays["visible"][place, :count] = one.visible[mine]
        arrays["right"][place, :count] = one.right[mine]
        arrays["ignored_px"][place, : len(rest)] = np.concatenate([low[rest], high[rest]], 1)


def open_person_sources(specs: Sequence[str]) -> tuple[PersonSource, ...]:
    """All of one kind of joints. Raises BadInput for others."""
    sources = tuple(PersonSource(spec) for spec in specs)
    first = sources[0]
    for other in sources[1:]:
        if other.layout != first.layout:
            raise BadInput(
                f"{other.name} has {len(other.layout.names)} joints that are not the"
                f" {len(first.layout.names)} of {first.name}: train on one kind at a time"
            )
    return sources


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) RGB. Raises BadInput for what is no picture."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise BadInput(
            f"cannot read the picture {path}: {error.strerror}; name its folder as"
            f" {COCO}ANNOTATIONS.json@IMAGES"
        ) from None
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        if is_measurable(data[:8].tobytes()):
            measure_picture(data.data)
        found = cv2.imdecode(data, flags) if len(data) else None
    except (BadInput, cv2.error, MemoryError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path} is no picture that can be read: {reason}") from None
    if found is None:
        raise BadInput(f"{path} is no picture that can be read, or was cut short")
    return np.asarray(found[..., ::-1], np.uint8)
