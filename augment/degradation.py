"""A dataset made from another: the same frames, occluded, as a sensor reads them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from augment.occluding import META_KEY as OCCLUSION_KEY
from augment.occluding import Occluding, collect_sprites, degrade_frame
from augment.occlusion.sprites import Sprite
from augment.readings import (
    LABELS,
    SOURCES,
    RenderPair,
    explain_no_depth,
    name_devices,
    sense_batch,
)
from augment.sensing import META_KEY, Sensing
from augment.unread import forget_unread
from frames.errors import BadInput
from frames.kernels import drop_stale_kernels
from frames.record import Frame
from frames.store.codec import encode_reading, encode_reasons
from frames.store.dataset import build_batch, open_dataset, split_rows
from frames.store.frame_table import build_frame_table
from frames.store.rows import Rows
from frames.store.schema import IMAGE_COLUMNS, SCHEMA
from frames.store.shard import open_shard, read_row_group, shard_path
from frames.store.tables import replace_columns

BATCH_PIXELS: Final = 64 * 320 * 240
"""Pixels of the images that are sensed together: bounds a worker's memory."""


class Pairs(Protocol):
    """Renders stereo pairs of the source's frames; only a room above can."""

    def render_batch(self, frame_ids: NDArray[np.int64]) -> RenderPair:
        """What renders the pairs of these frames, by their place among them."""


class PairSource(Protocol):
    """Where pairs come from; small, for it is pickled to every worker."""

    def build(self) -> Pairs:
        """What renders them. Raises BadInput if the source cannot be rendered again."""


@dataclass(frozen=True)
class Degradation:
    """A dataset that is to be made from another; a `frames.engines.job.Job`."""

    source: Path
    """The other's folder; its clean depth is what the sensor reads."""
    sensing: Sensing | None
    """None: no sensor, or the one that real frames come with."""
    pairs: PairSource | None = None
    """For a sensor that matches stereo pairs."""
    occluding: Occluding | None = None
    """What is put before and behind the hands."""

    @cached_property
    def _meta(self) -> dict[str, Any]:
        return open_dataset(self.source).meta

    @property
    def frames(self) -> int:
        """Of the whole dataset."""
        return int(self._meta["frames"])

    @property
    def frames_per_shard(self) -> int:
        """Of every shard but the last."""
        return int(self._meta["frames_per_shard"])

    def build(self) -> "Degrader":
        """What makes it. Raises BadInput if the other dataset is none, or not finished."""
        pairs = None if self.pairs is None else self.pairs.build()
        return Degrader(self.source, self.sensing, pairs, self.occluding)


class Degrader:
    """Makes frames as a sensor reads them from those of a dataset; a `frames.engines.job.Maker`."""

    def __init__(
        self,
        source: Path,
        sensing: Sensing | None,
        pairs: Pairs | None = None,
        occluding: Occluding | None = None,
    ) -> None:
        """Raises BadInput if the source is no dataset, or not finished."""
        drop_stale_kernels()
        if occluding is not None and pairs is not None:
            raise BadInput(
                "stereo by matching renders scenes without what occlusion puts into them: choose"
                " another sensor, or no occlusion"
            )
        self._pairs = pairs
        self._occluding = occluding
        self._source = source
        self._meta = open_dataset(source).meta
        self._sensing = sensing

    def describe(self) -> dict[str, Any]:
        """The source's metadata, with the sensor and what is put before the hands."""
        meta = dict(self._meta)
        meta.pop(META_KEY, None)
        if self._sensing is not None:
            meta[META_KEY] = self._sensing.to_meta()
        if self._occluding is not None:
            if OCCLUSION_KEY in meta:
                raise BadInput(
                    f"{self._source} was given occlusion before: begin with the dataset that it"
                    " was made from"
                )
            meta[OCCLUSION_KEY] = self._occluding.to_meta()
        return meta

    def make_tables(self, first: int, stop: int) -> Iterator[pa.Table]:
        """Frames first <= k < stop as rows. Raises BadInput for a frame without clean depth."""
        for table in self._read(first, stop):
            rows = Rows(table)
            pixels = max((c.width * c.height for c in rows.cameras), default=1)
            size = max(1, BATCH_PIXELS // pixels)
            if self._occluding is not None:
                for a in range(0, len(rows), size):
                    yield self._occlude([rows.frame(i) for i in range(a, min(a + size, len(rows)))])
                continue
            for a, b in split_rows(rows, IMAGE_COLUMNS, size):
                batch = build_batch(rows, SOURCES, a, b)
                yield replace_columns(table.slice(a, b - a), self._sense(batch))

    def _read(self, first: int, stop: int) -> Iterator[pa.Table]:
        """The source's rows, a row group at a time."""
        per_shard = int(self._meta["frames_per_shard"])
        for index in range(first // per_shard, -(-stop // per_shard)):
            path = shard_path(self._source, index)
            file = open_shard(path)
            at = index * per_shard
            for group in range(file.num_row_groups):
                count = file.metadata.row_group(group).num_rows
                a, b = max(first - at, 0), min(stop - at, count)
                if a < b:
                    table = read_row_group(file, path, group, list(SCHEMA.names))
                    yield table.slice(a, b - a)
                at += count

    def _occlude(self, frames: list[Frame]) -> pa.Table:
        assert self._occluding is not None
        sprites = self._sprites
        return build_frame_table(
            [
                degrade_frame(f, self._occluding, self._sensing, sprites.get(f.split, ()))
                for f in frames
            ]
        )

    @cached_property
    def _sprites(self) -> dict[str | None, list[Sprite]]:
        return collect_sprites(self._source)

    def _sense(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The columns that change."""
        assert self._sensing is not None
        ids = batch["frame_id"]
        if batch["clean_depth"] is None:
            raise BadInput(f"{self._source}: {explain_no_depth(int(ids[0]))}")
        if self._sensing.baked:
            render = None if self._pairs is None else self._pairs.render_batch(ids)
            made = sense_batch(self._sensing, batch, render)
            made["depth"] = [encode_reading(image) for image in made["depth"]]
            made["invalid"] = [encode_reasons(image) for image in made["invalid"]]
            return made
        labels = forget_unread(*(batch[name] for name in LABELS))
        return {
            "depth": None,
            "invalid": None,
            "sensor": name_devices(self._sensing, ids, batch["sequence_id"]),
            "sensor_seed": np.full(len(ids), self._sensing.seed, np.int64),
            **dict(zip(LABELS, labels, strict=True)),
        }
