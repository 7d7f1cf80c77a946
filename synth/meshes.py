"""The meshes of a batch of scenes as flat arrays: what a renderer draws, frame by frame."""

from dataclasses import dataclass

import numba
import numpy as np

from frames.parts import HAND_STRIDE
from synth.hand.rig import Rig
from synth.rigid import multiply
from synth.scene.scene import Scenes
from synth.scene.stock import Stock


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
        *(hands.number, n * size, (n + 1) * size, left * count, (left + 1) * count),
        *(HAND_STRIDE * hands.number, np.ones(total)),
    )
    return MeshList(
        jobs=np.stack(jobs, axis=1).astype(np.int64),
        first=np.searchsorted(hands.frame, np.arange(len(scenes.frame_ids) + 1)),
        vertices=vertices.reshape(-1, 3),
        # A mirrored hand has its faces turned round.
        faces=np.concatenate([rig.faces, rig.faces[:, ::-1]]),
        codes=np.concatenate([rig.face_parts, rig.face_parts]),
    )


def list_props(scenes: Scenes, stock: Stock, T_camera_from_world: np.ndarray) -> MeshList:
    """Everything else; T_camera_from_world (B, 4, 4)."""
    props = scenes.props
    pose = multiply(T_camera_from_world[props.frame], props.T_world_from_model)
    size = stock.vertex_start[props.model + 1] - stock.vertex_start[props.model]
    stop = np.cumsum(size)
    faces = stock.face_start[props.model], stock.face_start[props.model + 1]
    jobs = (props.layer, stop - size, stop, *faces, props.base, np.ones(len(size)))
    return MeshList(
        jobs=np.stack(jobs, axis=1).astype(np.int64),
        first=np.searchsorted(props.frame, np.arange(len(scenes.frame_ids) + 1)),
        vertices=_place(pose, props.model, stock.vertex_start, stock.vertices, stop - size),
        faces=stock.faces,
        codes=stock.codes,
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
