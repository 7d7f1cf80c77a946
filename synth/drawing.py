"""All that a batch of scenes shows, posed before the camera, and the one way to draw a frame of it.

The clean frame and the two eyes of a stereo pair are drawn from here, so that they show the same.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from frames.camera import Camera
from synth.hand.kinematics import pose_hands
from synth.meshes import MeshList, list_hands, list_props
from synth.raster.canvas import DEPTH_SCALE, LayerStatistics
from synth.rigid import dot, multiply, rotate
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
class Drawing:
    """What B frames show, in the camera's frame."""

    scenes: Scenes
    hands: MeshList
    props: MeshList
    planes: np.ndarray
    """(B, P, 4) walls n . p <= d."""
    T_background_from_camera: np.ndarray
    """(B, 4, 4) into the recorded rooms."""


def compose_drawing(
    scenes: Scenes, studio: Studio, T_camera_from_world: np.ndarray, vertices: np.ndarray
) -> Drawing:
    """The drawing of scenes whose hands' skins have these vertices (N, V, 3), camera frame."""
    around = scenes.surroundings
    return Drawing(
        scenes,
        list_hands(scenes, studio.rig, vertices),
        list_props(scenes, studio.stock, T_camera_from_world),
        planes_in_camera(around.planes, scenes.T_world_from_camera),
        multiply(around.backdrops.T_background_from_world, scenes.T_world_from_camera),
    )


def put_on_gloves(
    scenes: Scenes, studio: Studio, T_camera_from_wrist: np.ndarray, vertices: np.ndarray
) -> np.ndarray:
    """Replace vertices (N, V, 3) of gloved hands by the gloves'; which hands (G,) these are."""
    hands = scenes.hands
    gloved = np.flatnonzero(scenes.worn & GLOVE)
    if len(gloved):
        vertices[gloved], _ = pose_hands(
            studio.gloved, hands.identity[gloved], hands.angles[gloved],
            T_camera_from_wrist[gloved], hands.left[gloved],
        )  # fmt: skip
    return gloved


def shift_drawing(drawing: Drawing, right_m: float) -> Drawing:
    """The same as a camera sees it that stands right_m farther along +x, with the same axes."""
    shift = np.array([right_m, 0.0, 0.0], np.float32)
    planes = drawing.planes.copy()
    planes[..., 3] -= planes[..., 0] * right_m
    step = np.eye(4)
    step[0, 3] = right_m
    return replace(
        drawing,
        hands=replace(drawing.hands, vertices=drawing.hands.vertices - shift),
        props=replace(drawing.props, vertices=drawing.props.vertices - shift),
        planes=planes,
        T_background_from_camera=multiply(drawing.T_background_from_camera, step),
    )


def draw_frame(painter: Painter, camera: Camera, drawing: Drawing, b: int) -> None:
    """Draw frame b, all but the compositing."""
    painter.begin()
    around = drawing.scenes.surroundings
    if around.backdrops.image[b] >= 0:
        room = around.backgrounds[around.backdrops.image[b]]
        painter.draw_depth(show_backdrop(camera, room, drawing.T_background_from_camera[b]))
    elif around.present[b]:
        painter.draw_room(drawing.planes[b])
    painter.draw_list(*drawing.props.of_frame(b))
    painter.draw_list(*drawing.hands.of_frame(b))


def planes_in_camera(planes: np.ndarray, T_world_from_camera: np.ndarray) -> np.ndarray:
    """(B, P, 4) planes n.x <= d of the world in the camera's frame."""
    turn, shift = T_world_from_camera[:, :3, :3], T_world_from_camera[:, :3, 3]
    normals = rotate(np.swapaxes(turn, 1, 2)[:, None], planes[..., :3])
    offset = planes[..., 3] - dot(planes[..., :3], shift[:, None])
    return np.concatenate([normals, offset[..., None]], axis=-1)
