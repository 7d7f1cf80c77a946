"""Training geometry: one random virtual camera a sample, drawn and applied (docs/geometry.md).

    out = augment_sample(read_sample(frame), TrainingGeometry(size=(96, 96)), seed=1, index=7)

The order is fixed: crop (turn to the hand, rolled), aim, zoom, shift, flip, depth factor, depth
offset. All numbers of a sample come from one stream, keyed by (seed, index, epoch).
"""

import math
from dataclasses import dataclass
from typing import Final

from augment.geometry.crop import AROUND, crop_camera, find_target
from augment.geometry.images import RESAMPLINGS
from augment.geometry.labels import apply_to_sample
from augment.geometry.sample import Sample
from augment.geometry.steps import (
    aim_camera,
    flip_camera,
    offset_depth,
    resize_camera,
    roll_camera,
    scale_depth,
    shift_camera,
    straighten_camera,
    zoom_camera,
)
from augment.geometry.virtual_camera import Geometry, compose, keep_camera
from frames.camera import MAX_IMAGE_SIDE
from frames.errors import BadInput
from frames.stream import uniform

STAGE: Final = "augment/geometry"
"""Name of the random stream."""

FRAME: Final = "frame"
"""What `around` says for the whole view instead of a hand."""

Range = tuple[float, float]


@dataclass(frozen=True)
class TrainingGeometry:
    """What may happen to a sample. Raises BadInput for values that cannot be."""

    size: tuple[int, int] = (128, 128)
    """Width and height of the result, pixels."""

    around: str = "auto"
    """What the crop encloses: keypoints, box, mask, or the first that there is (auto); "frame":
    no crop, but the whole view at `size`."""

    margin: float = 1.25
    """How much wider than that the crop is, before zoom."""

    side_m: float = 0.0
    """If > 0, the crop's shorter side shows this many metres at the hand, whatever its size."""

    least_px: float = 24.0
    """Source pixels that the crop's shorter side spans at least, before zoom."""

    roll_range_rad: Range = (-0.5, 0.5)
    """Turn of the picture about the optical axis, clockwise. K and depth stay."""

    aim_range: Range = (-0.08, 0.08)
    """How far beside the middle the camera looks, share of the crop's side, each way by itself: a
    box found inexactly. K stays, the 3D places turn."""

    zoom_range: Range = (0.85, 1.18)
    """Factor of the focal length, evenly by ratio. K changes, the 3D places stay."""

    shift_range: Range = (0.0, 0.0)
    """Move of the picture, share of its side, each way by itself. K changes, the 3D places stay."""

    flip_share: float = 0.5
    """How often left and right are swapped, 0 .. 1."""

    depth_factor_range: Range = (0.9, 1.1)
    """Factor of the world's size about the camera, evenly by ratio: depths and 3D places change,
    pixels and K stay."""

    depth_offset_range_m: Range = (-0.03, 0.03)
    """Added to depths: depths and K change, pixels and the hand's size stay."""

    resampling: str = "surface"
    """How depth is sampled, `augment.geometry.images.RESAMPLINGS`."""

    def __post_init__(self) -> None:
        _check_config(self)


def augment_sample(
    sample: Sample,
    config: TrainingGeometry,
    seed: int,
    index: int,
    epoch: int = 0,
    hand: int = 0,
) -> Sample:
    """A sample as another camera would have given it: images, camera and labels changed together.

    seed, index (the sample's, equal in all epochs), epoch: integers in [0, 2^64) that alone decide
    what is drawn. hand: which one the crop is around. Raises BadInput for a hand that is not
    in view, and for images that do not fit the camera.
    """
    geometry = draw_geometry(sample, config, seed, index, epoch, hand)
    return apply_to_sample(geometry, sample, config.resampling)


