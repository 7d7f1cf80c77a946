"""handloom import: labels that others made, as a dataset."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from console.arguments import Json, parse_call
from console.output import print_result
from console.progress import Bar
from frames.errors import BadInput

Place = tyro.conf.Positional


def run_import_coco(arguments: list[str]) -> int:
    """handloom import coco ANN.json IMAGES OUT [--camera FILE]"""

    def import_labels(
        kind: Annotated[Literal["coco"], Place, tyro.conf.arg(help="what the labels are")],
        annotations: Annotated[Path, Place, tyro.conf.arg(metavar="ANN", help="file of labels")],
        images: Annotated[Path, Place, tyro.conf.arg(metavar="IMAGES", help="folder of pictures")],
        out: Annotated[Path, Place, tyro.conf.arg(metavar="OUT", help="folder of the dataset")],
        camera: str = "",
        depth_scale: float = 0.0,
        side: str = "",
        frames_per_shard: int = 1024,
        workers: int = 0,
        json: Json = False,
    ) -> int:
        """Make a dataset of depth images with COCO keypoints. Run it again to resume.

        Images are PNG or TIFF of 16 bits. Keypoints that are seen are lifted to 2.5D by the depth
        read there; nothing is made up (docs/exports.md).

        Args:
            camera: Camera preset or file; what the annotations say of each image if left out.
            depth_scale: Depth values a metre (1000: millimetres), if neither annotations nor the
                camera's file say.
            side: left or right, for hands whose category and annotation do not say.
            frames_per_shard: Frames in every file.
            workers: Processes; 0 for one a core.
        """
        from frames.engines.filling import fill_dataset
        from labeling.importing.job import CocoImport, plan_import

        if workers < 0:
            raise BadInput(f"workers must be >= 0, got {workers}")
        if not 1 <= frames_per_shard <= 100_000:
            raise BadInput(f"frames-per-shard must be between 1 and 100000, got {frames_per_shard}")
        job = plan_import(
            CocoImport(
                annotations, images, camera, depth_scale, side, frames_per_shard=frames_per_shard
            )
        )
        count = workers or len(os.sched_getaffinity(0))
        with Bar("frames", quiet=json) as bar:
            counts = fill_dataset(out, job, count, progress=bar)
        told = job.build().describe()["imported"]
        values: dict[str, Any] = {"out": str(out), **counts, **told}
        text = f"{out}: {counts['written']:,} frames written"
        if counts["found"]:
            text += f", {counts['found']:,} were there"
        text += f"; {told['hands']:,} hands"
        if told["crowds_left_out"]:
            text += f", {told['crowds_left_out']:,} crowds left out"
        print_result(json, text, values)
        return 0

    return int(parse_call(import_labels, "handloom import", arguments)())
