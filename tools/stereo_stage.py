"""Plain scenes before a stereo camera, drawn by the rasteriser: bars and fingers over a wall."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import trimesh

from augment.matched_stereo.model import MatchedStereo
from augment.matched_stereo.pair import Eye, Pair, Window, native_camera
from augment.shot import Keys, Shot
from frames.camera import Camera
from synth.raster.canvas import Canvas

CAMERA = Camera("pinhole", 480, 320, 424.0, 424.0, 239.5, 159.5)
"""A dataset's image in the device's own resolution: its pixels are the device's."""

SKIN, THING = 1, 224


@dataclass(frozen=True)
class Piece:
    """A mesh in the left eye's frame."""

    vertices: np.ndarray
    """(V, 3) float32"""
    faces: np.ndarray
    """(F, 3) int32"""
    code: int


def make_bar(z: float, width_m: float, height_m: float, code: int = THING) -> Piece:
    """A thin plate square to the axis, its face at z."""
    box = trimesh.creation.box((width_m, height_m, 0.001))
    box.apply_translation((0, 0, z + 0.0005))
    return Piece(box.vertices.astype(np.float32), box.faces.astype(np.int32), code)


def make_finger(z: float, radius_m: float, length_m: float, x_m: float = 0.0) -> Piece:
    """A capsule across the rows (along y) whose nearest line is at z."""
    capsule = trimesh.creation.capsule(length_m, radius_m, count=(24, 24))
    capsule.apply_translation(-capsule.bounds.mean(axis=0))
    turn = trimesh.transformations.rotation_matrix(np.pi / 2, (1, 0, 0))
    capsule.apply_transform(turn)
    capsule.apply_translation((x_m, 0, z + radius_m))
    return Piece(capsule.vertices.astype(np.float32), capsule.faces.astype(np.int32), SKIN)


def stage(
    model: MatchedStereo,
    wall: tuple[float, float, float, float],
    pieces: list[Piece],
    key: int,
    camera: Camera = CAMERA,
) -> Shot:
    """A shot with its pair, whole: pieces before the wall n . p = d (nx, ny, nz, d)."""
    native = native_camera(camera, model.focal_px)
    depth = np.empty((camera.height, camera.width), np.uint16)
    codes = np.empty(depth.shape, np.uint8)
    canvas = _draw(camera, wall, pieces, 0.0)
    canvas.composite(depth, codes)
    one = _see(_draw(native, wall, pieces, 0.0), 0)
    near = one.depth_m[one.depth_m > 0].min()
    scale = native.fx * model.baseline_m
    reach = int(np.ceil(min(scale / near + 6, scale / model.near_m) / 16)) * 16
    two = _see(_draw(native, wall, pieces, model.baseline_m), reach)
    return Shot(
        camera, depth, 10000.0, codes, np.full(256, 0.55, np.float32), None, 0.0,
        Keys(key, key, 7), Pair(native, model.baseline_m, (Window(0, reach, one, two),)),
    )  # fmt: skip


def _draw(
    camera: Camera, wall: tuple[float, float, float, float], pieces: list[Piece], eye_m: float
) -> Canvas:
    canvas = _canvas(camera)
    canvas.begin()
    canvas.draw_room(np.array([[*wall[:3], wall[3] - wall[0] * eye_m]]))
    shift = np.array([eye_m, 0, 0], np.float32)
    for piece in pieces:
        codes = np.full(len(piece.faces), piece.code, np.uint8)
        canvas.draw(0, piece.vertices - shift, piece.faces, codes)
    return canvas


@cache
def _canvas(camera: Camera) -> Canvas:
    return Canvas(camera, 1)


def _see(canvas: Canvas, reach: int) -> Eye:
    (front, near), (_, far) = canvas.layer(0), canvas.layer(1)
    hit = (near > 0) & ((far == 0) | (near <= far))
    depth, codes = np.where(hit, near, far), np.where(hit, front, 0).astype(np.uint8)
    missing = ((0, 0), (reach, 0))
    return Eye(-reach, np.pad(depth, missing), np.pad(codes, missing))
