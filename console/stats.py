"""handloom stats: what is in a dataset."""

from pathlib import Path

from console.arguments import Data, Json, parse_call
from console.output import print_result


def run_stats(arguments: list[str]) -> int:
    """handloom stats DATA [--out chart.png]"""

    def stats(data: Data, out: Path | None = None, split: str = "", json: Json = False) -> int:
        """Say what is in a dataset: distances, view directions, joint angles, visibility by cause.

        Args:
            out: Also draw the statistics as a picture (.png).
            split: Count only the frames of this split.
        """
        from frames.dataset import open_dataset
        from frames.sheet import write_picture
        from frames.stats import collect_stats
        from frames.stats_page import draw_stats
        from frames.stats_text import format_stats

        found = collect_stats(open_dataset(data, partial=True), split or None)
        if out is not None:
            write_picture(draw_stats(found), out)
        print_result(json, format_stats(found), found)
        return 0

    return int(parse_call(stats, "handloom stats", arguments)())
