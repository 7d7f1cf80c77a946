"""Walls, steps and shots before a stereo sensor."""

from dataclasses import replace

import numpy as np

from augment.profile import Profile, load_profile
from augment.shot import Keys, Shot
from augment.stereo.model import Stereo
from frames.camera import Camera

NATIVE = Camera("pinhole", 848, 480, 424.0, 424.0, 423.5, 239.5)
"""The device's own image: lengths in its pixels are pixels."""

SMALL = Camera("pinhole", 320, 64, 424.0, 424.0, 159.5, 31.5)


def load_model(name: str = "d435", /, **changes: float) -> Stereo:
    profile = load_profile(name)
    assert isinstance(profile, Profile)
    return replace(profile.parameters, **changes)


QUIET = {
    **dict.fromkeys(("noise_px", "locking_px", "quantum_px", "depth_step_m"), 0.0),
    **dict.fromkeys(("grow_px", "grow_hidden_px", "melt_px", "ring_px", "ring_share"), 0.0),
    **dict.fromkeys(("uneven", "grain", "fray_px"), 0.0),
    **dict.fromkeys(("hole_share", "rim_loss", "low_signal"), 0.0),
    **dict.fromkeys(("bridge_px", "bridge_step", "island_share"), 0.0),
}
"""Changes that leave geometry alone."""


def make_shot(
    depth_m: np.ndarray, camera: Camera, frame: int = 1, sequence: int = 2, time_s: float = 0.0
) -> Shot:
    depth = np.round(depth_m * 1e4).astype(np.uint16)
    light = np.full(256, 0.8, np.float32)
    keys = Keys(frame, sequence, 3)
    return Shot(camera, depth, 1e4, np.zeros(depth.shape, np.uint8), light, None, time_s, keys)


def make_wall(z_m: float, camera: Camera = NATIVE) -> np.ndarray:
    return np.full((camera.height, camera.width), z_m)


def make_slope(z_m: float, tilt: float, camera: Camera = NATIVE) -> np.ndarray:
    """z = z_m + tilt X: a plane that passes through every phase of the disparity."""
    x = camera.ray_table()[..., 0]
    return np.asarray(z_m / (1 - tilt * x))


def make_bar(front_m: float, back_m: float, first: int, stop: int) -> np.ndarray:
    depth = make_wall(back_m, SMALL)
    depth[:, first:stop] = front_m
    return depth


def effective_count(n: int, *parts: tuple[float, float]) -> float:
    """How many independent numbers tell the variance of n correlated ones as well.

    parts: (share, length) of correlations share exp(-(r / length)^2): n over the sum of the squared
    correlation over all offsets.
    """
    reach = np.arange(-60, 61)
    r2 = reach[:, None] ** 2 + reach**2
    rho = sum(share * np.exp(-r2 / length**2) for share, length in parts)
    return float(n / np.square(rho).sum())
