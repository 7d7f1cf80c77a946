"""handloom stats: what is in a dataset."""

from pathlib import Path
from typing import Any, Final

from console.arguments import Data, Json, parse_call
from console.output import print_result

LOOKED_AT: Final = 512
"""Frames whose images are read, at most."""


def run_stats(arguments: list[str]) -> int:
    """handloom stats DATA [--out chart.png]"""

    def stats(data: Data, out: Path | None = None, split: str = "", json: Json = False) -> int:
        """Say what is in a dataset: distances, view directions, joint angles, visibility by cause.

        Where it has a sensor: how much that reads of frames spread over the dataset, and why not.

        Args:
            out: Also draw the statistics as a picture (.png).
            split: Count only the frames of this split.
        """
        from frames.census.stats import collect_stats
        from frames.census.stats_text import format_stats
        from frames.store.dataset import open_dataset
        from frames.viewing.sheet import write_picture
        from frames.viewing.stats_page import draw_stats

        found = collect_stats(open_dataset(data, partial=True), split or None)
        readings = _count_readings(data, split)
        if readings is not None:
            found["readings"] = readings
        if out is not None:
            write_picture(draw_stats(found), out)
        print_result(json, format_stats(found), found)
        return 0

    return int(parse_call(stats, "handloom stats", arguments)())


def _count_readings(data: Path, split: str) -> dict[str, Any] | None:
    """What the dataset's sensor reads of some frames; None if it has none."""
    import numpy as np

    from augment.sensed import open_sensed
    from augment.sensing import read_sensing
    from frames.census.readings import count_readings
    from frames.store.dataset import open_dataset
    from frames.store.folder import read_meta

    columns = ["depth", "invalid", "parts", "hands"]
    sensed = read_sensing(read_meta(data), data) is not None
    opened: Any = (open_sensed if sensed else open_dataset)(
        data, columns, partial=True, split=split or None
    )
    places = np.unique(np.linspace(0, len(opened) - 1, LOOKED_AT).round().astype(int))
    if not len(opened) or (not sensed and opened[0].depth is None):
        return None
    found = count_readings(opened[int(i)] for i in places)
    return found if found["frames"] else None
