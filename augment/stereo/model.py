"""Active and passive stereo, the fast model: what a windowed matcher does, without matching.

The clean depth becomes disparity in the device's own pixels; near surfaces grow and melt as they do
under windows (`window_matching`), what the second eye does not see is left out (`shadow`), noise,
pull and steps come onto the disparity and holes gather at the hard places (`disparity_reading`).
docs/sensors/stereo.md has the equations, their sources and what they reach.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augment.effects.noise_field import effect_key, fill_field, fill_temporal_field
from augment.effects.shadow import table_columns
from augment.parameter import parameter
from augment.shot import Reading, Shot
from augment.stereo.depth_filters import fill_from_left, filter_median
from augment.stereo.disparity_reading import Limits, read_disparity
from augment.stereo.false_matches import paint_islands
from augment.stereo.gap_bridging import Bridges, bridge_gaps
from augment.stereo.marks import Patches
from augment.stereo.window_matching import Windows, match_windows
from frames.camera import Camera

_OUTLINE: Final = 0.375
"""Of `part_px`: the step from pixel to pixel at which gaps begin, 1.5 px of a D435."""
_OUTLINE_GRAIN: Final = 0.4
"""Outlines are smoother than the rims of holes: so much of their grain."""
_WIDEST: Final = 255
"""Pixels that anything grows or stands beside, at the most."""


@dataclass(frozen=True)
class Stereo:
    """Parameters. Lengths in px are pixels of the device's own depth image."""

    focal_px: float = parameter("px", 50.0, 10000.0)
    """Focal length of the device's depth image. A dataset's image may be smaller: lengths are
    scaled by its own focal length over this one."""
    baseline_m: float = parameter("m", 0.001, 2.0)
    """Between the two eyes; disparity = focal_px * baseline_m / z."""
    second_eye: float = parameter("side", -1.0, 1.0)
    """Where the eye is that the depth image does not belong to: >= 0 right, < 0 left."""
    max_disparity_px: float = parameter("px", 1.0, 4096.0)
    """Largest disparity of the search: nothing is read nearer than f B / max_disparity_px."""
    near_fray_px: float = parameter("px", 0.0, 100.0)
    """How far before that, in disparities, matching begins to fail: times what the patches are
    above -1. The near limit is torn."""
    far_m: float = parameter("m", 0.1, 1000.0)
    """Nothing is read beyond."""
    noise_px: float = parameter("px", 0.0, 5.0)
    """RMS error of the disparity s on a well lit plane: the depth errs by z^2 s / (f B)."""
    noise_length_px: float = parameter("px", 0.0, 100.0)
    """Distance at which the correlation of the part that is new in every frame is 1/e."""
    slow_share: float = parameter("1", 0.0, 1.0)
    """Of the variance of the noise, the part that goes with the patches below."""
    patch_length_px: float = parameter("px", 0.0, 500.0)
    """Distance at which the correlation of patches of bad matching is 1/e: how large holes and the
    blocks of silhouettes are, and the slow part of the noise."""
    fixed_share: float = parameter("1", 0.0, 1.0)
    """Of the patches' variance, what stays through a sequence."""
    memory_s: float = parameter("s", 0.0, 1000.0)
    """Time in which the correlation of the rest of the patches falls to 1/e."""
    uneven: float = parameter("1", 0.0, 3.0)
    """u: the fresh noise is multiplied by how rough the place is, |1 + u x texture|, its RMS kept:
    surfaces are smooth in places and rough in others."""
    texture_length_px: float = parameter("px", 0.0, 500.0)
    """Distance at which the correlation of this texture is 1/e; 0: it is the patches."""
    crease: float = parameter("1", 0.0, 1.0)
    """Of the slow noise's variance, what rises with the texture and falls at once."""
    grain: float = parameter("1", 0.0, 5.0)
    """How much of the fresh noise is added to the patches where they decide on holes: rims are
    speckled at the scale of `noise_length_px`."""
    locking_px: float = parameter("px", 0.0, 0.5)
    """Amplitude a of the pull towards whole disparities, a sin(2 pi d) (pixel locking)."""
    quantum_px: float = parameter("px", 0.0, 1.0)
    """Step of the disparity; 0: none."""
    depth_step_m: float = parameter("m", 0.0, 0.1)
    """Step of the depth that is delivered; 0: none."""
    grow_px: float = parameter("px", 0.0, 50.0)
    """How far near surfaces grow over their surroundings, mean."""
    grow_hidden_px: float = parameter("px", 0.0, 50.0)
    """The same where the second eye is blind, and nothing else could match."""
    grow_spread: float = parameter("1", 0.0, 2.0)
    """Standard deviation of both between patches, relative: irregular silhouettes."""
    part_px: float = parameter("px", 0.1, 100.0)
    """Step of disparity from which the near surface hides the far one from the second eye and grows
    over what is hidden; it grows over what both eyes see from twice that step."""
    grow_step_px: float = parameter("px", 0.0, 200.0)
    """Step of disparity from which silhouettes grow everywhere; half as much where the second eye
    is blind. Below, they grow in fewer places the smaller the step, down to `part_px`."""
    bridge_px: float = parameter("px", 0.0, 100.0)
    """Gaps between near surfaces are bridged at their depth up to this width, however small the
    step behind them."""
    bridge_step: float = parameter("1", 0.0, 2.0)
    """Width that is added to it per disparity of the step into the gap: so much of what lies behind
    hides from the second eye. Up and down the image a sixth of it."""
    bridge_spread: float = parameter("1", 0.0, 2.0)
    """Standard deviation of that width between patches, relative: ragged webs with holes."""
    melt_px: float = parameter("px", 0.0, 50.0)
    """Half the length of the ramp into which a small step melts."""
    melt_step_px: float = parameter("px", 0.1, 100.0)
    """Step of disparity at which nothing melts any more."""
    melt_spread: float = parameter("1", 0.0, 2.0)
    """Standard deviation of it between patches, relative: in places fingers run into what they
    hold, and keep their outline in others."""
    tear: float = parameter("1", 0.0, 1.0)
    """How unevenly outlines are frayed and grown: 0 everywhere alike; 1 with the patches' square,
    smooth for a while and then torn."""
    ring_px: float = parameter("px", 0.0, 50.0)
    """Width of the ring outside silhouettes where the window straddles them."""
    ring_share: float = parameter("1", 0.0, 1.0)
    """Of the pixels there that nothing has grown over: lost."""
    island_share: float = parameter("1", 0.0, 1.0)
    """Of the pixels of the ring and of shadows that nothing has grown over: islands of a wrong
    disparity."""
    island_px: float = parameter("px", 0.0, 100.0)
    """Mean width of these islands; two pixels of the dataset's image at least."""
    fray_px: float = parameter("px", 0.0, 50.0)
    """How far the ends of shadows and of the border's band stray, times the patches' deviation."""
    hole_share: float = parameter("1", 0.0, 1.0)
    """Of the pixels of good surfaces: lost."""
    low_signal: float = parameter("1", 0.0, 10.0)
    """Signal at which half of the pixels are lost. The signal is reflectance cos^2 times
    (p / z^2 + 1 - p): 1 for a white wall, face on, at 1 m."""
    high_signal: float = parameter("1", 0.001, 1e9)
    """Signal above which the image is saturated."""
    projector_share: float = parameter("1", 0.0, 1.0)
    """p: how much of the texture at 1 m the device projects itself. 0: passive."""
    rim_loss: float = parameter("1", 0.0, 1.0)
    """Share of the signal that is missing in the image's corners, growing with the square."""
    slope_limit: float = parameter("1", 0.01, 100.0)
    """Gradient of the disparity, px per px, at which half of the pixels are lost."""
    median: float = parameter("switch", 0.0, 1.0)
    """From 0.5 a 3 x 3 median of the image runs over the disparity."""
    fill_px: float = parameter("px", 0.0, 10000.0)
    """Holes are filled from their left end as far as this; 0: not at all."""


