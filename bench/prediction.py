"""What prediction costs on one core: frames/s, and which part takes how long.

python -m bench.prediction [--weights FILE|RUN|shipped] [--finder FILE|RUN|shipped] [--frames N]

Time of the processor, not of the clock: others may use the machine. Frames are 320 x 240 of two
hands, rendered for this; what weights have learnt does not change what they cost, so without any
fresh ones serve.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import train_tiny.prediction.hand_pose as hand_pose
from augment.geometry.crop import target_box
from bench.render import describe_machine
from frames.errors import BadInput
from synth.config import SynthConfig
from train_tiny.finding.hand_finder import Finding, HandFinder
from train_tiny.folding import fold_norms
from train_tiny.models import build_model
from train_tiny.prediction.depth_image import DepthImage, read_depth
from train_tiny.prediction.hand_pose import HandPose
from train_tiny.shipped import load_finder, load_hand_net

WARM = 5
"""Frames that are not timed."""


@dataclass
class Clock:
    """Sums the processor's time within functions, each without those it calls."""

    spent: dict[str, float] = field(default_factory=dict)
    _stack: list[float] = field(default_factory=list)

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, its time summed under a name."""

        def timed(*args: Any, **options: Any) -> Any:
            began = time.process_time()
            self._stack.append(0.0)
            try:
                return function(*args, **options)
            finally:
                whole = time.process_time() - began
                self.spent[name] = self.spent.get(name, 0.0) + whole - self._stack.pop()
                if self._stack:
                    self._stack[-1] += whole

        return timed


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="")
    parser.add_argument("--finder", default="")
    parser.add_argument("--frames", type=int, default=200)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    pose, note = build_pose(asked.weights, asked.finder)
    images, boxes = load_images(asked.frames)
    table = Table(
        *("how hands are found", "ms a frame", "frames/s", "parts, ms a frame"),
        title=f"{describe_machine()}\n{len(images)} frames 320 x 240, two hands, one core{note}",
    )
    for title, run in list_cases(pose, boxes).items():
        clock = Clock()
        with watch(clock, pose):
            for image, box in zip(images[:WARM], boxes, strict=False):
                run(image, box)
            clock.spent.clear()
            began = time.process_time()
            for image, box in zip(images, boxes, strict=True):
                run(image, box)
            whole = (time.process_time() - began) / len(images)
        parts = {k: v / len(images) for k, v in clock.spent.items()}
        parts["rest"] = whole - sum(parts.values())
        said = ", ".join(f"{k} {1e3 * v:.2f}" for k, v in parts.items())
        table.add_row(title, f"{1e3 * whole:.2f}", f"{1 / whole:,.0f}", said)
    Console(width=150).print(table)


def build_pose(weights: str, finder: str) -> tuple[HandPose, str]:
    """The predictor, and what is to be said of its weights."""
    note = ""
    if weights:
        found = load_hand_net(weights)
        net, side = found.net, found.input_px
    else:
        model = build_model("handlite")
        net, side, note = fold_norms(model.net), model.input_px, "; fresh weights"
    if finder:
        finds = load_finder(finder)
    else:
        fresh = build_model("finder")
        size = fresh.config["size_px"]
        # Fresh weights would find hands everywhere, and what a hand costs is not measured here.
        finds = HandFinder(
            fold_norms(fresh.net), (int(size[0]), int(size[1])), Finding(least_score=1.1)
        )
        note += "; fresh finder"
    return HandPose(net, side, finds), note


def load_images(count: int) -> tuple[list[DepthImage], list[np.ndarray]]:
    """Depth images and their labelled boxes, two each."""
    import tempfile

    from frames.store.dataset import open_dataset
    from synth.engine import generate

    images, boxes = [], []
    with tempfile.TemporaryDirectory() as name:
        generate(Path(name) / "data", SynthConfig(frames=6 * count, seed=3), 1)
        for frame in open_dataset(Path(name) / "data", ("clean_depth", "hands")):
            found = [h.box_px for h in frame.hands if np.isfinite(h.box_px).all()]
            if len(found) < 2 or frame.clean_depth is None:
                continue
            images.append(read_depth(frame.clean_depth, frame.camera, frame.depth_scale))
            boxes.append(np.array(found[:2]))
            if len(images) == count:
                return images, boxes
    if not images:
        raise BadInput("no frame has two hands: ask for more --frames")
    return images, boxes


def list_cases(pose: HandPose, boxes: list[np.ndarray]) -> dict[str, Any]:
    """What is timed: each a function of an image and its boxes."""

    def refine(image: DepthImage, box: np.ndarray, by: str) -> None:
        pose.refine(image, [target_box(image.camera, b) for b in box], by)

    def find(image: DepthImage, box: np.ndarray) -> None:
        pose.find(image)
        refine(image, box, "finder")

    def follow(image: DepthImage, box: np.ndarray) -> None:
        places["frame"] += 1
        if places["frame"] % 10 == 0:
            pose.find(image)
        refine(image, box, "follow")

    places = {"frame": 0}
    return {
        "given boxes, two looks": lambda image, box: refine(image, box, "box"),
        "followed, no finder": lambda image, box: refine(image, box, "follow"),
        "followed, finder every 10th": follow,
        "finder in each, two looks": find,
    }


class watch:  # noqa: N801
    """Within it, the parts of a predictor are timed."""

    def __init__(self, clock: Clock, pose: HandPose) -> None:
        self._clock, self._pose = clock, pose

    def __enter__(self) -> None:
        self._was = {n: getattr(hand_pose, n) for n in ("view_hand", "read_outputs", "bring_back")}
        names = {"view_hand": "crop", "read_outputs": "peaks and depth", "bring_back": "back"}
        for name, function in self._was.items():
            setattr(hand_pose, name, self._clock.wrap(names[name], function))
        self._net, self._finder = self._pose.net, self._pose.finder
        self._forward = self._net.forward
        self._net.forward = self._clock.wrap("hand network", self._forward)  # type: ignore[method-assign]
        assert self._finder is not None
        self._pose.finder = self._clock.wrap("finder", self._finder)

    def __exit__(self, *error: object) -> None:
        for name, function in self._was.items():
            setattr(hand_pose, name, function)
        self._net.forward = self._forward  # type: ignore[method-assign]
        self._pose.finder = self._finder


if __name__ == "__main__":
    main()
