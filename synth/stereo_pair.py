"""The stereo pairs of scenes: both eyes' views around the hands, by our own rasteriser.

    pairs = render_pairs(scenes, camera, studio, focal_px=424.0, baseline_m=0.05, near_m=0.16)
    shot = replace(shot, pair=pairs[b])

Both eyes are drawn as the clean frame is (`synth.drawing`), the right one with everything moved by
the baseline, at the device's own resolution; only the windows around the hands are kept.
"""

import math
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np

from augment.matched_stereo.model import MatchedStereo
from augment.matched_stereo.pair import Eye, Pair, Window, native_camera
from frames.camera import Camera
from frames.parts import HAND_PARTS
from synth.drawing import Drawing, compose_drawing, draw_frame, put_on_gloves, shift_drawing
from synth.hand.kinematics import pose_hands
from synth.meshes import MeshList
from synth.raster.canvas import Canvas
from synth.rigid import invert_rigid, multiply
from synth.scene.scene import Scenes, slice_scenes
from synth.scene.studio import Studio

Box = tuple[int, int, int, int]
"""Left, top, right, bottom (outer) pixels."""

MARGIN_PX: Final = 20
"""Native pixels kept around a hand: what matching makes of its outline, and the fade beyond."""

MARGIN_SHARE: Final = 0.05
"""More around large hands: of the longer side of their boxes."""

_GROUP: Final = 16
"""Disparities are searched for in groups of so many."""

_BEYOND_PX: Final = 6
"""And so far beyond the nearest surface."""


def render_pairs(
    scenes: Scenes,
    camera: Camera,
    studio: Studio,
    focal_px: float,
    baseline_m: float,
    near_m: float,
    whole: bool = False,
) -> list[Pair]:
    """The pair of each of B scenes, for `Shot.pair`.

    camera: of the dataset, a pinhole. focal_px, baseline_m, near_m: those of the `MatchedStereo`
    that will sense it. whole: one window of the whole image in place of some around the hands.
    Raises BadInput if the camera is no pinhole.
    """
    native = native_camera(camera, focal_px)
    hands = scenes.hands
    T_camera_from_world = invert_rigid(scenes.T_world_from_camera)
    T_camera_from_wrist = multiply(T_camera_from_world[hands.frame], hands.T_world_from_wrist)
    vertices, _ = pose_hands(
        studio.rig, hands.identity, hands.angles, T_camera_from_wrist, hands.left
    )
    put_on_gloves(scenes, studio, T_camera_from_wrist, vertices)
    left = _flatten(compose_drawing(scenes, studio, T_camera_from_world, vertices))
    right = shift_drawing(left, baseline_m)
    skin = np.unique(studio.rig.faces[studio.rig.face_parts <= HAND_PARTS])
    most = math.ceil(native.fx * baseline_m / near_m / _GROUP) * _GROUP
    canvas = _canvas(native)
    pairs = []
    for b in range(len(scenes.frame_ids)):
        if whole:
            boxes = [(0, 0, native.width, native.height)]
        else:
            boxes = find_windows(vertices[hands.frame == b][:, skin], native)
        windows = []
        if boxes:
            ones = _draw_boxes(canvas, left, b, boxes)
            reaches = [_find_reach(one.depth_m, native.fx * baseline_m, most) for one in ones]
            wide = [(x[0] - r, *x[1:]) for x, r in zip(boxes, reaches, strict=True)]
            others = _draw_boxes(canvas, right, b, wide)
            windows = [
                Window(box[1], reach, one, other)
                for box, reach, one, other in zip(boxes, reaches, ones, others, strict=True)
            ]
        pairs.append(Pair(native, baseline_m, tuple(windows)))
    return pairs


def render_pair(
    scenes: Scenes, b: int, camera: Camera, studio: Studio, model: MatchedStereo
) -> Pair:
    """The pair of the b-th scene as a device of this model sees it."""
    one = slice_scenes(scenes, b, b + 1)
    near_m = model.near_m
    return render_pairs(one, camera, studio, model.focal_px, model.baseline_m, near_m)[0]


def find_windows(skins: np.ndarray, camera: Camera) -> list[Box]:
    """Left, top, right, bottom (outer) of windows around hands, apart from each other.

    skins: (N, V, 3) vertices in the camera's frame.
    """
    boxes = []
    for skin in skins:
        front = skin[skin[:, 2] > 0.02]
        if not len(front):
            continue
        px = camera.project(front)
        low, high = np.floor(px.min(0) + 0.5), np.floor(px.max(0) + 0.5) + 1
        margin = math.ceil(MARGIN_PX + MARGIN_SHARE * min(float((high - low).max()), 1000.0))
        if (high <= 0).any() or low[0] >= camera.width or low[1] >= camera.height:
            continue
        size = np.array([camera.width, camera.height])
        low, high = np.clip(low - margin, 0, size), np.clip(high + margin, 0, size)
        boxes.append((int(low[0]), int(low[1]), int(high[0]), int(high[1])))
    return _join(boxes)


def _join(boxes: list[Box]) -> list[Box]:
    """Boxes that overlap become one around both, until none do."""
    out: list[Box] = []
    left = list(boxes)
    while left:
        box = left.pop()
        for k, other in enumerate(out):
            if box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]:
                del out[k]
                x0, y0 = min(box[0], other[0]), min(box[1], other[1])
                left.append((x0, y0, max(box[2], other[2]), max(box[3], other[3])))
                break
        else:
            out.append(box)
    return sorted(out)


def _flatten(drawing: Drawing) -> Drawing:
    """The same with everything in the one layer of a canvas that has no use for layers."""

    def in_background(meshes: MeshList) -> MeshList:
        jobs = meshes.jobs.copy()
        jobs[:, 0] = 1
        return replace(meshes, jobs=jobs)

    return replace(drawing, hands=in_background(drawing.hands), props=in_background(drawing.props))


@lru_cache(maxsize=2)
def _canvas(camera: Camera) -> Canvas:
    """One layer and the background, which everything is drawn into."""
    return Canvas(camera, layers=1)


def _draw_boxes(canvas: Canvas, drawing: Drawing, b: int, boxes: list[Box]) -> list[Eye]:
    """One eye's view of frame b in boxes that may begin left of the image, where nothing is."""
    draw_frame(canvas, canvas.camera, drawing, b)
    eyes = []
    for x0, y0, x1, y1 in boxes:
        codes, depth = canvas.layer(canvas.layers, (max(x0, 0), y0, x1, y1))
        missing = ((0, 0), (max(-x0, 0), 0))
        eyes.append(Eye(x0, np.pad(depth, missing), np.pad(codes, missing)))
    return eyes


def _find_reach(depth_m: np.ndarray, scale: float, most: int) -> int:
    """Largest disparity to search for in a window, px: a multiple of 16."""
    near = depth_m[depth_m > 0]
    nearest = float(near.min()) if len(near) else 0.0
    wanted = scale / nearest + _BEYOND_PX if nearest > 0 else _GROUP
    return int(min(math.ceil(wanted / _GROUP) * _GROUP, most))