def sense_stereo(model: Stereo, shot: Shot) -> Reading:
    """What the device reads: depth (H, W) float32 m, reason uint8, sigma float32 m.

    A pure function of model, camera, images and keys. sigma is z^2 noise / (f B), with the noise
    that little light adds; growth, melting and how uneven it is are not in it.
    """
    shape = shot.depth.shape
    depth_m, sigma = np.empty(shape, np.float32), np.empty(shape, np.float32)
    reason = np.empty(shape, np.uint8)
    _read(model, shot, depth_m, reason, sigma, np.empty((0, 0), np.uint16))
    if model.fill_px > 0:
        longest = int(model.fill_px * shot.camera.fx / model.focal_px + 0.5)
        fill_from_left(depth_m, reason, sigma, longest)
    return Reading(depth_m, reason, None, sigma)


def store_stereo(
    model: Stereo, shot: Shot, depth: NDArray[np.uint16], invalid: NDArray[np.uint8]
) -> None:
    """What `sense_stereo` gives, in a file's steps (H, W) and reasons (H, W), to the bit as
    `augment.sensor.store_reading` makes them: images of metres need not pass through the memory.

    The model must not fill holes.
    """
    assert not model.fill_px > 0
    rows = np.empty((2, 1, shot.depth.shape[1]), np.float32)
    _read(model, shot, rows[0], invalid, rows[1], depth)


