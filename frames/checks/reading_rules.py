"""Rules on what a sensor read: depth, reasons, and keypoints under which it read nothing."""

from collections.abc import Iterator

import numpy as np

from frames.checks.batch_view import Batch, BatchView, Mask
from frames.parts import CAUSE_DROPOUT, VISIBILITY_VISIBLE
from frames.reasons import REASON_NAMES


def check_readings(batch: Batch) -> Iterator[tuple[str, Mask]]:
    """Rules on frames, each with the (B,) frames that break it."""
    depth, invalid = batch["depth"], batch["invalid"]
    synthetic = np.array([s == "synthetic" for s in batch["source"]], bool)
    named = np.array([s is not None for s in batch["sensor"]], bool)
    seeded = np.asarray(batch["sensor_seed"], np.int64) >= 0
    yield "a synthetic frame has only one of sensor and sensor_seed", synthetic & (named != seeded)
    if depth is not None:
        yield "a synthetic frame has depth of no sensor", synthetic & ~named
        if invalid is None:
            yield "a synthetic frame has depth without invalid", synthetic
    if invalid is not None:
        yield "invalid is not a reason", (invalid >= len(REASON_NAMES)).any((1, 2))
        if depth is None:
            yield "invalid is there without depth", np.ones(len(named), bool)
        else:
            wrong = ((invalid == 0) != (depth > 0)).any((1, 2))
            yield "invalid has a reason where depth has a reading, or none where it has none", wrong


def check_unread(view: BatchView) -> Iterator[tuple[str, Mask]]:
    """Rules on the keypoints of synthetic frames, each with the (N, 21) that break it."""
    depth = view.batch["depth"]
    cause, seen = view.hand("occlusion"), view.hand("visibility") == VISIBILITY_VISIBLE
    mine = view.inside & view.synthetic[:, None]
    dropped = mine & (cause == CAUSE_DROPOUT)
    if depth is None:
        yield "a keypoint dropped out, but no sensor's depth is stored", dropped
        return
    read = depth[view.frame[:, None], view.row, view.column] > 0
    yield "a keypoint dropped out where the sensor has a reading", dropped & read
    yield "a visible keypoint is where the sensor has no reading", mine & seen & ~read