def draw_geometry(
    sample: Sample,
    config: TrainingGeometry,
    seed: int,
    index: int,
    epoch: int = 0,
    hand: int = 0,
) -> Geometry:
    """The geometry of one sample; arguments as in `augment_sample`."""
    # Every number has its place, used or not: another range changes no other number.
    u = uniform(seed, [index], STAGE, 9, epoch)[0].tolist()
    width, height = config.size
    roll = _between(config.roll_range_rad, u[0])
    if config.around == FRAME:
        geometry = keep_camera(sample.camera)
        if sample.camera.model != "pinhole":
            geometry = compose(geometry, straighten_camera(geometry.camera))
        geometry = compose(geometry, resize_camera(geometry.camera, width, height))
        if roll != 0:
            geometry = compose(geometry, roll_camera(geometry.camera, roll))
        middle = None
    else:
        target = find_target(sample, hand, config.around)
        middle = target.middle_m
        geometry = crop_camera(
            *(sample.camera, target, config.size, config.margin, roll),
            *(config.side_m, config.least_px),
        )
    camera = geometry.camera
    if config.aim_range != (0, 0):
        right = (width - 1) / 2 + width * _between(config.aim_range, u[2])
        down = (height - 1) / 2 + height * _between(config.aim_range, u[3])
        geometry = compose(geometry, aim_camera(camera, (right, down)))
    if config.zoom_range != (1, 1):
        geometry = compose(geometry, zoom_camera(camera, _by_ratio(config.zoom_range, u[1])))
    if config.shift_range != (0, 0):
        right = width * _between(config.shift_range, u[4])
        down = height * _between(config.shift_range, u[5])
        geometry = compose(geometry, shift_camera(geometry.camera, right, down))
    if u[6] < config.flip_share:
        geometry = compose(geometry, flip_camera(geometry.camera))
    if config.depth_factor_range != (1, 1):
        factor = _by_ratio(config.depth_factor_range, u[7])
        geometry = compose(geometry, scale_depth(geometry.camera, factor))
    if config.depth_offset_range_m != (0, 0):
        if middle is None:
            middle = find_target(sample, hand).middle_m
        axis = geometry.turn[2]
        depth = geometry.depth_factor * float(sum(axis[i] * middle[i] for i in range(3)))
        offset = _between(config.depth_offset_range_m, u[8])
        # Real hands of which nothing was read: nobody knows how far they are.
        if math.isfinite(depth):
            geometry = compose(geometry, offset_depth(geometry.camera, offset, depth))
    return geometry


def _between(ends: Range, u: float) -> float:
    return ends[0] + u * (ends[1] - ends[0])


def _by_ratio(ends: Range, u: float) -> float:
    return float(ends[0] * math.exp(u * math.log(ends[1] / ends[0])))


def _check_config(config: TrainingGeometry) -> None:
    size = config.size
    whole = len(size) == 2 and all(isinstance(n, int) and not isinstance(n, bool) for n in size)
    if not whole or not all(1 <= n <= MAX_IMAGE_SIDE for n in size):
        raise BadInput(f"size must be (width, height), 1 to {MAX_IMAGE_SIDE} pixels, got {size}")
    if config.around not in (*AROUND, FRAME):
        raise BadInput(f"around must be {', '.join(AROUND)} or {FRAME}, got {config.around!r}")
    if config.resampling not in RESAMPLINGS:
        raise BadInput(f"resampling must be {' or '.join(RESAMPLINGS)}, got {config.resampling!r}")
    if not (math.isfinite(config.margin) and config.margin > 0):
        raise BadInput(f"margin must be > 0, got {config.margin}")
    for name in ("side_m", "least_px"):
        value = getattr(config, name)
        if not (math.isfinite(value) and value >= 0):
            raise BadInput(f"{name} must be >= 0, got {value}")
    if not 0 <= config.flip_share <= 1:
        raise BadInput(f"flip_share must be 0 to 1, got {config.flip_share}")
    bounds = {
        "roll_range_rad": (-math.inf, math.inf),
        "aim_range": (-1.0, 1.0),
        "zoom_range": (0.01, 100.0),
        "shift_range": (-1.0, 1.0),
        "depth_factor_range": (0.01, 100.0),
        "depth_offset_range_m": (-10.0, 10.0),
    }
    for name, (least, most) in bounds.items():
        ends = getattr(config, name)
        good = len(ends) == 2 and all(math.isfinite(e) and least <= e <= most for e in ends)
        if not (good and ends[0] <= ends[1]):
            limits = "" if math.isinf(most) else f" within {least:g} to {most:g}"
            raise BadInput(f"{name} must be (lowest, highest){limits}, got {ends}")
