"""A dataset's frames by number: scenes, rendering, labels and encoding, batch by batch.

Frame k is the same whatever batch, shard or process it is made in: every random number is keyed by
(seed, frame, stage), and no operation runs across frames.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from augment.matched_stereo.pair import native_camera
from augment.sensing import Sensing, choose_sensing
from frames.camera import Camera, load_camera
from frames.errors import BadInput
from frames.kernels import drop_stale_kernels
from synth.config import SynthConfig
from synth.config_check import check_config
from synth.contact.flesh import build_flesh
from synth.contact.probes import build_probes
from synth.contact.ways import weigh_classes
from synth.description import describe
from synth.drawing import Painter
from synth.favour import read_factors
from synth.frame_renderer import Recorder, Rendered, new_images, render_scenes
from synth.hand.collision import build_capsules
from synth.hand.rig import Rig
from synth.pools import Pools, fill_pools, frame_ranges
from synth.pose.flesh import build_flesh as build_fingers
from synth.raster.canvas import Canvas
from synth.recording import Recording
from synth.scene.background_folder import Background, load_backgrounds
from synth.scene.clip import Rates, sample_clips, slice_rates
from synth.scene.models import fixed_models
from synth.scene.scene import LAYERS, Scenes, sample_scenes, slice_scenes
from synth.scene.stock import build_stock
from synth.scene.studio import Studio
from synth.split import UNDIVIDED, parse_split
from synth.tabulation import tabulate
from synth.things.catalogue import KINDS, build_catalogue
from synth.things.mesh_folder import load_objects
from synth.things.solid import Solid

BATCH_PIXELS: Final = 128 * 320 * 240
"""Pixels of the images that are labelled together: bounds a worker's memory."""

SAMPLED: Final = 2048
"""Scenes that are drawn up together: numpy's calls cost the same for few and for many."""


class Generator:
    """Makes frames of one configuration. Build one a process: it holds meshes and buffers.

    What a user brings (a camera, meshes, backgrounds, a hand) is read at once, so that its errors
    show; what we build ourselves waits for the first frame, which the parent of a pool never makes.
    """

    def __init__(
        self, config: SynthConfig, camera: Camera | None = None, sensing: Sensing | None = None
    ) -> None:
        """camera, sensing: in place of the camera and the sensor that the configuration names."""
        check_config(config)
        self.sensing = choose_sensor(config) if sensing is None else sensing
        weigh_classes(config.scene.grasp.favour)  # names it knows
        drop_stale_kernels()
        self.config = config
        self.camera: Camera = load_camera(config.camera) if camera is None else camera
        if self.sensing is not None and self.sensing.needs_pair:
            native_camera(self.camera, self.camera.fx)  # a camera that has none shows here
        self.rig: Rig = load_rig(config.hand, config.seed, config.identities)
        self._given: tuple[Solid, ...] = (
            load_objects(Path(config.objects)) if config.objects else ()
        )
        self.backgrounds: tuple[Background, ...] = (
            load_backgrounds(Path(config.backgrounds)) if config.backgrounds else ()
        )
        self.splits = parse_split(config.split) if config.split else UNDIVIDED
        kinds = [s.kind for s in self._given] or [k for k in KINDS for _ in range(config.variants)]
        self.pools: Pools = fill_pools(
            config.seed,
            self.splits,
            frame_ranges(
                config.split, config.frames, config.sequence_length, config.frames_per_shard
            ),
            config.sequence_length,
            config.identities,
            len(kinds),
            len(self.backgrounds),
            read_factors(config.favour, kinds, "favour") if config.favour else None,
        )
        self._painter: Painter | None = None

    @cached_property
    def studio(self) -> Studio:
        """All that stays the same from scene to scene."""
        config = self.config
        solids = self._given or build_catalogue(config.seed, config.variants)
        capsules = build_capsules(self.rig)
        return Studio(
            camera=self.camera,
            rig=self.rig,
            capsules=capsules,
            flesh=build_flesh(self.rig),
            probes=build_probes(self.rig),
            fingers=build_fingers(self.rig, capsules),
            stock=build_stock(fixed_models(), solids),
            pools=self.pools,
            backgrounds=self.backgrounds,
        )

    @property
    def batch(self) -> int:
        """Frames that are rendered at once."""
        return max(1, min(256, BATCH_PIXELS // (self.camera.width * self.camera.height)))

    def describe(self) -> dict[str, Any]:
        """The metadata of the dataset."""
        return describe(self.config, self.camera, self.sensing)

    def sample(self, frame_ids: np.ndarray) -> Scenes:
        """The scenes of these frames."""
        return self._sample(frame_ids)[0]

    def _sample(self, frame_ids: np.ndarray) -> tuple[Scenes, Rates | None]:
        config = self.config
        if config.sequence_length == 1:
            return sample_scenes(config.scene, self.studio, config.seed, frame_ids), None
        return sample_clips(
            config.scene, self.studio, config.seed, frame_ids, config.sequence_length, config.fps
        )

    def render(self, scenes: Scenes) -> Rendered:
        """Images and labels of these scenes."""
        return self._render(scenes, None, None)

    def _render(
        self,
        scenes: Scenes,
        out: tuple[np.ndarray, np.ndarray] | None,
        recorder: Recorder | None,
    ) -> Rendered:
        if self._painter is None:
            self._painter = new_painter(self.config.renderer, self.camera)
        return render_scenes(scenes, self.camera, self.studio, self._painter, out, recorder)

    def make_table(self, first: int, stop: int) -> pa.Table:
        """Frames first <= k < stop as rows."""
        return pa.concat_tables(self.make_tables(first, stop))

    def make_tables(self, first: int, stop: int) -> Iterator[pa.Table]:
        """Frames first <= k < stop as rows, a batch at a time."""
        images = new_images(self.camera, min(self.batch, stop - first))
        splits = self.splits.names if self.config.split else ()
        for begin in range(first, stop, SAMPLED):
            ids = np.arange(begin, min(begin + SAMPLED, stop), dtype=np.int64)
            drawn, motion = self._sample(ids)
            for a in range(0, len(ids), self.batch):
                b = min(a + self.batch, len(ids))
                scenes = slice_scenes(drawn, a, b)
                rates = None if motion is None else slice_rates(motion, drawn.hands, a, b)
                solids = self.studio.stock.solids
                recording = Recording(self.camera, self.studio, scenes, rates, self.sensing)
                labelled = self._render(scenes, images, recording)
                yield tabulate(
                    self.camera, self.rig, solids, splits, scenes, rates, labelled, recording
                )


def choose_sensor(config: SynthConfig) -> Sensing | None:
    """The sensor that a configuration names. Raises BadInput for one that cannot be."""
    seed = config.seed if config.sensor_seed < 0 else config.sensor_seed
    return choose_sensing(config.sensor, seed, config.bake)


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
