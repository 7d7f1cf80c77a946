"""Rasterising side by side with pyrender, in one run on the same triangles, one core.

python bench/render.py [CAMERA]    prints the table with stand-in hands of capsules.

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
from synth.raster import Canvas
from synth.raster.pyrender_pass import PyrenderPass, Surface, load_pyrender


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
    codes_differ: float
    """Share of pixels whose part id differs between ours and pyrender's exact pass; NaN without."""


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
        differ = float(np.mean([(ours(scene)[1] != kept(scene)[1]).mean() for scene in few]))
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


def invent_scenes(count: int, seed: int = 0) -> list[Scene]:
    """Stand-in frames: two hands of closed capsules with forearms, a ball, a room, two boxes."""
    rng = np.random.default_rng(seed)
    ball = trimesh.creation.icosphere(2, 0.04)
    room = trimesh.creation.box((4.0, 2.6, 5.0))
    boxes = [trimesh.creation.box(size) for size in ((0.5, 0.4, 0.3), (1.2, 0.05, 0.7))]
    scenes = []
    for _ in range(count):
        tilt = _turn(rng, 0.3)
        layers = [
            _pose_hand(rng, np.array([x, 0.02, rng.uniform(0.35, 0.5)]), 32 * slot)
            for slot, x in enumerate((-0.12, 0.12))
        ]
        place = np.array([rng.uniform(-0.1, 0.1), 0.05, rng.uniform(0.35, 0.5)])
        layers.append(_surface(ball.vertices + place, ball.faces, 224))
        background = [_surface(room.vertices @ tilt.T, room.faces[:, ::-1], 0)]
        normals = np.concatenate([np.eye(3), -np.eye(3)]) @ tilt.T
        planes = np.column_stack([normals, np.tile(room.extents / 2, 2)])
        for box, offset in zip(boxes, ((0.5, 0.4, 1.6), (-0.2, 0.7, 1.3)), strict=True):
            background.append(_surface((box.vertices + offset) @ tilt.T, box.faces, 0))
        scenes.append(Scene(tuple(layers), tuple(background), planes))
    return scenes


def _pose_hand(rng: np.random.Generator, centre: np.ndarray, base: int) -> Surface:
    """A palm, five fingers of three capsules and a forearm: 17 parts of 200 triangles."""
    vertices: list[np.ndarray] = []
    faces: list[np.ndarray] = []
    codes: list[np.ndarray] = []
    spans: list[Any] = [
        ((0.0, 0.0, 0.0), (0.0, -0.06, 0.0), 0.036),
        ((0.0, 0.07, 0.0), (0.0, 0.27, 0.05), 0.035),
    ]
    part_of = [1, 17]
    for finger in range(5):
        curl, joint = rng.uniform(0.0, 1.2), np.array([0.021 * (finger - 2), -0.08, 0.0])
        for bone in range(3):
            bend = curl * (bone + 1) * 0.6
            end = joint + 0.028 * np.array([0.0, -np.cos(bend), np.sin(bend)])
            spans.append((joint, end, 0.009))
            part_of.append(2 + 3 * finger + bone)
            joint = end
    turn = _turn(rng, 0.6)
    for part, (start, end, radius) in zip(part_of, spans, strict=True):
        along = np.subtract(end, start)
        capsule = trimesh.creation.capsule(np.linalg.norm(along), radius, count=[10, 10])
        align = trimesh.geometry.align_vectors([0, 0, 1], along)[:3, :3]
        codes.append(np.full(len(capsule.faces), base + part, np.uint8))
        faces.append(capsule.faces + sum(len(v) for v in vertices))
        vertices.append((capsule.vertices @ align.T + start) @ turn.T + centre)
    return _surface(np.concatenate(vertices), np.concatenate(faces), np.concatenate(codes))


def _turn(rng: np.random.Generator, angle: float) -> np.ndarray:
    """A random rotation of up to `angle` about a random axis."""
    axis = rng.normal(size=3)
    return trimesh.transformations.rotation_matrix(rng.uniform(-angle, angle), axis)[:3, :3]


def _surface(vertices: np.ndarray, faces: np.ndarray, codes: np.ndarray | int) -> Surface:
    whole = np.broadcast_to(np.asarray(codes, np.uint8), len(faces))
    return Surface(
        np.ascontiguousarray(vertices, np.float32),
        np.ascontiguousarray(faces, np.int32),
        np.ascontiguousarray(whole),
    )


def main() -> None:
    """Print the table for one camera preset."""
    name = sys.argv[1] if len(sys.argv) > 1 else "ego"
    result = bench_render(invent_scenes(64), CAMERAS[name])
    title = f"{result.machine}\n{name} {result.camera}, {result.triangles:,} triangles"
    table = Table("method", "us a frame", "frames/s", "times slower", title=title)
    for row in result.rows:
        rates = f"{row.median_us:,.0f}", f"{row.frames_per_s:,.0f}", f"{row.times_slower:.1f}"
        table.add_row(row.method, *rates)
    console = Console(width=110)
    console.print(table)
    if np.isfinite(result.codes_differ):
        console.print(f"part ids differ on {result.codes_differ:.4%} of pixels")


if __name__ == "__main__":
    main()
