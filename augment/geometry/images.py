"""A geometry applied to images: depth, part codes, reasons of missing readings."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from augment.geometry.lens import map_pixels
from augment.geometry.resampling import STEEPEST, resample, sample_codes
from augment.geometry.virtual_camera import Geometry
from frames.errors import BadInput
from frames.reasons import NOTHING, OUT_OF_RANGE

RESAMPLINGS: Final = ("surface", "nearest")
"""How depth is sampled: interpolated on the nearest pixel's surface, or that pixel's own value."""

_SAME_SPAN: Final = 1.05
"""Up to so many source pixels a new one, nothing is averaged: there is one reading for each."""


@dataclass(frozen=True)
class Images:
    """The images of one frame, all (H, W)."""

    depth: NDArray[Any] | None
    """uint16 in steps of the frame's depth_scale, or float32 metres; 0 where nothing is read."""

    parts: NDArray[np.uint8] | None = None
    """Codes of `frames.parts`."""

    invalid: NDArray[np.uint8] | None = None
    """Why there is no reading, codes of `frames.reasons`."""


def apply_to_images(
    geometry: Geometry,
    images: Images,
    steps_per_m: float = 1.0,
    resampling: str = "surface",
) -> Images:
    """The images that the new camera would have made; absent ones stay absent.

    steps_per_m: units of the depth image in a metre (10,000 for files, 1 for float32 metres).
    resampling: one of `RESAMPLINGS`. New pixels that the source did not see have depth 0, code 0
    and the reason NOTHING; depths that leave the type's range are 0 with the reason OUT_OF_RANGE.
    Types stay as they are. Raises BadInput for images that do not fit the geometry's source.
    """
    _check_images(geometry, images, steps_per_m, resampling)
    places = map_pixels(geometry)
    span = measure_span(places)
    size = geometry.camera.height, geometry.camera.width
    depth = parts = invalid = None
    if images.parts is not None:
        parts = np.empty(size, np.uint8)
        sample_codes(places, images.parts, 0, parts)
    if images.depth is not None:
        depth = np.empty(size, images.depth.dtype)
        limit = STEEPEST / min(geometry.source.fx, geometry.source.fy)
        resample(
            places,
            images.depth,
            images.parts,
            limit if resampling == "surface" else 0.0,
            span if span > _SAME_SPAN else 1.0,
            geometry.depth_factor,
            geometry.depth_offset_m * steps_per_m,
            depth,
        )
    if images.invalid is not None:
        invalid = np.empty(size, np.uint8)
        sample_codes(places, images.invalid, NOTHING, invalid)
        if depth is not None:
            invalid[(depth == 0) & (invalid == 0)] = OUT_OF_RANGE
    return Images(depth, parts, invalid)


def measure_span(places: NDArray[np.float32]) -> float:
    """Source pixels from one new pixel to the next in the middle of a map (3, H', W'); 1 if blind.

    The square root of the area that a new pixel covers.
    """
    height, width = places.shape[1:]
    if height < 2 or width < 2:
        return 1.0
    v, u = (height - 1) // 2, (width - 1) // 2
    here, right, below = places[:2, v, u], places[:2, v, u + 1], places[:2, v + 1, u]
    ux, uy = (float(c) for c in right - here)
    vx, vy = (float(c) for c in below - here)
    area = abs(ux * vy - uy * vx)
    # Between a place and none the difference is the marker's.
    return math.sqrt(area) if 0 < area < 1e4 else 1.0


def _check_images(geometry: Geometry, images: Images, steps_per_m: float, resampling: str) -> None:
    size = geometry.source.height, geometry.source.width
    for name, types in (
        ("depth", ("uint16", "float32")),
        ("parts", ("uint8",)),
        ("invalid", ("uint8",)),
    ):
        image = getattr(images, name)
        if image is None:
            continue
        if not isinstance(image, np.ndarray) or image.dtype.name not in types:
            got = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
            raise BadInput(f"{name} must be an array of {' or '.join(types)}, got {got}")
        if image.shape != size:
            raise BadInput(f"{name} must be {size} as its camera, got {image.shape}")
    if not (math.isfinite(steps_per_m) and steps_per_m > 0):
        raise BadInput(f"steps_per_m must be > 0, got {steps_per_m}")
    if resampling not in RESAMPLINGS:
        raise BadInput(f"resampling must be {' or '.join(RESAMPLINGS)}, got {resampling!r}")
