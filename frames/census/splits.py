"""The census of splits: what each has, and whether any two share what they must not."""

from itertools import combinations
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FRAME_COLUMNS: Final = ("split", "sequence_id", "background")
HAND_COLUMNS: Final = ("identity",)
OBJECT_COLUMNS: Final = ("name",)

SHARED: Final = ("identities", "objects", "backgrounds", "sequences")
"""What no two splits may share."""


class SplitCounts:
    """What each split has had so far. Memory grows with the people and things, not the frames."""

    def __init__(self, images: frozenset[str]) -> None:
        """images: names of background images; other names are kinds of surroundings, which splits
        may share.
        """
        self.images = images
        self.frames: dict[str, int] = {}
        self.hands: dict[str, int] = {}
        self.sets: dict[str, dict[str, set[Any]]] = {}
        self.sequences: dict[str, tuple[int, int]] = {}
        """Least and greatest id: a split's sequences are consecutive."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch of frames that has the columns named above."""
        column = batch.column("split")
        names = pc.unique(column).to_pylist()
        for name in filter(None, names):
            part = batch if len(names) == 1 else batch.filter(pc.equal(column, name))
            self._add_split(name, part)

    def _add_split(self, name: str, batch: pa.RecordBatch) -> None:
        hands, objects = batch.column("hands").flatten(), batch.column("objects").flatten()
        self.frames[name] = self.frames.get(name, 0) + len(batch)
        self.hands[name] = self.hands.get(name, 0) + len(hands)
        sets = self.sets.setdefault(name, {n: set() for n in SHARED[:3]})
        sets["identities"].update(pc.unique(hands.field("identity").drop_null()).to_pylist())
        sets["objects"].update(pc.unique(objects.field("name").drop_null()).to_pylist())
        sets["backgrounds"] |= self.images & {*pc.unique(batch.column("background")).to_pylist()}
        ids = batch.column("sequence_id").drop_null().to_numpy()
        if len(ids):
            low, high = self.sequences.get(name, (ids[0], ids[0]))
            self.sequences[name] = (int(min(low, ids.min())), int(max(high, ids.max())))

    def summarize(self) -> dict[str, Any]:
        """Counts of each split, and whether they are disjoint, as JSON values."""
        splits = {
            name: {
                "frames": self.frames[name],
                "hands": self.hands[name],
                **{n: len(found) for n, found in self.sets[name].items()},
            }
            for name in self.frames
        }
        disjoint = {}
        for what in SHARED[:3]:
            pools = [sets[what] for sets in self.sets.values()]
            if any(pools):
                disjoint[what] = all(not a & b for a, b in combinations(pools, 2))
        if self.sequences:
            bounds = np.array(sorted(self.sequences.values()))
            disjoint["sequences"] = bool((bounds[1:, 0] > bounds[:-1, 1]).all())
        return {"splits": splits, "disjoint": disjoint if len(splits) > 1 else {}}
