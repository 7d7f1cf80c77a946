"""A recording as a dataset: `frames.engines.filling` with frames read in place of rendered ones."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from frames.errors import BadInput
from frames.store.codec import encode_reading
from frames.store.schema import HAND_COLUMNS, OBJECT_COLUMNS, Column, table_from_columns
from labeling.capture.opening import open_recording
from labeling.capture.recording import NANO, Recording, Request
from labeling.capture.selection import Selection

FRAMES_PER_SHARD: Final = 256
ROW_GROUP: Final = 16
"""Frames a row group: colour pictures are large, and one frame of a group costs all of it."""

_CHUNK: Final = 1 << 22


@dataclass(frozen=True)
class CaptureJob:
    """A dataset that is to be made of a recording."""

    request: Request
    selection: Selection
    positions: tuple[int, ...]
    """Which frames of the recording, growing."""

    digest: str
    """SHA-256 of the recording's files (`hash_recording`)."""

    title: str
    frames_per_shard: int = FRAMES_PER_SHARD

    @property
    def frames(self) -> int:
        """Of the whole dataset."""
        return len(self.positions)

    def build(self) -> "CaptureMaker":
        """What reads it. Raises BadInput if the recording cannot be opened."""
        return CaptureMaker(self, open_recording(self.request))


class CaptureMaker:
    """Makes the frames of one dataset from a recording; a `frames.engines.job.Maker`."""

    row_group = ROW_GROUP

    def __init__(self, job: CaptureJob, recording: Recording) -> None:
        self._job = job
        self._recording = recording
        self._head = recording.head

    def describe(self) -> dict[str, Any]:
        """The metadata of the dataset."""
        # Workers, which describe nothing, need none of what this brings along.
        from synth.description import handloom_version

        head, job = self._head, self._job
        chosen = asdict(job.selection)
        if not job.selection.most_worth:
            chosen.pop("predictor")
        capture: dict[str, Any] = {
            "kind": head.kind,
            "sha256": job.digest,
            "depth": head.units.describe(),
            "frames": len(head.timeline),
            "selection": chosen,
            "pictures": job.request.pictures,
            "sequences": self._list_sequences(),
            **head.about,
        }
        if job.request.fps:
            capture["fps"] = job.request.fps
        return {
            "title": job.title,
            "frames": job.frames,
            "frames_per_shard": job.frames_per_shard,
            "source": "real",
            "generator_version": handloom_version(),
            "camera": head.camera.to_dict(),
            "depth_scale": head.units.depth_scale,
            "capture": capture,
        }

    def make_tables(self, first: int, stop: int) -> Iterator[pa.Table]:
        """The frames first <= k < stop as rows. Raises BadInput for what turns out to be broken."""
        positions = list(self._job.positions[first:stop])
        sights = self._recording.read(positions)
        for start in range(0, len(positions), ROW_GROUP):
            part = positions[start : start + ROW_GROUP]
            depth, color, infrared = [], [], []
            for _ in part:
                sight = next(sights)
                depth.append(encode_reading(sight.depth))
                color.append(sight.color)
                infrared.append(sight.infrared)
            columns = {
                **self._tell(part, first + start),
                "depth": depth,
                "color": color,
                "infrared": infrared,
            }
            nobody = np.zeros(len(part), np.int64)
            yield table_from_columns(columns, nobody, _HANDS, nobody, _OBJECTS)

    def _tell(self, positions: list[int], first: int) -> dict[str, Any]:
        """All columns but the images'."""
        head, count = self._head, len(positions)
        columns: dict[str, Any] = {
            "frame_id": first + np.arange(count),
            "source": ["real"] * count,
            "camera": head.camera,
            "depth_scale": np.full(count, head.units.depth_scale),
            "origin": [self._recording.name_origin(p) for p in positions],
        }
        if head.timeline.time_ns is not None:
            sequence = head.timeline.sequence[positions]
            since = head.timeline.time_ns[positions] - self._starts[sequence]
            columns |= {"sequence_id": sequence, "time_s": since / NANO}
        return columns

    @cached_property
    def _starts(self) -> np.ndarray:
        """The time at which each sequence of the recording begins, ns."""
        timeline = self._head.timeline
        assert timeline.time_ns is not None
        first = [int(np.argmax(timeline.sequence == k)) for k in range(len(timeline.names))]
        return np.asarray(timeline.time_ns[first])

    def _list_sequences(self) -> list[dict[str, Any]]:
        timeline = self._head.timeline
        out: list[dict[str, Any]] = [{"name": name} for name in timeline.names]
        if timeline.time_ns is not None and not self._job.request.fps:
            for entry, start in zip(out, self._starts, strict=True):
                entry["start_ns"] = int(start)
        return out


def hash_recording(recording: Recording) -> str:
    """SHA-256 over the names and contents of all files of a recording."""
    digest = hashlib.sha256()
    for path in recording.head.files:
        digest.update(path.name.encode() + _hash_file(path))
    return digest.hexdigest()


def _hash_file(path: Path) -> bytes:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}") from None
    return digest.digest()


def _empty(columns: tuple[Column, ...]) -> dict[str, Any]:
    """No hands and no objects: nothing is invented."""
    return {c.name: [] for c in columns if not c.optional}


_HANDS: Final = _empty(HAND_COLUMNS)
_OBJECTS: Final = _empty(OBJECT_COLUMNS)
