"""The label columns that statistics count, read from shards in bounded memory."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from frames.census import labels as census
from frames.census import scenes as scene_census
from frames.census import splits as split_census
from frames.errors import BadInput
from frames.store.shard import open_shard

COUNTED: Final = {
    "": {*scene_census.FRAME_COLUMNS, *split_census.FRAME_COLUMNS},
    "hands": {*census.HAND_COLUMNS, *scene_census.HAND_COLUMNS, *split_census.HAND_COLUMNS},
    "objects": {*scene_census.OBJECT_COLUMNS, *split_census.OBJECT_COLUMNS},
}
"""All columns that are read; images are not."""


def read_label_batches(
    paths: Iterable[Path], size: int = 4096, frames: range | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield batches of the columns that count, from shard files one by one.

    Args:
        paths: the shards.
        size: frames of a batch, at most.
        frames: only frames with these ids; None for all.

    Raises:
        BadInput: a shard cannot be read, or lacks a column.
    """
    for path in paths:
        try:
            with open_shard(path) as shard:
                leaves = [shard.schema.column(i).path for i in range(len(shard.schema))]
                chosen = [leaf for leaf in leaves if _is_counted(leaf)]
                for batch in shard.iter_batches(size, columns=chosen):
                    batch.validate(full=True)
                    yield batch if frames is None else _pick_frames(batch, frames)
        except (OSError, pa.ArrowException) as error:
            reason = str(error).splitlines()[0]
            raise BadInput(f"cannot read the shard {path}: {reason}; run handloom verify") from None


def _is_counted(leaf: str) -> bool:
    # NAME[.list.element], hands.list.element.NAME[.list.element]: "element" may be "item".
    steps = leaf.split(".")
    if steps[0] in ("hands", "objects"):
        return len(steps) > 3 and steps[3] in COUNTED[steps[0]]
    return steps[0] in COUNTED[""]


def _pick_frames(batch: pa.RecordBatch, frames: range) -> pa.RecordBatch:
    ids = batch.column("frame_id")
    return batch.filter(pc.and_(pc.greater_equal(ids, frames.start), pc.less(ids, frames.stop)))
