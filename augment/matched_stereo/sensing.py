"""Stereo by matching, the faithful model: a rendered infrared pair and a real matcher.

Both eyes' views of the scene around the hands (`pair`, rendered by `synth.stereo_pair`) are lit and
exposed (`infrared`), matched at the device's own resolution (`block_matching`) and reduced to the
dataset's (`native_reading`). Fattening, fused fingers, shadows, blocky silhouettes and correlated
errors are not modelled: they come about. Outside the windows the fast model of the same device
stands in. docs/sensors/matched_stereo.md has what it reaches.
"""

import math
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.effects.shadow import fill_shadow
from augment.matched_stereo.block_matching import match_window, quantise, smooth_disparity
from augment.matched_stereo.infrared import KNEE, compand
from augment.matched_stereo.infrared_pair import expose_pair
from augment.matched_stereo.model import MatchedStereo
from augment.matched_stereo.native_reading import decimate, explain_holes
from augment.matched_stereo.pair import Pair, Window, native_camera
from augment.matched_stereo.subpixel import refine_disparity
from augment.shot import Reading, Shot
from augment.stereo.model import Stereo, sense_stereo
from frames.errors import BadInput
from frames.reasons import NOTHING

__all__ = ["MatchedStereo", "match_pair", "sense_matched_stereo"]

_STEPS_PER_M: Final = 10000.0
_FLAT: Final = 200.0  # squared gradients in a window, below which it is flat
_INSET: Final = 4  # native pixels at a window's border: the matcher lacks what lies beyond


def sense_matched_stereo(model: MatchedStereo, shot: Shot) -> Reading:
    """What the device reads: depth (H, W) float32 m and reason (H, W) uint8.

    Raises BadInput for a shot without a rendered pair (`shot.pair`), with one of another device, or
    of a camera that is no pinhole.
    """
    pair = shot.pair
    if pair is None:
        raise BadInput(
            "stereo by matching needs both eyes' views rendered, and this frame has none: it can be"
            " had when frames are made (handloom synth --sensor) and for frames that can be"
            " rendered again; use the sensor d435 for others"
        )
    camera = native_camera(shot.camera, model.focal_px)
    if camera != pair.camera or abs(pair.baseline_m - model.baseline_m) > 1e-9:
        raise BadInput(
            f"the pair was rendered for a focal length of {pair.camera.fx:g} px and a baseline of"
            f" {pair.baseline_m:g} m, the sensor has {camera.fx:g} px and {model.baseline_m:g} m:"
            " render it again for this sensor"
        )
    shape = shot.depth.shape
    if _is_whole(pair):
        outside = Reading(np.zeros(shape, np.float32), np.full(shape, NOTHING, np.uint8))
    else:
        outside = sense_stereo(_fast_model(model), shot)
    if not pair.windows:
        return Reading(outside.depth_m, outside.reason)
    values = np.full(shape, -1.0, np.float32)
    whys, shares = np.zeros(shape, np.uint8), np.zeros(shape, np.float32)
    per_pixel = camera.fx / shot.camera.fx
    for window, left, right in zip(pair.windows, *expose_pair(model, shot, pair), strict=True):
        disparity, reason = match_pair(model, pair, window, left, right)
        decimate(
            disparity, reason, window.top, window.left_eye.left, per_pixel, model.keep_share,
            _INSET, (camera.height, camera.width), values, whys, shares,
        )  # fmt: skip
    return _merge(np.float32(camera.fx * model.baseline_m), values, whys, shares, outside)


def match_pair(
    model: MatchedStereo,
    pair: Pair,
    window: Window,
    left: NDArray[np.uint8],
    right: NDArray[np.uint8],
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Disparity (h, w) float32 px of a window, < 0 for none, and why not (h, w) uint8."""
    how = model.matching
    depth, scale = window.left_eye.depth_m, pair.camera.fx * model.baseline_m
    farthest = float(depth.max(initial=0.0))
    least = scale / model.far_m
    lowest = max(least, scale / farthest if farthest > 0 else 0.0) - 6
    disparity = match_window(left, right, math.floor(lowest), how)
    disparity = _refine(model, left, right, disparity)
    if model.quantum_px > 0:
        quantise(disparity, np.float32(model.quantum_px))
    hidden = np.zeros(depth.shape, np.uint8)
    steps = np.minimum(depth * _STEPS_PER_M + 0.5, 65535).astype(np.uint16)
    columns = np.arange(depth.shape[1], dtype=np.float32) + np.float32(window.left_eye.left)
    x_px = np.ascontiguousarray(np.broadcast_to(columns, depth.shape))
    fill_shadow(steps, scale * _STEPS_PER_M, x_px, 0.5, hidden)
    reason = np.empty(depth.shape, np.uint8)
    explain_holes(
        disparity, left, depth, hidden, np.float32(scale), window.left_eye.left,
        np.float32(max(least, 1e-6)), np.float32(min(window.reach, scale / model.near_m)),
        compand(model.low_level, KNEE), how.window_px, reason,
    )  # fmt: skip
    return disparity, reason


def _refine(
    model: MatchedStereo,
    left: NDArray[np.uint8],
    right: NDArray[np.uint8],
    disparity: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Smoothed, and to a fraction of a pixel; a step of refinement smooths by its window anyhow."""
    half = model.matching.window_px // 2
    other = np.empty_like(disparity)
    steps = round(model.refinements)
    for k in range(max(steps, 1)):
        if model.smooth_px > 0:
            smooth_disparity(disparity, model.smooth_px, np.float32(model.smooth_step_px), other)
            disparity, other = other, disparity
        if k < steps:
            refine_disparity(left, right, disparity, half, np.float32(_FLAT), other)
            disparity, other = other, disparity
    return disparity


def _is_whole(pair: Pair) -> bool:
    if len(pair.windows) != 1:
        return False
    one = pair.windows[0]
    size = pair.camera.height, pair.camera.width
    return (one.top, one.left_eye.left) == (0, 0) and one.left_eye.depth_m.shape == size


def _merge(
    scale: np.float32,
    values: NDArray[np.float32],
    whys: NDArray[np.uint8],
    shares: NDArray[np.float32],
    outside: Reading,
) -> Reading:
    """Matched readings within, the others outside, faded into each other where they agree."""
    before = outside.depth_m
    inner = shares >= 0.5
    depth = np.where(inner & (values > 0), scale / np.maximum(values, 1e-6), np.float32(0))
    depth = np.where(inner, depth, before)
    reason = np.where(inner, whys, outside.reason)
    both = (shares > 0) & (shares < 1) & (values > 0) & (before > 0)
    other = scale / np.maximum(before[both], np.float32(1e-6))
    mine = values[both]
    mixed = scale / (mine + (1 - shares[both]) * (other - mine))
    depth[both] = np.where(np.abs(other - mine) < 2, mixed, depth[both])
    return Reading(depth.astype(np.float32), reason.astype(np.uint8))


@lru_cache(maxsize=64)
def _fast_model(model: MatchedStereo) -> Stereo:
    """The fast model of the same device: a D435's or, without a projector, a ZED's, refitted."""
    from augment.profile import Profile, load_profile  # which knows all models, this one too

    like = load_profile("d435" if model.projector >= 0.5 else "zed")
    assert isinstance(like, Profile)
    fast: Stereo = replace(
        like.parameters,
        focal_px=model.focal_px,
        baseline_m=model.baseline_m,
        second_eye=1.0,
        max_disparity_px=model.focal_px * model.baseline_m / model.near_m,
        far_m=model.far_m,
        quantum_px=model.quantum_px,
        depth_step_m=0.0,
    )
    return fast
