"""What training geometry costs a sample, step by step.

python -m bench.geometry [FRAMES]    renders frames, crops and changes each one, prints a table.

Milliseconds of processor time of one thread, the best of some rounds. "all" draws and applies every
kind of change; "crop" turns to the hand and zooms in, nothing else.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table

from augment.geometry.images import Images, apply_to_images
from augment.geometry.labels import apply_to_hands
from augment.geometry.sample import Sample, make_hands
from augment.geometry.training import TrainingGeometry, augment_sample, draw_geometry
from bench.render import describe_machine
from synth.config import SynthConfig
from synth.generator import Generator

ALL = TrainingGeometry(shift_range=(-0.05, 0.05))
CROP = TrainingGeometry(
    roll_range_rad=(0, 0),
    aim_range=(0, 0),
    zoom_range=(1, 1),
    flip_share=0,
    depth_factor_range=(1, 1),
    depth_offset_range_m=(0, 0),
)
SIZES = (64, 96, 128, 256)
ROUNDS = 8


def render_samples(camera: str, count: int) -> list[Sample]:
    """Frames of the default scene whose first hand is in view."""
    maker = Generator(SynthConfig(seed=1, camera=camera))
    out = []
    for start in range(0, count, maker.batch):
        scenes = maker.sample(np.arange(start, min(start + maker.batch, count)))
        rendered = maker.render(scenes)
        hands, points = rendered.hands, rendered.hands.keypoints
        for b in range(len(scenes.frame_ids)):
            own = np.flatnonzero(scenes.hands.frame == b)
            if not len(own) or not points.visibility[own[0]].any():
                continue
            labels = make_hands(
                len(own),
                left=scenes.hands.left[own],
                keypoints_px=points.keypoints_px[own],
                keypoints_cam_m=hands.keypoints_cam_m[own],
                surface_depth_m=points.surface_depth_m[own],
                visibility=points.visibility[own],
                occlusion=points.occlusion[own],
                visible_fraction=hands.visible_fraction[own],
                box_px=hands.box_px[own],
                box_amodal_px=hands.box_amodal_px[own],
                T_camera_from_wrist=hands.T_camera_from_wrist[own],
            )
            images = Images(rendered.depth[b].copy(), rendered.codes[b].copy())
            out.append(Sample(maker.camera, images, labels, 1e4))
    return out


def measure(run: Callable[[int], object], count: int) -> str:
    """Milliseconds a call of run(0), run(1) ..., the best of some rounds."""
    best = np.inf
    for _ in range(ROUNDS):
        start = time.process_time()
        for i in range(count):
            run(i)
        best = min(best, (time.process_time() - start) / count)
    return f"{1e3 * best:.3f}"


def main(count: int = 96) -> None:
    """Print the table."""
    table = Table("camera", "size", "all", "crop", "nearest", "draw", "images", "labels")
    for camera in ("ego", "azure-nfov", "ahat"):
        samples = render_samples(camera, count)
        for size in SIZES:
            row = [measure_config(samples, replace(c, size=(size, size))) for c in (ALL, CROP)]
            nearest = replace(ALL, size=(size, size), resampling="nearest")
            table.add_row(
                camera, str(size), *row, measure_config(samples, nearest),
                *measure_steps(samples, replace(ALL, size=(size, size))),
            )  # fmt: skip
    console = Console(width=100)
    console.print(describe_machine())
    console.print(table)


def measure_config(samples: list[Sample], config: TrainingGeometry) -> str:
    """The whole function."""
    return measure(lambda i: augment_sample(samples[i], config, 1, i), len(samples))


def measure_steps(samples: list[Sample], config: TrainingGeometry) -> list[str]:
    """Drawing, images and labels apart."""
    drawn = [draw_geometry(s, config, 1, i) for i, s in enumerate(samples)]
    images = [apply_to_images(g, s.images, 1e4) for g, s in zip(drawn, samples, strict=True)]
    return [
        measure(lambda i: draw_geometry(samples[i], config, 1, i), len(samples)),
        measure(lambda i: apply_to_images(drawn[i], samples[i].images, 1e4), len(samples)),
        measure(
            lambda i: apply_to_hands(drawn[i], samples[i].hands, images[i].parts), len(samples)
        ),
    ]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
