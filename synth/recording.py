"""What is kept of every frame before its images are drawn over: encoded, and a sensor's reading."""

from typing import Any

import numpy as np

from augment.matched_stereo.model import MatchedStereo
from augment.matched_stereo.pair import Pair
from augment.readings import name_devices, sense_shot
from augment.sensing import Sensing
from augment.shots import Shots, prepare_shots
from frames.camera import Camera
from frames.store.codec import encode_depth, encode_parts, encode_reading, encode_reasons
from synth.raster.canvas import DEPTH_SCALE
from synth.scene.clip import Rates
from synth.scene.scene import Scenes
from synth.scene.studio import Studio
from synth.shot_labels import list_shot_labels
from synth.stereo_pair import render_pair


class Recording:
    """The images of a batch of scenes; a `synth.frame_renderer.Recorder`."""

    def __init__(
        self,
        camera: Camera,
        studio: Studio,
        scenes: Scenes,
        rates: Rates | None,
        sensing: Sensing | None,
    ) -> None:
        """sensing: which sensor reads the frames; None for none. rates: of sequences."""
        self._camera, self._studio = camera, studio
        self._scenes, self._rates = scenes, rates
        self._sensing = sensing
        self._shots: Shots | None = None
        self.depth: list[bytes] = []
        """Encoded clean depth of every frame so far."""
        self.parts: list[bytes] = []
        """Encoded part codes of every frame so far."""
        self.invalid: np.ndarray | None = None
        """(B, H, W) uint8 why the sensor reads nothing; None where its depth is not stored."""
        self._sensed: dict[str, list[Any]] = {"depth": [], "invalid": [], "sensor": []}

    def begin(self, keypoints_cam_m: np.ndarray, T_camera_from_object: np.ndarray) -> None:
        """Prepare for frames with these keypoints (N, 21, 3) and things (B, OBJECTS, 4, 4)."""
        if self._sensing is None or not self._sensing.baked:
            return
        solids = self._studio.stock.solids
        labels = list_shot_labels(
            self._scenes, self._rates, solids, keypoints_cam_m, T_camera_from_object
        )
        self._shots = prepare_shots(labels, self._sensing.seed)
        shape = (len(self._scenes.frame_ids), self._camera.height, self._camera.width)
        self.invalid = np.empty(shape, np.uint8)

    def add(self, depth: np.ndarray, codes: np.ndarray) -> None:
        """Keep the next N frames: clean depth (N, H, W) uint16 and codes (N, H, W) uint8.

        Each step is done for all frames before the next (`synth.frame_renderer.RUN`).
        """
        first = len(self.depth)
        self.depth += map(encode_depth, depth)
        self.parts += map(encode_parts, codes)
        if self._shots is None or self._sensing is None or self.invalid is None:
            return
        read = np.empty_like(depth)
        invalid = self.invalid[first : first + len(depth)]
        for i in range(len(depth)):
            b = first + i
            shot = self._shots.shot(b, self._camera, depth[i], DEPTH_SCALE, codes[i])
            name = sense_shot(self._sensing, shot, read[i], invalid[i], b, self._render_pair)
            self._sensed["sensor"].append(name)
        self._sensed["depth"] += map(encode_reading, read)
        self._sensed["invalid"] += map(encode_reasons, invalid)

    def _render_pair(self, b: int, model: MatchedStereo) -> Pair:
        return render_pair(self._scenes, b, self._camera, self._studio, model)

    def list_columns(self) -> dict[str, Any]:
        """The columns of all frames that say what the sensor reads, or which sensor will."""
        scenes, sensing = self._scenes, self._sensing
        if sensing is None:
            return {}
        count = len(scenes.frame_ids)
        seeds = np.full(count, sensing.seed, np.int64)
        if self.invalid is not None:
            return {**self._sensed, "sensor_seed": seeds}
        sequence = np.full(count, -1) if scenes.sequence is None else scenes.sequence
        return {"sensor": name_devices(sensing, scenes.frame_ids, sequence), "sensor_seed": seeds}
