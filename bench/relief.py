"""The relief of even surfaces: how the errors of a depth image's neighbours go together.

Blocks in which depth has no jump and no hole, in disparity, where a plane stays a plane. What a
parabola leaves of each is taken for error; of all blocks the calmer half counts, the rest being
mostly shape.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

BLOCK: Final = 24
JUMP: Final = 0.015
"""Neighbours that differ by more of their depth are of two surfaces."""

LAGS: Final = (1, 2, 3)


def measure_relief(depths: Iterable[NDArray[np.uint16]]) -> dict[str, tuple[float, ...]]:
    """Correlation at `LAGS` px "down" and "along" rows over images (H, W), 0 for no reading.

    NaN without two blocks. Every block counts alike, however large its errors.
    """
    blocks = np.concatenate([np.empty((0, BLOCK, BLOCK)), *map(cut_blocks, depths)])
    size = np.sqrt(np.square(blocks).mean((1, 2)))
    calm = (size > 0) & (size < np.median(size)) if len(size) else np.zeros(0, bool)
    if not calm.any():
        return dict.fromkeys(("down", "along"), (float("nan"),) * len(LAGS))
    even = blocks[calm] / size[calm, None, None]
    return {"down": _correlate(even), "along": _correlate(even.swapaxes(1, 2))}


def cut_blocks(depth: NDArray[np.uint16]) -> NDArray[np.float64]:
    """(N, 24, 24) what parabolas leave of 1 / depth, relative, in the blocks of one surface."""
    rows, columns = (n // BLOCK for n in depth.shape)
    whole = depth[: rows * BLOCK, : columns * BLOCK].astype(np.float64)
    tiles = whole.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)
    tiles = tiles[(tiles > 0).all((1, 2))]
    jump = JUMP * tiles.mean((1, 2))
    steps = [np.abs(np.diff(tiles, axis=axis)).max((1, 2)) for axis in (1, 2)]
    tiles = tiles[np.maximum(*steps) < jump]
    inverse = 1.0 / tiles.reshape(-1, BLOCK * BLOCK)
    rest = (inverse / inverse.mean(1, keepdims=True)) @ _take_off()
    return np.asarray(rest.reshape(tiles.shape))


def _take_off() -> NDArray[np.float64]:
    """(576, 576) the projection onto what no parabola over a block has."""
    y, x = (np.mgrid[:BLOCK, :BLOCK] / (BLOCK - 1) - 0.5).reshape(2, -1)
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)
    return np.asarray(np.eye(BLOCK * BLOCK) - terms @ np.linalg.pinv(terms))


def _correlate(blocks: NDArray[np.float64]) -> tuple[float, ...]:
    square = np.square(blocks).mean()
    return tuple(float((blocks[:, :-k] * blocks[:, k:]).mean() / square) for k in LAGS)
