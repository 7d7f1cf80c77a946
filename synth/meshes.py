"""The meshes of a batch of scenes as flat arrays: what a renderer draws, frame by frame."""

from dataclasses import dataclass

import numba
import numpy as np

from frames.parts import FOREARM, HAND_STRIDE, OBJECT_BASE
from synth.hand.rig import Rig
from synth.rigid import invert_rigid, multiply
from synth.scene.objects import Solid, cube
from synth.scene.placement import OBJECTS
from synth.scene.scene import Scenes
from synth.scene.upper_arm import tube

HAND_LAYERS = 2
LAYERS = HAND_LAYERS + OBJECTS
"""A layer for every hand and object of a frame; `LAYERS` itself stands for the background."""


@dataclass(frozen=True)
class MeshList:
    """Meshes of B frames, M in all, in the order of their frames."""

    jobs: np.ndarray
    """(M, 7) int64 rows as in `synth.raster.canvas.Canvas.draw_list`."""
    first: np.ndarray
    """(B + 1,) jobs of frame b are first[b] ... first[b + 1] - 1."""
    vertices: np.ndarray
    """(V, 3) float32, camera frame."""
    faces: np.ndarray
    """(F, 3) int32"""
    codes: np.ndarray
    """(F,) uint8"""

    def of_frame(self, b: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Arguments of `draw_list` for frame b."""
        return self.jobs[self.first[b] : self.first[b + 1]], self.vertices, self.faces, self.codes


def list_hands(scenes: Scenes, rig: Rig, vertices: np.ndarray) -> MeshList:
    """The scenes' hands and their upper arms.

    vertices (N, V, 3) float32: the hands posed in the camera frame.
    """
    hands = scenes.hands
    total, size = vertices.shape[:2]
    count, n = len(rig.faces), np.arange(total)
    left = hands.left.astype(np.int64)
    base, closed = HAND_STRIDE * hands.slot, np.ones(total)
    skin = (hands.slot, n * size, (n + 1) * size, left * count, (left + 1) * count, base, closed)

    model, faces = tube()
    T_camera_from_world = invert_rigid(scenes.T_world_from_camera)[hands.frame]
    poses = multiply(T_camera_from_world, hands.T_world_from_upper_arm)
    place, alike = total * size + len(model) * n, np.zeros(total, np.int64)
    arms = _place(
        poses, alike, np.array([0, len(model)]), model, len(model) * n, total * len(model)
    )
    first_face, last_face = np.full(total, 2 * count), np.full(total, 2 * count + len(faces))
    upper = (hands.slot, place, place + len(model), first_face, last_face, base, closed)
    jobs = np.stack([np.stack(skin, axis=1), np.stack(upper, axis=1)], axis=1)
    return MeshList(
        jobs=jobs.reshape(-1, 7).astype(np.int64),
        first=2 * np.searchsorted(hands.frame, np.arange(len(scenes.frame_ids) + 1)),
        vertices=np.concatenate([vertices.reshape(-1, 3), arms]),
        # A mirrored hand has its faces turned round.
        faces=np.concatenate([rig.faces, rig.faces[:, ::-1], faces]),
        codes=np.concatenate(
            [rig.face_parts, rig.face_parts, np.full(len(faces), FOREARM, np.uint8)]
        ),
    )


def list_things(
    scenes: Scenes, solids: tuple[Solid, ...], T_camera_from_object: np.ndarray
) -> MeshList:
    """The scenes' objects, and the table and furniture as background."""
    rooms, objects = scenes.rooms, scenes.objects
    boxes = multiply(invert_rigid(scenes.T_world_from_camera)[:, None], rooms.box_pose)
    scaled = T_camera_from_object.copy()
    scaled[..., :3, :3] *= objects.size_m[..., None, :]
    poses = np.concatenate([boxes, scaled], axis=1)
    present = np.concatenate([rooms.box_present, objects.present], axis=1)
    solid = np.concatenate([np.zeros(rooms.box_present.shape, int), 1 + objects.solid], axis=1)
    # Objects are numbered within their frame, whichever of their places are taken.
    number = np.cumsum(objects.present, axis=1) - 1
    layer = np.concatenate([np.full(rooms.box_present.shape, LAYERS), HAND_LAYERS + number], axis=1)
    base = np.concatenate([np.zeros(rooms.box_present.shape, int), OBJECT_BASE + number], axis=1)

    library = (cube(), *solids)
    vertex_start = np.cumsum([0, *(len(s.vertices) for s in library)])
    face_start = np.cumsum([0, *(len(s.faces) for s in library)])
    kind = solid[present]
    stop = np.cumsum(vertex_start[kind + 1] - vertex_start[kind])
    start = np.concatenate([[0], stop[:-1]]) if len(stop) else stop
    jobs = (
        *(layer[present], start, stop, face_start[kind], face_start[kind + 1], base[present]),
        np.ones(len(kind)),
    )
    models = np.concatenate([s.vertices for s in library])
    return MeshList(
        jobs=np.stack(jobs, axis=1).astype(np.int64),
        first=np.concatenate([[0], np.cumsum(present.sum(1))]),
        vertices=_place(poses[present], kind, vertex_start, models, start, int(stop[-1:].sum())),
        faces=np.concatenate([s.faces for s in library]),
        codes=np.zeros(face_start[-1], np.uint8),
    )


@numba.njit(cache=True, nogil=True)
def _place(poses, kind, model_start, models, start, total):  # type: ignore[no-untyped-def]
    """Every mesh's model transformed by its affine pose, one after another: (total, 3) float32."""
    out = np.empty((total, 3), np.float32)
    for m in range(kind.shape[0]):
        pose, first = poses[m], model_start[kind[m]]
        for v in range(model_start[kind[m] + 1] - first):
            x = np.float64(models[first + v, 0])
            y = np.float64(models[first + v, 1])
            z = np.float64(models[first + v, 2])
            for i in range(3):
                value = ((pose[i, 0] * x + pose[i, 1] * y) + pose[i, 2] * z) + pose[i, 3]
                out[start[m] + v, i] = value
    return out
