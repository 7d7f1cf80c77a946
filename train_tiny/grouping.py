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
from train_tiny.assignment import assign

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
    highest = functional.max_pool2d(heat, window, 1, window // 2)
    heights = torch.where(highest == heat, heat, 0.0).flatten(2)
    top = heights.topk(min(config.peaks, heights.shape[-1]), -1)
    return top.values, top.indices


def match_tags(
    heights: Floats, tags: Floats, config: Grouping, order: Sequence[int]
) -> NDArray[np.int64]:
    """(N, J) which peak each instance has of each joint, -1 for none.

    heights: (J, K). tags: (J, K, T). Joint by joint, peaks are assigned to the instances there are
    so that rounded distances of tags sum to the least, and heights to the most among equals; a peak
    that is left over, or too far, begins an instance of its own.
    """
    rows: list[NDArray[np.int64]] = []
    members: list[list[Floats]] = []
    for joint in order:
        own = np.flatnonzero(heights[joint] > config.least_peak)
        free = set(own.tolist())
        if len(own) and rows:
            means = np.array([np.mean(m, axis=0) for m in members])
            distance = np.linalg.norm(tags[joint, own][:, None] - means, axis=-1)
            # In hundreds, so that no height outweighs a difference of one.
            cost = np.round(distance) * 100 - heights[joint, own][:, None]
            for i, n in zip(*assign(cost), strict=True):
                if distance[i, n] < config.tag_distance:
                    rows[n][joint] = own[i]
                    members[n].append(tags[joint, own[i]])
                    free.discard(int(own[i]))
        for k in sorted(free):
            rows.append(np.full(len(heights), -1))
            rows[-1][joint] = k
            members.append([tags[joint, k]])
    return np.array(rows, np.int64).reshape(-1, len(heights))


def _merge_scales(out: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    coarse, fine = (maps.float() for maps in out)
    joints, size = fine.shape[1], fine.shape[2:]
    coarse = functional.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
    return (coarse[:, :joints] + fine) / 2, coarse[:, joints:]


def _group_one(
    heat: Floats, tags: Floats, heights: Floats, places: NDArray[np.int64], config: Grouping
) -> list[Instance]:
    """heat: (J, H, W). tags: (T, J, H, W). heights, places: (J, K)."""
    joints, _, width = heat.shape
    order = config.order or (OUTWARDS if joints == KEYPOINTS else range(joints))
    flat = tags.reshape(len(tags), joints, -1)
    own = np.moveaxis(np.take_along_axis(flat, places[None], 2), 0, -1)
    chosen = match_tags(heights, own, config, order)
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
            cells[missing], scores[missing] = _refine(heat, flat, missing, mean)
        px = _adjust(heat, cells % width, cells // width)
        out.append(Instance(score, px, scores))
    return sorted(out, key=lambda one: -one.score)


def _refine(
    heat: Floats, tags: Floats, missing: NDArray[np.int64], mean: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Cells and heights of joints without a peak: the highest place less the rounded distance of
    its tag.
    """
    values = heat.reshape(len(heat), -1)[missing]
    away = np.linalg.norm(tags[:, missing] - mean[:, None, None], axis=0)
    best = (values - np.round(away)).argmax(1)
    return best, np.maximum(values[np.arange(len(missing)), best], 0)


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
