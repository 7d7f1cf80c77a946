#!/usr/bin/env python3
"""Draw every kind of pair of hands from the wearer's eyes and from the side.

    python tools/draw_together.py docs/pictures/together.png
    python tools/draw_together.py docs/pictures/together_objects.png objects

Names of kinds after the picture's draw only those; `objects` draws two hands on one thing.
Rendered by our own rasteriser and shaded by the normals of its depth; the second hand is darker.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from frames.camera import Camera
from frames.viewing import canvas as draw
from frames.viewing import palette
from frames.viewing.sheet import write_picture
from synth.config import TogetherConfig
from synth.contact.flesh import build_flesh
from synth.contact.together import solve_together
from synth.contact.together_kinds import KINDS
from synth.contact.together_objects import solve_shared
from synth.contact.together_shares import list_shares
from synth.contact.together_table import kind_table
from synth.hand.builtin import builtin_rig
from synth.hand.collision import build_capsules
from synth.hand.kinematics import pose_hands
from synth.hand.rig import Rig
from synth.raster.canvas import Canvas
from synth.rigid import multiply
from synth.things.catalogue import build_catalogue
from synth.things.distance import pack_grids

PEOPLE = 8
VIEWS = ("from the eyes", "from the left", "from the front")
TURNS = np.array(
    [
        [[1.0, 0, 0], [0, -0.6, -0.8], [0, 0.8, -0.6]],
        [[0, -1.0, 0], [0.3, 0, -0.954], [0.954, 0, 0.3]],
        [[-0.9, -0.436, 0], [0.13, -0.27, -0.954], [0.416, -0.859, 0.3]],
    ]
)
"""Camera axes (right, down, forward) in the body's frame."""

WIDTH, HEIGHT = 148, 148
SAMPLES = 4
"""A picture's pixel is the mean of so many by so many rendered ones."""
DISTANCE_M, SPAN_M = 1.2, 0.32
COLUMNS, GAP, CAPTION = 3, 14, 26
TINTS = np.array([[0.96, 0.87, 0.80], [0.72, 0.80, 0.90]])
LIGHT = np.array([-0.35, -0.55, -0.76])


