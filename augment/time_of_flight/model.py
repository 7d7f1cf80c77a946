"""Continuous-wave time of flight: Azure Kinect, HoloLens 2 and their like (docs/sensors/).

In the order of the light's way: distance along the ray and amplitude (`returned_light`), detours
and flare (`stray_light`), outlines (`outlines`), noise and phase (`exposure`), wraps and reasons
(`unwrapping`), then the device's software on z (`range_filter`).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.effects.incidence import measure_incidence
from augment.effects.noise_field import effect_key, fill_field
from augment.parameter import parameter
from augment.shot import Reading, Shot
from augment.time_of_flight.coverage import tabulate_coverage
from augment.time_of_flight.exposure import Device, expose
from augment.time_of_flight.phasor import unambiguous_range
from augment.time_of_flight.range_filter import filter_depth
from augment.time_of_flight.returned_light import Scene, tabulate_lens, tabulate_vignette
from augment.time_of_flight.stray_light import Stray, fill_stray, size_grid

_NO_TWIST: Final = np.zeros((256, 6), np.float32)
_NO_OFFSETS: Final = np.empty((0, 0), np.float32)
_NO_OFFSETS.setflags(write=False)  # as patterns are: one type for compiled code


@dataclass(frozen=True)
class TimeOfFlight:
    """Parameters."""

    frequency_1_hz: float = parameter("Hz", 1e6, 1e9)
    """Modulation frequency; r is known modulo c / 2f."""
    frequency_2_hz: float = parameter("Hz", 0.0, 1e9)
    """A second one, which says how often the first has wrapped; 0: there is none."""
    frequency_3_hz: float = parameter("Hz", 0.0, 1e9)
    """A third; 0: there is none."""
    signal_e: float = parameter("electrons", 1.0, 1e9)
    """Amplitude C of a white surface at 1 m on the axis, for each frequency."""
    contrast: float = parameter("1", 0.01, 1.0)
    """C over the mean light B of one's own illumination: the demodulation contrast."""
    ambient_e: float = parameter("electrons", 0.0, 1e9)
    """Other light in each sample: no amplitude, but shot noise."""
    read_noise_e: float = parameter("electrons", 0.0, 1e6)
    """Noise of each sample besides shot noise, standard deviation."""
    full_well_e: float = parameter("electrons", 1.0, 1e12)
    """A sample beyond this is saturated, and the pixel has no reading."""
    min_amplitude_e: float = parameter("electrons", 0.0, 1e9)
    """Pixels whose amplitude (mean of the frequencies) is below have no reading."""
    vignette_power: float = parameter("1", 0.0, 16.0)
    """C falls to the side with the cosine to the axis to this power (lens and illumination)."""
    field_rad: float = parameter("rad", 0.01, 1.57)
    """Half the angle of the round field of view; beyond it there is no reading."""
    focal_px: float = parameter("px", 1.0, 1e5)
    """Focal length of the device's own depth image: tells the size of its pixels."""
    blur_px: float = parameter("px", 0.0, 2.0)
    """Point spread of the lens, standard deviation in the device's pixels: widens outlines' flying
    pixels. At most half a pixel of the image at hand counts."""
    bounce_gain: float = parameter("1", 0.0, 10.0)
    """Light by way of one other surface, 1: as radiometry has it."""
    detour_share: float = parameter("1", 0.0, 0.5)
    """Light by short detours over the direct light, mean; 0 to 2 times that over the image."""
    detour_m: float = parameter("m", 0.0, 10.0)
    """How much longer (one way) those are."""
    flare_share: float = parameter("1", 0.0, 1.0)
    """Light scattered in the lens and on the sensor: share of the mean amplitude around."""
    flare_width_rad: float = parameter("rad", 0.001, 10.0)
    """Angle over which that falls to 1/e."""
    wiggle_rad: float = parameter("rad", 0.0, 1.0)
    """Amplitude a of the phase's error a sin(4 phase + b)."""
    wiggle_phase_rad: float = parameter("rad", -10.0, 10.0)
    """Its b."""
    offset_m: float = parameter("m", 0.0, 1.0)
    """Distance error that a device keeps, smooth over the image: standard deviation."""
    offset_length_px: float = parameter("px", 0.0, 10000.0)
    """Where that error's correlation has fallen to 1/e, in the device's pixels."""
    sample_time_s: float = parameter("s", 0.0, 1.0)
    """From one of the four samples of a frequency to the next; the frequencies follow each other,
    the middle of all is the frame's time."""
    near_m: float = parameter("m", 0.0, 100.0)
    """Least z that is given out."""
    far_m: float = parameter("m", 0.0, 1000.0)
    """Largest z that is given out, and with several frequencies the range that is unwrapped."""
    inconsistency_m: float = parameter("m", 0.0, 100.0)
    """Frequencies that disagree by more give no reading."""
    mixed_tilt: float = parameter("1", 0.0, 1000.0)
    """Tangent of the steepest surface that the filter against flying pixels keeps; 0: no filter."""
    mixed_support: float = parameter("1", 0.0, 8.0)
    """How many of eight neighbours a pixel needs on such a surface."""
    smooth_share: float = parameter("1", 0.0, 1.0)
    """Weight of each of eight neighbours in the device's smoothing; 0: none, 1: a plain mean."""
    smooth_within_m: float = parameter("m", 0.0, 10.0)
    """Only neighbours no further off in depth take part, so that outlines stay sharp."""
    step_m: float = parameter("m", 0.0, 1.0)
    """The device rounds z to this; 0: it does not."""


