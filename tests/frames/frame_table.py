"""What the label checks say of frames."""

from collections.abc import Sequence

from frames.checks.consistency import check_batch
from frames.record import Frame
from frames.store.columns import select_batch_columns
from frames.store.dataset import build_batch, split_rows
from frames.store.frame_table import build_frame_table
from frames.store.rows import Rows
from frames.store.schema import IMAGE_COLUMNS


def find_faults(frames: Sequence[Frame]) -> list[str]:
    """What `handloom verify` would say of these frames' labels."""
    rows = Rows(build_frame_table(frames))
    names = select_batch_columns(None)
    out = []
    for first, stop in split_rows(rows, list(IMAGE_COLUMNS), 256):
        batch = build_batch(rows, names, first, stop)
        out += [f"{f.rule} ({f.count} times, {f.place})" for f in check_batch(batch)]
    return out
