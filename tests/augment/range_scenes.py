"""Walls and devices for the tests of time of flight."""

from dataclasses import replace
from typing import Any

import numpy as np

from augment.shot import Keys, Shot
from augment.time_of_flight.model import TimeOfFlight
from frames.camera import Camera

NARROW = Camera("pinhole", 64, 64, 4000.0, 4000.0, 31.5, 31.5)
"""So narrow that r is z to 0.01 %."""

SCALE = 10000.0

BARE = TimeOfFlight(
    frequency_1_hz=100e6,
    frequency_2_hz=0.0,
    frequency_3_hz=0.0,
    signal_e=1e8,
    contrast=0.5,
    ambient_e=0.0,
    read_noise_e=0.0,
    full_well_e=1e12,
    min_amplitude_e=0.0,
    vignette_power=0.0,
    field_rad=1.5,
    focal_px=4000.0,
    blur_px=0.0,
    bounce_gain=0.0,
    detour_share=0.0,
    detour_m=0.0,
    flare_share=0.0,
    flare_width_rad=0.3,
    wiggle_rad=0.0,
    wiggle_phase_rad=0.0,
    offset_m=0.0,
    offset_length_px=50.0,
    sample_time_s=0.001,
    near_m=0.0,
    far_m=100.0,
    inconsistency_m=0.1,
    mixed_tilt=0.0,
    mixed_support=3.0,
    smooth_share=0.0,
    smooth_within_m=0.01,
    step_m=0.0,
)
"""Next to no noise, and nothing else."""


def bare(**changes: float) -> TimeOfFlight:
    """`BARE` with some of its parameters changed."""
    return replace(BARE, **changes)


def wall(z: Any, camera: Camera = NARROW, frame: int = 1, **changes: Any) -> Shot:
    """A shot of depth z in metres, a number or (H, W); white unless changed."""
    depth = np.broadcast_to(np.asarray(z, np.float64), (camera.height, camera.width))
    values: dict[str, Any] = {
        "camera": camera,
        "depth": np.rint(depth * SCALE).astype(np.uint16),
        "depth_scale": SCALE,
        "parts": np.zeros(depth.shape, np.uint8),
        "reflectance": np.ones(256, np.float32),
        "twist": None,
        "time_s": 0.0,
        "keys": Keys(frame, 2, 3),
    }
    return Shot(**(values | changes))
