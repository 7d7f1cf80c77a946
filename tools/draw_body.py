#!/usr/bin/env python3
"""Draw bodies and what they wear, from the head and from beside: docs/pictures/body.png.

    python tools/draw_body.py docs/pictures/body.png

Two arms of one wearer in each pair of pictures, placed as scenes place them but without poses,
objects and rooms; one pair in four shows another person's arms as well.
"""

import dataclasses
import sys
from pathlib import Path

import cv2
import numpy as np

from frames import canvas as draw
from frames import palette
from frames.camera import CAMERAS, Camera
from frames.sheet import write_picture
from frames.stream import normal, uniform
from synth.config import BodyConfig, OutfitConfig
from synth.hand.angles import DOF
from synth.hand.builtin import builtin_rig
from synth.hand.collision import build_capsules, place_capsules
from synth.hand.glove import glove_skins
from synth.hand.kinematics import bone_transforms, skin_hands
from synth.raster.canvas import Canvas
from synth.scene.arm import straight_elbows
from synth.scene.body import half_field, head_pose, place_arms
from synth.scene.facing import bystander_models, facing_body, place_bystanders
from synth.scene.lap import lap_models, seat
from synth.scene.outfit import dress, hire_tailor

FRAMES, COLUMNS, GAP = 18, 3, 8
WIDTH, HEIGHT, SAMPLES = 320, 240, 3
PEOPLE = 24
SKIN, SLEEVE, METAL, LEATHER, CLOTH = 1, 2, 3, 4, 5
TINTS = np.array(
    [
        *((0, 0, 0), (0.93, 0.83, 0.76), (0.45, 0.55, 0.75), (0.95, 0.8, 0.3), (0.45, 0.36, 0.3)),
        (0.55, 0.6, 0.55),
    ]
)
LIGHT = np.array([-0.35, -0.55, -0.76])
BESIDE = np.array([1.0, -0.05, 0.25])
"""The second camera, and what it looks at."""
LOOKS_AT = np.array([0.0, 0.22, -0.36])


