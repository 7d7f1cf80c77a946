"""A sensor before a frame: profile and clean frame in, reading out.

One function at generation, offline and on load: what it gives depends on the profile, the shot and
its keys alone.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from augment.ideal import Ideal, sense_ideal
from augment.matched_stereo.sensing import MatchedStereo, sense_matched_stereo
from augment.parameter import Given
from augment.profile import MODELS, Mixture, Profile
from augment.shot import Reading, Shot
from augment.stereo.disparity_reading import round_row
from augment.stereo.model import Stereo, sense_stereo, store_stereo
from augment.structured_light.model import StructuredLight, sense_structured_light
from augment.time_of_flight.model import TimeOfFlight, sense_time_of_flight
from frames.stream import uniform

_SENSES: Final[dict[type, Callable[[Any, Shot], Reading]]] = {
    Ideal: sense_ideal,
    StructuredLight: sense_structured_light,
    Stereo: sense_stereo,
    MatchedStereo: sense_matched_stereo,
    TimeOfFlight: sense_time_of_flight,
}


def sense(profile: Profile | Mixture, shot: Shot) -> Reading:
    """What the device reads of a shot. Raises BadInput for a shot that it cannot be held before."""
    parameters = draw_device(profile, shot.keys.sequence).parameters
    return _SENSES[type(parameters)](parameters, shot)


def sense_steps(
    device: Profile, shot: Shot, depth: NDArray[np.uint16], invalid: NDArray[np.uint8]
) -> None:
    """`sense` and `store_reading` in one: what a device reads of a shot, (H, W) in a file's steps
    and why not. Raises BadInput for a shot that it cannot be held before.
    """
    parameters = device.parameters
    if isinstance(parameters, Stereo) and not parameters.fill_px > 0:
        store_stereo(parameters, shot, depth, invalid)
    else:
        store_reading(sense(device, shot), shot.depth_scale, depth, invalid)


def draw_device(profile: Profile | Mixture, key: int) -> Profile:
    """The device itself, or one of a mixture with its parameters drawn within their spreads."""
    if isinstance(profile, Profile):
        return profile
    ends = np.cumsum(profile.weights)
    widest = max(len(p.given) for p in profile.profiles)
    u = uniform(key, np.zeros(1, np.int64), "sensor/device", 1 + widest)[0]
    chosen = profile.profiles[int(np.searchsorted(ends, u[0] * ends[-1], "right"))]
    given = {
        name: one if one.spread is None else _draw(one, float(u[1 + i]))
        for i, (name, one) in enumerate(sorted(chosen.given.items()))
    }
    device = Profile(chosen.name, chosen.model, chosen.about, given)
    # What `parameters` would build, without looking again at bounds that were looked at when the
    # spreads were read: this is done for every frame.
    values = {name: one.value for name, one in given.items()}
    device.__dict__["parameters"] = MODELS[chosen.model](**values)
    return device


def _draw(one: Given, u: float) -> Given:
    """A value of the spread: evenly by ratio where both ends are positive, else evenly."""
    assert one.spread is not None
    low, high = one.spread
    value = low * (high / low) ** u if low > 0 else low + u * (high - low)
    return Given(float(value), one.unit, one.source, one.spread)


def store_reading(
    reading: Reading,
    depth_scale: float,
    depth: NDArray[np.uint16],
    invalid: NDArray[np.uint8],
) -> None:
    """Fill the images of a file, (H, W) each, from a reading: its depth in steps, and why not.

    Depth that the file's steps cannot hold (below one, or above 65,535) is out of range. depth is 0
    exactly where invalid is not.
    """
    _fill_steps(reading.depth_m, reading.reason, np.float32(depth_scale), depth, invalid)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_steps(depth_m, reason, scale, depth, invalid):  # type: ignore[no-untyped-def]
    for v in range(depth.shape[0]):
        invalid[v] = reason[v]
        round_row(depth_m[v], scale, depth[v], invalid[v])
