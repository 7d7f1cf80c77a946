"""Captures made of formulae alone, with everything known: walls with noise, rounding, a hand."""

import numpy as np
from numpy.typing import NDArray

from augment.calibrate.capture import Capture, Clip
from augment.effects.noise_field import effect_key, fill_field
from frames.camera import Camera

CAMERA = Camera("pinhole", 320, 240, 216.5, 216.5, 159.5, 119.5)
SMALL = Camera("pinhole", 200, 150, 216.5, 216.5, 99.5, 74.5)
SCALE = 10_000.0


def fill_noise(seed: int, name: str, length_px: float, camera: Camera) -> NDArray[np.float32]:
    out = np.empty((camera.height, camera.width), np.float32)
    fill_field(effect_key(seed, name), length_px, out)
    return out


def make_wall(
    seed: int,
    distance_m: float,
    frames: int,
    sigma: float,
    length_px: float = 0.0,
    fixed: float = 0.0,
    quantum: float = 0.0,
    tilt: tuple[float, float] = (0.12, 0.07),
    warp: float = 0.0,
    scale: float = SCALE,
    rest: float = 0.0,
    step_m: float = 0.0,
    camera: Camera = CAMERA,
) -> Clip:
    """sigma, quantum: of 1 / z (1/m). fixed: share of the variance. warp: cubic lens error, 1/m.

    rest: correlation of what is not fixed from one frame to the next. step_m: step of the depth.
    """
    rays = camera.ray_table()
    x, y = rays[..., 0], rays[..., 1]
    truth = (1.0 + tilt[0] * x + tilt[1] * y) / distance_m
    truth = truth + warp * (x**2 - 0.5 * x * y**2)
    pattern = fill_noise(seed, f"fixed{distance_m}", length_px, camera)
    depth = np.zeros((frames, camera.height, camera.width), np.uint16)
    fresh = fill_noise(seed, f"start{distance_m}", length_px, camera)
    for i in range(frames):
        new = fill_noise(seed, f"fresh{distance_m}/{i}", length_px, camera)
        fresh = rest * fresh + np.sqrt(1 - rest**2) * new
        w = truth + sigma * (np.sqrt(fixed) * pattern + np.sqrt(1 - fixed) * fresh)
        if quantum:
            w = np.rint(w / quantum) * quantum
        z = 1.0 / w
        if step_m:
            z = np.rint(z / step_m) * step_m
        depth[i] = np.rint(z * scale)
    return Clip(f"wall_{distance_m}", depth)


def make_capture(*clips: Clip, scale: float = SCALE, camera: Camera = CAMERA) -> Capture:
    return Capture("made", camera, scale, clips)
