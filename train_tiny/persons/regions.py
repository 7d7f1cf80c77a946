"""Regions of a picture as COCO's annotations give them: polygons, run lengths, boxes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_FINE = 4
"""Bits of a polygon's corner below the pixel."""


@dataclass(eq=False)
class Region:
    """One of the three."""

    polygons: tuple[Floats, ...] = ()
    """(n, 2) corners each, counted as COCO does: the first pixel reaches from 0 to 1."""
    runs: tuple[int, ...] = ()
    """Lengths of stretches of the whole picture, column after column, outside and inside by turns.
    """
    box: tuple[float, ...] = ()
    """x, y, width, height, counted as polygons are."""


def read_region(value: dict[str, Any]) -> Region | None:
    """That of an annotation: its segmentation, else its box; None without either.

    Raises KeyError, TypeError or ValueError for what is none of these.
    """
    shape = value.get("segmentation")
    if isinstance(shape, dict):
        counts = shape["counts"]
        runs = _decompress(counts) if isinstance(counts, str) else [int(n) for n in counts]
        height, width = (int(n) for n in shape["size"])
        if sum(runs) != height * width or min(runs, default=0) < 0:
            raise ValueError(f"runs of {sum(runs)} pixels in a picture of {width} x {height}")
        return Region(runs=tuple(runs))
    if shape:
        return Region(polygons=tuple(np.asarray(p, np.float32).reshape(-1, 2) for p in shape))
    box = value.get("bbox")
    if box is None:
        return None
    x, y, across, down = (float(n) for n in box)
    if not np.isfinite([x, y, across, down]).all():
        raise ValueError(f"box {box}")
    return Region(box=(x, y, across, down))


def draw_regions(regions: Iterable[Region], width: int, height: int) -> NDArray[np.uint8]:
    """(H, W) 255 in any of them, 0 elsewhere."""
    out = np.zeros((height, width), np.uint8)
    for region in regions:
        if region.runs:
            inside = np.arange(len(region.runs)) % 2 == 1
            flat = np.repeat(inside, region.runs)
            if len(flat) == out.size:
                out[flat.reshape(width, height).T] = 255
        polygons = list(region.polygons)
        if region.box:
            x, y, w, h = region.box
            polygons.append(np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], np.float32))
        for polygon in polygons:
            # cv2 counts from the middle of the first pixel, and includes what a border touches.
            corners = np.round((polygon - 0.5) * (1 << _FINE)).astype(np.int32)
            cv2.fillPoly(out, [corners], 255, cv2.LINE_8, _FINE)
    return out


def _decompress(text: str) -> list[int]:
    """COCO's compressed runs: numbers of 5 bits a character, from the third on as differences to
    the one before the last.
    """
    runs: list[int] = []
    number = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            raise ValueError(f"{character!r} in compressed runs")
        number |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            number -= 1 << shift
        runs.append(number + (runs[-2] if len(runs) > 2 else 0))
        number = shift = 0
    return runs
