"""Structured light: a projector beside the camera, depth by triangulating its pattern.

One model for the long range (Kinect v1: one random dot pattern, windows of dots matched) and the
short (SR300: stripes coded in time). docs/sensors/structured_light.md has the equations, what each
is from, and what the model leaves out.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from augment.effects.incidence import measure_incidence, tabulate_rays
from augment.effects.noise_field import fill_temporal_field
from augment.effects.shadow import fill_shadow, table_columns
from augment.parameter import parameter
from augment.shot import Reading, Shot
from augment.structured_light.outlines import blur_outlines
from augment.structured_light.reading import read_surfaces
from frames.errors import BadInput


@dataclass(frozen=True)
class StructuredLight:
    """Parameters. "Pixels" are the device's own, those of a depth image of focal length focal_px;
    they become the dataset's by camera.fx / focal_px."""

    focal_px: float = parameter("px", 20.0, 5000.0)
    """Focal length of the device's own depth image."""
    baseline_m: float = parameter("m", -0.5, 0.5)
    """From the camera to the projector along the camera's x, + to the right. Its shadows fall on
    the other side, f |b| (1 / z_front - 1 / z_back) wide. Not 0."""
    near_m: float = parameter("m", 0.0, 10.0)
    """Nothing nearer is read."""
    far_m: float = parameter("m", 0.0, 20.0)
    """Nothing farther is read."""
    step_px: float = parameter("px", 0.0, 1.0)
    """Step of the disparity; in depth it is step z^2 / (f b). 0: none."""
    step_m: float = parameter("m", 0.0, 0.02)
    """Step of the depth that the device gives out. 0: none."""
    axial_floor_m: float = parameter("m", 0.0, 0.05)
    """Standard deviation of depth near by, both steps included."""
    axial_growth_per_m: float = parameter("1/m", 0.0, 0.05)
    """It grows by this times (z - axial_from_m)^2."""
    axial_from_m: float = parameter("m", 0.0, 5.0)
    """Nearer it does not grow."""
    axial_slant: float = parameter("m^1.5", 0.0, 0.01)
    """Beyond 60 degrees of slant it grows by this / sqrt(z) x (theta / (pi/2 - theta))^2."""
    fine_px: float = parameter("px", 0.0, 50.0)
    """Distance over which the fine part of the noise correlates (falls to 1/e)."""
    smooth_px: float = parameter("px", 0.0, 500.0)
    """The same for the smooth part: waves that a hand rides on."""
    smooth_share: float = parameter("1", 0.0, 1.0)
    """Share of the variance that is smooth."""
    fixed_share: float = parameter("1", 0.0, 1.0)
    """Share of the variance that keeps its place over a sequence."""
    memory_s: float = parameter("s", 0.0, 100.0)
    """The rest changes over this time; 0: with every frame."""
    lateral_px: float = parameter("px", 0.0, 10.0)
    """Standard deviation of the place from which a pixel at an outline is read."""
    lateral_slant_px: float = parameter("px", 0.0, 5.0)
    """It grows by this times theta / (pi/2 - theta)."""
    band_px: float = parameter("px", 0.0, 30.0)
    """Width of the strip outside every outline, on the farther surface, where nothing is read:
    windows see two disparities there."""
    band_spread_px: float = parameter("px", 0.0, 10.0)
    """Standard deviation of that width from place to place."""
    jump_px: float = parameter("px", 0.01, 50.0)
    """A change of disparity of more than this from pixel to pixel is an outline."""
    steepest_rad: float = parameter("rad", 0.0, 1.6)
    """Surfaces seen at a steeper slant are not read."""
    low_signal: float = parameter("1", 0.0, 100.0)
    """Not read below: signal = reflectance x cosine x vignette x (1 m / z)^2."""
    low_signal_spread: float = parameter("1", 0.0, 1.0)
    """Standard deviation of that limit from place to place, relative."""
    high_signal: float = parameter("1", 0.0, 1e6)
    """Saturated above."""
    vignette: float = parameter("1", 0.0, 5.0)
    """Light lost at 45 degrees from the axis; it grows as tan^2."""
    dropout_share: float = parameter("1", 0.0, 0.5)
    """Share of pixels without a reading for no visible reason, in blots as large as the fine noise,
    which come and go with it."""


def sense_structured_light(model: StructuredLight, shot: Shot) -> Reading:
    """What the device reads: depth, reasons (nothing, out of range, shadow, mixed, low signal,
    saturated, vignette, dropout) and the standard deviation that the model assigns.

    Raises BadInput for a baseline of 0, from which nothing can be triangulated.
    """
    if model.baseline_m == 0:
        raise BadInput("baseline_m must not be 0: depth is triangulated across it")
    shape = shot.depth.shape
    depth_m, sigma_m = np.empty(shape, np.float32), np.empty(shape, np.float32)
    reason = np.empty(shape, np.uint8)
    if not shot.depth.size:
        return Reading(depth_m, reason, None, sigma_m)
    camera = shot.camera
    scale = camera.fx / model.focal_px  # pixels of the dataset a pixel of the device
    fine = _fill(model, shot, "fine", model.fine_px * scale)
    smooth = fine
    if model.smooth_share > 0:
        smooth = _fill(model, shot, "smooth", model.smooth_px * scale)
    shadow = np.zeros(shape, np.uint8)
    shift = camera.fx * model.baseline_m * shot.depth_scale
    fill_shadow(shot.depth, shift, table_columns(camera), 0.5, shadow)
    cosine = measure_incidence(shot)
    strength = model.focal_px * abs(model.baseline_m)  # disparity of a point at one metre
    read_surfaces(
        (shot.depth, shot.parts, shadow, cosine, tabulate_rays(camera)),
        (fine, smooth),
        shot.reflectance,
        _list_limits(model, shot.depth_scale, strength),
        (depth_m, sigma_m, reason),
    )
    blur_outlines(
        shot.depth,
        np.float32(strength * shot.depth_scale),
        cosine,
        fine,
        np.array(
            [
                model.jump_px,
                model.band_px * scale,
                model.band_spread_px * scale,
                model.lateral_px * scale,
                model.lateral_slant_px * scale,
            ],
            np.float32,
        ),
        (depth_m, sigma_m, reason),
    )
    return Reading(depth_m, reason, None, sigma_m)


def _fill(model: StructuredLight, shot: Shot, effect: str, length_px: float) -> NDArray[np.float32]:
    out = np.empty(shot.depth.shape, np.float32)
    name, share, memory = f"sensor/structured-light/{effect}", model.fixed_share, model.memory_s
    fill_temporal_field(shot.keys, name, shot.time_s, share, memory, length_px, out)
    return out


def _list_limits(
    model: StructuredLight, depth_scale: float, strength: float
) -> NDArray[np.float32]:
    """The numbers of `read_surfaces`, in its order."""
    share = model.dropout_share
    return np.array(
        [
            1.0 / depth_scale,
            strength,
            max(model.near_m, 1e-6),
            model.far_m,
            model.step_px,
            model.step_m,
            model.axial_floor_m,
            model.axial_growth_per_m,
            model.axial_from_m,
            model.axial_slant,
            math.sqrt(1.0 - model.smooth_share),
            math.sqrt(model.smooth_share),
            math.cos(min(model.steepest_rad, math.pi / 2)),
            model.low_signal,
            model.low_signal_spread,
            model.high_signal,
            model.vignette,
            NormalDist().inv_cdf(1.0 - share) if share > 0 else 1e9,
        ],
        np.float32,
    )
