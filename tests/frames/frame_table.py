"""What the label checks say of frames."""

from collections.abc import Sequence

from frames.columns import select_batch_columns
from frames.consistency import check_batch
from frames.dataset import build_batch, split_rows
from frames.frame_table import build_frame_table
from frames.record import Frame
from frames.rows import Rows
from frames.schema import IMAGE_COLUMNS


def find_faults(frames: Sequence[Frame]) -> list[str]:
    """What `handloom verify` would say of these frames' labels."""
    rows = Rows(build_frame_table(frames))
    names = select_batch_columns(None)
    out = []
    for first, stop in split_rows(rows, list(IMAGE_COLUMNS), 256):
        batch = build_batch(rows, names, first, stop)
        out += [f"{f.rule} ({f.count} times, {f.place})" for f in check_batch(batch)]
    return out