def _read(
    model: Stereo,
    shot: Shot,
    depth_m: NDArray[np.float32],
    reason: NDArray[np.uint8],
    sigma: NDArray[np.float32],
    steps: NDArray[np.uint16],
) -> None:
    shape = shot.depth.shape
    if shot.depth.size == 0:
        return
    numbers = _prepare(model, shot.camera, float(shot.depth_scale))
    lateral, ring = numbers.lateral, numbers.ring
    badness, noise = np.empty(shape, np.float32), np.empty(shape, np.float32)
    patch_px = model.patch_length_px * lateral
    slow = (model.fixed_share, model.memory_s, patch_px, badness)
    fill_temporal_field(shot.keys, "stereo/patches", shot.time_s, *slow)
    fresh = effect_key(shot.keys.frame, "stereo/noise")
    fill_field(fresh, model.noise_length_px * lateral, noise)
    texture = badness
    if model.texture_length_px > 0:
        texture = np.empty(shape, np.float32)
        weave = (model.fixed_share, model.memory_s, model.texture_length_px * lateral, texture)
        fill_temporal_field(shot.keys, "stereo/texture", shot.time_s, *weave)
    outlines = Patches(noise, badness, *numbers.outline_gains)
    ends = Patches(noise, badness, *numbers.end_gains)
    holes = Patches(noise, badness, *numbers.hole_gains)
    right, x_px = model.second_eye >= 0, numbers.x_px
    closed, state = np.empty(shape, np.uint16), np.empty(shape, np.uint8)
    bridge_gaps(shot.depth, outlines, x_px, right, numbers.bridges, state, closed)
    matched = np.empty(shape, np.float32)
    match_windows(closed, outlines, ends, x_px, ring, numbers.windows, state, matched)
    if model.median >= 0.5:
        matched = filter_median(matched)
    key = effect_key(shot.keys.frame, "stereo/islands")
    islands = model.island_share, model.island_px * lateral
    paint_islands(key, *islands, closed, ring, numbers.windows.scale, right, holes, state, matched)
    given = matched, state, shot.parts, shot.reflectance, x_px, numbers.y_px, holes, texture
    read_disparity(*given, numbers.limits, depth_m, reason, sigma, steps)


Gains = tuple[np.float32, np.float32, np.float32, np.float32]


class _Numbers(NamedTuple):
    """What a model's parameters are for one camera."""

    lateral: float
    """Pixels of the image in one of the device."""
    ring: int
    """Pixels of the image within which a nearer surface stands beside."""
    x_px: NDArray[np.float32]
    """fx x of every pixel's ray (x, y, 1), (H, W), or (1, W) where all rows are alike."""
    y_px: NDArray[np.float32]
    """fy y, (H, W) or (H, 1)."""
    outline_gains: Gains
    """Of `Patches` that decide on silhouettes."""
    end_gains: Gains
    """On ends of shadows."""
    hole_gains: Gains
    """On holes."""
    bridges: Bridges
    windows: Windows
    limits: Limits


