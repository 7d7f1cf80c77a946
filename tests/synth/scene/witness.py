"""The whole scene for an independent witness: float64 triangles and planes, and rays at them.

What the renderer draws in layers of quantised pixels is one list of triangles here, transformed by
matrix products of its own; only the hands' skinned vertices are shared with the renderer
(tests/synth/hand shows those to be right).
"""

import copy
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from frames.camera import Camera
from synth.config import SceneConfig, SynthConfig
from synth.generator import Generator
from synth.hand.kinematics import bone_transforms, pose_hands
from synth.scene.scene import Scenes
from tests.synth.contact.witness import _pieces as pieces
from tests.synth.hand.winding import surface_distance, winding_numbers
from tests.synth.raster.raycaster import camera_rays, cast

FARTHEST_M = 6.5535
"""What lies beyond does not fit uint16 at 0.1 mm, and reads nothing."""


@cache
def generator(camera: str = "ego", seed: int = 5) -> Generator:
    """A generator with the default scene."""
    return Generator(SynthConfig(frames=1 << 20, seed=seed, camera=camera))


@dataclass(frozen=True)
class Truth:
    """One frame as triangles and planes, in the camera's axes."""

    vertices: np.ndarray
    """(V, 3) float64"""
    faces: np.ndarray
    """(F, 3) outward."""
    codes: np.ndarray
    """(F,) code of the part image."""
    planes: np.ndarray
    """(P, 4) outward unit normal and distance; no rows for no room."""


@dataclass(frozen=True)
class Hits:
    """What rays (n, 3) meet first."""

    z: np.ndarray
    """(n,) metres, inf for nothing."""
    code: np.ndarray
    """(n,) code, 0 for background."""


def camera_pose(scenes: Scenes, b: int) -> np.ndarray:
    """(4, 4) T_camera_from_world."""
    return np.linalg.inv(scenes.T_world_from_camera[b])


