"""A file of COCO keypoints and its depth images as a dataset: shards filled with what is read."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from augment.calibrate.capture_files import read_file
from augment.calibrate.reading import find_camera
from frames.camera import Camera
from frames.camera_file import build_camera
from frames.errors import BadInput
from frames.record import Frame
from frames.store.frame_table import build_frame_table
from labeling.capture.recording import check_size
from labeling.capture.units import choose_units
from labeling.importing.coco_file import CocoFile, CocoImage, read_coco
from labeling.importing.imported_hand import label_imported

FRAMES_PER_SHARD: Final = 1024
_TOGETHER: Final = 32
"""Frames in memory at a time."""


@dataclass(frozen=True)
class CocoImport:
    """A dataset that is to be made; a `frames.engines.job.Job`."""

    annotations: Path
    images: Path
    """The folder that `file_name` is relative to."""
    camera: str = ""
    """Preset or file; "" for what the annotations say of each picture."""
    depth_scale: float = 0.0
    """Steps a metre; 0 for what the annotations or the camera's file say."""
    side: str = ""
    """Of hands of which nothing says it."""
    frames: int = 0
    """Of the whole dataset: `plan_import` counts them."""
    frames_per_shard: int = FRAMES_PER_SHARD

    def build(self) -> "CocoMaker":
        """See `Job`. Raises BadInput for annotations that cannot be read."""
        return CocoMaker(self, read_coco(self.annotations, self.side))


class CocoMaker:
    """Makes the frames of one dataset; a `frames.engines.job.Maker`."""

    def __init__(self, job: CocoImport, file: CocoFile) -> None:
        """Raises BadInput where a picture's camera or depth scale is not known."""
        self._job, self._file = job, file
        camera, stated = (None, 0.0)
        if job.camera:
            camera, stated = find_camera(job.images, job.camera)
        self._lenses: dict[str, Camera] = {}
        self._sights = [
            (self._choose_camera(image, camera), job.depth_scale or image.depth_scale or stated)
            for image in file.images
        ]

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(self._file.images)

    @property
    def hands(self) -> int:
        """How many hands are in them."""
        return sum(len(image.hands) for image in self._file.images)

    @property
    def crowds(self) -> int:
        """See `CocoFile`."""
        return self._file.crowds

    def describe(self) -> dict[str, Any]:
        """See `Maker`."""
        from synth.description import handloom_version

        job = self._job
        meta: dict[str, Any] = {
            "title": f"Labelled depth: {job.annotations.stem}",
            "frames": job.frames,
            "frames_per_shard": job.frames_per_shard,
            "source": "real",
            "generator_version": handloom_version(),
            "imported": {
                "kind": "COCO keypoints",
                "sha256": hash_file(job.annotations),
                "hands": self.hands,
                "crowds_left_out": self.crowds,
            },
        }
        cameras = {id(camera): camera for camera, _ in self._sights}
        if len(cameras) == 1:
            meta["camera"] = next(iter(cameras.values())).to_dict()
        scales = {scale for _, scale in self._sights}
        if len(scales) == 1:
            meta["depth_scale"] = scales.pop()
        return meta

    def make_tables(self, first: int, stop: int) -> Iterator[pa.Table]:
        """See `Maker`. Raises BadInput for pictures that cannot be read."""
        for start in range(first, stop, _TOGETHER):
            numbers = range(start, min(start + _TOGETHER, stop))
            yield build_frame_table([self._make_frame(n) for n in numbers])

    def _make_frame(self, number: int) -> Frame:
        image, (camera, scale) = self._file.images[number], self._sights[number]
        path = self._job.images / image.file
        if not path.is_file():
            raise BadInput(f"{path} is missing: images are looked for in {self._job.images}")
        values = read_file(path)[0]
        check_size(values.shape[1], values.shape[0], camera, str(path))
        units = choose_units(values.dtype, scale, str(path))
        depth = units.store(values, str(path))
        depth_m = depth.astype(np.float32) / np.float32(units.depth_scale)
        return Frame(
            frame_id=number,
            source="real",
            camera=camera,
            T_world_from_camera=None,
            depth_scale=units.depth_scale,
            depth=depth,
            clean_depth=None,
            parts=None,
            invalid=None,
            sensor=None,
            sensor_seed=None,
            hands=tuple(
                label_imported(hand, depth_m, camera, k) for k, hand in enumerate(image.hands)
            ),
            objects=(),
            origin=image.file,
        )

    def _choose_camera(self, image: CocoImage, given: Camera | None) -> Camera:
        path = self._job.annotations
        if given is None and image.camera is None:
            raise BadInput(
                f"{path} does not say which camera took {image.file}: give --camera FILE"
                " (docs/conventions.md)"
            )
        if given is None:
            text = repr(image.camera)
            if text not in self._lenses:
                where = f" ({path}, image {image.number})"
                self._lenses[text] = _build_camera(image.camera or {}, where)
            given = self._lenses[text]
        check_size(image.width, image.height, given, f"{path}, image {image.number}")
        return given


def plan_import(job: CocoImport) -> CocoImport:
    """The job with its frames counted. Raises BadInput for what cannot be read."""
    if not job.annotations.is_file():
        raise BadInput(f"cannot read {job.annotations}: no such file")
    if not job.images.is_dir():
        raise BadInput(f"{job.images} is no folder of images")
    if not 0 <= job.depth_scale < float("inf"):
        raise BadInput(f"depth-scale must be > 0 steps a metre, got {job.depth_scale}")
    return replace(job, frames=job.build().count)


def _build_camera(values: dict[str, Any], where: str) -> Camera:
    missing = [k for k in ("model", "width", "height", "fx", "fy", "cx", "cy") if k not in values]
    if missing:
        raise BadInput(f"camera lacks {', '.join(missing)}{where}")
    return build_camera(values, where)


def hash_file(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