@lru_cache(maxsize=64)
def _prepare(model: Stereo, camera: Camera, depth_scale: float) -> _Numbers:
    lateral = camera.fx / model.focal_px
    scale = model.focal_px * model.baseline_m * depth_scale
    side = 1.0 if model.second_eye >= 0 else -1.0
    grow, grow_hidden = model.grow_px * lateral, model.grow_hidden_px * lateral
    farthest = math.ceil(max(grow, grow_hidden) * (1.0 + model.grow_spread))
    part = model.part_px * lateral
    bridges = (
        *(scale * lateral, _OUTLINE * part, model.bridge_px * lateral, model.bridge_step),
        *(model.bridge_spread, part),
    )
    windows = (
        *(grow, grow_hidden, model.grow_spread, scale, model.part_px, model.grow_step_px),
        *(side * lateral, _find_borders(camera)[0 if side > 0 else 1], model.fray_px * lateral),
        *(model.melt_px * lateral, model.melt_step_px, model.melt_spread),
    )
    x_px, y_px = table_columns(camera), _table_rows(camera)
    if camera.model == "pinhole":
        x_px, y_px = np.ascontiguousarray(x_px[:1]), np.ascontiguousarray(y_px[:, :1])
    return _Numbers(
        lateral=lateral,
        ring=min(max(int(model.ring_px * lateral + 0.5), farthest), _WIDEST),
        x_px=x_px,
        y_px=y_px,
        outline_gains=_weigh_patches(_OUTLINE_GRAIN * model.grain, model.tear),
        end_gains=_weigh_patches(model.grain, model.tear),
        hole_gains=_weigh_patches(model.grain, 0.0),
        bridges=Bridges(*map(np.float32, bridges)),
        windows=Windows(*map(np.float32, windows)),
        limits=_limits(model, camera, depth_scale),
    )


def _weigh_patches(grain: float, tear: float) -> Gains:
    """Gains of badness and noise whose sum x has unit variance, and a and b with which
    x (a + b |x|) has: E |x|^3 = 2 sqrt(2 / pi), E x^4 = 3.
    """
    norm = 1.0 / math.sqrt(1.0 + grain * grain)
    a, b = 1.0 - tear, tear
    size = math.sqrt(a * a + 4.0 * math.sqrt(2.0 / math.pi) * a * b + 3.0 * b * b)
    return np.float32(norm), np.float32(norm * grain), np.float32(a / size), np.float32(b / size)


def _limits(model: Stereo, camera: Camera, depth_scale: float) -> Limits:
    lateral = camera.fx / model.focal_px
    scale = model.focal_px * model.baseline_m
    crease = model.crease
    numbers = (
        scale,
        model.noise_px,
        math.sqrt(1.0 - model.slow_share),
        math.sqrt(model.slow_share * (1.0 - crease)),
        math.sqrt(12.0 * model.slow_share * crease),
        model.uneven,
        1.0 / math.sqrt(1.0 + model.uneven**2),
        model.locking_px,
        model.quantum_px,
        model.depth_step_m,
        model.max_disparity_px,
        model.near_fray_px,
        scale / model.far_m,
        _find_quantile(model.hole_share),
        _find_quantile(model.ring_share),
        model.low_signal,
        model.high_signal,
        lateral / model.slope_limit,
        model.projector_share,
        model.rim_loss / max(_find_borders(camera)[2], 1e-9),
        camera.fx,
        camera.fy,
        depth_scale,
    )
    return Limits(*map(np.float32, numbers))


def _find_quantile(share: float) -> float:
    """What a normal number exceeds in this share of cases; far beyond any for 0 and 1."""
    if not 0.0 < share < 1.0:
        return 1e9 if share <= 0.0 else -1e9
    return NormalDist().inv_cdf(1.0 - share)


@lru_cache(maxsize=8)
def _table_rows(camera: Camera) -> NDArray[np.float32]:
    """(H, W) float32: fy y of every pixel's ray (x, y, 1); NaN outside the field. Read-only."""
    table = (camera.ray_table()[..., 1] * camera.fy).astype(np.float32)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=8)
def _find_borders(camera: Camera) -> tuple[float, float, float]:
    """fx x of the rays through the left and right border, and the largest x^2 + y^2 of a ray."""
    x_px = table_columns(camera)
    farthest = float(np.nanmax(np.square(camera.ray_table()).sum(-1)))
    return float(np.nanmin(x_px)) - 0.5, float(np.nanmax(x_px)) + 0.5, farthest
