"""What a configuration may hold: every number's range, and what must fit together."""

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from frames.errors import BadInput
from synth.config import SynthConfig

RANGES: Final[dict[str, tuple[float, float]]] = {
    "frames": (1, 10**12),
    "seed": (0, 2**63 - 1),
    "sensor_seed": (-1, 2**63 - 1),
    "identities": (1, 100_000),
    "variants": (1, 100),
    "sequence_length": (1, 100_000),
    "fps": (0.1, 1000.0),
    "frames_per_shard": (1, 2**20),
    "scene.max_objects": (0, 2),
    "scene.body.distance_mean_m": (0.0, 2.0),
    "scene.body.distance_sd_m": (0.0, 2.0),
    "scene.body.roll_sd_deg": (0.0, 90.0),
    "scene.body.yaw_sd_deg": (0.0, 90.0),
    "scene.body.sway_sd_m": (0.0, 0.2),
    "scene.body.spread": (0.0, 5.0),
    "scene.room.max_clutter": (0, 12),
    "scene.room.max_soft": (0, 24),
    "scene.pose.jitter_deg": (0.0, 30.0),
    "scene.pose.max_penetration_mm": (0.0, 20.0),
    "scene.grasp.jitter_deg": (0.0, 30.0),
    "scene.grasp.press_mm": (0.0, 2.5),
    "scene.together.jitter_deg": (0.0, 30.0),
    "scene.together.turn_deg": (0.0, 45.0),
    "scene.together.max_penetration_mm": (0.0, 20.0),
    "scene.motion.travel_m": (0.0, 0.5),
    "scene.motion.turn_deg": (0.0, 90.0),
    "scene.motion.pose_s": (0.05, 60.0),
    "scene.motion.head_travel_m": (0.0, 0.3),
    "scene.motion.head_turn_deg": (0.0, 45.0),
}
"""Least and greatest value of each number. Shares, whose names end so, are 0 to 1."""

PAIRS: Final[dict[str, tuple[float, float]]] = {
    "scene.body.distance_m": (0.12, 1.0),
    "scene.body.other_distance_m": (0.4, 2.0),
    "scene.grasp.hover_m": (0.0, 0.5),
    "scene.together.apart_mm": (0.0, 500.0),
    "scene.room.wall_m": (0.3, 20.0),
    "scene.room.close_m": (0.01, 2.0),
}
"""Ranges from small to large, and between what they must be."""

SPREADS: Final[dict[str, tuple[float, float]]] = {
    "scene.body.pitch_deg": (-90.0, 90.0),
    "scene.body.work_pitch_deg": (-90.0, 90.0),
}
"""Mean and standard deviation: between what the mean must be; the deviation is 0 to 90."""

ENDS: Final[dict[str, tuple[float, float]]] = {"scene.body.offset": (-2.0, 2.0)}
"""Two numbers without an order, and between what each must be."""

SUMS: Final[dict[str, tuple[str, ...]]] = {
    "scene.pose": tuple(
        f"{part}_share"
        for part in ("key", "gesture", "number", "asl", "grasp", "recorded", "between")
    ),
    "scene.situation": ("grasp_share", "touch_share", "together_share"),
}
"""Shares that exclude each other: their sum is at most 1."""


def check_config(config: SynthConfig) -> None:
    """Raise BadInput, in one line, for the first value that cannot be."""
    for name, value in _walk(config, ""):
        if name.endswith("_share"):
            _require(name, value, 0.0, 1.0)
        elif name in RANGES:
            _require(name, value, *RANGES[name])
        elif name in PAIRS:
            for end in value:
                _require(name, end, *PAIRS[name])
            if value[0] >= value[1]:
                raise BadInput(f"{name} must go from small to large, got {value[0]}, {value[1]}")
        elif name in ENDS:
            for number in value:
                _require(name, number, *ENDS[name])
        elif name in SPREADS:
            _require(f"{name} (mean)", value[0], *SPREADS[name])
            _require(f"{name} (spread)", value[1], 0.0, 90.0)
    for place, names in SUMS.items():
        part: Any = config
        for step in place.split("."):
            part = getattr(part, step)
        total = sum(getattr(part, name) for name in names)
        if total > 1.0 + 1e-9:
            raise BadInput(
                f"the shares of {place} must add up to at most 1, got {total:.4g}:"
                f" {', '.join(names)}"
            )


def _walk(config: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Every value with its dotted name."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from _walk(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, value


def _require(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # nor is NaN
        raise BadInput(f"{name} must be between {low} and {high}, got {value}")
