"""How near refined hands come to the truth, beside lifting alone; and how fast.

python -m bench.refinement [PROFILE ...]           errors and speed.
python -m bench.refinement checks [PROFILE ...]    what fits are judged by, and planted faults.

Synthetic frames as a sensor reads them; every keypoint in the image is labelled with normal noise
of 2 px along each axis, whether it is visible or not, and marked as such. Refinement sees the noisy
labels and the sensor's depth.
"""

import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from augment.readings import sense_frames
from augment.sensing import choose_sensing
from bench.render import describe_machine
from frames.record import Frame
from frames.rows import Rows
from labeling.refinement.checks import (
    BONES_SD,
    DEPTH_M,
    LABELS_SD,
    MISSING,
    WORST_JOINT_SD,
    Measures,
    find_doubt,
    find_lack,
    measure_fit,
)
from labeling.refinement.evidence import LABEL_SD_PX, Evidence, lift_joints, state_sigma
from labeling.refinement.fitting import Fit, FitOptions, estimate_noise, fit_hands
from labeling.refinement.joint_centres import estimate_centres, see, shift_keypoints
from labeling.refinement.masks import build_canvas, draw_fits
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


def plant_faults(cases: list[Case], rng: np.random.Generator) -> dict[str, list[Evidence]]:
    """The same labels with one thing wrong with each hand."""
    out: dict[str, list[Evidence]] = {"good": [c.evidence for c in cases]}
    for name in ("other side", "fingers exchanged", "joint moved 25 px", "hand moved 20 px"):
        out[name] = []
    for case in cases:
        good = case.evidence
        out["other side"].append(replace(good, left=not good.left))
        px = good.keypoints_px.copy()
        px[5:9], px[13:17] = px[13:17].copy(), px[5:9].copy()
        out["fingers exchanged"].append(replace(good, keypoints_px=px))
        px = good.keypoints_px.copy()
        turn = rng.uniform(0, 2 * np.pi, 2)
        joint = int(rng.choice(np.flatnonzero(good.labelled & good.visible)))
        px[joint] += 25 * np.array([np.cos(turn[0]), np.sin(turn[0])])
        out["joint moved 25 px"].append(replace(good, keypoints_px=px))
        px = good.keypoints_px + 20 * np.array([np.cos(turn[1]), np.sin(turn[1])])
        out["hand moved 20 px"].append(replace(good, keypoints_px=px))
    return out


def time_checks(console: Console, names: tuple[str, ...]) -> None:
    """How the measures of good labels are distributed, and how many planted faults are found."""
    spread = Table(
        *("measure", "median", "90 %", "99 %", "limit"), title="fits to good labels, all sensors"
    )
    faults = Table(*("labels", "hands", "to review", "reasons"), title="planted faults")
    found: dict[str, list[tuple[Measures, str | None]]] = {}
    for name in names:
        cases = build_cases(name, FRAMES, SynthConfig(seed=12, camera="ego"))
        for fault, hands in plant_faults(cases, np.random.default_rng(5)).items():
            usable = [(c, e) for c, e in zip(cases, hands, strict=True) if find_lack(e) is None]
            fits = fit_hands([e for _, e in usable])
            for (case, evidence), fit in zip(usable, fits, strict=True):
                noise = estimate_noise(evidence.depth_m)
                places: list[Fit | None] = [None] * len(case.frame.hands)
                places[case.hand] = fit
                canvas = build_canvas(case.frame.camera, len(places))
                drawn = draw_fits(canvas, places, evidence.depth_m, noise)
                measured = measure_fit(evidence, fit, drawn, case.hand, noise)
                found.setdefault(fault, []).append((measured, find_doubt(measured)))
    limits = {
        "worst_sd": WORST_JOINT_SD,
        "labels_sd": LABELS_SD,
        "depth_m": DEPTH_M,
        "missing": MISSING,
        "bones_sd": BONES_SD,
    }
    for measure_name, limit in limits.items():
        values = np.array([getattr(m, measure_name) for m, _ in found["good"]])
        quantiles = np.nanpercentile(values, (50, 90, 99))
        spread.add_row(measure_name, *(f"{q:.4f}" for q in quantiles), f"{limit:g}")
    for fault, judged in found.items():
        reasons = [reason.split(":")[0] for _, reason in judged if reason]
        counts = ", ".join(f"{n} {r}" for r, n in Counter(reasons).most_common())
        faults.add_row(fault, str(len(judged)), f"{len(reasons) / len(judged):.0%}", counts)
    console.print(spread)
    console.print(faults)


def main(*names: str) -> None:
    """Print the tables."""
    console = Console(width=120)
    if names[:1] == ("checks",):
        time_checks(console, names[1:] or SENSORS)
        return
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