def draw_view(
    canvas: Canvas, meshes: list[tuple[np.ndarray, np.ndarray, np.ndarray]], turn: np.ndarray
) -> np.ndarray:
    """Meshes (vertices (V, 3) in the body's frame, faces, codes) -> (HEIGHT, WIDTH, 3) uint8."""
    middle = np.mean([v.mean(0) for v, _, _ in meshes[:2]], axis=0)
    canvas.begin()
    for vertices, faces, codes in meshes:
        seen = (vertices.astype(np.float64) - middle) @ turn.T + [0.0, 0.0, DISTANCE_M]
        canvas.draw(0, seen, faces, codes)
    codes, depth = canvas.layer(0)
    points = np.dstack([canvas.camera.ray_table(), np.ones_like(depth)]) * depth[..., None]
    normal = np.cross(_slope(points, 0), _slope(points, 1))
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    bright = 0.26 + 0.74 * np.clip(normal @ LIGHT, 0, 1)
    tint = np.ones((256, 3)) * (0.85, 0.82, 0.6)
    for h in (0, 1):
        tint[32 * h : 32 * h + 18] = TINTS[h]
        tint[32 * h + 17] *= 0.85
    paper = np.array(palette.PAPER, np.float64)
    color = np.where((codes > 0)[..., None], 255 * tint[codes] * bright[..., None], paper)
    small = cv2.resize(color, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.clip(small, 0, 255).astype(np.uint8)


def _slope(points: np.ndarray, axis: int) -> np.ndarray:
    """Differences to the nearer in depth of both neighbours: no slope runs over an outline."""
    ahead = np.roll(points, -1, axis) - points
    behind = points - np.roll(points, 1, axis)
    nearer = np.abs(ahead[..., 2:]) <= np.abs(behind[..., 2:])
    return np.where(nearer, ahead, behind)


def new_canvas() -> Canvas:
    width, height = WIDTH * SAMPLES, HEIGHT * SAMPLES
    focal = height * DISTANCE_M / SPAN_M
    return Canvas(
        Camera("pinhole", width, height, focal, focal, (width - 1) / 2, (height - 1) / 2), layers=1
    )


def pose_pairs(
    rig: Rig,
    identity: np.ndarray,
    angles: np.ndarray,
    T_first_from_second: np.ndarray,
    R_body_from_first: np.ndarray,
) -> list[np.ndarray]:
    """Vertices of the first, right, and the second hands (N, V, 3) in the body's frame."""
    body = np.tile(np.eye(4), (len(identity), 1, 1))
    body[:, :3, :3] = R_body_from_first
    places = (body, multiply(body, T_first_from_second))
    return [
        pose_hands(rig, identity, angles[:, h], places[h], np.full(len(identity), h == 1))[0]
        for h in (0, 1)
    ]


def draw_together(names: list[str]) -> np.ndarray:
    """The kinds whose names contain one of `names` (all, if there are none): (H, W, 3) uint8."""
    rig = builtin_rig(seed=0, identities=PEOPLE)
    kinds = [k for k, kind in enumerate(KINDS) if not names or any(n in kind.name for n in names)]
    kind = np.array(kinds)
    identity = np.arange(len(kind)) % PEOPLE
    pairs = solve_together(
        TogetherConfig(),
        0,
        np.arange(len(kind)),
        "picture",
        rig,
        build_capsules(rig),
        build_flesh(rig),
        identity,
        np.zeros(len(kind), bool),
        kind,
    )
    hands = pose_pairs(
        rig, identity, pairs.angles, pairs.T_first_from_second, kind_table().body_from_first[kind]
    )
    cells = []
    for n, k in enumerate(kind):
        touching = int((pairs.gap_m[n] < 0.0015).sum())
        note = f"{touching} parts touch" if touching else "apart"
        note = note if pairs.ok[n] else "no try was good"
        cells.append((KINDS[k].name, note, hand_meshes(rig, hands, n)))
    return draw_cells(cells)


def draw_objects() -> np.ndarray:
    """Two hands on each thing of the catalogue that they can share: (H, W, 3) uint8."""
    rig = builtin_rig(seed=0, identities=PEOPLE)
    solids = build_catalogue(0, 2)
    shares = list_shares(solids)
    solid = np.flatnonzero(np.diff(shares.start) > 0)
    identity = np.arange(len(solid)) % PEOPLE
    holds = solve_shared(
        TogetherConfig(),
        0,
        np.arange(len(solid)),
        "picture",
        rig,
        build_capsules(rig),
        build_flesh(rig),
        shares,
        pack_grids(solids),
        identity,
        solid,
        np.zeros(len(solid), bool),
    )
    hands = pose_pairs(
        rig, identity, holds.angles, holds.T_first_from_second, holds.R_body_from_first
    )
    cells = []
    for n, s in enumerate(solid):
        model = solids[s].model
        T = holds.T_first_from_object[n]
        placed = (model.vertices @ T[:3, :3].T + T[:3, 3]) @ holds.R_body_from_first[n].T
        thing = (placed, model.faces, np.full(len(model.faces), 224, np.uint8))
        touching = (holds.gap_m[n] < 0.0015).sum(1)
        note = f"{touching[0]} and {touching[1]} parts" if holds.ok[n] else "no try was good"
        cells.append((solids[s].name, note, [*hand_meshes(rig, hands, n), thing]))
    return draw_cells(cells)


def hand_meshes(
    rig: Rig, hands: list[np.ndarray], n: int
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Both hands of pair n as vertices, faces, codes."""
    return [(hands[h][n], rig.faces, (rig.face_parts + 32 * h).astype(np.uint8)) for h in (0, 1)]


def draw_cells(
    cells: list[tuple[str, str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]],
) -> np.ndarray:
    """A grid of (name, note, meshes)."""
    canvas = new_canvas()
    rows = -(-len(cells) // COLUMNS)
    cell_width, cell_height = len(VIEWS) * WIDTH + GAP, HEIGHT + CAPTION + GAP
    picture = draw.new_canvas(rows * cell_height + GAP, COLUMNS * cell_width + GAP, palette.PAPER)
    for n, (name, note, meshes) in enumerate(cells):
        left = GAP + n % COLUMNS * cell_width
        top = GAP + n // COLUMNS * cell_height
        draw.draw_text(picture, name, (left, top + 16), palette.TEXT, 16)
        draw.draw_text(picture, note, (left + 170, top + 16), palette.MUTED, 13)
        for v, turn in enumerate(TURNS):
            x, y = left + v * WIDTH, top + CAPTION
            picture[y : y + HEIGHT, x : x + WIDTH] = draw_view(canvas, meshes, turn)
    return picture


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    objects = sys.argv[2:] == ["objects"]
    write_picture(draw_objects() if objects else draw_together(sys.argv[2:]), out)
