"""Synthetic hands before devices: frames rendered for a device's own image, as it reads them.

What the likeness of sensors is measured on (`bench.likeness`) and drawn from (`tools`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from augment.matched_stereo.model import MatchedStereo
from augment.profile import Mixture, Profile, load_profile
from augment.sensor import sense, store_reading
from augment.shot import Keys, Shot
from augment.shots import prepare_shots
from frames.camera import CAMERAS, Camera
from frames.parts import HAND_PARTS, HAND_STRIDE, OBJECT_BASE
from frames.stream import uniform
from synth.config import (
    BodyConfig,
    OutfitConfig,
    RoomConfig,
    SceneConfig,
    SituationConfig,
    SynthConfig,
)
from synth.generator import Generator
from synth.raster.canvas import DEPTH_SCALE
from synth.scene.scene import Scenes
from synth.shot_labels import list_shot_labels
from synth.stereo_pair import render_pair

FPS: Final = 30.0


def double_camera(camera: Camera) -> Camera:
    """The same view with every pixel cut into four."""
    return replace(
        camera,
        width=2 * camera.width,
        height=2 * camera.height,
        fx=2 * camera.fx,
        fy=2 * camera.fy,
        cx=2 * camera.cx + 0.5,
        cy=2 * camera.cy + 0.5,
    )


DEVICE_CAMERAS: Final[dict[str, Camera]] = {
    "d435": Camera("pinhole", 848, 480, 424.0, 424.0, 423.5, 239.5),
    "d435-matched": Camera("pinhole", 848, 480, 424.0, 424.0, 423.5, 239.5),
    # Every second pixel of 1280 x 720, as recordings of this device come.
    "zed": Camera("pinhole", 640, 360, 350.0, 350.0, 319.5, 179.5),
    "sr300": Camera("pinhole", 640, 480, 475.0, 475.0, 319.5, 239.5),
    "kinect-v1": Camera("pinhole", 640, 480, 585.0, 585.0, 319.5, 239.5),
    "azure-kinect": double_camera(CAMERAS["azure-nfov"]),
    "ahat": CAMERAS["ahat"],
}
"""The image of each device's own, or close to it."""

MIXED: Final = SceneConfig()
"""Scenes as they come."""

AT_WORK: Final = SceneConfig(
    two_hands_share=0.1,
    others_share=0.0,
    object_share=1.0,
    situation=SituationConfig(grasp_share=0.8, touch_share=0.2, together_share=0.0),
    body=BodyConfig(
        distance_m=(0.42, 0.62), distance_mean_m=0.52, pitch_deg=(50, 8), work_pitch_deg=(50, 8)
    ),
    outfit=OutfitConfig(seated_share=0.0),
    room=RoomConfig(
        close_share=0.0, empty_share=0.0, table_share=1.0, clutter_share=1.0, max_clutter=12
    ),
)
"""Hands that grip things over tables, in the wearer's view."""


@dataclass(frozen=True)
class SensedHands:
    """One frame before and behind a sensor."""

    shot: Shot
    burst: NDArray[np.uint16]
    """(N, H, W) what the device reads, frame after frame, while nothing moves; 0 for nothing."""

    reason: NDArray[np.uint8]
    """(H, W) why there is no reading in the first of them; 0 where there is."""

    @property
    def depth(self) -> NDArray[np.uint16]:
        """(H, W) the first of them."""
        return np.asarray(self.burst[0])

    @property
    def arm(self) -> NDArray[np.bool_]:
        """(H, W) where hands and forearms truly are."""
        return mark_arms(self.shot)

    @property
    def hand(self) -> NDArray[np.bool_]:
        """(H, W) where skin of hands is, forearms left out."""
        return mark_hands(self.shot)


def mark_arms(shot: Shot) -> NDArray[np.bool_]:
    """(H, W) where hands and forearms truly are."""
    return (shot.parts % HAND_STRIDE > 0) & (shot.parts < OBJECT_BASE)


def mark_hands(shot: Shot) -> NDArray[np.bool_]:
    """(H, W) where skin of hands truly is, forearms left out."""
    part = shot.parts % HAND_STRIDE
    return (part > 0) & (part <= HAND_PARTS) & (shot.parts < OBJECT_BASE)


def sense_hands(
    profile: Profile | Mixture | str,
    camera: Camera,
    count: int,
    scene: SceneConfig = MIXED,
    seed: int = 1,
    burst: int = 1,
    first: int = 0,
) -> Iterator[SensedHands]:
    """Frames first ... first + count - 1 as a device reads them, `burst` times 1/30 s apart."""
    device = load_profile(profile) if isinstance(profile, str) else profile
    for shot in render_shots(device, camera, count, scene, seed, first):
        yield SensedHands(shot, *read_burst(device, shot, burst))


def read_burst(
    device: Profile | Mixture, shot: Shot, burst: int = 1
) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """(burst, H, W) what the device reads of a shot at which nothing moves, and (H, W) why it does
    not in the first frame.
    """
    words = uniform(shot.keys.frame, np.arange(burst), "sensed hands/burst", 1)[:, 0]
    out = np.empty((burst, *shot.depth.shape), np.uint16)
    reason = np.empty(out.shape, np.uint8)
    for k in range(burst):
        key = shot.keys.frame if k == 0 else int(words[k] * 2.0**53)
        keys = Keys(key, shot.keys.sequence, shot.keys.device)
        one = replace(shot, keys=keys, time_s=shot.time_s + k / FPS)
        store_reading(sense(device, one), DEPTH_SCALE, out[k], reason[k])
    return out, reason[0]


def render_shots(
    device: Profile | Mixture,
    camera: Camera,
    count: int,
    scene: SceneConfig = MIXED,
    seed: int = 1,
    first: int = 0,
) -> Iterator[Shot]:
    """Shots of frames first ... first + count - 1, with stereo pairs for a device that matches."""
    maker = Generator(SynthConfig(frames=first + count, seed=seed, scene=scene), camera)
    for start in range(first, first + count, maker.batch):
        ids = np.arange(start, min(start + maker.batch, first + count))
        scenes = maker.sample(ids)
        drawn = maker.render(scenes)
        labels = list_shot_labels(
            scenes, None, maker.studio.stock.solids, drawn.hands.keypoints_cam_m,
            drawn.T_camera_from_object,
        )  # fmt: skip
        shots = prepare_shots(labels, seed)
        for b in range(len(ids)):
            shot = shots.shot(b, camera, drawn.depth[b], DEPTH_SCALE, drawn.codes[b])
            yield _add_pair(device, maker, scenes, b, shot)


def _add_pair(
    device: Profile | Mixture, maker: Generator, scenes: Scenes, b: int, shot: Shot
) -> Shot:
    if not isinstance(device, Profile) or not isinstance(device.parameters, MatchedStereo):
        return shot
    pair = render_pair(scenes, b, maker.camera, maker.studio, device.parameters)
    return replace(shot, pair=pair)
