"""From sampled scenes to images and labels: the middle of the pipeline."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from frames.camera import Camera
from synth.contacts import measure_contacts
from synth.hand.kinematics import pose_hands
from synth.labels import KeypointLabels, label_keypoints
from synth.meshes import list_hands, list_props
from synth.raster.canvas import DEPTH_SCALE, LayerStatistics
from synth.rigid import dot, invert_rigid, multiply, rotate
from synth.scene.backdrop_view import show_backdrop
from synth.scene.outfit import GLOVE
from synth.scene.scene import Scenes
from synth.scene.studio import Studio


class Painter(Protocol):
    """What draws a frame: `synth.raster.canvas.Canvas`, or another renderer with its methods."""

    def begin(self) -> None: ...
    def draw_list(
        self, jobs: np.ndarray, vertices: np.ndarray, faces: np.ndarray, codes: np.ndarray
    ) -> None: ...
    def draw_room(self, planes: np.ndarray) -> None: ...
    def draw_depth(self, depth_m: np.ndarray) -> None: ...
    def composite(
        self, depth: np.ndarray, codes: np.ndarray, depth_scale: float = DEPTH_SCALE
    ) -> LayerStatistics: ...


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


def render_scenes(
    scenes: Scenes,
    camera: Camera,
    studio: Studio,
    painter: Painter,
    out: tuple[np.ndarray, np.ndarray] | None = None,
    on_frame: Callable[[np.ndarray, np.ndarray], None] | None = None,
) -> Rendered:
    """Draw every scene of a batch and label its hands.

    out: arrays for depth and codes, of at least as many frames, in place of new ones. on_frame: is
    given each frame's depth and codes as soon as they are drawn, while they are in the cache.
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
    thickness = rig.thickness[hands.identity]
    gloved = np.flatnonzero(scenes.worn & GLOVE)
    if len(gloved):
        # Keypoints and contacts are the bare hand's; only what is seen wears the glove.
        who = hands.identity[gloved]
        vertices[gloved], _ = pose_hands(
            studio.gloved, who, hands.angles[gloved], T_camera_from_wrist[gloved],
            hands.left[gloved],
        )  # fmt: skip
        thickness[gloved] = studio.gloved.thickness[who]
    meshes = list_hands(scenes, rig, vertices)
    props = list_props(scenes, studio.stock, T_camera_from_world)
    planes = planes_in_camera(scenes.surroundings.planes, scenes.T_world_from_camera)

    around = scenes.surroundings
    backdrops = multiply(around.backdrops.T_background_from_world, scenes.T_world_from_camera)
    depth, codes = new_images(camera, count) if out is None else (out[0][:count], out[1][:count])
    layers = []
    for b in range(count):
        painter.begin()
        if around.backdrops.image[b] >= 0:
            room = around.backgrounds[around.backdrops.image[b]]
            painter.draw_depth(show_backdrop(camera, room, backdrops[b]))
        elif around.present[b]:
            painter.draw_room(planes[b])
        painter.draw_list(*props.of_frame(b))
        painter.draw_list(*meshes.of_frame(b))
        layers.append(painter.composite(depth[b], codes[b], DEPTH_SCALE))
        if on_frame is not None:
            on_frame(depth[b], codes[b])
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


def planes_in_camera(planes: np.ndarray, T_world_from_camera: np.ndarray) -> np.ndarray:
    """(B, P, 4) planes n.x <= d of the world in the camera's frame."""
    turn, shift = T_world_from_camera[:, :3, :3], T_world_from_camera[:, :3, 3]
    normals = rotate(np.swapaxes(turn, 1, 2)[:, None], planes[..., :3])
    offset = planes[..., 3] - dot(planes[..., :3], shift[:, None])
    return np.concatenate([normals, offset[..., None]], axis=-1)
