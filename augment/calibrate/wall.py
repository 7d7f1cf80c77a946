"""A flat wall before the camera: found, and what the readings do about it, tile by tile."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.calibrate.capture import Capture, Clip, Stack
from augment.calibrate.estimate import count_logs
from augment.calibrate.plane import Surface, find_surface
from augment.calibrate.silhouette import find_hand
from augment.calibrate.stillness import find_runs
from augment.calibrate.variogram import SPACE_LAGS, sum_space, sum_time

Floats = NDArray[np.float64]

LEAST_SHARE: Final = 0.4
"""Of the pixels of the image that have a reading, this share must lie on the wall."""

LEAST_TILES: Final = 12
_TILES_HIGH: Final = 10
_OUTLIER: Final = 8.0
_MOST_FRAMES: Final = 60
"""Frames of a clip that are used: 40 are librealsense's choice."""


@dataclass(frozen=True)
class Wall:
    """One burst of frames of a wall; sums by tile (T of them), in inverse depth, 1/m."""

    name: str
    surface: Surface
    frames: int
    moved: bool
    """Whether the camera or the wall moved: then nothing in time can be said."""

    inverse: float
    """Median of w over the wall."""

    slope: tuple[float, float]
    """Change of w from pixel to pixel along x and along y."""

    step: float
    """What rounding to the file's steps does to w at that distance."""

    total: Floats
    """(T, 2) sum of squared residuals, and how many."""

    space: Floats
    """(T, lags, 2, 2), `variogram.sum_space` within all frames."""

    cross: Floats
    """The same between each frame and the next."""

    time: Floats
    """(T, lags, 2), `variogram.sum_time`."""

    spreads: Floats
    """(T, bins) standard deviation over time of each pixel, metres, as `estimate.count_logs`."""

    fill: Floats
    """(T, 2) readings, and pixels that could have had one."""

    values: NDArray[np.int64]
    """(65536,) how often each value of the file occurs on the wall."""

    example: NDArray[np.float32]
    """(H, W) residual of the first frame, 1/m; NaN off the wall and where there is no reading."""

    @property
    def distance_m(self) -> float:
        """Median depth."""
        return 1.0 / self.inverse


def find_walls(capture: Capture) -> tuple[list[Wall], list[str]]:
    """Walls in the clips' static bursts, and, for those without, the reason.

    A clip that does not stand still is looked at frame by frame, its first one alone.
    """
    walls, reasons = [], []
    for clip in capture.clips:
        runs = find_runs(capture, clip)
        longest = max(stop - first for first, stop in runs)
        bursts = [r for r in runs if r[1] - r[0] >= min(longest, 2)]
        for first, stop in bursts if longest > 1 else bursts[:1]:
            part = clip if (first, stop) == (0, len(clip.depth)) else clip.cut(first, stop)
            if _shows_hand(capture, part):
                reasons.append(f"{part.name}: something stands before it")
                continue
            found = measure_wall(capture, part)
            if isinstance(found, Wall):
                walls.append(found)
            else:
                reasons.append(f"{part.name}: {found}")
    return walls, reasons


def _shows_hand(capture: Capture, clip: Clip) -> bool:
    if clip.hand is not None:
        return bool(clip.hand.any())
    return find_hand(clip.depth[0], capture.depth_scale) is not None