def sense_time_of_flight(model: TimeOfFlight, shot: Shot) -> Reading:
    """Depth (z), reasons, amplitude in electrons (mean of the frequencies) and sigma of depth.

    sigma is that of shot and read noise after smoothing; what stays the same from frame to frame
    (detours, wiggling, offsets) is error, not noise, and no part of it.
    """
    height, width = shot.depth.shape
    out = np.empty((3, height, width), np.float32)
    reason = np.empty((height, width), np.uint8)
    depth, amplitude, sigma = out
    if not height or not width:
        return Reading(depth, reason, amplitude, sigma)
    camera, keys = shot.camera, shot.keys
    scene = Scene(
        depth=shot.depth,
        step=1 / shot.depth_scale,
        cosines=measure_incidence(shot),
        parts=shot.parts,
        reflectance=shot.reflectance,
        twist=_NO_TWIST if shot.twist is None else shot.twist,
        moving=shot.twist is not None,
        lens=tabulate_lens(camera),
        dimming=tabulate_vignette(camera, model.vignette_power),
        signal=model.signal_e,
    )
    device = prepare_device(model, shot)
    stray = Stray(
        *(model.bounce_gain, model.detour_share, model.detour_m),
        *(model.flare_share, model.flare_width_rad),
    )
    pitch, down, across = size_grid(height, width)
    nodes = np.empty((len(device.frequencies), 6, down, across), np.float32)
    reach = np.empty((1, 1, down, across), np.float32)
    key = effect_key(keys.sequence, "sensor/detours")
    fill_stray(scene, device.frequencies, stray, key, pitch, nodes, reach)
    padded = np.empty((height + 2, width + 2), np.float32)
    expose(scene, device, nodes, reach, pitch, padded, amplitude, sigma, reason)
    filter_depth(
        *(padded, model.mixed_tilt, 1 / camera.fx, model.mixed_support),
        *(model.smooth_within_m, model.smooth_share, model.step_m, depth, sigma, reason),
    )
    return Reading(depth, reason, amplitude, sigma)


def prepare_device(model: TimeOfFlight, shot: Shot) -> Device:
    """The model's parameters as `augment.time_of_flight.exposure` takes them, for one shot."""
    words = (
        effect_key(shot.keys.frame, "sensor/shot-noise"),
        effect_key(shot.keys.frame, "sensor/places"),
    )
    scale = shot.camera.fx / model.focal_px
    return _express(model, scale)._replace(
        offsets=_find_offsets(model, shot.keys.device, shot.depth.shape, scale),
        keys=np.array(words, np.uint64),
    )


@lru_cache(maxsize=64)
def _express(model: TimeOfFlight, scale: float) -> Device:
    """What of a device is the same for every frame; scale: pixels of the image in one of its."""
    given = (model.frequency_1_hz, model.frequency_2_hz, model.frequency_3_hz)
    frequencies = np.array(sorted(f for f in given if f > 0))
    return Device(
        frequencies=frequencies,
        noise=_express_noise(model),
        wiggle=_express_wiggle(model),
        step_s=np.float32(model.sample_time_s),
        offsets=_NO_OFFSETS,
        offset_m=np.float32(model.offset_m),
        coverage=tabulate_coverage(scale, model.blur_px * scale),
        tries=_count_tries(frequencies, model.far_m),
        widest=np.float32(1 / math.cos(model.field_rad)),
        limits=_express_limits(model, len(frequencies)),
        keys=np.zeros(2, np.uint64),
    )


def _count_tries(frequencies: NDArray[np.float64], far_m: float) -> int:
    """Wraps of the lowest frequency to try: to twice the range, so that what lies beyond it is
    found out, but no further than all frequencies together tell apart, to the kilohertz."""
    lowest = float(frequencies[0])
    together = math.gcd(*(round(float(f) / 1e3) for f in frequencies)) * 1e3
    wanted = math.ceil(2 * far_m / unambiguous_range(lowest))
    return max(1, min(wanted, round(lowest / together)))


def _express_noise(model: TimeOfFlight) -> NDArray[np.float32]:
    """Variance of a phasor's components for each electron of amplitude, and besides."""
    besides = (model.ambient_e + model.read_noise_e**2) / 2
    return np.array([0.5 / model.contrast, besides], np.float32)


def _express_wiggle(model: TimeOfFlight) -> NDArray[np.float32]:
    """(amplitude in turns, cos, sin of the offset)."""
    b = model.wiggle_phase_rad
    return np.array([model.wiggle_rad / (2 * math.pi), math.cos(b), math.sin(b)], np.float32)


def _express_limits(model: TimeOfFlight, frequencies: int) -> NDArray[np.float32]:
    """As `unwrapping.judge_row` takes them; the brightest sample, B + C, fills the well."""
    brightest = max(0.0, model.full_well_e - model.ambient_e) / (1 + 1 / model.contrast)
    odd = model.inconsistency_m if frequencies > 1 else math.inf
    return np.array([model.min_amplitude_e, brightest, model.near_m, model.far_m, odd], np.float32)


def _find_offsets(
    model: TimeOfFlight, key: int, shape: tuple[int, ...], scale: float
) -> NDArray[np.float32]:
    """(H, W) the pattern of what a device is off by; (0, 0) if it is not."""
    if not model.offset_m:
        return _NO_OFFSETS
    length_px = model.offset_length_px * scale
    if length_px > 1:
        # In steps of a quarter, so that few patterns serve all devices of a mixture.
        length_px = 1.25 ** round(math.log(length_px, 1.25))
    return _draw_offsets(key, shape, length_px)


@lru_cache(maxsize=16)
def _draw_offsets(key: int, shape: tuple[int, ...], length_px: float) -> NDArray[np.float32]:
    """(H, W) the pattern of a device's errors, variance 1."""
    out = np.empty(shape, np.float32)
    fill_field(effect_key(key, "sensor/offsets"), length_px, out)
    out.setflags(write=False)
    return out
