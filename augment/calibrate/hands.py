"""What frames of hands say: holes around and in the silhouette, bands left and right, roughness."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from augment.calibrate.capture import Capture
from augment.calibrate.edges import list_bands
from augment.calibrate.estimate import (
    DRAWS,
    Estimate,
    Floats,
    bootstrap,
    count_logs,
    find_median,
    refuse,
)
from augment.calibrate.local_plane import measure_roughness
from augment.calibrate.silhouette import find_hand

RING_PX: Final = 3
DEPTH_EDGES_M: Final = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.5)
"""Bins of the hand's depth for the roughness."""

_ROWS: Final = 16
"""Rows of an image that are drawn together where there are few frames."""

_FEW: Final = 8
_MOST: Final = 200
"""Frames of hands that are looked at."""


@dataclass(frozen=True)
class HandFrame:
    """One frame with a hand."""

    depth: NDArray[np.uint16]
    hand: NDArray[np.bool_]
    clean: NDArray[np.uint16] | None
    """True depth, synthetic captures only."""


@dataclass(frozen=True)
class HandSums:
    """What the frames show; block after block, a block being a frame or some rows of one."""

    frames: int
    marked: bool
    """Whether masks were given."""

    shares: Floats
    """(blocks, 4, 2) holes and pixels: ring outside, ring inside, hand, whole image."""

    roughness: Floats
    """(blocks, depth bins, log bins) counts of 7x7 plane residuals, metres."""

    bands: Floats
    """(n, 5) as `edges.list_bands`, with the block's number in place of the row."""

    @property
    def basis(self) -> str:
        """In words."""
        how = "masks given" if self.marked else "nearest blob"
        return f"{self.frames} frame{'s' * (self.frames != 1)}, {how}"


def find_hands(capture: Capture) -> tuple[list[HandFrame], bool]:
    """Frames with a hand, evenly over the capture, and whether their masks were given."""
    marked = any(c.hand is not None and c.hand.any() for c in capture.clips)
    places = [(c, i) for c in capture.clips for i in range(len(c.depth))]
    step = -(-len(places) // _MOST) if places else 1
    out = []
    for clip, i in places[::step]:
        depth = clip.depth[i]
        if marked:
            mask = None if clip.hand is None or not clip.hand[i].any() else clip.hand[i]
        else:
            mask = find_hand(depth, capture.depth_scale)
        if mask is not None:
            out.append(HandFrame(depth, mask, None if clip.clean is None else clip.clean[i]))
    return out, marked


def sum_hands(frames: Sequence[HandFrame], depth_scale: float, marked: bool) -> HandSums | None:
    """The sums of all frames; None of none."""
    if not frames:
        return None
    shares: list[list[list[int]]] = []
    roughness, bands = [], []
    for frame in frames:
        height = frame.depth.shape[0]
        rows = height if len(frames) >= _FEW else _ROWS
        blocks = -(-height // rows)
        first = len(shares)
        areas = _list_areas(frame.hand)
        rough = measure_roughness(frame.depth, areas[2], depth_scale)
        bins = np.digitize(frame.depth / depth_scale, DEPTH_EDGES_M) - 1
        found = list_bands(frame.depth, frame.hand, depth_scale)
        found[:, 1] = first + found[:, 1] // rows
        bands.append(found)
        for b in range(blocks):
            part = np.s_[b * rows : (b + 1) * rows]
            hole = frame.depth[part] == 0
            shares.append([[int((hole & a[part]).sum()), int(a[part].sum())] for a in areas])
            values = rough[part].astype(np.float64)
            roughness.append(
                [
                    count_logs(values[(bins[part] == k) & np.isfinite(values)])
                    for k in range(len(DEPTH_EDGES_M) - 1)
                ]
            )
    return HandSums(
        len(frames),
        marked,
        np.array(shares, np.float64),
        np.array(roughness),
        np.concatenate(bands),
    )


def _list_areas(hand: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Ring outside, ring inside, the hand, everything."""
    # Beyond the image nobody knows: its border is no outline.
    grown = cv2.copyMakeBorder(hand.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    outside = cv2.distanceTransform(1 - grown, cv2.DIST_L2, 5)[1:-1, 1:-1]
    inside = cv2.distanceTransform(grown, cv2.DIST_L2, 5)[1:-1, 1:-1]
    ring_out = ~hand & (outside <= RING_PX)
    return [ring_out, hand & (inside <= RING_PX), hand, np.ones_like(hand)]


def measure_shares(sums: HandSums | None, draws: int = DRAWS) -> list[Estimate]:
    """Hole shares of both rings, and fill rates of the hand and the whole image."""
    names = ("ring_outside_holes", "ring_inside_holes", "hand_fill", "image_fill")
    if sums is None:
        return [refuse(n, "", "no hand stands out from what is behind it") for n in names]
    out = []
    for k, name in enumerate(names):
        flip = name.endswith("fill")

        def share(drawn: Sequence[Floats], k: int = k, flip: bool = flip) -> float:
            holes, count = drawn[0][k]
            value = holes / count if count else float("nan")
            return float(1.0 - value if flip else value)

        out.append(Estimate(name, "", *bootstrap(share, [sums.shares], name, draws), sums.basis))
    return out


def measure_hand_roughness(sums: HandSums | None, draws: int = DRAWS) -> list[Estimate]:
    """Median 7x7 plane residual: over all, and for each bin of depth that has enough."""
    name = "hand_roughness"
    if sums is None:
        return [refuse(name, "m", "no hand stands out from what is behind it")]
    counts = sums.roughness.sum((0, 2))
    if counts.sum() < 50:
        return [refuse(name, "m", "the hands have no 7 x 7 windows without a hole")]
    every = [sums.roughness.sum(1)]
    drawn = bootstrap(lambda s: find_median(s[0]), every, name, draws)
    out = [Estimate(name, "m", *drawn, sums.basis)]
    for k, (low, high) in enumerate(pairwise(DEPTH_EDGES_M)):
        if counts[k] >= 2000:
            label = f"{name}_{low:.1f}_{high:.1f}"
            drawn = bootstrap(lambda s: find_median(s[0]), [sums.roughness[:, k]], label, draws)
            out.append(Estimate(label, "m", *drawn, f"{counts[k]:,.0f} windows"))
    return out
