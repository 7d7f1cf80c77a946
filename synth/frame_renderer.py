"""From sampled scenes to images and labels: the middle of the pipeline."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from frames.camera import Camera
from synth.contacts import measure_contacts
from synth.drawing import Painter, compose_drawing, draw_frame, put_on_gloves
from synth.hand.kinematics import pose_hands
from synth.labels import KeypointLabels, label_keypoints
from synth.raster.canvas import DEPTH_SCALE
from synth.rigid import invert_rigid, multiply
from synth.scene.scene import Scenes
from synth.scene.studio import Studio

RUN: Final = 32
RUN_PIXELS: Final = RUN * 320 * 240
"""So many frames, or pixels, are drawn before they are recorded. Drawing, sensing and encoding are
much code each: one after the other for every frame, they drive each other out of the caches, which
cost a sixth of the time. Many more frames would drive out the images."""


@dataclass(frozen=True)
class RenderedHands:
    """Labels of N hands beside their keypoints'."""

    keypoints_cam_m: np.ndarray
    """(N, 21, 3) float32"""
    keypoints: KeypointLabels
    """What each keypoint shows."""
    visible_fraction: np.ndarray
    """(N,) float32: visible over amodal pixels inside the image, forearm excluded; NaN for none."""
    box_px: np.ndarray
    """(N, 4) float32 around visible pixels, at their outer edges; NaN for none."""
    box_amodal_px: np.ndarray
    """(N, 4) float32 around all pixels inside the image."""
    T_camera_from_wrist: np.ndarray
    """(N, 4, 4)"""
    gap_m: np.ndarray
    """(N, 17) float32 gap of each part to what the hand touches, NaN beyond 1 cm."""


@dataclass(frozen=True)
class Rendered:
    """A batch of frames."""

    depth: np.ndarray
    """(B, H, W) uint16, clean."""
    codes: np.ndarray
    """(B, H, W) uint8"""
    hands: RenderedHands
    """In the order of the scenes' hands."""
    T_camera_from_object: np.ndarray
    """(B, OBJECTS, 4, 4)"""


class Recorder(Protocol):
    """Is given all frames in order, a run at a time, soon after they are drawn."""

    def begin(self, keypoints_cam_m: np.ndarray, T_camera_from_object: np.ndarray) -> None:
        """Keypoints (N, 21, 3) and things (B, OBJECTS, 4, 4) of the frames that follow."""

    def add(self, depth: np.ndarray, codes: np.ndarray) -> None:
        """The next N frames' depth (N, H, W) uint16 and codes (N, H, W) uint8."""


def render_scenes(
    scenes: Scenes,
    camera: Camera,
    studio: Studio,
    painter: Painter,
    out: tuple[np.ndarray, np.ndarray] | None = None,
    recorder: Recorder | None = None,
) -> Rendered:
    """Draw every scene of a batch and label its hands.

    out: arrays for depth and codes, of at least as many frames, in place of new ones. recorder: is
    given the frames.
    """
    count, hands = len(scenes.frame_ids), scenes.hands
    T_camera_from_world = invert_rigid(scenes.T_world_from_camera)
    T_camera_from_wrist = multiply(T_camera_from_world[hands.frame], hands.T_world_from_wrist)
    T_camera_from_object = multiply(
        T_camera_from_world[:, None], scenes.objects.T_world_from_object
    )
    rig = studio.rig
    vertices, keypoints = pose_hands(
        rig, hands.identity, hands.angles, T_camera_from_wrist, hands.left
    )
    gap_m = measure_contacts(studio, scenes, vertices, T_camera_from_wrist)
    # Keypoints and contacts are the bare hand's; only what is seen wears the glove.
    gloved = put_on_gloves(scenes, studio, T_camera_from_wrist, vertices)
    thickness = rig.thickness[hands.identity]
    if len(gloved):
        thickness[gloved] = studio.gloved.thickness[hands.identity[gloved]]
    drawing = compose_drawing(scenes, studio, T_camera_from_world, vertices)
    depth, codes = new_images(camera, count) if out is None else (out[0][:count], out[1][:count])
    if recorder is not None:
        recorder.begin(keypoints, T_camera_from_object)
    layers = []
    run = max(1, min(RUN, RUN_PIXELS // (camera.width * camera.height)))
    for first in range(0, count, run):
        stop = min(first + run, count)
        for b in range(first, stop):
            draw_frame(painter, camera, drawing, b)
            layers.append(painter.composite(depth[b], codes[b], DEPTH_SCALE))
        if recorder is not None:
            recorder.add(depth[first:stop], codes[first:stop])
    own = hands.frame, hands.number
    amodal = np.stack([layer.amodal_pixels for layer in layers])[own]
    seen = np.stack([layer.visible_pixels for layer in layers])[own]
    box = np.stack(
        [
            np.stack([layer.visible_box for layer in layers])[own],
            np.stack([layer.amodal_box for layer in layers])[own],
        ]
    ).astype(np.float32)
    box[0, seen == 0] = np.nan
    box[1, amodal == 0] = np.nan
    # From inclusive pixels to the outer edges of the pixels.
    box += np.array([-0.5, -0.5, 0.5, 0.5], np.float32)
    labels = label_keypoints(
        camera,
        keypoints,
        thickness,
        hands.frame,
        hands.number,
        depth,
        codes,
        DEPTH_SCALE,
    )
    with np.errstate(invalid="ignore"):
        fraction = np.where(amodal > 0, seen / np.maximum(amodal, 1), np.nan)
    return Rendered(
        depth,
        codes,
        RenderedHands(
            keypoints,
            labels,
            fraction.astype(np.float32),
            box[0],
            box[1],
            T_camera_from_wrist,
            gap_m,
        ),
        T_camera_from_object,
    )


def new_images(camera: Camera, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Arrays for the depth and codes of `count` frames."""
    shape = (count, camera.height, camera.width)
    return np.empty(shape, np.uint16), np.empty(shape, np.uint8)
