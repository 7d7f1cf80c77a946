"""handloom augment: a dataset as a sensor reads it."""

import os
from pathlib import Path
from typing import Annotated

import tyro

from console.arguments import Json, parse_call
from console.output import print_counts
from console.progress import Bar
from frames.errors import BadInput

Source = Annotated[
    Path, tyro.conf.Positional, tyro.conf.arg(metavar="IN", help="dataset folder to read")
]
Out = Annotated[
    Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT", help="folder of the new dataset")
]


def run_augment(arguments: list[str]) -> int:
    """handloom augment IN OUT --sensor NAME"""

    def augment(
        source: Source,
        out: Out,
        sensor: str,
        bake: bool = False,
        sensor_seed: int = -1,
        workers: int = 0,
        shard_range: str = "1/1",
        json: Json = False,
    ) -> int:
        """Degrade a dataset as a sensor would; clean depth is kept. Run it again to resume.

        Args:
            sensor: ideal, kinect-v1, sr300, d435, d435-matched, zed, azure-kinect, ahat, random, or
                a TOML file.
            bake: Store the sensor's depth; else it is made on loading.
            sensor_seed: Seed of the sensor's noise; -1 for the dataset's own.
            workers: Processes; 0 for one a core.
            shard_range: I/N: only the I-th of N equal parts, for several machines on one folder.
        """
        from augment.degradation import Degradation
        from augment.sensing import choose_sensing
        from frames.engine import fill_dataset
        from frames.folder import read_meta

        meta = read_meta(source)
        if source.resolve() == out.resolve():
            raise BadInput(f"the new dataset must have a folder of its own, got {out} for both")
        if sensor_seed < -1:
            raise BadInput(f"sensor-seed must be >= 0, or -1 for the dataset's, got {sensor_seed}")
        seed = int(meta.get("seed", 0)) if sensor_seed < 0 else sensor_seed
        sensing = choose_sensing(sensor, seed, bake)
        if sensing is None:
            raise BadInput(f"sensor must name one to read {source}, got {sensor!r}")
        pairs = None
        if sensing.needs_pair:
            from synth.pair_source import RenderedAgain

            pairs = RenderedAgain(source)
        job = Degradation(source, sensing, pairs)
        count = workers or len(os.sched_getaffinity(0))
        with Bar("frames", quiet=json) as bar:
            counts = fill_dataset(out, job, count, shard_range, bar)
        print_counts(json, out, counts)
        return 0

    return int(parse_call(augment, "handloom augment", arguments)())
