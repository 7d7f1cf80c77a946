"""Stereo by matching, the faithful model: a rendered infrared pair and a real matcher.

Both eyes' views of the scene around the hands (`pair`, rendered by `synth.stereo_pair`) are lit and
exposed (`infrared`), matched at the device's own resolution (`block_matching`) and reduced to the
dataset's (`native_reading`). Fattening, fused fingers, shadows, blocky silhouettes and correlated
errors are not modelled: they come about. Outside the windows the fast model of the same device
stands in. docs/sensors/matched_stereo.md has what it reaches.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.block_matching import Matching, match_window, quantise, smooth_disparity
from augment.dot_pattern import build_dots
from augment.infrared import Light, expose_eye, light_eye
from augment.native_reading import decimate, explain_holes
from augment.noise_field import effect_key
from augment.pair import Pair, Window, native_camera
from augment.parameter import parameter
from augment.shadow import fill_shadow
from augment.shot import Reading, Shot
from augment.stereo import Stereo, sense_stereo
from augment.subpixel import refine_disparity
from frames.errors import BadInput
from frames.parts import HAND_PARTS, HAND_STRIDE, OBJECT_BASE
from frames.reasons import NOTHING

_STEPS_PER_M: Final = 10000.0
_SKIN_M: Final = 0.45  # where the scattering's size is turned to pixels of the projector
_BRIGHT: Final = 0.9  # of the hand's pixels are darker than what the exposure aims at
_ENOUGH: Final = 64  # pixels of hands by which to expose
_FLAT: Final = 200.0  # squared gradients in a window, below which it is flat
_INSET: Final = 4  # native pixels at a window's border: the matcher lacks what lies beyond


@dataclass(frozen=True)
class MatchedStereo:
    """Parameters. Lengths in px are pixels of the device's own images unless they say otherwise."""

    focal_px: float = parameter("px", 50.0, 4000.0)
    """Focal length at which the pair is rendered and matched."""
    baseline_m: float = parameter("m", 0.001, 1.0)
    """The right eye is as far along +x from the left one, whose depth image it is."""
    near_m: float = parameter("m", 0.01, 10.0)
    """Nothing is read nearer: the search ends at focal_px baseline_m / near_m."""
    far_m: float = parameter("m", 0.1, 1000.0)
    """Nothing is read beyond."""
    window_px: float = parameter("px", 1.0, 31.0)
    """Side of the matching window; the odd number at or below is taken."""
    small_penalty: float = parameter("1", 0.0, 1000.0)
    """P1 = small_penalty window_px^2: cost of a change of disparity by 1 px between neighbours."""
    large_penalty: float = parameter("1", 0.0, 1000.0)
    """P2 likewise: of a larger change. Large values melt fingers into what is close behind."""
    left_right_px: float = parameter("px", -1.0, 100.0)
    """How far matching from right to left may differ; < 0: not checked."""
    uniqueness: float = parameter("percent", 0.0, 100.0)
    """By how much the best match must beat every other."""
    speckle_px2: float = parameter("px^2", 0.0, 100000.0)
    """Spots up to this area that stand apart from all around them are dropped."""
    sobel_cap: float = parameter("1", 1.0, 63.0)
    """Horizontal gradients are cut to this before matching."""
    all_ways: float = parameter("switch", 0.0, 1.0)
    """From 0.5 costs are gathered from eight directions in place of five: twice the time."""
    smooth_px: float = parameter("px", 0.0, 8.0)
    """Half-width of the edge-preserving mean over the disparities; 0: none."""
    smooth_step_px: float = parameter("px", 0.01, 16.0)
    """Steps larger than this are edges to it."""
    refinements: float = parameter("1", 0.0, 8.0)
    """Steps of refinement to a fraction of a pixel. 0: the matcher's own parabola, with its bands
    (pixel locking) of 0.15 px; 2: of 0.03 px."""
    quantum_px: float = parameter("px", 0.0, 1.0)
    """Step of the disparity that is delivered; 0: none."""
    keep_share: float = parameter("1", 0.0, 1.0)
    """A pixel of the dataset has a reading if so much of its footprint has."""

    projector: float = parameter("switch", 0.0, 1.0)
    """From 0.5 the device projects dots: active stereo; below it is passive."""
    projector_m: float = parameter("m", -1.0, 1.0)
    """The projector's place along +x from the left eye."""
    projector_focal_px: float = parameter("px", 50.0, 10000.0)
    """Focal length of the projector's pattern in its own pixels."""
    dot_density: float = parameter("1", 0.0, 0.5)
    """Dots per pixel of the projector."""
    dot_px: float = parameter("px", 0.3, 10.0)
    """Standard deviation of a dot's image, in pixels of the eye: spot, lens and pixel together."""
    dot_share: float = parameter("1", 0.0, 1.0)
    """Share of the projector's light that is in dots; the rest is even."""
    ambient: float = parameter("1", 0.0, 1000.0)
    """Irradiance by other light in the eye's band, that of the projector at 1 m being 1."""
    speckle: float = parameter("1", 0.0, 2.0)
    """Relative standard deviation of the projected light from pixel to pixel, other in each eye: a
    laser's speckle."""
    scattering: float = parameter("1", 0.0, 1.0)
    """Share of the light that goes into skin and comes out around."""
    scattering_m: float = parameter("m", 0.0, 0.05)
    """How far, standard deviation."""
    texture: float = parameter("1", 0.0, 2.0)
    """Relative standard deviation of albedo over a surface."""
    texture_m: float = parameter("m", 0.0001, 1.0)
    """Grain of that texture; half of its variance is on this scale, half on 4.7 times it."""

    level: float = parameter("1", 0.01, 4.0)
    """What the exposure brings the brightest tenth of the hands to, of full scale."""
    reach_m: float = parameter("m", 0.01, 100.0)
    """Up to where it manages that for a hand of reflectance 0.5; beyond, gain does: noise."""
    glare_m: float = parameter("m", 0.01, 100.0)
    """Down to where it does so: what is nearer is brighter, and saturates."""
    full_e: float = parameter("1", 10.0, 1e6)
    """Electrons at full scale."""
    read_e: float = parameter("1", 0.0, 1000.0)
    """Standard deviation of the readout, electrons."""
    low_level: float = parameter("1", 0.0, 1.0)
    """Mean level of full scale below which a hole is called one of low signal."""

    @property
    def matching(self) -> Matching:
        """What the matcher is told."""
        return Matching(
            window_px=(math.floor(self.window_px) - 1) // 2 * 2 + 1,
            small_penalty=self.small_penalty,
            large_penalty=self.large_penalty,
            left_right_px=round(self.left_right_px),
            uniqueness_percent=round(self.uniqueness),
            speckle_px=round(self.speckle_px2),
            speckle_step=1,
            sobel_cap=round(self.sobel_cap),
            all_ways=self.all_ways >= 0.5,
        )


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