def draw_view(canvas: Canvas, T: np.ndarray, meshes: list[tuple]) -> np.ndarray:
    """Meshes (vertices, faces, tint) in the world -> (HEIGHT, WIDTH, 3) uint8."""
    canvas.begin()
    for vertices, faces, tint in meshes:
        seen = (vertices - T[:3, 3]) @ T[:3, :3]
        canvas.draw(0, seen, faces, np.full(len(faces), tint, np.uint8))
    codes, depth = canvas.layer(0)
    points = np.dstack([canvas.camera.ray_table(), np.ones_like(depth)]) * depth[..., None]
    normals = np.cross(_slope(points, 0), _slope(points, 1))
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    bright = 0.3 + 0.7 * np.clip(normals @ LIGHT, 0, 1)
    paper = np.array(palette.PAPER, np.float64)
    color = np.where((codes > 0)[..., None], 255 * TINTS[codes] * bright[..., None], paper)
    small = cv2.resize(color, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.clip(small, 0, 255).astype(np.uint8)


def _slope(points: np.ndarray, axis: int) -> np.ndarray:
    ahead = np.roll(points, -1, axis) - points
    behind = points - np.roll(points, 1, axis)
    nearer = np.abs(ahead[..., 2:]) <= np.abs(behind[..., 2:])
    return np.where(nearer, ahead, behind)


def look_at(eye: np.ndarray, point: np.ndarray) -> np.ndarray:
    """(4, 4) T_world_from_camera."""
    z = point - eye
    z = z / np.linalg.norm(z)
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = np.stack([x, np.cross(z, x), z], axis=1), eye
    return out


def draw_bodies(seed: int) -> np.ndarray:
    """The sheet, (H, W, 3) uint8."""
    rig = builtin_rig(seed=0, identities=PEOPLE)
    tailor, gloves = hire_tailor(rig), glove_skins(rig, OutfitConfig().glove_mm, 0)
    capsules, body, outfit = build_capsules(rig), BodyConfig(), OutfitConfig(glove_share=0.12)
    ego = CAMERAS["ego"]
    scale = WIDTH * SAMPLES / ego.width
    camera = Camera(
        "pinhole", WIDTH * SAMPLES, HEIGHT * SAMPLES, ego.fx * scale, ego.fy * scale,
        WIDTH * SAMPLES / 2, HEIGHT * SAMPLES / 2,
    )  # fmt: skip
    canvas = Canvas(camera, layers=1)
    ids = np.arange(FRAMES)
    head = head_pose(body, uniform(seed, ids, "head", 14))
    others = facing_body(body, uniform(seed, ids, "other", 8))
    wearer = ids % PEOPLE
    groups = []
    for slot in range(4):
        rows = ids if slot < 2 else ids[3::4]
        person = wearer[rows] if slot < 2 else (wearer[rows] + 7) % PEOPLE
        left = np.full(len(rows), slot % 2 == 0)
        best = None
        for attempt in range(40):
            u = uniform(seed, rows, f"place{slot}", 15, attempt)
            arms = place_arms(
                body, half_field(ego), head[rows], left, rig.hand_length[person],
                straight_elbows(rig)[person], normal(u[:, :14]), u[:, 14],
                others[rows] if slot >= 2 else None,
            )  # fmt: skip
            if best is None:
                best = [arms.T_world_from_wrist, arms.wrist_angles, arms.elbow, arms.shoulder,
                        arms.fits]  # fmt: skip
            else:
                fresh = arms.fits & ~best[4]
                new = (arms.T_world_from_wrist, arms.wrist_angles, arms.elbow, arms.shoulder)
                for old, value in zip(best, (*new, arms.fits), strict=True):
                    old[fresh] = value[fresh]
        assert best is not None
        groups.append((rows, np.full(len(rows), slot), left, person, *best))
    frame, slot_of, left, person, pose, wrist, elbow, shoulder, _ = (
        np.concatenate(part)[np.concatenate([g[8] for g in groups])]
        for part in zip(*groups, strict=True)
    )
    angles = np.zeros((len(frame), 29))
    angles[:, :2] = wrist
    for name in ("index", "middle", "ring", "pinky"):
        angles[:, DOF[f"{name}_mcp_flexion"]] = 0.3
        angles[:, DOF[f"{name}_pip_flexion"]] = 0.5
        angles[:, DOF[f"{name}_dip_flexion"]] = 0.25
    transforms, _ = bone_transforms(rig, person, angles, pose, left)
    skins = skin_hands(rig, person, transforms).astype(np.float64)
    gloved = skin_hands(dataclasses.replace(rig, rest_vertices=gloves), person, transforms)
    worn = dress(outfit, tailor, seed, frame, slot_of, left, person, transforms, elbow, shoulder)
    start, end, radius = place_capsules(capsules, person, transforms)
    obstacles = _by_frame(frame, slot_of, start, end, 1.4 * radius)
    laps = seat(outfit, seed, ids, rig.hand_length[wearer], obstacles)
    stands = place_bystanders(others, rig.hand_length[wearer])
    tall = -(-FRAMES // COLUMNS)
    cell = 2 * WIDTH + GAP
    sheet = draw.new_canvas(
        tall * (HEIGHT + GAP) + GAP, COLUMNS * (cell + GAP) + GAP, palette.PAPER
    )
    for b in range(FRAMES):
        meshes = []
        for n in np.flatnonzero(frame == b):
            faces = rig.faces[:, ::-1] if left[n] else rig.faces
            if worn.gloved[n]:
                meshes.append((gloved[n].astype(np.float64), faces, LEATHER))
            else:
                meshes.append((skins[n], faces, SKIN))
            for m in np.flatnonzero(worn.hand == n):
                model = tailor.models[worn.model[m]]
                skin = model.name in ("elbow", "upper-arm")
                strap = model.name.startswith(("watch", "smart", "br", "bang", "ring"))
                tint = SKIN if skin else METAL if strap else SLEEVE
                meshes.append(
                    (_move(worn.T_world_from_model[m], model.vertices), model.faces, tint)
                )
        lap = [
            (_move(laps.T_world_from_model[b, p], model.vertices), model.faces, CLOTH)
            for p, model in enumerate(lap_models())
            if laps.present[b, p]
        ]
        if b % 4 == 3:
            lap += [
                (_move(stands[b, p], model.vertices), model.faces, CLOTH)
                for p, model in enumerate(bystander_models())
            ]
        y, x = GAP + b // COLUMNS * (HEIGHT + GAP), GAP + b % COLUMNS * (cell + GAP)
        sheet[y : y + HEIGHT, x : x + WIDTH] = draw_view(canvas, head[b], meshes + lap)
        view = look_at(BESIDE, LOOKS_AT)
        mark = _eye(head[b])
        sheet[y : y + HEIGHT, x + WIDTH : x + 2 * WIDTH] = draw_view(
            canvas, view, [*meshes, *lap, mark]
        )
    return sheet


def _eye(head: np.ndarray) -> tuple:
    """A small box for the camera."""
    corners = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)]) * [
        0.07, 0.03, 0.03,
    ]  # fmt: skip
    faces = np.array(
        [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6],
         [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]], np.int32
    )  # fmt: skip
    return _move(head, corners), faces, METAL


def _by_frame(
    frame: np.ndarray, slot: np.ndarray, start: np.ndarray, end: np.ndarray, radius: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = radius.shape[1]
    starts, ends = np.full((2, FRAMES, 4, count, 3), 1e3)
    radii = np.zeros((FRAMES, 4, count))
    starts[frame, slot], ends[frame, slot], radii[frame, slot] = start, end, radius
    return (
        starts.reshape(FRAMES, -1, 3),
        ends.reshape(FRAMES, -1, 3),
        radii.reshape(FRAMES, -1),
    )


def _move(T: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.asarray(points, np.float64) @ T[:3, :3].T + T[:3, 3]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    write_picture(draw_bodies(seed=2), out)
