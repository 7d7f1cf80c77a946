"""handloom predict: hands found in depth images."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from console.arguments import Json, parse
from console.networks import import_torch
from console.output import print_result
from console.progress import Bar
from frames.errors import BadInput

if TYPE_CHECKING:
    from train_tiny.prediction.depth_frame import DepthSource, SourceOptions

Places = Annotated[
    tuple[str, ...],
    tyro.conf.Positional,
    tyro.conf.arg(
        metavar="[WEIGHTS] SRC OUT",
        help="a run's folder, a file of weights or shipped (what comes along, if left out); a"
        " dataset, a folder of depth images or a recording; the folder to write",
    ),
]


@dataclass(frozen=True)
class PredictCommand:
    """Predict hands in depth images: keypoints in pixels and metres, side, what is seen
    (docs/prediction.md)."""

    places: Places
    boxes: str = ""
    """Where hands are, in place of the finder: labels for the dataset's own boxes, or a file with
    lines such as {"frame_id": 0, "box_px": [x0, y0, x1, y1]}."""
    finder: str = ""
    """Weights of the network that finds hands: a file, a run's folder; those that come along if
    left out."""
    follow: int = -1
    """Follow hands from frame to frame, and have the finder look every so many frames; 0: it looks
    in each; -1: 10 in frames that follow one another, else 0."""
    hands: int = 2
    """Most hands of a frame."""
    looks: int = 2
    """2: look once more, at the crop around what was found in the first; 1: do not."""
    mirror: bool = True
    """Ask the network of each crop and of its mirror image, and take the mean: a point of PCK, and
    twice its time."""
    camera: str = ""
    """Of a folder of images: preset or file; camera.json there if left out."""
    depth_scale: float = 0.0
    """Of a folder of images: steps a metre, if the camera file does not say."""
    fps: float = 0.0
    """Frames a second: of a folder of images that follow one another, and of the video."""
    split: str = ""
    """Of a dataset: frames of this split alone."""
    sensor: str = ""
    """Of a dataset: sensor that reads its clean depth, none for clean depth itself; its own if left
    out."""
    seed: int = 0
    """Of such a sensor's noise."""
    frames: int = 0
    """The first so many frames; 0: all."""
    sheet: int = 24
    """Frames on the contact sheet; 0: no sheet."""
    pictures: bool = False
    """Draw every frame (.png)."""
    video: bool = False
    """Write a video (.mp4)."""
    device: str = "cpu"
    """cpu, cuda, cuda:N, mps or auto."""
    threads: int = 1
    """Threads of a CPU; with more than one, last digits may differ from run to run."""
    json: Json = False


def run_predict(arguments: list[str]) -> int:
    """handloom predict [WEIGHTS] SRC OUT"""
    command = parse(
        PredictCommand, "handloom predict", arguments, default=PredictCommand(tyro.MISSING)
    )
    weights, src, out = _read_places(command)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import_torch()
    import time

    import torch

    from train_tiny.prediction.depth_frame import SourceOptions
    from train_tiny.prediction.given_boxes import read_given_boxes
    from train_tiny.prediction.hand_pose import HandPose
    from train_tiny.prediction.predicting import PredictionPlan, predict_source

    torch.set_num_threads(command.threads)
    options = SourceOptions(
        *(command.camera, command.depth_scale, command.fps, command.split, command.sensor),
        *(command.seed, command.frames),
    )
    pose = HandPose.load(
        weights, command.finder or None, command.device, command.looks, command.mirror
    )
    boxes = read_given_boxes(command.boxes) if command.boxes else None
    plan = PredictionPlan(
        boxes=boxes,
        follow=None if command.follow < 0 else command.follow,
        hands=command.hands,
        sheet=command.sheet,
        pictures=command.pictures,
        video=command.video,
        fps=command.fps,
    )
    source = _open(src, options)
    told = {
        "weights": pose.about,
        "boxes": command.boxes,
        "looks": command.looks,
        "mirror": command.mirror,
    }
    began = time.perf_counter()
    with Bar("frames", command.json) as bar:
        found = predict_source(pose, source, out, plan, bar, told)
    seconds = time.perf_counter() - began
    values: dict[str, Any] = {"out": str(out), **found, "seconds": round(seconds, 3)}
    print_result(command.json, _say(out, found, seconds), values)
    return 0


def _open(path: Path, options: "SourceOptions") -> "DepthSource":
    """A dataset, a folder of images, or a recording."""
    from labeling.recorded_frames import RecordedFrames, is_recording
    from train_tiny.prediction.depth_sources import open_source

    if path.exists() and is_recording(path):
        return RecordedFrames(path, options)
    return open_source(path, options)


def _read_places(command: PredictCommand) -> tuple[str, Path, Path]:
    places = command.places
    if len(places) not in (2, 3):
        raise BadInput(
            f"predict takes [WEIGHTS] SRC OUT, got {len(places)} of them; see handloom predict"
            " --help"
        )
    if "" in places:
        raise BadInput(f"predict takes [WEIGHTS] SRC OUT, one of which is empty: got {places}")
    for name, least in (("hands", 1), ("sheet", 0), ("threads", 1), ("frames", 0), ("fps", 0)):
        if getattr(command, name) < least:
            raise BadInput(f"{name} must be >= {least}, got {getattr(command, name)}")
    weights = places[0] if len(places) == 3 else "shipped"
    return weights, Path(places[-2]), Path(places[-1])


def _say(out: Path, found: dict[str, Any], seconds: float) -> str:
    text = (
        f"{out}: {found['hands']:,} hands ({found['left']:,} left, {found['right']:,} right) in"
        f" {found['frames']:,} frames, {found['empty']:,} of them without;"
        f" {found['frames'] / max(seconds, 1e-9):,.0f} frames/s"
    )
    return f"{text}; {found['tracks']:,} tracks" if found["tracks"] else text
