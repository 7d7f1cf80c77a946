"""Which fits go to the review list: right ones and wrong ones, counted.

python -m bench.refinement_checks [PROFILE ...]        planted faults
python -m bench.refinement_checks sizes [PROFILE ...]  in images of three sizes

Frames and labels as in bench/refinement.py, then with one thing wrong with each hand.
"""

import json
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.refinement import FRAMES, SENSORS, Case, build_cases
from bench.render import describe_machine
from frames.camera import CAMERAS, Camera
from labeling.refinement.checks import (
    BONES_SD,
    DEPTH_M,
    LABELS_SD,
    MISSING,
    UNSEEN,
    WORST_JOINT_SD,
    Measures,
    find_doubt,
    find_lack,
    measure_fit,
)
from labeling.refinement.evidence import LABEL_SD_PX, Evidence
from labeling.refinement.fitting import Fit, estimate_noise, fit_hands
from labeling.refinement.masks import build_canvas, draw_fits
from synth.config import SynthConfig

SHIFT_M: Final = 0.03
POSED_M: Final = 0.02
"""Mean distance of another pose's keypoints from the hand's own, at least."""

PALM: Final = [0, 5, 9, 13, 17]


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


def count_faults(console: Console, names: tuple[str, ...]) -> None:
    """How the measures of good labels are distributed, and how many planted faults are found."""
    spread = Table(
        *("measure", "median", "90 %", "99 %", "limit"), title="fits to good labels, all sensors"
    )
    faults = Table(*("labels", "hands", "to review", "reasons"), title="planted faults")
    found: dict[str, list[tuple[Measures, str | None]]] = {}
    for name in names:
        cases = build_cases(name, FRAMES, SynthConfig(seed=12, camera="ego"))
        for fault, hands in plant_faults(cases, np.random.default_rng(5)).items():
            judged = judge(cases, hands)
            found.setdefault(fault, []).extend((m, reason) for m, reason, _ in judged)
    limits = {
        "worst_sd": WORST_JOINT_SD,
        "labels_sd": LABELS_SD,
        "depth_m": DEPTH_M,
        "missing": MISSING,
        "unseen": UNSEEN,
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


def judge(cases: list[Case], hands: list[Evidence]) -> list[tuple[Measures, str | None, float]]:
    """Hands of cases fitted to these labels: measures, doubt, and the median error in metres."""
    usable = [(c, e) for c, e in zip(cases, hands, strict=True) if find_lack(e) is None]
    out = []
    for (case, evidence), fit in zip(usable, fit_hands([e for _, e in usable]), strict=True):
        noise = estimate_noise(evidence.depth_m)
        places: list[Fit | None] = [None] * len(case.frame.hands)
        places[case.hand] = fit
        canvas = build_canvas(case.frame.camera, len(places))
        drawn = draw_fits(canvas, places, evidence.depth_m, noise)
        measured = measure_fit(evidence, fit, drawn, case.hand, noise)
        error = np.median(np.linalg.norm(fit.keypoints_m - case.truth_m, axis=-1))
        out.append((measured, find_doubt(measured), float(error)))
    return out


def plant_wrong_hands(
    cases: list[Case], rng: np.random.Generator
) -> dict[str, tuple[list[Case], list[Evidence]]]:
    """Labels of the hand as it is, 3 cm beside it, and of another pose on the same palm."""
    shifted, posed, owners = [], [], []
    for case in cases:
        own, camera = case.evidence, case.frame.camera
        turn = rng.uniform(0, 2 * np.pi)
        aside = SHIFT_M * np.array([np.cos(turn), np.sin(turn)])
        px = own.keypoints_px + aside * camera.fx / case.truth_m[:, 2].mean()
        shifted.append(_relabel(own, px))
        others = [
            points
            for o in cases
            if o.evidence.left == own.left
            for points in [_lay_on(o.truth_m, case.truth_m)]
            if np.linalg.norm(points - case.truth_m, axis=-1).mean() > POSED_M
        ]
        if others:
            points = others[rng.integers(len(others))]
            px = camera.project(points) + rng.normal(0, LABEL_SD_PX, (21, 2))
            posed.append(_relabel(own, px))
            owners.append(case)
    good = [c.evidence for c in cases]
    return {"right": (cases, good), "3 cm": (cases, shifted), "pose": (owners, posed)}


def _relabel(own: Evidence, px: np.ndarray) -> Evidence:
    return replace(own, keypoints_px=np.where(own.camera.contains(px)[:, None], px, np.nan))


def _lay_on(points: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """A hand's keypoints, its palm on another one's (Kabsch)."""
    middle, there = points[PALM].mean(0), truth[PALM].mean(0)
    u, _, vt = np.linalg.svd((points[PALM] - middle).T @ (truth[PALM] - there))
    turn = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    return np.asarray((points - middle) @ turn + there)


def count_by_size(console: Console, names: tuple[str, ...]) -> None:
    """How many right and wrong hands go to review, by the size of the image."""
    table = Table(
        *("image", "sensor", "hands", "right", "fit within 1 cm", "3 cm beside", "another pose"),
        title=f"{describe_machine()}\nhands that go to review; label noise {LABEL_SD_PX:g} px",
    )
    ego = CAMERAS["ego"]
    for factor in (0.5, 1.0, 2.0):
        camera = Camera(
            "pinhole",
            *(round(ego.width * factor), round(ego.height * factor)),
            *(ego.fx * factor, ego.fy * factor),
            *((ego.cx + 0.5) * factor - 0.5, (ego.cy + 0.5) * factor - 0.5),
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "camera.json"
            path.write_text(json.dumps(camera.to_dict()))
            config = SynthConfig(seed=12, camera=str(path))
            for name in names:
                cases = build_cases(name, FRAMES, config)
                told = {
                    fault: judge(*wrong)
                    for fault, wrong in plant_wrong_hands(cases, np.random.default_rng(7)).items()
                }
                rate = {
                    fault: f"{sum(r is not None for _, r, _ in judged) / len(judged):.0%}"
                    for fault, judged in told.items()
                }
                near = [reason for _, reason, error in told["right"] if error < 0.01]
                table.add_row(
                    *(f"{camera.width} x {camera.height}", name, str(len(cases)), rate["right"]),
                    f"{sum(r is not None for r in near)} of {len(near)}",
                    *(rate["3 cm"], rate["pose"]),
                )
    console.print(table)


def main(*names: str) -> None:
    """Print the tables."""
    console = Console(width=120)
    if names[:1] == ("sizes",):
        count_by_size(console, names[1:] or ("d435", "sr300"))
    else:
        count_faults(console, names or SENSORS)


if __name__ == "__main__":
    main(*sys.argv[1:])
