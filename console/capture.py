"""handloom capture: a real recording as a dataset."""

import os
from pathlib import Path
from typing import Annotated, Any

import tyro

from console.arguments import Json, parse_call
from console.output import print_note, print_result
from console.progress import Bar
from frames.errors import BadInput
from frames.store.place import is_same_place

Source = Annotated[
    Path, tyro.conf.Positional, tyro.conf.arg(metavar="SRC", help="recording: a file or a folder")
]
Out = Annotated[
    Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT", help="folder of the dataset")
]


def run_capture(arguments: list[str]) -> int:
    """handloom capture SRC OUT [--camera FILE] [--stride N] [--most-worth N]"""

    def capture(
        source: Source,
        out: Out,
        camera: str = "",
        depth_scale: float = 0.0,
        fps: float = 0.0,
        topic: str = "",
        pictures: bool = True,
        start: float = 0.0,
        stop: float = 0.0,
        stride: int = 1,
        min_change: float = 0.0,
        most_worth: int = 0,
        predictor: str = "shipped",
        frames_per_shard: int = 256,
        workers: int = 0,
        json: Json = False,
    ) -> int:
        """Make a dataset of a recording: no label is invented. Run it again to resume.

        SRC is a folder of 16-bit PNG or TIFF, EXR or .npy with a camera.json; a RealSense .bag or
        .db3; a ROS 1 or 2 bag or .mcap; an Azure Kinect .mkv; an .npy or .npz (docs/capture.md).

        Args:
            camera: Camera preset or file, in place of the recording's own.
            depth_scale: Depth values a metre, if the recording does not say (1000: millimetres).
            fps: Count the frames at this rate, in place of the recording's time stamps.
            topic: Topic with the depth, if a bag has several.
            pictures: Keep colour and infrared beside the depth.
            start: Seconds from the beginning of each sequence.
            stop: The same; 0 for the end.
            stride: Take every so many frames.
            min_change: Leave out frames in which less than this share of what is near has changed
                since the last one taken (0.02 drops near-duplicates); 0 takes all.
            most_worth: Take the so many frames that are most worth labelling: in which the
                predictor is least sure, and which differ most from each other; 0 takes all.
            predictor: For --most-worth: shipped, a run or a file of weights; none for diversity
                alone.
            frames_per_shard: Frames in every file.
            workers: Processes; 0 for one a core.
        """
        from labeling.capture.capturing import plan_capture, write_capture
        from labeling.capture.recording import Request
        from labeling.capture.selection import Selection
        from labeling.capture.uncertainty import NONE, open_predictor

        if is_same_place(source, out):
            raise BadInput(f"the dataset must have a folder of its own, got {out} for both")
        if workers < 0:
            raise BadInput(f"workers must be >= 0, got {workers}")
        who = predictor if most_worth else NONE
        request = Request(str(source), camera, depth_scale, fps, topic, pictures)
        selection = Selection(start, stop, stride, min_change, most_worth, who)
        with Bar("looked at", quiet=json) as bar:
            job, recording = plan_capture(
                request, selection, open_predictor(who), bar, frames_per_shard
            )
        with Bar("frames", quiet=json) as bar:
            counts = write_capture(out, job, workers or len(os.sched_getaffinity(0)), bar)
        head = recording.head
        if head.units.floating and not json:
            print_note(f"{source} has depth in floats: {head.units.describe()}")
        if head.timeline.time_ns is None and not json:
            print_note(f"{source} has no time stamps: its frames form no sequence (--fps counts)")
        values: dict[str, Any] = {
            "out": str(out),
            **counts,
            "kind": head.kind,
            "recorded": len(head.timeline),
            "sequences": len(head.timeline.names),
            "depth_scale": head.units.depth_scale,
        }
        text = f"{out}: {counts['written']:,} frames written"
        if counts["found"]:
            text += f", {counts['found']:,} were there"
        text += f"; {len(job.positions):,} of the {len(head.timeline):,} of a {head.kind}"
        print_result(json, text, values)
        return 0

    return int(parse_call(capture, "handloom capture", arguments)())