def expose_pair(
    model: MatchedStereo, shot: Shot, pair: Pair
) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
    """The left and the right infrared images (h, w) uint8 of every window."""
    light, tile = _light(model, shot)
    softness = np.where(_is_skin(), np.float32(model.scattering), np.float32(0))
    radiance: list[list[NDArray[np.float32]]] = [[], []]
    for window in pair.windows:
        for side, eye in enumerate((window.left_eye, window.right_eye)):
            radiance[side].append(
                light_eye(
                    eye, window.top, pair.camera, side * model.baseline_m, light, tile,
                    shot.reflectance, softness,
                )
            )  # fmt: skip
    bright = _bright_radiance(pair, radiance[0])
    # The longest exposure brings a hand at reach_m to the level; gain makes up for what is missing.
    longest, shortest = (
        0.5 * (float(light.powered) / z**2 + model.ambient) for z in (model.reach_m, model.glare_m)
    )
    bright = min(bright, max(shortest, longest))
    electrons = model.level * model.full_e / max(bright, longest, 1e-9)
    speckle = model.speckle * float(light.powered)
    full = model.full_e * min(1.0, bright / max(longest, 1e-9)) if bright > 0 else model.full_e
    out: list[list[NDArray[np.uint8]]] = [[], []]
    for side, name in enumerate(("left", "right")):
        key = effect_key(shot.keys.frame, f"infrared/{name}")
        for window, one in zip(pair.windows, radiance[side], strict=True):
            first = window.top, (window.left_eye, window.right_eye)[side].left
            image = expose_eye(
                one,
                electrons,
                max(full, 1.0),
                model.read_e,
                speckle,
                key,
                *first,
                pair.camera.width,
            )
            out[side].append(image)
    return out[0], out[1]


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
        255.0 * model.low_level, how.window_px, reason,
    )  # fmt: skip
    return disparity, reason


def _refine(
    model: MatchedStereo,
    left: NDArray[np.uint8],
    right: NDArray[np.uint8],
    disparity: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Smoothed, and to a fraction of a pixel; a step of refinement smooths by its window anyhow."""
    reach, half = round(model.smooth_px), model.matching.window_px // 2
    other = np.empty_like(disparity)
    steps = round(model.refinements)
    for k in range(max(steps, 1)):
        if reach > 0:
            smooth_disparity(disparity, reach, np.float32(model.smooth_step_px), other)
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


def _light(model: MatchedStereo, shot: Shot) -> tuple[Light, NDArray[np.uint16]]:
    """What lights the scene: the device's own pattern, the sequence's texture."""
    on = model.projector >= 0.5
    spot = model.dot_px * model.projector_focal_px / model.focal_px
    soft = math.hypot(spot, model.scattering_m * model.projector_focal_px / _SKIN_M)
    tile = build_dots(shot.keys.device, model.dot_density, spot, soft)
    texture = int(effect_key(shot.keys.sequence, "infrared/texture"))
    phase = int(effect_key(shot.keys.device, "infrared/phase"))
    light = Light(
        projector_m=np.float32(model.projector_m),
        projector_px=np.float32(model.projector_focal_px),
        ambient=np.float32(model.ambient),
        dots=np.float32(model.dot_share),
        texture=np.float32(model.texture),
        fine_m=np.float32(model.texture_m),
        texture_key=np.uint32(texture & 0xFFFFFFFF),
        phase=np.uint32(phase & 0xFFFFFFFF),
        powered=np.float32(1.0 if on else 0.0),
    )
    return light, tile


@lru_cache(maxsize=1)
def _is_skin() -> NDArray[np.bool_]:
    """(256,) which part codes are hands' skin."""
    codes = np.arange(256)
    part = codes % HAND_STRIDE
    return (codes < OBJECT_BASE) & (part >= 1) & (part <= HAND_PARTS)


def _bright_radiance(pair: Pair, radiance: list[NDArray[np.float32]]) -> float:
    """Radiance that `_BRIGHT` of the hands' pixels stay below; of all pixels if hands are few."""
    skin = [r[_is_skin()[w.left_eye.parts]] for w, r in zip(pair.windows, radiance, strict=True)]
    seen = np.concatenate(skin) if skin else np.zeros(0, np.float32)
    if len(seen) < _ENOUGH:
        seen = np.concatenate([r[r > 0] for r in radiance]) if radiance else seen
    if len(seen) == 0:
        return 0.0
    at = int(_BRIGHT * (len(seen) - 1))
    return float(np.partition(seen, at)[at])


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
