"""Rasterising side by side with pyrender, in one run on the same triangles, one core.

python -m bench.render [CAMERA]    prints the table.

Every method draws the same frames, new vertices each, in turn, so that whatever else the machine
does falls on all of them alike; figures are medians over frames.
"""

import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import trimesh
from rich.console import Console
from rich.table import Table

from frames.camera import CAMERAS, Camera
from frames.parts import OBJECT_BASE
from synth.config import OutfitConfig, RoomConfig, SceneConfig, SituationConfig, SynthConfig
from synth.frame_renderer import render_scenes
from synth.generator import Generator
from synth.raster import DEPTH_SCALE, Canvas, LayerStatistics
from synth.raster.pyrender_canvas import ROOM_FACES, room_corners
from synth.raster.pyrender_pass import PyrenderPass, Surface, load_pyrender
from synth.scene.scene import LAYERS
from synth.things.shapes import Part, ball, box

MAX_M = 65535 / DEPTH_SCALE
"""Farther surfaces have no reading."""


@dataclass(frozen=True)
class Scene:
    """One frame to draw; all frames of a run share their faces and codes."""

    layers: tuple[Surface, ...]
    """Hands and objects, one layer each."""
    background: tuple[Surface, ...]
    """Walls, table, boxes: code 0. If `planes` is given, the first is that room's triangles."""
    planes: np.ndarray | None = None
    """(6, 4) the room's planes, outward normal and distance, as `Canvas.draw_room` takes them."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    method: str
    median_us: float
    frames_per_s: float
    times_slower: float
    """Median time over that of the first row."""


@dataclass(frozen=True)
class RenderTable:
    """What `bench_render` measured."""

    machine: str
    camera: str
    triangles: int
    frames: int
    rows: tuple[Row, ...]
    differ: float
    """Share of pixels where ours and pyrender's exact pass differ; NaN without pyrender."""


def bench_render(scenes: Sequence[Scene], camera: Camera, rounds: int = 8) -> RenderTable:
    """Draw every scene `rounds` times with each method, in turn (slow plain loops: the first 16).

    pyrender draws pinhole cameras only; for others ours is measured alone. Raises BadInput if
    pyrender or EGL is missing.
    """
    ours = _draw_ours(scenes[0], camera)
    methods: list[tuple[str, Callable[[Scene], Any], Sequence[Scene]]] = [
        ("handloom: depth + part ids, layers, statistics", ours, scenes)
    ]
    if scenes[0].planes is not None:
        analytic = _draw_ours(scenes[0], camera, analytic=True)
        methods.append(("handloom, the room as planes (as synth draws it)", analytic, scenes))
    differ = float("nan")
    if camera.model == "pinhole":
        kept, few = _draw_kept(camera), scenes[:16]
        methods += [
            ("pyrender, buffers kept, one exact pass with ids", kept, scenes),
            ("pyrender, new scene a frame: depth only", _draw_plain(scenes[0], camera, False), few),
            (
                "pyrender, new scene a frame: depth + parts",
                _draw_plain(scenes[0], camera, True),
                few,
            ),
        ]
        differ = float(np.mean([_compare(ours(scene), kept(scene)) for scene in few]))
    times: list[list[float]] = [[] for _ in methods]
    for turn in range(rounds + 1):
        for (_, draw, own_scenes), spent in zip(methods, times, strict=True):
            for scene in own_scenes:
                start = time.perf_counter()
                draw(scene)
                if turn:  # the first round compiles kernels, shaders and fills caches
                    spent.append(time.perf_counter() - start)
    medians = [float(np.median(spent)) for spent in times]
    rows = [
        Row(name, 1e6 * median, 1 / median, median / medians[0])
        for (name, _, _), median in zip(methods, medians, strict=True)
    ]
    triangles = sum(len(one.faces) for one in (*scenes[0].layers, *scenes[0].background))
    size = f"{camera.width}x{camera.height} {camera.model}"
    machine = describe_machine()
    return RenderTable(machine, size, triangles, len(scenes), tuple(rows), differ)


def _compare(ours: tuple[np.ndarray, np.ndarray], theirs: tuple[np.ndarray, np.ndarray]) -> float:
    """Share of pixels whose part id differs, or whose depth does by 1 mm and a thousandth."""
    depth, z = ours[0] / DEPTH_SCALE, np.where(theirs[0] < MAX_M, theirs[0], 0)
    far = np.abs(depth - z) > 0.001 + 0.001 * z
    return float((far | (ours[1] != theirs[1])).mean())


