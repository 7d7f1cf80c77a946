"""Which hands of a frame are used, by their labels and by what a sensor read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frames.parts import HAND_PARTS, PROVENANCE_NONE, VISIBILITY_OUTSIDE, VISIBILITY_VISIBLE
from frames.record import Frame, Hand

HAND_COLUMNS = (
    *("hands.visibility", "hands.provenance", "hands.wearer"),
    *("hands.visible_fraction", "hands.box_px"),
)
"""What `find_hands` needs of a batch."""


@dataclass(frozen=True)
class Taking:
    """Which hands take part. A hand without any labelled keypoint takes part by its box."""

    hands: int = 2
    """At most so many of a frame, the wearer's first."""
    others: bool = True
    """Whether another person's hands may be among them."""
    least_keypoints: int = 8
    """So many keypoints must be labelled and in view."""
    least_visible: float = 0.1
    """Share of the hand's pixels that nothing may cover, where that is known."""
    least_read: float = 0.4
    """Share of its visible pixels that the sensor must read."""


def find_hands(batch: Mapping[str, Any], taking: Taking) -> tuple[NDArray[np.int64], ...]:
    """The hands of a batch (`Dataset.batches`, with `HAND_COLUMNS`) that take part:
    (C,) rows of the batch, ascending, and (C,) places in their frames.
    """
    counts = np.asarray(batch["hand_counts"], np.int64)
    row = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    wearer = np.asarray(batch["hands.wearer"], bool)
    visibility = np.asarray(batch["hands.visibility"]).reshape(-1, 21)
    provenance = np.asarray(batch["hands.provenance"]).reshape(-1, 21)
    boxed = np.isfinite(np.asarray(batch["hands.box_px"]).reshape(-1, 4)).all(1)
    fraction = np.asarray(batch["hands.visible_fraction"], np.float32)
    good = _have_labels(visibility, provenance, boxed, taking)
    good &= ~(fraction < taking.least_visible)
    good &= wearer | taking.others
    # The wearer's first, then as they lie.
    order = np.lexsort((place, ~wearer, row))
    order = order[good[order]]
    first = np.searchsorted(row[order], row[order], "left")
    kept = order[np.arange(len(order)) - first < taking.hands]
    return row[kept], place[kept]


def list_hands(frame: Frame, taking: Taking) -> list[int]:
    """The same of one frame."""
    hands = frame.hands
    batch = {
        "hand_counts": [len(hands)],
        "hands.wearer": [h.wearer for h in hands],
        "hands.visibility": [h.visibility for h in hands],
        "hands.provenance": [h.provenance for h in hands],
        "hands.box_px": [h.box_px for h in hands],
        "hands.visible_fraction": [h.visible_fraction for h in hands],
    }
    return [int(k) for k in find_hands(batch, taking)[1]]


def is_read(frame: Frame, hand: Hand, depth: NDArray[Any], taking: Taking) -> bool:
    """Whether a sensor's depth (H, W) of a frame shows enough of a hand.

    Of its visible pixels `least_read` must be read; without a part image, of its visible keypoints'
    pixels; without these, of its box.
    """
    if hand.visible_fraction < taking.least_visible:
        return False
    box = hand.box_px if np.isfinite(hand.box_px).all() else hand.box_amodal_px
    if frame.parts is not None:
        if not np.isfinite(hand.box_px).all():
            return False
        x0, y0, x1, y1 = np.floor(hand.box_px + 0.5).astype(int).clip(0).tolist()
        part = frame.parts[y0:y1, x0:x1] - np.uint8(hand.part_base + 1)
        mine = part < HAND_PARTS
        read = depth[y0:y1, x0:x1] > 0
        return bool((mine & read).sum() >= max(1.0, taking.least_read * mine.sum()))
    seen = (hand.visibility == VISIBILITY_VISIBLE) & np.isfinite(hand.keypoints_px).all(-1)
    if seen.any():
        size = frame.camera.width - 1, frame.camera.height - 1
        u, v = np.floor(hand.keypoints_px[seen] + 0.5).astype(int).clip(0, size).T
        return bool((depth[v, u] > 0).mean() >= taking.least_read)
    if np.isfinite(box).all():
        x0, y0, x1, y1 = np.floor(box + 0.5).astype(int).clip(0).tolist()
        inside = depth[y0:y1, x0:x1]
        return bool(inside.size and (inside > 0).mean() >= taking.least_read)
    return bool((depth > 0).any())


def _have_labels(
    visibility: NDArray[np.uint8],
    provenance: NDArray[np.uint8],
    boxed: NDArray[np.bool_],
    taking: Taking,
) -> NDArray[np.bool_]:
    there = (visibility != VISIBILITY_OUTSIDE) & (provenance != PROVENANCE_NONE)
    count = there.sum(1)
    none = (provenance == PROVENANCE_NONE).all(1)
    return np.asarray((count >= taking.least_keypoints) | (none & boxed))


def list_targets(
    frame: Frame, depth: NDArray[np.uint16], taking: Taking
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(N,) which hands of a frame are taught, and which are there to be seen but are not.

    depth: (H, W) as the sensor read it. A hand is taught if it has keypoints enough and its sensor
    reads it; neither background nor example is one that is labelled in part, nearly covered, or
    hardly read.
    """
    taught, ignored = np.zeros((2, len(frame.hands)), bool)
    for k, hand in enumerate(frame.hands):
        there = (hand.visibility != VISIBILITY_OUTSIDE) & (hand.provenance != PROVENANCE_NONE)
        enough = there.sum() >= taking.least_keypoints
        taught[k] = enough and is_read(frame, hand, depth, taking)
        ignored[k] = not taught[k]
    return taught, ignored
