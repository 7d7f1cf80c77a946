#!/usr/bin/env python3
"""Stereo by matching beside the fast model: a picture of the same frames, and a table of effects.

    python tools/draw_stereo.py docs/pictures/stereo_matched.png
    python tools/draw_stereo.py --table

A row a frame: the left infrared image, clean depth, matched, fast, and what differs between the two
(matched less fast, 1 cm to the full colour).
"""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from augment.matched_stereo.infrared_pair import expose_pair
from augment.matched_stereo.model import MatchedStereo
from augment.matched_stereo.sensing import sense_matched_stereo
from augment.profile import Profile, load_profile
from augment.shot import Reading, Shot
from augment.shots import prepare_shots
from augment.stereo.model import sense_stereo
from frames.camera import Camera
from frames.viewing import canvas as draw
from frames.viewing.palette import INK, NO_READING, TEXT, color_depth_m
from frames.viewing.sheet import write_picture
from synth.config import SynthConfig
from synth.generator import Generator
from synth.shot_labels import list_shot_labels
from synth.stereo_pair import render_pairs
from tools.stereo_effects import (
    Rows,
    measure_gaps,
    measure_hands,
    measure_melting,
    measure_planes,
    measure_silhouettes,
)

NATIVE = Camera("pinhole", 848, 480, 424.0, 424.0, 423.5, 239.5)
SHOWN = (2, 4, 5, 8, 12)
SIZE, GAP, CAPTION = (200, 176), 4, 20
TONES = 14
"""Steps between the tones that are kept: a smaller file."""
TITLES = ("infrared, left", "clean", "matched", "fast", "matched - fast, +-1 cm")
HANDS = 30


def load_models() -> tuple[MatchedStereo, Profile]:
    """The matched D435's parameters and the fast profile."""
    matched, fast = load_profile("d435-matched"), load_profile("d435")
    assert isinstance(matched, Profile) and isinstance(fast, Profile)
    return matched.parameters, fast


def list_shots(camera: Camera, seed: int, ids: np.ndarray, model: MatchedStereo) -> list[Shot]:
    """Shots of frames with their whole pairs."""
    maker = Generator(SynthConfig(seed=seed), camera)
    scenes = maker.sample(ids)
    images = maker.render(scenes)
    pairs = render_pairs(
        scenes, camera, maker.studio, model.focal_px, model.baseline_m, model.near_m, whole=True
    )
    labels = list_shot_labels(
        scenes, None, maker.studio.stock.solids, images.hands.keypoints_cam_m,
        images.T_camera_from_object,
    )  # fmt: skip
    shots = prepare_shots(labels, seed)
    return [
        replace(shots.shot(b, camera, images.depth[b], 1e4, images.codes[b]), pair=pairs[b])
        for b in range(len(ids))
    ]


def draw_row(shot: Shot, matched: Reading, fast: Reading, image: np.ndarray) -> np.ndarray:
    """Five panels around the hands: (h, w, 3) uint8."""
    hand = (shot.parts > 0) & (shot.parts < 224) & (shot.parts % 32 <= 16)
    v, u = np.nonzero(hand)
    width, height = SIZE
    x = int(np.clip(np.median(u) - width // 2, 0, hand.shape[1] - width))
    y = int(np.clip(np.median(v) - height // 2, 0, hand.shape[0] - height))
    part = np.s_[y : y + height, x : x + width]
    clean = shot.depth[part] / np.float32(1e4)
    near, far = np.quantile(clean[hand[part]], [0.02, 0.98])
    panels = [np.repeat(image[part][..., None], 3, 2)]
    for depth in (clean, matched.depth_m[part], fast.depth_m[part]):
        panels.append(color_depth_m(depth, near - 0.02, far + 0.25, 1 / shot.camera.fx))
    both = (matched.depth_m[part] > 0) & (fast.depth_m[part] > 0)
    gap = np.clip((matched.depth_m[part] - fast.depth_m[part]) / 0.01, -1, 1)[..., None]
    red, blue = np.array([226, 88, 60]), np.array([70, 130, 230])
    tone = 40 + np.where(gap > 0, gap * (red - 40.0), -gap * (blue - 40.0))
    panels.append(np.where(both[..., None], tone, NO_READING).astype(np.uint8))
    panels = [panel // TONES * TONES for panel in panels]
    gap_px = np.full((height, GAP, 3), INK, np.uint8)
    return np.concatenate([p for panel in panels for p in (panel, gap_px)][:-1], axis=1)


def draw_page() -> np.ndarray:
    """All rows under their titles."""
    model, fast = load_models()
    rows = []
    for shot in list_shots(NATIVE, 5, np.array(SHOWN), model):
        assert shot.pair is not None
        image = expose_pair(model, shot, shot.pair)[0][0]
        matched = sense_matched_stereo(model, shot)
        rows.append(draw_row(shot, matched, sense_stereo(fast.parameters, shot), image))
    title = draw.new_canvas(CAPTION, rows[0].shape[1], INK)
    for k, words in enumerate(TITLES):
        draw.draw_text(title, words, (k * (SIZE[0] + GAP) + 4, 15), TEXT, 13)
    gap = np.full((GAP, rows[0].shape[1], 3), INK, np.uint8)
    return np.concatenate([title, *(p for row in rows for p in (row, gap))][:-1])


def measure() -> list[tuple[str, float, float]]:
    """(effect, matched, fast) of every effect."""
    model, fast = load_models()
    shots = list_shots(NATIVE, 11, np.arange(HANDS), model)
    senses = partial(sense_matched_stereo, model), partial(sense_stereo, fast.parameters)
    columns: list[Rows] = []
    for sense in senses:
        rows: Rows = {}
        for effect in (measure_planes, measure_silhouettes, measure_melting, measure_gaps):
            rows.update(effect(model, sense))
        rows.update(measure_hands(shots, sense))
        columns.append(rows)
    return [(name, columns[0][name], columns[1][name]) for name in columns[0]]


def main(*arguments: str) -> None:
    """Write the picture, or print the table."""
    if arguments == ("--table",):
        print("| effect | matched | fast |\n|---|---|---|")
        for name, matched, fast in measure():
            print(f"| {name} | {matched:.3g} | {fast:.3g} |")
        return
    write_picture(draw_page(), Path(arguments[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
