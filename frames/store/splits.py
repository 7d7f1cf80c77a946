"""The splits of a dataset as dataset.json has them: names to contiguous ranges of frames.

    "splits": {"test": [9500, 10000], "train": [0, 9000], "val": [9000, 9500]}

A frame is in one split at most; a dataset need not have any.
"""

import itertools
from pathlib import Path
from typing import Any

from frames.errors import BadInput


def read_splits(meta: dict[str, Any], place: Path | str = "dataset.json") -> dict[str, range]:
    """The splits of metadata, in the order of their frames; {} without.

    place: the file, for messages. Raises BadInput for what is no range of the dataset's frames, and
    for ranges that overlap.
    """
    stored = meta.get("splits")
    if stored is None:
        return {}
    if not isinstance(stored, dict):
        raise BadInput(f"splits must map names to [first, stop], got {stored!r} ({place})")
    frames = meta["frames"]
    found = {}
    for name, bounds in stored.items():
        whole = (
            isinstance(bounds, list) and len(bounds) == 2 and all(type(b) is int for b in bounds)
        )
        if not whole or not 0 <= bounds[0] < bounds[1] <= frames:
            raise BadInput(
                f"split {name} must be [first, stop] with 0 <= first < stop <= {frames}, got "
                f"{bounds!r} ({place}): was the file edited?"
            )
        found[name] = range(*bounds)
    ordered = sorted(found.items(), key=lambda item: item[1].start)
    for (name, here), (other, there) in itertools.pairwise(ordered):
        if there.start < here.stop:
            raise BadInput(f"splits {name} and {other} overlap ({place}): was the file edited?")
    return dict(ordered)


def find_split(meta: dict[str, Any], name: str, place: Path | str = "dataset.json") -> range:
    """The frames of one split. Raises BadInput, listing the known ones, if there is none such."""
    splits = read_splits(meta, place)
    if name not in splits:
        known = f"known: {', '.join(splits)}" if splits else "the dataset has none"
        raise BadInput(f"unknown split {name!r}; {known} ({place})")
    return splits[name]