def describe_machine() -> str:
    """Processor, cores and operating system in one line."""
    processor = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:  # noqa: PTH123
            names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    except OSError:
        pass
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{processor}, {os.cpu_count()} cores, {system}"


def _draw_ours(scene: Scene, camera: Camera, analytic: bool = False) -> Callable[[Scene], Any]:
    canvas = Canvas(camera, layers=len(scene.layers))
    depth = np.zeros((camera.height, camera.width), np.uint16)
    codes = np.zeros((camera.height, camera.width), np.uint8)

    def draw(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
        canvas.begin()
        for slot, one in enumerate(scene.layers):
            canvas.draw(slot, one.vertices, one.faces, one.codes, closed=one.closed)
        if analytic and scene.planes is not None:
            canvas.draw_room(scene.planes)
        for one in scene.background[int(analytic) :]:
            canvas.draw_background(one.vertices, one.faces, closed=one.closed)
        canvas.composite(depth, codes)
        return depth, codes

    return draw


def _draw_kept(camera: Camera) -> Callable[[Scene], Any]:
    renderer = PyrenderPass(camera)
    return lambda scene: renderer.render((*scene.layers, *scene.background))


def _draw_plain(scene: Scene, camera: Camera, parts: bool) -> Callable[[Scene], Any]:
    """The loop of pyrender's documentation: trimesh, Mesh, Scene, OffscreenRenderer, every frame.

    parts: a node for every part, coloured by the SEG flag; otherwise one a mesh and DEPTH_ONLY.
    Stock pyrender: its depth-only pass is multisampled, so not exact.
    """
    pyrender, gl = load_pyrender()
    lens = pyrender.IntrinsicsCamera(
        camera.fx, camera.fy, camera.cx + 0.5, camera.cy + 0.5, znear=0.02, zfar=100.0
    )
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    renderer = pyrender.OffscreenRenderer(camera.width, camera.height)
    exact = pyrender.renderer.glRenderbufferStorageMultisample
    pyrender.renderer.glRenderbufferStorageMultisample = gl.glRenderbufferStorageMultisample
    empty = pyrender.Scene()
    empty.add(lens, pose=pose)
    renderer.render(empty, pyrender.RenderFlags.DEPTH_ONLY)  # allocates the stock buffers
    pyrender.renderer.glRenderbufferStorageMultisample = exact
    pieces = [_split(one, parts) for one in (*scene.layers, *scene.background)]

    def draw(scene: Scene) -> Any:
        world = pyrender.Scene()
        world.add(lens, pose=pose)
        colours = {}
        for one, split in zip((*scene.layers, *scene.background), pieces, strict=True):
            for used, faces, code in split:
                mesh = trimesh.Trimesh(one.vertices[used], faces, process=False)
                colours[world.add(pyrender.Mesh.from_trimesh(mesh))] = code
        if parts:
            return renderer.render(world, pyrender.RenderFlags.SEG, colours)
        return renderer.render(world, pyrender.RenderFlags.DEPTH_ONLY)

    return draw


def _split(surface: Surface, parts: bool) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """Vertices used, faces among them and code of each part (or of the whole) of a mesh."""
    pieces = []
    for code in np.unique(surface.codes) if parts else [None]:
        faces = surface.faces if code is None else surface.faces[surface.codes == code]
        used, local = np.unique(faces, return_inverse=True)
        pieces.append((used, local.reshape(-1, 3), int(code or 0)))
    return pieces


class _Recorder:
    """In place of a canvas: keeps what it is told to draw."""

    def __init__(self, layers: int) -> None:
        self.frames: list[tuple[np.ndarray, dict[int, list[Surface]]]] = []
        self._layers = layers

    def begin(self) -> None:
        self.frames.append((np.zeros((0, 4)), {}))

    def draw_room(self, planes: np.ndarray) -> None:
        self.frames[-1] = (planes, self.frames[-1][1])

    def draw_depth(self, depth_m: np.ndarray) -> None:
        raise AssertionError("no backgrounds here")

    def draw_list(
        self, jobs: np.ndarray, vertices: np.ndarray, faces: np.ndarray, codes: np.ndarray
    ) -> None:
        for layer, v, w, f, g, base, _ in jobs.tolist():
            one = Surface(vertices[v:w].copy(), faces[f:g], codes[f:g] + np.uint8(base))
            self.frames[-1][1].setdefault(layer, []).append(one)

    def composite(
        self, depth: np.ndarray, codes: np.ndarray, depth_scale: float
    ) -> LayerStatistics:
        depth[...], codes[...] = 0, 0
        nothing = np.zeros(self._layers, np.int32)
        box = np.zeros((self._layers, 4), np.int32)
        return LayerStatistics(nothing, nothing, box, box)


def _merge(surfaces: list[Surface]) -> Surface:
    """One mesh of several: a hand and its arm."""
    start = np.cumsum([0, *(len(one.vertices) for one in surfaces)])
    return Surface(
        np.concatenate([one.vertices for one in surfaces]),
        np.concatenate([one.faces + np.int32(s) for one, s in zip(surfaces, start, strict=False)]),
        np.concatenate([one.codes for one in surfaces]),
    )


PLAIN = SceneConfig(
    two_hands_share=1.0,
    others_share=0.0,
    object_share=0.0,
    situation=SituationConfig(grasp_share=0.0, touch_share=0.0, together_share=0.0),
    outfit=OutfitConfig(
        sleeve_share=0.0, watch_share=0.0, ring_share=0.0, glove_share=0.0, seated_share=0.0
    ),
    room=RoomConfig(close_share=0.0, empty_share=0.0, table_share=0.0, furniture_share=0.0),
)
"""Two bare hands in the air before walls."""

BALL_AT, BOX_AT = (0.05, 0.02, 0.38), (-0.4, 0.3, 1.6)
"""Where a ball and a piece of furniture are added, camera frame, metres."""


def generate_scenes(camera: Camera, count: int, seed: int = 0) -> list[Scene]:
    """Frames as `handloom synth` draws them: two hands with arms, a ball, a room, a box.

    All have the same topology, in favour of renderers that keep their buffers.
    """
    maker = Generator(SynthConfig(seed=seed, scene=PLAIN), camera)
    thing = _place(ball(0.05, 24, 14), BALL_AT, OBJECT_BASE)
    furniture = _place(box((0.6, 0.8, 0.5)), BOX_AT, 0)
    scenes: list[Scene] = []
    for first in range(0, 1 << 20, 256):
        recorder = _Recorder(LAYERS)
        drawn = maker.sample(np.arange(first, first + 256))
        render_scenes(drawn, camera, maker.studio, recorder)
        for b, (planes, layers) in enumerate(recorder.frames):
            left = drawn.hands.left[drawn.hands.frame == b]
            if len(left) == 2 and left[0] and len(planes):
                room = Surface(room_corners(planes), ROOM_FACES, np.zeros(12, np.uint8))
                shown = (_merge(layers[0]), _merge(layers[1]), thing)
                if not scenes or _alike(shown, scenes[0].layers):
                    scenes.append(Scene(shown, (room, furniture), planes))
        if len(scenes) >= count:
            break
    return scenes[:count]


def _place(part: Part, at: tuple[float, float, float], code: int) -> Surface:
    vertices, faces = part
    moved = (np.asarray(vertices) + np.array(at)).astype(np.float32)
    return Surface(moved, np.asarray(faces, np.int32), np.full(len(faces), code, np.uint8))


def _alike(shown: tuple[Surface, ...], others: tuple[Surface, ...]) -> bool:
    """Have both the same faces? An arm that reaches far has a piece more at its shoulder."""
    return all(len(a.faces) == len(b.faces) for a, b in zip(shown, others, strict=True))


def main(name: str = "ego") -> None:
    """Print the table for one camera preset."""
    result = bench_render(generate_scenes(CAMERAS[name], 64), CAMERAS[name])
    title = f"{result.machine}\n{name} {result.camera}, {result.triangles:,} triangles"
    table = Table("method", "us a frame", "frames/s", "times slower", title=title)
    for row in result.rows:
        rates = f"{row.median_us:,.0f}", f"{row.frames_per_s:,.0f}", f"{row.times_slower:.1f}"
        table.add_row(row.method, *rates)
    console = Console(width=110)
    console.print(table)
    if np.isfinite(result.differ):
        console.print(f"ours and the exact pass differ on {result.differ:.4%} of pixels")


if __name__ == "__main__":
    main(*sys.argv[1:2])
