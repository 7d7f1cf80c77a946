"""How near refined hands come to the truth, beside lifting alone; and how fast.

python -m bench.refinement [PROFILE ...]

Synthetic frames as a sensor reads them; every keypoint in the image is labelled with normal noise
of 2 px along each axis, whether it is visible or not, and marked as such. Refinement sees the noisy
labels and the sensor's depth.
"""

import sys
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from augment.readings import sense_frames
from augment.sensing import choose_sensing
from bench.render import describe_machine
from frames.record import Frame
from frames.store.rows import Rows
from labeling.refinement.evidence import LABEL_SD_PX, Evidence, lift_joints, state_sigma
from labeling.refinement.fitting import Fit, FitOptions, fit_hands
from labeling.refinement.joint_centres import estimate_centres, see, shift_keypoints
from synth.config import SynthConfig
from synth.generator import Generator

SENSORS: Final = ("d435", "azure-kinect", "sr300", "zed", "kinect-v1")
FRAMES: Final = 60
LEAST_LABELS: Final = 12
"""Hands with fewer keypoints in the image are left out."""


@dataclass(frozen=True, eq=False)
class Case:
    """A labelled hand and its truth."""

    evidence: Evidence
    truth_m: np.ndarray
    """(21, 3)"""
    frame: Frame
    hand: int


def build_cases(sensor: str, frames: int, config: SynthConfig, seed: int = 0) -> list[Case]:
    """Hands of the wearer in synthetic frames, labelled with noise."""
    sensing = choose_sensing(sensor, seed, False)
    assert sensing is not None
    rows = Rows(Generator(config).make_table(0, frames))
    sensed = sense_frames(sensing, [rows.frame(i) for i in range(frames)])
    rng = np.random.default_rng(seed)
    out = []
    for frame in sensed:
        assert frame.depth is not None
        depth = frame.depth.astype(np.float32) / np.float32(frame.depth_scale)
        for k, hand in enumerate(frame.hands):
            evidence = label_hand(frame, k, depth, rng)
            read = np.isfinite(evidence.lifted_m)
            if evidence.labelled.sum() >= LEAST_LABELS and read.sum() >= 3:
                out.append(Case(evidence, hand.keypoints_cam_m.astype(np.float64), frame, k))
    return out


def label_hand(
    frame: Frame, k: int, depth_m: np.ndarray, rng: np.random.Generator, sd_px: float = LABEL_SD_PX
) -> Evidence:
    """What an annotator would say: the truth with noise, nothing outside the image."""
    hand = frame.hands[k]
    px = hand.keypoints_px + rng.normal(0, sd_px, (21, 2))
    px = np.where((hand.visibility > 0)[:, None], px, np.nan)
    # What the sensor does not read is seen all the same.
    visible = (hand.visibility == 2) | (hand.occlusion == 5)
    return Evidence(frame.camera, depth_m, hand.side == "left", px, visible, state_sigma(visible))


def lift_alone(case: Case) -> np.ndarray:
    """(21, 3) what labels and readings give without a model; joints without a label, where the
    others' middle is."""
    points, _ = lift_joints(case.evidence)
    return np.where(np.isfinite(points), points, np.nanmedian(points, axis=0))


def measure(cases: list[Case], fits: list[Fit]) -> dict[str, np.ndarray]:
    """Errors in mm of both ways and what each joint is."""
    truth = np.array([c.truth_m for c in cases])
    return {
        "lifting": np.linalg.norm([lift_alone(c) for c in cases] - truth, axis=-1) * 1e3,
        "refinement": np.linalg.norm(np.array([f.keypoints_m for f in fits]) - truth, axis=-1)
        * 1e3,
        "visible": np.array([c.evidence.visible & c.evidence.labelled for c in cases]),
        "hidden": np.array([~c.evidence.visible & c.evidence.labelled for c in cases]),
        "outside": np.array([~c.evidence.labelled for c in cases]),
        "lifted": np.array([np.isfinite(c.evidence.lifted_m) for c in cases]),
    }


def main(*names: str) -> None:
    """Print the tables."""
    console = Console(width=120)
    table = Table(
        *("frames", "hands", "way", "all", "p90", "visible", "occluded", "outside", "lifted"),
        title=f"{describe_machine()}\nmedian 3D error, mm; labels with {LABEL_SD_PX:g} px noise",
        caption="lifted: joints to which lifting gives a depth; others get the hand's middle",
    )
    wanted = [(name, "builtin") for name in names or SENSORS]
    for name, hand in [*wanted, (wanted[0][0], "webxr")]:
        cases = build_cases(name, FRAMES, SynthConfig(seed=11, camera="ego", hand=hand))
        fit_hands([c.evidence for c in cases[:2]])
        start = time.process_time()
        fits = fit_hands([c.evidence for c in cases], FitOptions())
        spent = time.process_time() - start
        centres = estimate_centres(
            [see(c.evidence, fit) for c, fit in zip(cases, fits, strict=True)]
        )
        fits = [fit for fit in shift_keypoints(fits, centres) if fit is not None]
        found = measure(cases, fits)
        label = name if hand == "builtin" else f"{name}, {hand} hand"
        for way in ("lifting", "refinement"):
            error = found[way]
            cells = [f"{np.median(error):.1f}", f"{np.percentile(error, 90):.1f}"]
            cells += [
                f"{np.median(error[found[k]]):.1f}" if found[k].any() else "-"
                for k in ("visible", "hidden", "outside", "lifted")
            ]
            table.add_row(label, str(len(cases)), way, *cells)
        console.print(f"{label}: {len(cases) / spent:.1f} hands a second of one core")
    console.print(table)


if __name__ == "__main__":
    main(*sys.argv[1:])
