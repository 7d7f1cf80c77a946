"""From LitePose's maps to instances: peaks of the heatmaps, grouped by their tags.

The inference of associative embedding (Newell et al. 2017, arXiv 1611.05424, section 3.3) as
HigherHRNet and LitePose (arXiv 2205.01271) do it, for any number of joints and no fixed order of
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from frames.skeleton import KEYPOINTS
from train_tiny.finding.assignment import assign

Floats = NDArray[np.float32]

STRIDE: Final = 2
"""Pixels of the image in a cell of the maps that are grouped."""

OUTWARDS: Final = (0, *(finger + joint for joint in range(4) for finger in range(1, KEYPOINTS, 4)))
"""A hand's keypoints from the wrist to the tips: what is surest begins the groups."""


@dataclass(frozen=True)
class Grouping:
    """How peaks become instances."""

    peaks: int = 8
    """Of each joint, the highest; 30 for crowds."""
    least_peak: float = 0.1
    """Height of a peak that is anything."""
    window: int = 5
    """Cells on a side in which there is one peak of a joint."""
    tag_distance: float = 1.0
    """Farther than this from an instance's mean tag is not of it."""
    reach: float = 0.5
    """How far beyond the box of its peaks an instance looks for joints without one: of its sides'
    mean. (As published: anywhere, even at another one's joint.)"""
    nearness: float = 10.0
    """What it costs a peak to be a diagonal of the image away from an instance's nearest one, where
    one of height is worth 1: decides between instances whose tags are alike. (As published: 0.)"""
    order: tuple[int, ...] = ()
    """Joints as they are grouped; () for `OUTWARDS` of 21, else as they are numbered."""


@dataclass(frozen=True, eq=False)
class Instance:
    """One hand, or one person."""

    score: float
    """Mean height of its peaks, 0 for joints without."""
    keypoints_px: Floats
    """(J, 2) in the image."""
    scores: Floats
    """(J,) height of the heatmap there; of joints without a peak of their own, where it is highest
    among cells of the instance's tag."""


