#!/usr/bin/env python3
"""Draw examples of every grasp of the taxonomy: docs/pictures/grasps.png.

    python tools/draw_grasps.py docs/pictures/grasps.png [--only 3,16] [--examples 3]

Right hands of several people with things of the catalogue, as the solver leaves them, from two
sides, rendered by our own rasteriser and shaded by the normals of their depth.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from frames.camera import Camera
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.sheet import write_picture
from synth.config import GraspConfig
from synth.contact.grasps import solve_grasps
from synth.contact.probes import build_probes
from synth.hand.builtin import builtin_rig
from synth.hand.collision import build_capsules
from synth.hand.kinematics import pose_hands
from synth.hand.rig import Rig
from synth.pose.feix import GRASPS
from synth.raster.canvas import Canvas
from synth.things.catalogue import build_catalogue
from synth.things.distance import pack_grids
from synth.things.solid import Solid

SIZE, SAMPLES = 150, 3
DISTANCE_M, SPAN_M = 1.2, 0.24
MIDDLE_M = np.array([0.0, -0.02, -0.075])
SEATED_M = 0.5
PEOPLE, DRAWS = 16, 160
LIGHT = np.array([-0.35, -0.55, -0.76])
SKIN, ARM, THING = (0.96, 0.86, 0.79), (0.62, 0.66, 0.72), (0.42, 0.68, 0.86)


def _look(toward: tuple[float, float, float]) -> np.ndarray:
    """(3, 3) camera axes in the wrist frame for a camera that looks along `toward`, fingers up."""
    z = np.array(toward) / np.linalg.norm(toward)
    down = np.array([0.0, 0.0, 1.0])
    y = down - (down @ z) * z
    y /= np.linalg.norm(y)
    return np.stack([np.cross(y, z), y, z])


VIEWS = (_look((0.25, 1.0, 0.25)), _look((1.0, 0.35, 0.1)))
"""From the palm's side, and from the thumb's."""


def draw_hold(
    canvas: Canvas, rig: Rig, vertices: np.ndarray, solid: Solid, T: np.ndarray, turn: np.ndarray
) -> np.ndarray:
    """Hand (V, 3) and solid at T in the wrist frame -> (SIZE, SIZE, 3) uint8."""
    canvas.begin()
    thing = solid.model.vertices.astype(np.float64) @ T[:3, :3].T + T[:3, 3]
    for layer, (points, faces, codes) in enumerate(
        (
            (vertices, rig.faces, rig.face_parts),
            (thing, solid.model.faces, np.full(len(solid.model.faces), 18, np.uint8)),
        )
    ):
        seen = (points.astype(np.float64) - MIDDLE_M) @ turn.T + [0.0, 0.0, DISTANCE_M]
        canvas.draw(layer, seen, faces, codes)
    codes, depth = canvas.layer(0)
    other_codes, other = canvas.layer(1)
    nearer = (other_codes > 0) & ((codes == 0) | (other < depth))
    codes, depth = np.where(nearer, other_codes, codes), np.where(nearer, other, depth)
    points = np.dstack([canvas.camera.ray_table(), np.ones_like(depth)]) * depth[..., None]
    normal = np.cross(_slope(points, 0), _slope(points, 1))
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    bright = 0.26 + 0.74 * np.clip(normal @ LIGHT, 0, 1)
    tint = np.full((19, 3), SKIN)
    tint[17], tint[18] = ARM, THING
    paper = np.array(palette.PAPER, np.float64)
    color = np.where((codes > 0)[..., None], 255 * tint[codes] * bright[..., None], paper)
    small = cv2.resize(color, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return np.clip(small, 0, 255).astype(np.uint8)


def _slope(points: np.ndarray, axis: int) -> np.ndarray:
    ahead = np.roll(points, -1, axis) - points
    behind = points - np.roll(points, 1, axis)
    nearer = np.abs(ahead[..., 2:]) <= np.abs(behind[..., 2:])
    return np.where(nearer, ahead, behind)


def draw_grasps(numbers: list[int], examples: int, columns: int) -> np.ndarray:
    """Examples of the grasps with these numbers, (H, W, 3) uint8."""
    rig = builtin_rig(seed=0, identities=PEOPLE)
    capsules, probes = build_capsules(rig), build_probes(rig)
    solids = build_catalogue(0)
    pack = pack_grids(solids)
    side = SIZE * SAMPLES
    focal = side * DISTANCE_M / SPAN_M
    canvas = Canvas(Camera("pinhole", side, side, focal, focal, (side - 1) / 2, (side - 1) / 2), 2)
    width, height = 2 * examples * SIZE + 10, SIZE + 22
    rows = -(-len(numbers) // columns)
    picture = draw.new_canvas(rows * height, columns * width, palette.PAPER)
    ids = np.arange(DRAWS)
    # Things in turn; the first of each kind is shown.
    spread = ids * 7
    for k, number in enumerate(numbers):
        chosen = (spread + 11 * number) % len(solids)
        others = ",".join(f"{g.name}:0" for g in GRASPS if g.number != number)
        holds = solve_grasps(
            GraspConfig(favour=others), number, ids, "draw", rig, capsules, probes, solids, pack,
            ids % PEOPLE, chosen, np.zeros(DRAWS, bool),
        )  # fmt: skip
        still, right = np.tile(np.eye(4), (DRAWS, 1, 1)), np.zeros(DRAWS, bool)
        vertices, _ = pose_hands(rig, ids % PEOPLE, holds.angles, still, right)
        left, top = k % columns * width, k // columns * height
        shown: list[str] = []
        for n in np.flatnonzero(holds.ok):
            solid = solids[chosen[n]]
            if solid.kind in shown or len(shown) == examples:
                continue
            for v, turn in enumerate(VIEWS):
                x = left + (2 * len(shown) + v) * SIZE
                picture[top + 22 : top + height, x : x + SIZE] = draw_hold(
                    canvas, rig, vertices[n], solid, holds.T_wrist_from_object[n], turn
                )
            shown.append(solid.kind)
        title = f"{number} {GRASPS[number - 1].name}"
        draw.draw_text(picture, title, (left + 4, top + 16), palette.TEXT, 15)
        note = ", ".join(shown)
        draw.draw_text(picture, note, (left + 200, top + 16), palette.MUTED, 13)
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="", help="numbers of the taxonomy, as 3,16")
    parser.add_argument("--examples", type=int, default=3, help="of each grasp")
    parser.add_argument("--columns", type=int, default=2, help="grasps side by side")
    options = parser.parse_args()
    numbers = [int(n) for n in options.only.split(",") if n] or [g.number for g in GRASPS]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_picture(draw_grasps(numbers, options.examples, options.columns), options.out)


if __name__ == "__main__":
    main()
