#!/usr/bin/env python3
"""Draw hands before and after refinement, and what the refined model shows.

    python tools/draw_refinement.py docs/pictures/refinement.png [SENSOR ...]

A row a hand of a synthetic frame as the sensor reads it: labels with their noise; the fitted hand's
joints over the same image; its part mask; and from the side (depth to the right), truth in white,
lifted joints as crosses in yellow, the fitted hand in its fingers' colours.
"""

import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from bench.refinement import Case, build_cases
from frames.skeleton import BONES, KEYPOINT_COLORS
from frames.viewing.canvas import draw_dot, draw_line, draw_ring, draw_text, new_canvas
from frames.viewing.palette import INK, TEXT, color_depth_m
from frames.viewing.sheet import write_picture
from labeling.refinement.evidence import lift_joints
from labeling.refinement.fitting import Fit, estimate_noise, fit_hands
from labeling.refinement.masks import build_canvas, draw_fits
from synth.config import SynthConfig

SENSORS: Final = ("d435", "azure-kinect", "sr300")
HANDS: Final = 2
"""Of each sensor."""
SIDE: Final = 230
GAP: Final = 4
HEAD: Final = 22
FRAMES: Final = 12
TITLES: Final = ("labels, 2 px noise", "fitted hand", "its parts", "from the side: white is true")
WHITE: Final = (255, 255, 255)
YELLOW: Final = (255, 210, 60)


def draw_skeleton(
    picture: np.ndarray, places: np.ndarray, color: tuple[int, int, int] | None = None
) -> None:
    """Bones and joints (21, 2); in the fingers' colours if none is given."""
    for a, b in BONES:
        draw_line(picture, places[a], places[b], color or KEYPOINT_COLORS[b], 1)
    for k in range(21):
        if np.isfinite(places[k]).all():
            draw_dot(picture, places[k], 2.2, color or KEYPOINT_COLORS[k])


def draw_case(case: Case, fit: Fit) -> np.ndarray:
    """One row."""
    evidence = case.evidence
    camera, depth = evidence.camera, evidence.depth_m
    truth_px = camera.project(case.truth_m)
    inside = camera.contains(truth_px)
    middle = (truth_px[inside].min(0) + truth_px[inside].max(0)) / 2
    half = max(24.0, 0.62 * float(np.ptp(truth_px[inside], axis=0).max()))
    scale = SIDE / (2 * half)
    shift = np.array(
        [[scale, 0, SIDE / 2 - scale * middle[0]], [0, scale, SIDE / 2 - scale * middle[1]]]
    )
    near, far = case.truth_m[:, 2].min() - 0.03, case.truth_m[:, 2].max() + 0.06
    shade = color_depth_m(depth, float(near), float(far), 1 / camera.fx)

    def cut(image: np.ndarray) -> np.ndarray:
        return cv2.warpAffine(image, shift, (SIDE, SIDE), flags=cv2.INTER_NEAREST)

    def put(px: np.ndarray) -> np.ndarray:
        return np.asarray(px @ shift[:, :2].T + shift[:, 2])

    dim = (cut(shade) * 0.65).astype(np.uint8)
    before, after, side = dim.copy(), dim.copy(), new_canvas(SIDE, SIDE, INK)
    draw_skeleton(before, put(evidence.keypoints_px))
    for k in np.flatnonzero(evidence.labelled & ~evidence.visible):
        draw_ring(before, put(evidence.keypoints_px)[k], 5, WHITE)
    draw_skeleton(after, put(camera.project(fit.keypoints_m)))
    places: list[Fit | None] = [None] * len(case.frame.hands)
    places[case.hand] = fit
    drawn = draw_fits(build_canvas(camera, len(places)), places, depth, estimate_noise(depth))
    mask = (shade * 0.65).astype(np.uint8)
    tints = np.array([INK, (150, 150, 150), *_tint_parts(), (90, 90, 90)], np.uint8)
    code = drawn.parts % 32
    mask[code > 0] = (0.35 * mask[code > 0] + 0.65 * tints[code[code > 0]]).astype(np.uint8)
    centre = case.truth_m.mean(0)
    metres = SIDE / 0.26

    def turn(points: np.ndarray) -> np.ndarray:
        away = (points - centre) * metres
        return np.stack([away[:, 2], away[:, 1]], -1) + SIDE / 2

    draw_skeleton(side, turn(case.truth_m), WHITE)
    draw_skeleton(side, turn(fit.keypoints_m))
    lifted, sure = lift_joints(evidence)
    for k in np.flatnonzero(sure == 1.0):
        at = turn(lifted)[k]
        for step in (np.array([3.0, 3.0]), np.array([3.0, -3.0])):
            draw_line(side, at - step, at + step, YELLOW)
    error = 1e3 * np.linalg.norm(fit.keypoints_m - case.truth_m, axis=-1)
    draw_text(side, f"{np.median(error):.1f} mm", (6, 12), TEXT, 12)
    cells = [before, after, cut(mask), side]
    row = new_canvas(SIDE, 4 * SIDE + 3 * GAP, INK)
    for i, cell in enumerate(cells):
        row[:, i * (SIDE + GAP) : i * (SIDE + GAP) + SIDE] = cell
    return row


def _tint_parts() -> list[tuple[int, int, int]]:
    out = []
    for finger in range(5):
        base = np.array(KEYPOINT_COLORS[4 * finger + 1], float)
        out += [tuple(int(c) for c in base * f) for f in (0.7, 0.85, 1.0)]
    return out  # type: ignore[return-value]


def main(out: str, *sensors: str) -> None:
    """Write the picture."""
    rows = []
    for i, sensor in enumerate(sensors or SENSORS):
        cases = build_cases(sensor, FRAMES, SynthConfig(seed=21, camera="ego"))
        whole = [c for c in cases if c.evidence.labelled.sum() >= 19]
        cases = whole[2 * HANDS * i : 2 * HANDS * (i + 1) : 2]
        fits = fit_hands([c.evidence for c in cases])
        for case, fit in zip(cases, fits, strict=True):
            row = draw_case(case, fit)
            draw_text(row, f"{sensor}, frame {case.frame.frame_id}", (6, 12), TEXT, 12)
            rows.append(row)
    page = new_canvas(HEAD + len(rows) * (SIDE + GAP), rows[0].shape[1], INK)
    for i, title in enumerate(TITLES):
        draw_text(page, title, (i * (SIDE + GAP) + 6, HEAD / 2), TEXT, 12)
    for i, row in enumerate(rows):
        top = HEAD + i * (SIDE + GAP)
        page[top : top + SIDE] = row
    write_picture(page, Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