def merge_maps(
    out: Sequence[Tensor], flipped: Sequence[Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """Heatmaps (B, J, H/2, W/2) and tags (B, T, J, H/2, W/2) of LitePose's outputs.

    Heatmaps are the mean of both scales. flipped: the outputs for the same images with left and
    right swapped. A joint keeps its number there: a hand's 21 mean the same on either side. Its
    heatmaps are averaged in; its tags are others, a second number of each joint.
    """
    heat, tags = _merge_scales(out)
    if flipped is None:
        return heat, tags[:, None]
    again, other = (maps.flip(-1) for maps in _merge_scales(flipped))
    return (heat + again) / 2, torch.stack([tags, other], 1)


def group(heat: Tensor, tags: Tensor, config: Grouping | None = None) -> list[list[Instance]]:
    """The instances of B images, the best first.

    heat, tags: of `merge_maps`.
    """
    config = config or Grouping()
    peaks = find_peaks(heat, config)
    places = [p.cpu().numpy() for p in peaks]
    heats, labels = heat.cpu().numpy(), tags.cpu().numpy()
    return [
        _group_one(heats[b], labels[b], places[0][b], places[1][b], config)
        for b in range(len(heats))
    ]


def find_peaks(heat: Tensor, config: Grouping) -> tuple[Tensor, Tensor]:
    """Heights (B, J, K), descending, and flat places (B, J, K) of the highest local maxima."""
    window = config.window
    _, highest = functional.max_pool2d(heat, window, 1, window // 2, return_indices=True)
    # By place, not height: of equal neighbours the first is the peak.
    here = torch.arange(heat.shape[2] * heat.shape[3], device=heat.device)
    heights = torch.where(highest.flatten(2) == here, heat.flatten(2), 0.0)
    top = heights.topk(min(config.peaks, heights.shape[-1]), -1)
    return top.values, top.indices


def match_tags(
    heights: Floats, tags: Floats, places: Floats, config: Grouping, order: Sequence[int]
) -> NDArray[np.int64]:
    """(N, J) which peak each instance has of each joint, -1 for none.

    heights: (J, K). tags: (J, K, T). places: (J, K, 2) in diagonals of the image. Joint by joint,
    peaks are assigned to the instances there are so that rounded distances of tags sum to the
    least, and among equals heights to the most and distances to the least; a peak that is left
    over, or too far by its tag, begins an instance of its own.
    """
    rows: list[NDArray[np.int64]] = []
    members: list[list[Floats]] = []
    where: list[list[Floats]] = []
    for joint in order:
        own = np.flatnonzero(heights[joint] > config.least_peak)
        free = set(own.tolist())
        if len(own) and rows:
            means = np.array([np.mean(m, axis=0) for m in members])
            distance = np.linalg.norm(tags[joint, own][:, None] - means, axis=-1)
            away = np.stack([_find_nearest(places[joint, own], np.array(w)) for w in where], axis=1)
            # In hundreds, so that nothing else outweighs a difference of one.
            cost = np.round(distance) * 100 + config.nearness * away
            cost -= heights[joint, own][:, None]
            for i, n in zip(*assign(cost), strict=True):
                if distance[i, n] < config.tag_distance:
                    rows[n][joint] = own[i]
                    members[n].append(tags[joint, own[i]])
                    where[n].append(places[joint, own[i]])
                    free.discard(int(own[i]))
        for k in sorted(free):
            rows.append(np.full(len(heights), -1))
            rows[-1][joint] = k
            members.append([tags[joint, k]])
            where.append([places[joint, k]])
    return np.array(rows, np.int64).reshape(-1, len(heights))


def _find_nearest(places: Floats, others: Floats) -> Floats:
    """(N,) distances of places (N, 2) from the nearest of others (M, 2)."""
    return np.asarray(np.linalg.norm(places[:, None] - others, axis=-1).min(1))


def _merge_scales(out: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    coarse, fine = (maps.float() for maps in out)
    joints, size = fine.shape[1], fine.shape[2:]
    coarse = functional.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
    return (coarse[:, :joints] + fine) / 2, coarse[:, joints:]


def _group_one(
    heat: Floats, tags: Floats, heights: Floats, places: NDArray[np.int64], config: Grouping
) -> list[Instance]:
    """heat: (J, H, W). tags: (T, J, H, W). heights, places: (J, K)."""
    joints, height, width = heat.shape
    order = config.order or (OUTWARDS if joints == KEYPOINTS else range(joints))
    flat = tags.reshape(len(tags), joints, -1)
    own = np.moveaxis(np.take_along_axis(flat, places[None], 2), 0, -1)
    spots = np.stack([places % width, places // width], -1) / np.hypot(width, height)
    chosen = match_tags(heights, own, spots.astype(np.float32), config, order)
    out = []
    for row in chosen:
        has = np.flatnonzero(row >= 0)
        cells = np.zeros(joints, np.int64)
        cells[has] = places[has, row[has]]
        scores = np.zeros(joints, np.float32)
        scores[has] = heights[has, row[has]]
        score = float(scores.mean())
        missing = np.flatnonzero(row < 0)
        if len(missing):
            mean = own[has, row[has]].mean(0)
            near = _bound_search(cells[has], height, width, config.reach)
            cells[missing], scores[missing] = _refine(heat, tags, missing, mean, near)
        px = _adjust(heat, cells % width, cells // width)
        out.append(Instance(score, px, scores))
    return sorted(out, key=lambda one: -one.score)


def _bound_search(
    cells: NDArray[np.int64], height: int, width: int, reach: float
) -> tuple[slice, slice]:
    """Rows and columns in which an instance with peaks in these cells looks for more."""
    x, y = cells % width, cells // width
    # Of a single peak nothing says how large the instance is: a few cells.
    margin = max(2, round(reach * (np.ptp(x) + np.ptp(y)) / 2))
    rows = slice(max(0, int(y.min()) - margin), min(height, int(y.max()) + margin + 1))
    return rows, slice(max(0, int(x.min()) - margin), min(width, int(x.max()) + margin + 1))


def _refine(
    heat: Floats,
    tags: Floats,
    missing: NDArray[np.int64],
    mean: Floats,
    near: tuple[slice, slice],
) -> tuple[NDArray[np.int64], Floats]:
    """Cells and heights of joints without a peak: the highest place less the rounded distance of
    its tag; a height of 0 where even that has another one's tag.
    """
    values = heat[(missing, *near)]
    away = np.round(np.linalg.norm(tags[(slice(None), missing, *near)] - mean[:, None, None, None],
                                   axis=0))  # fmt: skip
    best = (values - away).reshape(len(missing), -1).argmax(1)
    row, column = np.unravel_index(best, values.shape[1:])
    joint = np.arange(len(missing))
    height = np.where(away[joint, row, column] > 0, 0, values[joint, row, column])
    cells = (row + near[0].start) * heat.shape[2] + column + near[1].start
    return cells, np.maximum(height, 0)


def _adjust(heat: Floats, x: NDArray[np.int64], y: NDArray[np.int64]) -> Floats:
    """(J, 2) pixels of cells, each moved by a quarter of one towards its higher neighbour."""
    height, width = heat.shape[1:]
    joint = np.arange(len(heat))
    left, right = np.maximum(x - 1, 0), np.minimum(x + 1, width - 1)
    up, down = np.maximum(y - 1, 0), np.minimum(y + 1, height - 1)
    across = np.sign(heat[joint, y, right] - heat[joint, y, left])
    along = np.sign(heat[joint, down, x] - heat[joint, up, x])
    cells = np.stack([x + 0.25 * across, y + 0.25 * along], -1)
    return ((cells + 0.5) * STRIDE - 0.5).astype(np.float32)
