"""The meshes of a batch of scenes as flat arrays: what a renderer draws, frame by frame."""

from dataclasses import dataclass

import numba
import numpy as np

from frames.parts import FOREARM, HAND_STRIDE, OBJECT_BASE
from synth.hand.rig import Rig
from synth.rigid import multiply
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
    """The scenes' hands; vertices (N, V, 3) float32 posed in the camera frame."""
    hands = scenes.hands
    total, size = vertices.shape[:2]
    count, n = len(rig.faces), np.arange(total)
    left = hands.left.astype(np.int64)
    jobs = (
        *(hands.slot, n * size, (n + 1) * size, left * count, (left + 1) * count),
        *(HAND_STRIDE * hands.slot, np.ones(total)),
    )
    return MeshList(
        jobs=np.stack(jobs, axis=1).astype(np.int64),
        first=np.searchsorted(hands.frame, np.arange(len(scenes.frame_ids) + 1)),
        vertices=vertices.reshape(-1, 3),
        # A mirrored hand has its faces turned round.
        faces=np.concatenate([rig.faces, rig.faces[:, ::-1]]),
        codes=np.concatenate([rig.face_parts, rig.face_parts]),
    )


def list_things(
    scenes: Scenes,
    solids: tuple[Solid, ...],
    T_camera_from_world: np.ndarray,
    T_camera_from_object: np.ndarray,
) -> MeshList:
    """What is placed as it is: table and furniture (background), upper arms, and objects."""
    hands, rooms, objects = scenes.hands, scenes.rooms, scenes.objects
    count = len(scenes.frame_ids)
    boxes = multiply(T_camera_from_world[:, None], rooms.box_pose)
    arms = np.zeros((count, HAND_LAYERS, 4, 4))
    arms[hands.frame, hands.slot] = multiply(
        T_camera_from_world[hands.frame], hands.T_world_from_upper_arm
    )
    has_arm = np.zeros((count, HAND_LAYERS), bool)
    has_arm[hands.frame, hands.slot] = True
    scaled = T_camera_from_object.copy()
    scaled[..., :3, :3] *= objects.size_m[..., None, :]
    # Objects are numbered within their frame, whichever of their places are taken.
    number = np.cumsum(objects.present, axis=1) - 1

    box, slot = np.zeros(rooms.box_present.shape, int), np.arange(HAND_LAYERS)
    slots = np.broadcast_to(slot, has_arm.shape)
    present = np.concatenate([rooms.box_present, has_arm, objects.present], axis=1)
    poses = np.concatenate([boxes, arms, scaled], axis=1)[present]
    kind = np.concatenate([box, 1 + 0 * slots, 2 + objects.solid], axis=1)[present]
    layer = np.concatenate([box + LAYERS, slots, HAND_LAYERS + number], axis=1)[present]
    base = np.concatenate([box, HAND_STRIDE * slots, OBJECT_BASE + number], axis=1)[present]

    arm_model, arm_faces = tube()
    models = [cube().vertices, arm_model, *(s.vertices for s in solids)]
    faces = [cube().faces, arm_faces, *(s.faces for s in solids)]
    vertex_start = np.cumsum([0, *map(len, models)])
    face_start = np.cumsum([0, *map(len, faces)])
    codes = np.zeros(face_start[-1], np.uint8)
    codes[face_start[1] : face_start[2]] = FOREARM
    stop = np.cumsum(vertex_start[kind + 1] - vertex_start[kind])
    start = stop - (vertex_start[kind + 1] - vertex_start[kind])
    jobs = (layer, start, stop, face_start[kind], face_start[kind + 1], base, np.ones(len(kind)))
    return MeshList(
        jobs=np.stack(jobs, axis=1).astype(np.int64),
        first=np.concatenate([[0], np.cumsum(present.sum(1))]),
        vertices=_place(poses, kind, vertex_start, np.concatenate(models), start),
        faces=np.concatenate(faces),
        codes=codes,
    )


@numba.njit(cache=True, nogil=True)
def _place(poses, kind, model_start, models, start):  # type: ignore[no-untyped-def]
    """Every mesh's model transformed by its affine pose, one after another: (V, 3) float32."""
    total = 0
    for m in range(kind.shape[0]):
        total += model_start[kind[m] + 1] - model_start[kind[m]]
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
