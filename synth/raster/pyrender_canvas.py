"""The canvas with pyrender behind it: the same calls and layers, another renderer's pixels."""

import numpy as np

from frames.camera import Camera
from synth.raster.canvas import DEPTH_SCALE, NEAR_M, Canvas, LayerStatistics
from synth.raster.pyrender_pass import PyrenderPass, Surface


class PyrenderCanvas:
    """Draws with pyrender whatever `Canvas` draws itself, except the analytic room.

    Each layer is a pass of its own, so this is slower than one pass a frame. Raises BadInput
    for cameras other than pinholes, and when pyrender or EGL is missing.
    """

    def __init__(self, camera: Camera, layers: int, near_m: float = NEAR_M) -> None:
        self._canvas = Canvas(camera, layers, near_m)
        self._pass = PyrenderPass(camera, near_m)
        self._surfaces: list[list[Surface]] = [[] for _ in range(layers + 1)]
        self._planes: list[np.ndarray] = []
        self.camera = camera
        self.layers = layers
        self.near_m = near_m

    def begin(self) -> None:
        """Start a frame: all layers empty."""
        self._canvas.begin()
        self._surfaces = [[] for _ in range(self.layers + 1)]
        self._planes = []

    def draw(
        self,
        slot: int,
        vertices: np.ndarray,
        faces: np.ndarray,
        codes: np.ndarray,
        base: int = 0,
        closed: bool = True,
    ) -> None:
        """As `Canvas.draw`."""
        if not 0 <= slot < self.layers:
            raise ValueError(f"slot must be 0..{self.layers - 1}, got {slot}")
        whole = codes + np.uint8(base) if base else codes
        self._surfaces[slot].append(Surface(vertices, faces, whole, closed))

    def draw_background(self, vertices: np.ndarray, faces: np.ndarray, closed: bool = True) -> None:
        """As `Canvas.draw_background`."""
        none = np.zeros(len(faces), np.uint8)
        self._surfaces[self.layers].append(Surface(vertices, faces, none, closed))

    def draw_room(self, planes: np.ndarray) -> None:
        """As `Canvas.draw_room`; analytic here too."""
        self._planes.append(planes)

    def composite(
        self, depth: np.ndarray, codes: np.ndarray, depth_scale: float = DEPTH_SCALE
    ) -> LayerStatistics:
        """As `Canvas.composite`."""
        for slot, surfaces in enumerate(self._surfaces):
            if surfaces:
                self._canvas.load(slot, *self._pass.render(surfaces, key=slot))
        for planes in self._planes:
            self._canvas.draw_room(planes)
        return self._canvas.composite(depth, codes, depth_scale)

    def probe(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `Canvas.probe`."""
        return self._canvas.probe(pixels)

    def layer(self, slot: int) -> tuple[np.ndarray, np.ndarray]:
        """As `Canvas.layer`, after `composite`."""
        return self._canvas.layer(slot)

    def close(self) -> None:
        """Free the OpenGL context."""
        self._pass.close()
