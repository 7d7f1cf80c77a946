"""The canvas: buffers for the layers of one frame, reused for every frame of a camera.

    canvas = Canvas(camera, layers=4)
    canvas.begin()
    canvas.draw(0, hand_vertices, hand_faces, hand_parts, base=0)
    canvas.draw(1, other_vertices, other_faces, other_parts, base=32)
    canvas.draw_room(planes)
    layers = canvas.composite(depth, codes)

Every layer is rendered as if it were alone, so amodal masks and visible fractions cost one pass of
comparisons, and stays readable until the next `begin`.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from frames.camera import Camera
from frames.errors import BadInput
from synth.raster import backdrop, composite, room
from synth.raster.grid import build_grid
from synth.raster.keys import NEAREST_NEAR_M, decode_codes, decode_depth
from synth.raster.lanes import LANES
from synth.raster.mesh import (
    draw_curved_list,
    draw_curved_mesh,
    draw_pinhole_list,
    draw_pinhole_mesh,
)
from synth.raster.pinhole import CHUNK, PLAN, SPANS

NEAR_M: Final = 0.02
"""Default near plane."""

DEPTH_SCALE: Final = 10000.0
"""Steps of stored depth per metre."""


@dataclass(frozen=True)
class LayerStatistics:
    """What each of K layers shows: of hands their 16 parts (no forearm), of objects everything."""

    amodal_pixels: np.ndarray
    """(K,) int32: pixels of the layer drawn alone, inside the image."""
    visible_pixels: np.ndarray
    """(K,) int32: those that no other layer or background hides."""
    amodal_box: np.ndarray
    """(K, 4) int32: left, top, right, bottom amodal pixel, inclusive; -1 if there are none."""
    visible_box: np.ndarray
    """(K, 4) int32: the same of the visible ones."""


class Canvas:
    """Draws triangle meshes into layers for one camera; single-threaded, one canvas a process.

    Raises BadInput for a near plane below 1/128 m or without layers.
    """

    def __init__(self, camera: Camera, layers: int, near_m: float = NEAR_M) -> None:
        if layers < 1:
            raise BadInput(f"a canvas needs layers >= 1, got {layers}")
        if not near_m >= NEAREST_NEAR_M:
            raise BadInput(f"near_m must be >= {NEAREST_NEAR_M} (metres), got {near_m}")
        self.camera = camera
        self.layers = layers
        self.near_m = float(near_m)
        self._grid = build_grid(camera)
        self._pinhole = camera.model == "pinhole"
        cells = camera.height * self._grid.stride + LANES
        self._keys = np.zeros((layers + 1, cells), dtype=np.uint32)
        clean = np.array([camera.width, camera.height, -1, -1], dtype=np.int32)
        self._dirty = np.tile(clean, (layers + 1, 1))
        self._stale = False
        self._merged = np.zeros(camera.width, dtype=np.uint32)
        self._columns = np.zeros((layers, 6 * composite.WIDEST), dtype=np.int32)
        self._mask = np.zeros(self._grid.tiles.shape[2], dtype=np.uint8)
        self._corners = np.zeros(12 * CHUNK)
        self._plan = np.zeros(PLAN * CHUNK)
        self._spans = np.zeros(SPANS * CHUNK, dtype=np.int32)
        self._reserve(4096, 8192)

    def _reserve(self, vertices: int, faces: int) -> None:
        """Scratch for meshes up to this size."""
        self._points = np.zeros((vertices, 4))
        self._px = np.zeros((2, vertices))
        self._outside = np.zeros(vertices, dtype=np.uint8)
        self._bounds = np.zeros((faces, 4), dtype=np.int32)
        self._verdict = np.zeros(faces, dtype=np.uint8)
        self._chosen = np.zeros(faces + 1, dtype=np.int32)
        self._zero_codes = np.zeros(faces, dtype=np.uint8)
        layers = zip(self._keys, self._dirty, strict=True)
        self._arguments = [self._gather_arguments(keys, dirty) for keys, dirty in layers]
        self._arguments.append(self._gather_arguments(self._keys, self._dirty))

    def _gather_arguments(self, keys: np.ndarray, dirty: np.ndarray) -> tuple[Any, ...]:
        """What every drawing into one layer, or into all, passes on."""
        grid, camera = self._grid, self.camera
        shared = (
            *(self.near_m, camera.width, camera.height, grid.table_from_ray, grid.octagon),
            *(grid.tiles, grid.gx, grid.gy, grid.stride, keys, dirty),
            *(self._verdict, self._chosen, self._mask),
        )
        if self._pinhole:
            return (*shared, self._points, self._corners, self._plan, self._spans)
        return (
            *(*shared, self._px, self._outside, self._bounds),
            *(grid.lookup, grid.lookup_origin, grid.margin_px, grid.bend_per_px),
        )

    def begin(self) -> None:
        """Start a frame: all layers empty."""
        grid, layers = self._grid, self.layers
        composite.clear_layers(self._keys[:layers], self._dirty[:layers], grid.stride, LANES)
        # A room paints the whole background; only without one it must be cleared.
        self._stale = True

    def _freshen(self) -> None:
        """Clear what the last frame left in the background, when it is first needed."""
        if self._stale:
            last = slice(self.layers, None)
            composite.clear_layers(self._keys[last], self._dirty[last], self._grid.stride, LANES)
            self._stale = False

    def draw(
        self,
        slot: int,
        vertices: np.ndarray,
        faces: np.ndarray,
        codes: np.ndarray,
        base: int = 0,
        closed: bool = True,
    ) -> None:
        """Draw a triangle mesh into layer `slot`; several meshes may share a layer.

        vertices (V, 3) float32 or float64, camera frame, metres; faces (F, 3) int32 seen
        counter-clockwise from outside; codes (F,) uint8, to which `base` is added. Back faces of a
        closed mesh are skipped, open meshes are drawn from both sides. Raises ValueError on other
        shapes or types.
        """
        if not 0 <= slot < self.layers:
            raise ValueError(f"slot must be 0..{self.layers - 1}, got {slot}")
        self._draw(slot, vertices, faces, codes, base, closed)

    def draw_list(
        self, jobs: np.ndarray, vertices: np.ndarray, faces: np.ndarray, codes: np.ndarray
    ) -> None:
        """Draw many meshes in one call: what a frame costs beside its triangles.

        jobs (M, 7) int64, one row a mesh: its layer (`layers` for the background), first and last
        + 1 of its vertices (V, 3), first and last + 1 of its faces (F, 3), which count from its own
        first vertex, the number added to its codes (F,), and whether it is closed. Types as for
        `draw`.
        """
        if not len(jobs):
            return
        _check_mesh(vertices, faces, codes)
        self._freshen()
        draw_meshes = draw_pinhole_list if self._pinhole else draw_curved_list
        if not draw_meshes(jobs, vertices, faces, codes, *self._arguments[-1]):
            largest = (jobs[:, 2] - jobs[:, 1]).max(), (jobs[:, 4] - jobs[:, 3]).max()
            self._reserve(2 * int(largest[0]), 2 * int(largest[1]))
            draw_meshes(jobs, vertices, faces, codes, *self._arguments[-1])

    def draw_background(self, vertices: np.ndarray, faces: np.ndarray, closed: bool = True) -> None:
        """Draw a mesh (as `draw`) into the background layer, with code 0: tables, boxes, walls."""
        if len(faces) > len(self._verdict):
            self._reserve(len(self._points), 2 * len(faces))
        self._draw(self.layers, vertices, faces, self._zero_codes[: len(faces)], 0, closed)

    def draw_room(self, planes: np.ndarray) -> None:
        """Draw the interior of a convex polytope into the background layer.

        planes (P, 4) float: outward unit normal n and distance d > 0, camera frame, n . p <= d
        inside.
        """
        planes = np.ascontiguousarray(planes, np.float64)
        coefficients = room.plane_coefficients(planes, self._grid.table_from_ray)
        width, height, grid = self.camera.width, self.camera.height, self._grid
        keys = self._keys[self.layers]
        if self._pinhole:
            overwrite = self._stale
            room.fill_room_affine(coefficients, width, height, keys, grid.stride, overwrite)
        else:
            self._freshen()
            tables = grid.gx, grid.gy, grid.tiles
            room.fill_room_table(coefficients, *tables, height, keys, grid.stride)
        self._stale = False
        self._dirty[self.layers] = (0, 0, width - 1, height - 1)

    def draw_depth(self, depth_m: np.ndarray) -> None:
        """Make a depth image the background, in place of whatever it shows so far.

        depth_m (H, W) float32 of this camera, metres along z, 0 for nothing.
        """
        wanted = self.camera.height, self.camera.width
        if depth_m.shape != wanted or depth_m.dtype != np.float32:
            raise ValueError(
                f"depth_m must be {wanted} float32, got {depth_m.shape} {depth_m.dtype}"
            )
        self._freshen()
        backdrop.fill_depth(depth_m, self._keys[self.layers], self._grid.stride)
        self._dirty[self.layers] = (0, 0, self.camera.width - 1, self.camera.height - 1)

    def _draw(
        self,
        slot: int,
        vertices: np.ndarray,
        faces: np.ndarray,
        codes: np.ndarray,
        base: int,
        closed: bool,
    ) -> None:
        _check_mesh(vertices, faces, codes)
        vertices, faces = np.ascontiguousarray(vertices), np.ascontiguousarray(faces)
        self._freshen()
        if len(faces) > len(self._verdict) or len(vertices) > len(self._points):
            self._reserve(2 * len(vertices), 2 * len(faces))
        draw_mesh = draw_pinhole_mesh if self._pinhole else draw_curved_mesh
        draw_mesh(vertices, faces, codes, base, closed, *self._arguments[slot])

    def composite(
        self, depth: np.ndarray, codes: np.ndarray, depth_scale: float = DEPTH_SCALE
    ) -> LayerStatistics:
        """Write the image of all layers together.

        depth (H, W) uint16 gets floor(z * depth_scale + 0.5), 0 where nothing is or the number does
        not fit; codes (H, W) uint8 the part in front. Both may be slices of a batch.
        """
        self._freshen()
        table = np.empty((self.layers, composite.COLUMNS), dtype=np.int32)
        composite.composite_layers(
            *(self._keys, self._dirty, self._grid.stride, self._merged, self._columns),
            *(depth_scale, depth, codes, table),
        )
        return LayerStatistics(
            amodal_pixels=table[:, composite.AMODAL],
            visible_pixels=table[:, composite.VISIBLE],
            amodal_box=table[:, composite.AMODAL_BOX : composite.AMODAL_BOX + 4],
            visible_box=table[:, composite.VISIBLE_BOX : composite.VISIBLE_BOX + 4],
        )

    def layer(
        self, slot: int, box: tuple[int, int, int, int] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Codes (H, W) uint8 and depth (H, W) float32 in metres of one layer (K: background).

        box: left, top, right, bottom (outer) of a part of the image, in place of all of it.
        """
        self._freshen()
        height, stride = self.camera.height, self._grid.stride
        left, top, right, bottom = box or (0, 0, self.camera.width, height)
        keys = self._keys[slot, : height * stride].reshape(height, stride)
        keys = keys[top:bottom, left:right]
        return decode_codes(keys), decode_depth(keys)


def _check_mesh(vertices: np.ndarray, faces: np.ndarray, codes: np.ndarray) -> None:
    if (
        vertices.ndim != 2
        or vertices.shape[1] != 3
        or vertices.dtype.kind != "f"
        or vertices.itemsize < 4
    ):
        raise ValueError(f"vertices must be (V, 3) float, got {vertices.shape} {vertices.dtype}")
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype != np.int32:
        raise ValueError(f"faces must be (F, 3) int32, got {faces.shape} {faces.dtype}")
    if codes.shape != faces.shape[:1] or codes.dtype != np.uint8:
        raise ValueError(f"codes must be ({len(faces)},) uint8, got {codes.shape} {codes.dtype}")
