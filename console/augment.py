"""handloom augment: a dataset as a sensor reads it."""

from dataclasses import replace
from typing import Annotated

import tyro

from console.arguments import Json, Place, fill_option, parse_call
from console.engines import Name, open_engine
from console.output import print_counts
from console.progress import Bar
from frames.errors import BadInput
from frames.store.place import is_same_place

Source = Annotated[Place, tyro.conf.Positional, tyro.conf.arg(metavar="IN", help="dataset to read")]
Out = Annotated[
    Place, tyro.conf.Positional, tyro.conf.arg(metavar="OUT", help="where the new dataset is to be")
]


def run_augment(arguments: list[str]) -> int:
    """handloom augment IN OUT --sensor NAME [--occlude [FILE]]"""

    def augment(
        source: Source,
        out: Out,
        sensor: str = "",
        bake: bool = False,
        occlude: str = "",
        sensor_seed: int = -1,
        workers: int = 0,
        engine: Name = "local",
        scheduler: str = "",
        shard_range: str = "1/1",
        json: Json = False,
    ) -> int:
        """Degrade a dataset as a sensor would; clean depth is kept. Run it again to resume.

        Occluders come before the sensor, in the clean depth and all labels.

        Args:
            sensor: ideal, kinect-v1, sr300, d435, zed, azure-kinect, ahat, random, d435-matched,
                zed-matched, random-matched, or a TOML file.
            bake: Store the sensor's depth; else it is made on loading.
            occlude: Put occluders before and behind the hands, cut hands by the image's border,
                take readings away: --occlude as usual, --occlude FILE.toml for settings of your
                own. What the sensor (by default the dataset's own) then reads is stored.
            sensor_seed: Seed of the sensor's noise; -1 for the dataset's own.
            workers: Processes of this machine; 0 for one a core.
            engine: What makes the shards: this machine, or a Dask cluster (docs/scaling.md).
            scheduler: Address of Dask's scheduler, as in tcp://10.0.0.5:8786; without it a cluster
                on this machine.
            shard_range: I/N: only the I-th of N equal parts, for several machines on one folder.
        """
        from augment.degradation import Degradation
        from augment.occluding import choose_occluding
        from augment.sensing import choose_sensing, read_sensing
        from frames.engines.filling import fill_dataset
        from frames.store.folder import read_meta

        source = source.absolute()  # workers may have another folder of their own
        meta = read_meta(source)
        if is_same_place(source, out):
            raise BadInput(f"the new dataset must have a folder of its own, got {out} for both")
        if not sensor and not occlude:
            raise BadInput("augment needs --sensor NAME, --occlude, or both")
        if sensor_seed < -1:
            raise BadInput(f"sensor-seed must be >= 0, or -1 for the dataset's, got {sensor_seed}")
        seed = int(meta.get("seed", 0)) if sensor_seed < 0 else sensor_seed
        sensing = choose_sensing(sensor, seed, bake)
        if sensing is None and not occlude:
            raise BadInput(f"sensor must name one to read {source}, got {sensor!r}")
        if occlude:  # patches of lost readings come after the sensor
            sensing = sensing if sensor else read_sensing(meta, source)
            sensing = None if sensing is None else replace(sensing.check(), baked=True)
        occluding = choose_occluding(occlude, seed) if occlude else None
        pairs = None
        if sensing is not None and sensing.needs_pair:
            from synth.pair_source import RenderedAgain

            pairs = RenderedAgain(source)
        job = Degradation(source, sensing, pairs, occluding)
        with (
            open_engine(engine, scheduler, workers) as (chosen, count),
            Bar("frames", quiet=json) as bar,
        ):
            counts = fill_dataset(out, job, count, shard_range, bar, chosen)
        print_counts(json, out, counts)
        return 0

    given = fill_option(arguments, "--occlude", "usual")
    return int(parse_call(augment, "handloom augment", given)())
