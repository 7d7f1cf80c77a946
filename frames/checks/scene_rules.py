"""Rules on what a frame says of its scene: splits, sequences, contact, what is held and worn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from frames.checks.batch_view import Batch, BatchView, Mask, is_torn

GAP_LIMIT_M: Final = 0.01
"""A contact gap beyond this either way is none: NaN above, and below a hand inside its object."""

WORN: Final = ("sleeve", "watch", "ring", "glove")
_ROUNDING_M: Final = 1e-6


@dataclass(frozen=True)
class Moment:
    """Where a frame stands: what the next one is compared with."""

    sequence_id: int
    """-1 for none."""

    time_s: float
    """NaN for none."""

    split: str | None


MOMENT_COLUMNS: Final = ("sequence_id", "time_s", "split")
"""What `find_last` reads."""


def find_last(batch: Batch) -> Moment:
    """The moment of a batch's last frame."""
    sequence_id, time_s, split = (batch[name][-1] for name in MOMENT_COLUMNS)
    return Moment(int(sequence_id), float(time_s), split)


def check_scenes(
    batch: Batch, splits: Mapping[str, range] | None, before: Moment | None
) -> Iterator[tuple[str, Mask]]:
    """Rules on frames, each with the (B,) frames that break it.

    splits: as `frames.store.splits.read_splits`, None for not to compare with. before: the frame
    before the batch, if it was read.
    """
    if splits is not None:
        yield "split is not that of dataset.json", _find_foreign(batch, splits)
    sequence = np.asarray(batch["sequence_id"], np.int64)
    time = np.asarray(batch["time_s"], np.float64)
    split = np.array(batch["split"], object)
    if before is not None:
        sequence = np.append(before.sequence_id, sequence)
        time = np.append(before.time_s, time)
        split = np.append(np.array([before.split], object), split)
    some = slice(int(before is not None), None)
    yield "only one of sequence_id and time_s is there", ((sequence >= 0) != (time == time))[some]
    yield (
        "sequence_id or time_s is negative or infinite",
        ((sequence < -1) | (time < 0) | np.isinf(time))[some],
    )
    same = (sequence[1:] == sequence[:-1]) & (sequence[1:] >= 0)
    first = np.zeros(len(sequence) - len(same), bool)

    def later(wrong: Mask) -> Mask:
        return np.concatenate([first, wrong])[some]

    yield "time_s does not grow within a sequence", later(same & ~(time[1:] > time[:-1]))
    yield "a sequence is not in one piece", later((sequence[1:] >= 0) & (np.diff(sequence) < 0))
    yield "a split cuts a sequence", later(same & (split[1:] != split[:-1]))
    yield "camera_velocity is not finite", is_torn(batch["camera_velocity"])


def check_hands(view: BatchView) -> Iterator[tuple[str, Mask]]:
    """Rules on hands, each with the (N,) hands that break it."""
    held = view.hand("held").astype(np.int64)
    counts = np.asarray(view.batch["object_counts"], np.int64)
    yield "held is no object of the frame", (held < -1) | (held >= counts[view.frame])
    gap = view.hand("contact_gap_m").astype(np.float64)
    beyond = np.abs(gap) > GAP_LIMIT_M + _ROUNDING_M  # False for NaN
    yield "contact_gap_m is beyond 1 cm", np.asarray(beyond.any(-1))
    yield "keypoints_velocity_m_s is not finite", is_torn(view.hand("keypoints_velocity_m_s"))
    worn = view.batch["hands.worn"]
    unknown = {w for w in set(worn) if w and not set(w.split(",")) <= set(WORN)}
    yield f"worn is none of {', '.join(WORN)}", np.array([w in unknown for w in worn], bool)


def _find_foreign(batch: Batch, splits: Mapping[str, range]) -> Mask:
    """(B,) whose split is not the one whose range they lie in."""
    ids = np.asarray(batch["frame_id"], np.int64)
    wanted = np.full(len(ids), None, object)
    for name, frames in splits.items():
        wanted[(ids >= frames.start) & (ids < frames.stop)] = name
    return np.asarray(np.array(batch["split"], object) != wanted, bool)
