"""What sensors cost: a frame of 320x240 of every profile, and the whole path with one.

python -m bench.sensors [PROFILE ...]    prints both tables.

One core; times of a frame are the best of some rounds over the same frames, in turn, so that
whatever else the machine does falls on all alike. Beside ours: simkinect's equations in whole-image
numpy (`bench.simkinect`), and Open3D's simulator of the Redwood model where it is installed
(`pip install open3d-cpu`).
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from augment import open_sensed
from augment.profile import PROFILES
from augment.readings import SOURCES, sense_shot
from augment.sensing import choose_sensing
from augment.shots import prepare_shots
from bench.pipeline import SCENES, measure
from bench.render import describe_machine
from bench.simkinect import draw_dots, sense_simkinect
from frames.store.codec import encode_reading, encode_reasons
from frames.store.dataset import build_batch
from frames.store.rows import Rows
from synth.config import SynthConfig
from synth.engine import generate
from synth.generator import Generator

FRAMES = 64
ROUNDS = 7

Run = Callable[[int], object]
"""Does its work on the i-th frame."""


def main(*names: str) -> None:
    """Print the tables."""
    wanted = names or tuple(name for name in PROFILES if not name.endswith("-matched"))
    console = Console(width=110)
    console.print(time_profiles(wanted))
    console.print(time_path())


def time_profiles(names: tuple[str, ...]) -> Table:
    """Milliseconds a frame."""
    batch = build_batch(
        Rows(Generator(SynthConfig(seed=1)).make_table(0, FRAMES)), SOURCES, 0, FRAMES
    )
    clean, parts = batch["clean_depth"], batch["parts"]
    camera, scale = batch["camera"][0], batch["depth_scale"][0]
    depth = np.empty((FRAMES, *clean.shape[1:]), np.uint16)
    invalid = np.empty(depth.shape, np.uint8)
    runs: dict[str, Run] = {}
    for name in names:
        sensing = choose_sensing(name, 1, True)
        assert sensing is not None
        shots = [
            prepare_shots(batch, 1).shot(i, camera, clean[i], scale, parts[i])
            for i in range(FRAMES)
        ]
        runs[name] = lambda i, s=sensing, t=shots: sense_shot(s, t[i], depth[i], invalid[i])
    rng = np.random.default_rng(0)
    dots, metres = draw_dots(*clean.shape[1:], rng), (clean / scale).astype(np.float32)
    runs["simkinect in numpy"] = lambda i: sense_simkinect(metres[i], camera.fx, dots, rng)
    other = find_open3d(clean, scale)
    if other is not None:
        runs["Open3D, Redwood's model"] = other
    table = Table(
        *("sensor", "ms a frame", "frames/s", "read", "bytes stored", "ms to encode"),
        title=f"{describe_machine()}\none frame of 320x240 as a sensor reads it, one core",
        caption=None if other else "Open3D is not installed here",
    )
    best = time_in_turn(runs)
    for name, seconds in best.items():
        cells = ["", "", ""]
        if name in names:
            for i in range(FRAMES):
                runs[name](i)
            blobs = [b""] * FRAMES

            def encode(i: int, blobs: list[bytes] = blobs) -> None:
                blobs[i] = encode_reading(depth[i]) + encode_reasons(invalid[i])

            spent = time_in_turn({"encode": encode})["encode"]
            size = sum(map(len, blobs)) / FRAMES
            cells = [f"{(invalid == 0).mean():.1%}", f"{size:,.0f}", f"{spent * 1e3:.2f}"]
        table.add_row(name, f"{seconds * 1e3:.2f}", f"{1 / seconds:,.0f}", *cells)
    return table


def time_in_turn(runs: dict[str, Run]) -> dict[str, float]:
    """Seconds a frame, the best of ROUNDS rounds frame by frame: what else runs disturbs little."""
    best = {name: np.full(FRAMES, np.inf) for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            for i in range(FRAMES):
                begin = time.perf_counter()
                run(i)
                best[name][i] = min(best[name][i], time.perf_counter() - begin)
    return {name: float(seconds.mean()) for name, seconds in best.items()}


def find_open3d(clean: np.ndarray, scale: float) -> Run | None:
    """Open3D's simulator, with a distortion of one everywhere; None where it is not installed."""
    try:
        import open3d as o3d  # type: ignore[import-not-found]
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "model.txt"
        path.write_text("%\n" * 5 + "1\n" * (80 * 80 * 23))
        simulator = o3d.t.io.DepthNoiseSimulator(path)
    simulator.noise_model.numpy()[...] = 1
    images = [o3d.t.geometry.Image(o3d.core.Tensor(image)) for image in clean]
    return lambda i: simulator.simulate(images[i], scale)


def time_path() -> Table:
    """The whole path to shards on the disk with a sensor, and back."""
    table = Table(
        *("scenes", "clean: frames/s", "d435 on loading", "d435 stored", "bytes/frame, stored"),
        "read and sensed: frames/s",
        title="from random numbers to shards on the disk and back, 320x240, one worker",
    )
    for title, scene in SCENES.items():
        config = SynthConfig(frames=4 * 2048, seed=1, scene=scene)
        lazy = replace(config, sensor="d435")
        clean, named, baked = (measure(c, 1) for c in (config, lazy, replace(lazy, bake=True)))
        table.add_row(
            title,
            *(f"{rate.frames_per_s:,.0f}" for rate in (clean, named, baked)),
            *(f"{baked.bytes_per_frame:,.0f}", f"{time_reading(lazy):,.0f}"),
        )
    return table


def time_reading(config: SynthConfig) -> float:
    """Frames a second of a dataset whose sensor is applied on loading."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        generate(folder, replace(config, frames=512), 1)
        best = np.inf
        for _ in range(3):
            begin = time.perf_counter()
            count = sum(len(b["depth"]) for b in open_sensed(folder).batches(["depth", "hands"]))
            best = min(best, (time.perf_counter() - begin) / count)
    return 1 / best


if __name__ == "__main__":
    main(*sys.argv[1:])