def skin(maker: Generator, scenes: Scenes, b: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (h, V, 3) and keypoints (h, 21, 3) of the frame's hands, camera frame."""
    hands = scenes.hands
    mine = hands.frame == b
    pose = camera_pose(scenes, b) @ hands.T_world_from_wrist[mine]
    vertices, keypoints = pose_hands(
        maker.rig, hands.identity[mine], hands.angles[mine], pose, hands.left[mine]
    )
    return vertices.astype(np.float64), keypoints.astype(np.float64)


def assemble(maker: Generator, scenes: Scenes, b: int) -> Truth:
    """Everything that frame b of a batch shows."""
    view = camera_pose(scenes, b)
    hands, props, around = scenes.hands, scenes.props, scenes.surroundings
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    rows = np.flatnonzero(hands.frame == b)
    for k, (n, vertices) in enumerate(zip(rows, skin(maker, scenes, b)[0], strict=True)):
        faces = maker.rig.faces[:, [2, 1, 0]] if hands.left[n] else maker.rig.faces
        parts.append((vertices, faces, 32 * k + maker.rig.face_parts.astype(int)))
    for m in np.flatnonzero(props.frame == b):
        vertices, faces, codes = model(maker, int(props.model[m]))
        pose = view @ props.T_world_from_model[m]
        parts.append((_move(pose, vertices), faces, int(props.base[m]) + codes))
    start = np.cumsum([0, *(len(v) for v, _, _ in parts)])
    return Truth(
        np.concatenate([v for v, _, _ in parts]),
        np.concatenate([f + s for (_, f, _), s in zip(parts, start, strict=False)]),
        np.concatenate([c for _, _, c in parts]),
        _carry_planes(around.planes[b], view) if around.present[b] else np.zeros((0, 4)),
    )


def model(maker: Generator, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, faces and codes of model k of the stock."""
    stock = maker.studio.stock
    v, w = stock.vertex_start[k : k + 2]
    f, g = stock.face_start[k : k + 2]
    return stock.vertices[v:w], stock.faces[f:g], stock.codes[f:g].astype(int)


def shoot(truth: Truth, rays: np.ndarray) -> Hits:
    """The first surface that rays (..., 3) = (x, y, 1) meet."""
    z, face = cast(rays, truth.vertices, truth.faces)
    code = np.where(face >= 0, truth.codes[face], 0)
    slope = rays @ truth.planes[:, :3].T
    with np.errstate(divide="ignore", invalid="ignore"):
        wall = np.where(slope > 0, truth.planes[:, 3] / slope, np.inf)
    wall = wall.min(-1, initial=np.inf)
    wall = np.where(np.isnan(rays[..., 0]), np.inf, wall)
    return Hits(np.minimum(z, wall), np.where(wall < z, 0, code))


def draw_image(truth: Truth, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Depth (H, W) float64 metres, inf for nothing, and codes (H, W)."""
    hits = shoot(truth, camera_rays(camera))
    return hits.z, hits.code


def _move(pose: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.asarray(points, np.float64) @ pose[:3, :3].T + pose[:3, 3]


def _carry_planes(planes: np.ndarray, view: np.ndarray) -> np.ndarray:
    """Planes n . x <= d of the world, by the inverse transpose of the view."""
    rows = np.column_stack([planes[:, :3], -planes[:, 3]]) @ np.linalg.inv(view)
    return np.column_stack([rows[:, :3], -rows[:, 3]])


def change_scene(maker: Generator, scene: SceneConfig) -> Generator:
    """The same people and camera with other options; spares building the hands anew."""
    other = copy.copy(maker)
    other.config = replace(maker.config, scene=scene)
    other.__dict__["studio"] = maker.studio
    return other


@dataclass(frozen=True)
class World:
    """Many scenes with their flesh in the world's frame."""

    maker: Generator
    scenes: Scenes
    skin: np.ndarray
    """(N, V, 3) float32"""
    joints: np.ndarray
    """(N, 21, 3) float32, where each bone starts; the forearm's is the elbow."""


@cache
def world(count: int = 768) -> World:
    """Scenes of the default options, posed."""
    maker = generator()
    scenes = maker.sample(np.arange(count))
    hands = scenes.hands
    pose = (hands.identity, hands.angles, hands.T_world_from_wrist, hands.left)
    skin, joints = pose_hands(maker.rig, *pose)[0], bone_transforms(maker.rig, *pose)[1]
    return World(maker, scenes, skin, joints)


def placed(here: World, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) in the world and faces of prop m."""
    vertices, faces, _ = model(here.maker, int(here.scenes.props.model[m]))
    return _move(here.scenes.props.T_world_from_model[m], vertices), faces


def depth_inside(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> float:
    """How deep the deepest of points (P, 3) is in a closed mesh, metres; 0 for none inside.

    A mesh of several pieces is their union. Inside is a winding number above one half.
    """
    deepest = 0.0
    for piece in pieces(faces):
        corners = np.asarray(vertices, np.float64)[faces[piece]]
        low, high = corners.min((0, 1)), corners.max((0, 1))
        near = np.asarray(points, np.float64)
        near = near[((near > low) & (near < high)).all(1)]
        if len(near):
            inside = near[winding_numbers(near, corners) > 0.5]
            if len(inside):
                deepest = max(deepest, float(surface_distance(inside, corners).max()))
    return deepest


def boxes_meet(a: np.ndarray, b: np.ndarray) -> bool:
    """Do the bounding boxes of two sets of points overlap?"""
    return bool((a.min(0) < b.max(0)).all() and (b.min(0) < a.max(0)).all())


def hand_faces(here: World, n: int) -> np.ndarray:
    """(F, 3) outward faces of hand n."""
    faces = here.maker.rig.faces
    return faces[:, ::-1] if here.scenes.hands.left[n] else faces


def props_of(here: World, layer: int | None = None) -> list[int]:
    """Props that are drawn with this layer."""
    return np.flatnonzero(here.scenes.props.layer == layer).tolist()
