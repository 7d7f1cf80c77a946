"""The whole path, from random numbers to a shard on the disk: frames/s, memory, bytes.

python -m bench.pipeline    prints the table.

Start-up is left out: a run's clock starts when every worker has finished its first shard. The same
frames are also drawn by pyrender, which shows what the renderer's share of the whole is.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.render import describe_machine
from synth.config import RoomConfig, SceneConfig, SituationConfig, SynthConfig
from synth.engine import generate

BARE = RoomConfig(
    close_share=0.0, empty_share=0.0, table_share=0.0, shelves_share=0.0, furniture_share=0.0
)
FREE = SituationConfig(grasp_share=0.0, touch_share=0.0, together_share=0.0)
SCENES = {
    "two free hands, a thing, walls": SceneConfig(
        two_hands_share=1.0, others_share=0.0, object_share=1.0, max_objects=1, room=BARE,
        situation=FREE,
    ),
    "default mixture": SceneConfig(),
    "all at once: two hands, two loose things, a room": SceneConfig(
        two_hands_share=1.0, object_share=1.0, room=RoomConfig(empty_share=0.0)
    ),
}  # fmt: skip
"""What is measured; hands come with arms, clothes and bodies."""
BAKED = "default mixture, d435 stored noisy"


@dataclass(frozen=True)
class Rate:
    """What one run reached."""

    frames_per_s: float
    """All workers together, without start-up."""
    bytes_per_frame: float
    peak_mb: float
    """Resident memory of the largest process."""


class _Clock:
    """Notes when shards are finished; `frames.engines.job.Progress`."""

    def __init__(self) -> None:
        self.moments: list[tuple[float, int]] = []

    def begin(self, total: int, there: int) -> None:
        """Nothing to note."""

    def advance(self, count: int) -> None:
        self.moments.append((time.perf_counter(), count))


def measure(config: SynthConfig, workers: int) -> Rate:
    """Generate a dataset in a process of its own and read off its steady rate."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        # A pool's workers may have no children; this process therefore is not daemonic.
        return pool.apply(_run, (config, 1)) if workers == 1 else _run(config, workers)


def _run(config: SynthConfig, workers: int) -> Rate:
    clock = _Clock()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        generate(folder, config, workers, progress=clock)
        size = sum(p.stat().st_size for p in folder.glob("shards/*.parquet"))
    # The first shard of each worker pays for start-up, and the last ones are not done together.
    timed = clock.moments[workers - 1 :]
    seconds = timed[-1][0] - timed[0][0]
    frames = sum(count for _, count in timed[1:])
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    peak = children if workers > 1 else own
    return Rate(frames / seconds, size / config.frames, peak / 1024)


def main(*names: str) -> None:
    """Print the table for camera presets."""
    table = Table(
        *("camera, scene", "1 worker: frames/s", "2 workers", "ratio", "with pyrender"),
        *("bytes/frame", "peak MB a worker"),
        title=f"{describe_machine()}\nwhole path, clean depth stored unless said",
    )
    for name in names or ("ego", "ego-small"):
        for title, scene in {**SCENES, BAKED: SCENES["default mixture"]}.items():
            config = SynthConfig(frames=10 * 2048, seed=1, camera=name, scene=scene)
            if title == BAKED:
                config = replace(config, sensor="d435", bake=True)
            one = measure(config, 1)
            two = measure(replace(config, frames=2 * config.frames), 2)
            drawn = ""
            if not config.bake:  # the sensor's share has nothing to do with what draws
                few = replace(config, frames=256, frames_per_shard=64, renderer="pyrender")
                slow = measure(few, 1).frames_per_s
                drawn = f"{slow:,.0f} ({one.frames_per_s / slow:.1f}x slower)"
            table.add_row(
                *(f"{name}, {title}", f"{one.frames_per_s:,.0f}", f"{two.frames_per_s:,.0f}"),
                f"{two.frames_per_s / one.frames_per_s:.2f}",
                drawn,
                *(f"{one.bytes_per_frame:,.0f}", f"{max(one.peak_mb, two.peak_mb):,.0f}"),
            )
    Console(width=120).print(table)


if __name__ == "__main__":
    main(*sys.argv[1:])