def measure_wall(capture: Capture, clip: Clip) -> Wall | str:
    """What one burst shows of a wall, or why it shows none."""
    depth = clip.depth[:_MOST_FRAMES]
    stack = capture.to_inverse(depth)
    known = np.isfinite(stack)
    times = known.sum(0)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, stack, 0).sum(0, dtype=np.float64) / times
    mean[times < (len(stack) + 1) // 2] = np.nan
    if not np.isfinite(mean).any():
        return "no pixel has a reading in half of the frames"
    middle = float(np.nanmedian(mean))
    step = middle**2 / capture.depth_scale
    rays = capture.camera.ray_table()
    surface = find_surface(mean, rays, 0.3 * step)
    share = 0.0
    if surface is not None:
        share = float(surface.region.sum()) / float(np.isfinite(mean).sum())
    if surface is None or share < LEAST_SHARE:
        return (
            f"no plane fills {LEAST_SHARE:.0%} of what is seen"
            f" (the largest {share:.0%}): is it a wall?"
        )
    inverse = float(np.median(mean[surface.region & np.isfinite(mean)]))
    step = inverse**2 / capture.depth_scale
    stack -= surface.evaluate(rays).astype(np.float32)
    stack[:, ~surface.region] = np.nan
    limit = _OUTLIER * max(_find_scatter(stack), step)
    with np.errstate(invalid="ignore"):
        stack[np.abs(stack) > limit] = np.nan
    moved = _subtract_drift(stack)
    tiles, count = _tile(surface.region)
    if count < LEAST_TILES:
        return f"the plane covers {count} tiles of the image, {LEAST_TILES} are needed"
    terms = surface.terms[1:3] / surface.reach
    slope = (float(terms[0]) / capture.camera.fx, float(terms[1]) / capture.camera.fy)
    return Wall(
        clip.name,
        surface,
        len(stack),
        moved,
        inverse,
        slope,
        step,
        _sum_squares(stack, tiles, count),
        np.sum([sum_space(r, r, tiles, count) for r in stack], 0),
        _sum_cross(stack, tiles, count),
        sum_time(stack, tiles, count),
        _count_spreads(stack, tiles, count, inverse),
        _sum_fill(depth, tiles, count, surface.region),
        np.bincount(depth[:, surface.region].ravel(), minlength=65536).astype(np.int64),
        stack[0].copy(),
    )


def _find_scatter(stack: NDArray[np.float32]) -> float:
    return 1.4826 * float(np.nanmedian(np.abs(stack)))


def _subtract_drift(stack: NDArray[np.float32]) -> bool:
    """Take each frame's mean off it in place; whether that is more than the noise allows."""
    means = np.array([np.nanmean(r, dtype=np.float64) for r in stack])
    stack -= means[:, None, None].astype(np.float32)
    return bool(len(stack) > 1 and np.ptp(means) > 0.5 * float(np.nanstd(stack)))


def _tile(region: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """(H, W) number of each pixel's tile, -1 off the wall; tiles that it fills to a third."""
    height, width = region.shape
    side = max(8, min(height, width) // _TILES_HIGH)
    across = -(-width // side)
    rows, columns = np.arange(height) // side, np.arange(width) // side
    number = rows[:, None] * across + columns[None]
    counts = np.bincount(number[region], minlength=int(number.max()) + 1)
    good = counts >= side * side // 3
    renumbered = np.where(good, np.cumsum(good) - 1, -1).astype(np.int32)
    return np.where(region, renumbered[number], np.int32(-1)), int(good.sum())


def _sum_squares(stack: NDArray[np.float32], tiles: NDArray[np.int32], count: int) -> Floats:
    out = np.zeros((count, 2))
    for residual in stack:
        known = np.isfinite(residual) & (tiles >= 0)
        square = np.square(residual[known], dtype=np.float64)
        out[:, 0] += np.bincount(tiles[known], square, count)
        out[:, 1] += np.bincount(tiles[known], minlength=count)
    return out


def _sum_cross(stack: NDArray[np.float32], tiles: NDArray[np.int32], count: int) -> Floats:
    sums = [sum_space(a, b, tiles, count) for a, b in pairwise(stack)]
    return np.sum(sums, 0) if sums else np.zeros((count, len(SPACE_LAGS), 2, 2))


def _sum_fill(
    depth: Stack, tiles: NDArray[np.int32], count: int, region: NDArray[np.bool_]
) -> Floats:
    inside = tiles >= 0
    read = (depth > 0).sum(0)
    pixels = np.bincount(tiles[inside], minlength=count) * float(len(depth))
    return np.stack([np.bincount(tiles[inside], read[inside], count), pixels], -1)


def _count_spreads(
    stack: NDArray[np.float32], tiles: NDArray[np.int32], count: int, inverse: float
) -> Floats:
    """Standard deviation of each pixel read in at least half of the frames, by tile."""
    known = np.isfinite(stack)
    times = known.sum(0)
    filled = np.where(known, stack, 0).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(0) / times
        variance = (np.square(filled).sum(0) - times * mean**2) / (times - 1)
    spread = np.sqrt(np.maximum(variance, 0.0)) / inverse**2
    good = (times >= max(2, len(stack) // 2)) & (tiles >= 0)
    return np.stack([count_logs(spread[good & (tiles == t)]) for t in range(count)])
