"""The canvas's methods on top of pyrender, so that `--renderer pyrender` draws the same datasets.

Slower by far; it exists to compare. A hand's amodal pixels come from a pass of its own.
"""

from itertools import product

import numpy as np

from frames.camera import Camera
from frames.parts import HAND_PARTS, HAND_STRIDE, OBJECT_BASE
from synth.raster.canvas import DEPTH_SCALE, LayerStatistics
from synth.raster.pyrender_pass import PyrenderPass, Surface

ROOM_FACES = np.array(
    [
        *((0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)),
        *((2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)),
    ],
    dtype=np.int32,
)
"""Faces over the eight corners of `room_corners`."""


def room_corners(planes: np.ndarray) -> np.ndarray:
    """(6, 4) planes n.x = d in opposite pairs -> (8, 3) float32 corners of the room."""
    corners = [
        np.linalg.solve(chosen[:, :3], chosen[:, 3])
        for chosen in (planes[[i, 2 + j, 4 + k]] for i, j, k in product((0, 1), repeat=3))
    ]
    return np.array(corners, dtype=np.float32)


class PyrenderCanvas:
    """`synth.raster.canvas.Canvas` for pinhole cameras, drawn by pyrender.

    Raises BadInput for another camera model, and when pyrender or EGL is missing.
    """

    def __init__(self, camera: Camera, layers: int) -> None:
        self.layers = layers
        self._pass = PyrenderPass(camera)
        self._drawn: list[list[Surface]] = []
        self._backdrop: np.ndarray | None = None
        self.begin()

    def begin(self) -> None:
        """Start a frame: all layers empty."""
        self._drawn = [[] for _ in range(self.layers + 1)]
        self._backdrop = None

    def draw(
        self,
        slot: int,
        vertices: np.ndarray,
        faces: np.ndarray,
        codes: np.ndarray,
        base: int = 0,
        closed: bool = True,
    ) -> None:
        """Draw a triangle mesh into layer `slot`; as `Canvas.draw`."""
        self._drawn[slot].append(Surface(vertices, faces, codes + np.uint8(base), closed))

    def draw_list(
        self, jobs: np.ndarray, vertices: np.ndarray, faces: np.ndarray, codes: np.ndarray
    ) -> None:
        """Draw many meshes; as `Canvas.draw_list`."""
        for layer, v, w, f, g, base, closed in jobs.tolist():
            surface = Surface(vertices[v:w], faces[f:g], codes[f:g] + np.uint8(base), bool(closed))
            self._drawn[layer].append(surface)

    def draw_background(self, vertices: np.ndarray, faces: np.ndarray, closed: bool = True) -> None:
        """Draw a mesh behind the layers, with code 0; as `Canvas.draw_background`."""
        codes = np.zeros(len(faces), np.uint8)
        self._drawn[-1].append(Surface(vertices, faces, codes, closed))

    def draw_room(self, planes: np.ndarray) -> None:
        """Draw a room of six planes in opposite pairs from within."""
        self.draw_background(room_corners(planes), ROOM_FACES, closed=False)

    def draw_depth(self, depth_m: np.ndarray) -> None:
        """Make a depth image the background; as `Canvas.draw_depth`."""
        self._backdrop = np.where(depth_m > 0, depth_m, np.inf)

    def composite(
        self, depth: np.ndarray, codes: np.ndarray, depth_scale: float = DEPTH_SCALE
    ) -> LayerStatistics:
        """Write the image of all layers together; as `Canvas.composite`."""
        z, code = self._pass.render([s for layer in self._drawn for s in layer])
        if self._backdrop is not None:
            behind = np.where(z > 0, z, np.inf)
            code = np.where(self._backdrop < behind, 0, code)
            z = np.minimum(self._backdrop, behind)
            z = np.where(np.isfinite(z), z, 0.0)
        steps = np.floor(z.astype(np.float64) * depth_scale + 0.5)
        seen = (steps > 0) & (steps <= np.iinfo(np.uint16).max)
        depth[...] = np.where(seen, steps, 0).astype(np.uint16)
        codes[...] = code
        amodal = np.zeros(self.layers, np.int32)
        visible = np.zeros(self.layers, np.int32)
        boxes = np.full((2, self.layers, 4), -1, np.int32)
        for slot, surfaces in enumerate(self._drawn[:-1]):
            if not surfaces:
                continue
            _, alone = self._pass.render(surfaces, key=1 + slot)
            part = alone % HAND_STRIDE
            whole = (alone >= OBJECT_BASE) | ((part >= 1) & (part <= HAND_PARTS))
            layer_codes = np.unique(np.concatenate([s.codes for s in surfaces]))
            in_front = whole & np.isin(code, layer_codes) & (code == alone)
            amodal[slot], visible[slot] = whole.sum(), in_front.sum()
            boxes[0, slot], boxes[1, slot] = _bound(whole), _bound(in_front)
        return LayerStatistics(amodal, visible, boxes[0], boxes[1])


def _bound(mask: np.ndarray) -> np.ndarray:
    """(4,) left, top, right, bottom of a mask, inclusive; -1 if it is empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return np.full(4, -1, np.int32)
    return np.array([columns[0], rows[0], columns[-1], rows[-1]], np.int32)
