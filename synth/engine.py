"""Synthetic datasets on many cores: `frames.engines.filling` with the generator."""

from dataclasses import dataclass
from pathlib import Path

from frames.engines.filling import fill_dataset
from frames.engines.job import Engine, Progress
from frames.engines.pool import run_pool
from synth.config import SynthConfig
from synth.config_check import check_config
from synth.generator import Generator


@dataclass(frozen=True)
class SynthJob:
    """A synthetic dataset that is to be made."""

    config: SynthConfig

    @property
    def frames(self) -> int:
        """Of the whole dataset."""
        return self.config.frames

    @property
    def frames_per_shard(self) -> int:
        """Of every shard but the last."""
        return self.config.frames_per_shard

    def build(self) -> Generator:
        """The generator. Raises BadInput for a mesh, a pickle, a camera that cannot be had."""
        return Generator(self.config)


def generate(
    folder: Path,
    config: SynthConfig,
    workers: int,
    shard_range: str = "1/1",
    progress: Progress | None = None,
    engine: Engine = run_pool,
) -> dict[str, int]:
    """Write the shards of `shard_range` that are not there yet.

    Returns counts of frames: written, found. Raises BadInput for what cannot be.
    """
    check_config(config)
    return fill_dataset(folder, SynthJob(config), workers, shard_range, progress, engine)
