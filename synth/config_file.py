"""Checking a configuration, and reading it from TOML or from a dataset's metadata."""

import dataclasses
import tomllib
import typing
from pathlib import Path
from typing import Any, Literal

from frames.errors import BadInput
from synth.config import PoseConfig, SynthConfig

POSE_SHARES = tuple(f.name for f in dataclasses.fields(PoseConfig) if f.name.endswith("_share"))


def check_config(config: SynthConfig) -> None:
    """Raise BadInput, in one line, for the first value that cannot be."""
    _require("frames", config.frames, 1, 10**12)
    _require("seed", config.seed, 0, 2**63 - 1)
    _require("identities", config.identities, 1, 100_000)
    _require("frames_per_shard", config.frames_per_shard, 1, 2**20)
    scene = config.scene
    for name, value in (
        ("scene.two_hands_share", scene.two_hands_share),
        ("scene.object_share", scene.object_share),
        *((f"scene.pose.{name}", getattr(scene.pose, name)) for name in POSE_SHARES),
        ("scene.outfit.sleeve_share", scene.outfit.sleeve_share),
        ("scene.outfit.long_share", scene.outfit.long_share),
        ("scene.outfit.watch_share", scene.outfit.watch_share),
        ("scene.outfit.ring_share", scene.outfit.ring_share),
        ("scene.outfit.glove_share", scene.outfit.glove_share),
        ("scene.outfit.seated_share", scene.outfit.seated_share),
        ("scene.room.empty_share", scene.room.empty_share),
        ("scene.room.table_share", scene.room.table_share),
        ("scene.room.furniture_share", scene.room.furniture_share),
        ("scene.room.ground_share", scene.room.ground_share),
        ("scene.room.close_share", scene.room.close_share),
        ("scene.room.backgrounds_share", scene.room.backgrounds_share),
    ):
        _require(name, value, 0.0, 1.0)
    total = sum(getattr(scene.pose, name) for name in POSE_SHARES)
    if total > 1.0 + 1e-9:
        raise BadInput(
            f"the shares of scene.pose must add up to at most 1, got {total:.4g}:"
            f" {', '.join(POSE_SHARES)}"
        )
    _require("scene.max_objects", scene.max_objects, 0, 2)
    _require("scene.body.pitch_deg (mean)", scene.body.pitch_deg[0], -90.0, 90.0)
    _require("scene.body.pitch_deg (spread)", scene.body.pitch_deg[1], 0.0, 90.0)
    _require("scene.pose.jitter_deg", scene.pose.jitter_deg, 0.0, 30.0)
    _require("scene.pose.max_penetration_mm", scene.pose.max_penetration_mm, 0.0, 20.0)
    _require("scene.body.spread", scene.body.spread, 0.0, 5.0)
    _require("scene.body.roll_sd_deg", scene.body.roll_sd_deg, 0.0, 90.0)
    _require("scene.body.yaw_sd_deg", scene.body.yaw_sd_deg, 0.0, 90.0)
    _require("scene.body.distance_mean_m", scene.body.distance_mean_m, 0.0, 2.0)
    _require("scene.body.distance_sd_m", scene.body.distance_sd_m, 0.0, 2.0)
    _require("scene.body.gaze_error_deg", scene.body.gaze_error_deg, 0.0, 45.0)
    for k, axis in enumerate(("right", "forward", "up")):
        _require(f"scene.body.sway_m ({axis})", scene.body.sway_m[k], 0.0, 0.1)
    for k, way in enumerate(("aside", "down")):
        _require(f"scene.body.bias ({way})", scene.body.bias[k], -1.0, 1.0)
    for name in ("swivel_deg", "pronation_deg", "wrist_flexion_deg", "wrist_deviation_deg"):
        mean, sd = getattr(scene.body, name)
        _require(f"scene.body.{name} (mean)", mean, -180.0, 180.0)
        _require(f"scene.body.{name} (spread)", sd, 0.0, 180.0)
    _require("scene.body.other_bearing_deg", scene.body.other_bearing_deg, 0.0, 90.0)
    _require("scene.body.other_turn_deg", scene.body.other_turn_deg, 0.0, 90.0)
    _require("scene.body.other_height_m", scene.body.other_height_m, 0.0, 0.5)
    _require("scene.room.clutter_mean", scene.room.clutter_mean, 0.0, 6.0)
    outdoors = scene.room.empty_share + scene.room.ground_share
    if outdoors > 1.0 + 1e-9:
        raise BadInput(
            f"scene.room.empty_share and scene.room.ground_share must add up to at most 1, got"
            f" {outdoors:.4g}"
        )
    for name, pair, low, high in (
        ("scene.body.distance_m", scene.body.distance_m, 0.12, 1.0),
        ("scene.body.other_distance_m", scene.body.other_distance_m, 0.12, 2.0),
        ("scene.body.other_away_m", scene.body.other_away_m, 0.5, 3.0),
        ("scene.outfit.glove_mm", scene.outfit.glove_mm, 0.2, 5.0),
        ("scene.room.wall_m", scene.room.wall_m, 0.3, 20.0),
        ("scene.room.close_gap_m", scene.room.close_gap_m, 0.005, 2.0),
    ):
        for value in pair:
            _require(name, value, low, high)
        if pair[0] >= pair[1]:
            raise BadInput(f"{name} must go from small to large, got {pair[0]}, {pair[1]}")


def _require(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # nor is NaN
        raise BadInput(f"{name} must be between {low} and {high}, got {value}")


def load_config(path: Path) -> SynthConfig:
    """Read a SynthConfig from TOML; tables are nested configurations, what is absent is default.

    Raises BadInput for a missing or broken file, an unknown key or a value of the wrong type.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise BadInput(f"config {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"config {path} is not UTF-8 text: {error.reason}") from error
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"config {path} is not valid TOML: {reason}") from error
    config = _build(SynthConfig, data, str(path), "")
    assert isinstance(config, SynthConfig)
    return config


def config_from_meta(meta: dict[str, Any]) -> SynthConfig:
    """The configuration stored in a dataset's metadata."""
    stored = meta.get("config")
    if not isinstance(stored, dict):
        raise BadInput("dataset.json has no config: the dataset was not made by handloom synth")
    config = _build(SynthConfig, stored, "dataset.json", "")
    assert isinstance(config, SynthConfig)
    return config


def _build(kind: Any, data: dict[str, Any], where: str, prefix: str) -> object:
    known = {f.name: f for f in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in data.items():
        name = key.replace("-", "_")
        if name not in known:
            raise BadInput(f"unknown key {prefix}{key} in {where}: known are {', '.join(known)}")
        values[name] = _convert(hints[name], value, where, prefix + name)
    return kind(**values)


def _convert(hint: Any, value: Any, where: str, name: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise BadInput(f"{name} must be a table, got {value!r} ({where})")
        return _build(hint, value, where, name + ".")
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if value not in args:
            raise BadInput(f"{name} must be one of {', '.join(args)}, got {value!r} ({where})")
        return value
    if origin is tuple:
        if not isinstance(value, list) or len(value) != len(args):
            raise BadInput(f"{name} must be a list of {len(args)} numbers, got {value!r} ({where})")
        return tuple(_convert(a, v, where, name) for a, v in zip(args, value, strict=True))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or isinstance(value, bool) is not (hint is bool):
        raise BadInput(f"{name} must be of type {hint.__name__}, got {value!r} ({where})")
    return value
