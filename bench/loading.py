"""What training data cost: time of a processor a crop, crops/s, and what a training step keeps.

python -m bench.loading    prints the tables.

Everything on as in training: occluders, sensor, dropout, geometry. The second table trains HandLite
on what is loaded and, in the same run, on tensors that are already there.
"""

import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from bench.render import describe_machine
from synth.config import SynthConfig
from synth.engine import generate
from train_tiny.loading.crop_loading import (
    LoaderConfig,
    Mix,
    feed_crops,
    open_sources,
)
from train_tiny.loading.frame_loading import FrameLoaderConfig, feed_frames
from train_tiny.losses.tasks import Targets, measure_losses
from train_tiny.networks.handlite import HandLite

FRAMES: Final = 4096
BATCHES: Final = 32
"""That are timed."""
WARM: Final = 8
"""Batches before that: a round."""
AHEAD: Final = 4 * WARM
"""Batches that two workers make before anybody asks."""
CASES: Final = {
    "clean depth, plain crops": LoaderConfig(sensor="none", occlusion=None, geometry=None),
    "clean depth": LoaderConfig(sensor="none"),
    "d435": LoaderConfig(sensor="d435"),
    "random": LoaderConfig(sensor="random"),
    "random, two views of a hand": LoaderConfig(sensor="random", views=2),
}
"""What is loaded, 128 x 128 crops of 320 x 240 frames."""


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as name:
        folder, live = Path(name) / "data", Path(name) / "live.toml"
        generate(folder, SynthConfig(frames=FRAMES, seed=1), 1)
        live.write_text(f"frames = {FRAMES}\nseed = 1\n")
        stored = open_sources([folder])
        console.print(_time_loading(stored, open_sources([f"live:{live}"])))
        console.print(_time_training(stored))


def _time_loading(stored: Mix, live: Mix) -> Table:
    table = Table(
        *("what", "core-ms a sample", "samples/s: 1 worker", "2 workers"),
        title=f"{describe_machine()}\nloading alone",
    )
    for title, config in CASES.items():
        table.add_row(title, *_rate(lambda w, c=config: feed_crops(stored, c, 1, workers=w).read()))
    config = CASES["random"]
    table.add_row(
        "random, frames rendered", *_rate(lambda w: feed_crops(live, config, 1, workers=w).read())
    )
    whole = FrameLoaderConfig(sensor="random", batch=64)
    table.add_row(
        "random, whole frames", *_rate(lambda w: feed_frames(stored, whole, 1, workers=w).read())
    )
    return table


def _rate(load: Any) -> list[str]:
    """Time of a processor in this process, and samples/s by workers."""
    batches = load(0)
    _count(batches, WARM)
    begin = time.process_time()
    count = _count(batches, BATCHES)
    out = [f"{1e3 * (time.process_time() - begin) / count:.2f}"]
    for workers in (1, 2):
        batches = load(workers)
        # What was made ahead is not counted, and as much is being made at the end.
        _count(batches, AHEAD)
        start = time.perf_counter()
        count = _count(batches, 2 * BATCHES)
        out.append(f"{count / (time.perf_counter() - start):,.0f}")
        del batches
    return out


def _count(batches: Iterator[tuple[Tensor, Any]], most: int) -> int:
    return sum(len(images) for images, _ in itertools.islice(batches, most))


def _time_training(stored: Mix) -> Table:
    table = Table(
        *("sensor", "random tensors: samples/s", "loaded", "ratio"),
        title="HandLite, batch 64, one thread, loaded by two workers",
    )
    for title in ("clean depth", "d435", "random", "random, two views of a hand"):
        config = CASES[title]
        images, targets = next(feed_crops(stored, config, 1).read())
        plain = _train(itertools.repeat((images, targets)), WARM, BATCHES)
        batches = feed_crops(stored, config, 1, workers=2).read_on()
        # Until what was made before the first step is used up.
        loaded = _train(batches, 2 * AHEAD, 3 * BATCHES)
        del batches
        table.add_row(*(title, f"{plain:,.0f}", f"{loaded:,.0f}", f"{loaded / plain:.0%}"))
    return table


def _train(batches: Iterator[tuple[Tensor, Targets]], warm: int, most: int) -> float:
    """Samples/s of training steps, after some that are not timed."""
    net = HandLite().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), 1e-3)
    count, start = 0, 0.0
    for number, (images, targets) in enumerate(itertools.islice(batches, warm + most)):
        if number == warm:
            count, start = 0, time.perf_counter()
        out = net(images.contiguous(memory_format=torch.channels_last))
        loss = sum(measure_losses(out, targets).values())
        optimiser.zero_grad()
        torch.as_tensor(loss).backward()
        optimiser.step()
        count += len(images)
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
