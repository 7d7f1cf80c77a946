"""handloom export: a dataset in a format that others read."""

import os
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from console.arguments import Data, Json, parse_call
from console.output import print_result
from console.progress import Bar
from frames.errors import BadInput
from frames.store.place import is_same_place

Out = Annotated[
    Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT", help="folder of the export")
]


def run_export(arguments: list[str]) -> int:
    """handloom export DATA OUT --format coco|yolo|webdataset|hdf5|hf"""

    def export(
        data: Data,
        out: Out,
        format: str = "",
        split: str = "",
        sensor: str = "",
        sensor_seed: int = -1,
        image: Literal["depth16", "depth8", "colour"] | None = None,
        near_m: float | None = None,
        far_m: float | None = None,
        images: str = "",
        frames_per_file: int = 0,
        workers: int = 0,
        json: Json = False,
    ) -> int:
        """Write a dataset in another format. OUT appears when it is whole; run it again to resume.

        Args:
            format: coco (keypoints, with mmpose's dataset_info), yolo (Ultralytics pose),
                webdataset (tars), hdf5, hf (Hugging Face: Parquet, card, Croissant).
            split: Only these splits, joined by commas; all, each in its own files, if left out.
            sensor: Sensor that reads the clean depth: a name or a TOML file; the dataset's own if
                left out; none for clean depth.
            sensor_seed: Seed of the sensor's noise; -1 for the dataset's own.
            image: Of coco and yolo: depth16 (as stored; coco's own), depth8 (near is bright; yolo's
                own), colour (depth8 in colours).
            near_m: Where depth8 and colour begin, metres; 0.1 if left out.
            far_m: Where they end; 1.4 if left out.
            images: Of webdataset, hdf5, hf: any of depth, clean_depth, parts, invalid, joined by
                commas; depth,parts if left out.
            frames_per_file: Of webdataset and hf; 1024 if left out.
            workers: Processes; 0 for one a core.
        """
        from augment.export_source import SensedSource
        from frames.exports.exporting import export_dataset
        from frames.exports.formats import FormatOptions, choose_format

        if workers < 0:
            raise BadInput(f"workers must be >= 0, got {workers}")
        if is_same_place(data, out):
            raise BadInput(f"the export must have a folder of its own, got {out} for both")
        if frames_per_file < 0:
            raise BadInput(f"frames-per-file must be >= 1, got {frames_per_file}")
        form = choose_format(format, FormatOptions(image, near_m, far_m, images, frames_per_file))
        source = SensedSource(data, sensor, sensor_seed)
        splits = [name.strip() for name in split.split(",") if name.strip()]
        began = time.perf_counter()
        with Bar("frames", quiet=json) as bar:
            counts = export_dataset(
                source, out, form, splits, workers or len(os.sched_getaffinity(0)), bar
            )
        seconds = time.perf_counter() - began
        size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
        total = counts["written"] + counts["found"]
        text = f"{out}: {counts['written']:,} frames written as {format}"
        if counts["found"]:
            text += f", {counts['found']:,} were there"
        rate = counts["written"] / max(seconds, 1e-9)
        text += f"; {size / max(total, 1):,.0f} bytes a frame"
        text += f", {rate:,.0f} frames/s" if counts["written"] else ""
        values: dict[str, Any] = {"out": str(out), **counts, "bytes": size}
        print_result(json, text, values | {"seconds": round(seconds, 3)})
        return 0

    return int(parse_call(export, "handloom export", arguments)())
