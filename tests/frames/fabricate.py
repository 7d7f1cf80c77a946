"""Datasets for the tests, made of simple shapes whose every label is worked out here by hand.

A hand is a fronto-parallel card at one depth, its 21 keypoints a little behind the card's face at
pixel centres; a second hand's card may cover it. Independent of synth and of verify.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from frames.camera import CAMERAS, Camera
from frames.store.codec import encode_depth, encode_parts
from frames.store.schema import table_from_columns
from frames.store.shard import ROW_GROUP, encode_tables, shard_path, sum_path

SCALE = 10_000.0
SEQUENCE = 4
"""Frames of a sequence, 1/30 s apart."""
Ranges = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Card:
    """A rectangle of pixels [u0, u1) x [v0, v1) at the depth z_m."""

    u0: int
    v0: int
    u1: int
    v1: int
    z_m: float


def draw_pose(rng: np.random.Generator) -> np.ndarray:
    """(4, 4) float32, a random rigid transform."""
    pose = np.eye(4)
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q *= np.sign(np.diag(r))
    pose[:3, :3] = q * np.linalg.det(q)
    pose[:3, 3] = rng.normal(size=3)
    return pose.astype(np.float32)


def draw_cards(rng: np.random.Generator, camera: Camera, hands: int) -> list[Card]:
    """Cards partly over each other and partly out of the image."""
    cards = []
    for k in range(hands):
        w, h = rng.integers(camera.width // 5, camera.width // 2, 2)
        u0 = int(rng.integers(-int(w) // 2, camera.width - int(w) // 2))
        v0 = int(rng.integers(-int(h) // 2, camera.height - int(h) // 2))
        cards.append(Card(u0, v0, u0 + int(w), v0 + int(h), 0.3 + 0.1 * k + 0.05 * rng.random()))
    return cards


def build_frame(rng: np.random.Generator, camera: Camera, hands: int) -> dict[str, Any]:
    """The images and hand columns of one frame."""
    h, w = camera.height, camera.width
    cards = draw_cards(rng, camera, hands)
    depth = np.full((h, w), 15_000, np.uint16)
    parts = np.zeros((h, w), np.uint8)
    # Far to near: the nearer card covers.
    for k in sorted(range(hands), key=lambda i: -cards[i].z_m):
        c = cards[k]
        area = (slice(max(c.v0, 0), max(c.v1, 0)), slice(max(c.u0, 0), max(c.u1, 0)))
        depth[area] = round(c.z_m * SCALE)
        parts[area] = 32 * k + 1
    rows = [build_hand(rng, camera, k, cards[k], depth, parts) for k in range(hands)]
    return {"depth": depth, "parts": parts, "hands": rows}


def build_hand(
    rng: np.random.Generator,
    camera: Camera,
    k: int,
    card: Card,
    depth: np.ndarray,
    parts: np.ndarray,
) -> dict[str, Any]:
    """One hand's row, labels by pixel look-up."""
    u = rng.integers(card.u0, card.u1, 21)
    v = rng.integers(card.v0, card.v1, 21)
    rays = camera.unproject(np.stack([u, v], -1).astype(float))
    # Where no ray goes, a point far to the side, which has no pixel.
    lost = np.isnan(rays).any(-1)
    rays[lost] = (30.0, 30.0, 1.0)
    cam = (rays * (card.z_m + 0.004)).astype(np.float32)
    visibility, cause = np.zeros(21, np.uint8), np.full(21, 4, np.uint8)
    surface = np.full(21, np.nan, np.float32)
    for i in range(21):
        if not lost[i] and 0 <= u[i] < camera.width and 0 <= v[i] < camera.height:
            own = parts[v[i], u[i]] == 32 * k + 1
            visibility[i], cause[i] = (2, 0) if own else (1, 2)
            surface[i] = depth[v[i], u[i]] / SCALE
    mine = parts == 32 * k + 1
    box = np.full(4, np.nan, np.float32)
    if mine.any():
        vs, us = np.nonzero(mine)
        box = np.array([us.min() - 0.5, vs.min() - 0.5, us.max() + 0.5, vs.max() + 0.5], np.float32)
    x0, y0 = max(card.u0, 0), max(card.v0, 0)
    x1, y1 = min(card.u1, camera.width), min(card.v1, camera.height)
    whole = max(x1 - x0, 0) * max(y1 - y0, 0)
    amodal = [x0 - 0.5, y0 - 0.5, x1 - 0.5, y1 - 0.5] if whole else [np.nan] * 4
    return {
        "side": ("left", "right")[k % 2],
        "wearer": k < 2,
        "part_base": 32 * k,
        "keypoints_px": camera.project(cam).astype(np.float32),
        "keypoints_cam_m": cam,
        "surface_depth_m": surface,
        "visibility": visibility,
        "occlusion": cause,
        "visible_fraction": np.float32(mine.sum() / whole if whole else np.nan),
        "box_px": box,
        "box_amodal_px": np.array(amodal, np.float32),
        "key_pose": "fist" if k == 0 else None,
        "joint_angles_rad": rng.normal(size=26).astype(np.float32),
        "shape": rng.normal(size=10).astype(np.float32),
        "identity": int(rng.integers(100)),
        "T_camera_from_wrist": draw_pose(rng),
        "provenance": np.zeros(21, np.uint8),
    }


def build_contact(rng: np.random.Generator, holds: bool) -> dict[str, Any]:
    """What a hand holds, touches and wears, and how it moves."""
    gap = rng.uniform(-0.002, 0.02, 17).astype(np.float32)
    gap[gap > 0.01] = np.nan
    return {
        "keypoints_velocity_m_s": rng.normal(size=(21, 3)).astype(np.float32),
        "grasp": "palmar pinch" if holds else None,
        "held": 0 if holds else None,
        "contact_gap_m": gap if holds else None,
        "worn": (None, "watch", "sleeve,ring")[int(rng.integers(3))],
    }


def build_scenes(ids: np.ndarray, splits: Ranges, holds: np.ndarray) -> dict[str, Any]:
    """The frames' columns that say what goes on: sequences of SEQUENCE frames."""
    names = [[n for n, (first, stop) in splits.items() if first <= i < stop] for i in ids]
    velocity = [np.random.default_rng([7, int(i)]).normal(size=6) for i in ids]
    return {
        "situation": ["grasp" if h else "free" for h in holds],
        "split": [n[0] if n else None for n in names],
        "background": [("desk", "empty")[i % 2] for i in ids],
        "sequence_id": ids // SEQUENCE,
        "time_s": ids % SEQUENCE / 30,
        "camera_velocity": np.array(velocity, np.float32).reshape(-1, 6),
    }


def build_columns(
    ids: np.ndarray, camera: Camera, seed: int = 0, splits: Ranges = MappingProxyType({})
) -> tuple[dict[str, Any], np.ndarray, dict[str, Any], np.ndarray, dict[str, Any]]:
    """The arguments of `table_from_columns`: one to three hands and at times an object a frame,
    which then the first hand holds.
    """
    made, counts = [], []
    for i in ids:
        rng = np.random.default_rng([seed, int(i)])
        counts.append(int(rng.integers(1, 4)))
        made.append(build_frame(rng, camera, counts[-1]))
    object_counts = np.asarray(ids) % 3 // 2
    for i, frame, things in zip(ids, made, object_counts, strict=True):
        rng = np.random.default_rng([seed, int(i), 1])
        for k, row in enumerate(frame["hands"]):
            row.update(build_contact(rng, bool(things) and k == 0))
    rows = [row for frame in made for row in frame["hands"]]
    listed = ("side", "key_pose", "grasp", "held", "contact_gap_m", "worn")
    hands = {
        name: [r[name] for r in rows] if name in listed else np.stack([r[name] for r in rows])
        for name in rows[0]
    }
    frames = {
        "frame_id": np.asarray(ids),
        "source": ["synthetic"] * len(made),
        "camera": camera,
        "T_world_from_camera": np.tile(np.eye(4, dtype=np.float32), (len(made), 1, 1)),
        "depth_scale": np.full(len(made), SCALE),
        "clean_depth": [encode_depth(f["depth"]) for f in made],
        "parts": [encode_parts(f["parts"]) for f in made],
        **build_scenes(np.asarray(ids), splits, object_counts > 0),
    }
    n = int(object_counts.sum())
    objects = {
        "kind": ["box"] * n,
        "part_code": np.full(n, 224, np.uint8),
        "T_camera_from_object": np.tile(np.eye(4, dtype=np.float32), (n, 1, 1)),
        "size_m": np.full((n, 3), 0.05, np.float32),
        "name": [f"box-{i // 3 % 3}" for i in np.repeat(ids, object_counts)],
        "velocity": np.full((n, 6), 0.5, np.float32),
    }
    return frames, np.array(counts), hands, object_counts, objects


def build_table(
    ids: np.ndarray,
    camera: Camera = CAMERAS["ego-small"],
    seed: int = 0,
    splits: Ranges = MappingProxyType({}),
) -> pa.Table:
    """A table of these frames."""
    return table_from_columns(*build_columns(ids, camera, seed, splits))


def encode_table(table: pa.Table, row_group: int = ROW_GROUP) -> bytes:
    """The bytes of a shard's Parquet file."""
    sink = pa.BufferOutputStream()
    encode_tables([table], sink, row_group)
    return sink.getvalue().to_pybytes()


def write_dataset(
    folder: Path,
    frames: int = 20,
    per_shard: int = 8,
    camera: Camera = CAMERAS["ego-small"],
    row_group: int | None = None,
    splits: Ranges | None = None,
) -> Path:
    """A whole dataset of `frames` frames."""
    from frames.store.dataset import create_dataset
    from frames.store.shard import write_shard

    meta = {
        "frames": frames,
        "frames_per_shard": per_shard,
        "seed": 0,
        "generator": "tests",
        "generator_version": "1",
        "license": "CC0-1.0",
    }
    if splits is not None:
        meta["splits"] = {name: list(bounds) for name, bounds in splits.items()}
    create_dataset(folder, meta, "# Made for a test\n")
    for i, first in enumerate(range(0, frames, per_shard)):
        ids = np.arange(first, min(first + per_shard, frames))
        options = {} if row_group is None else {"row_group": row_group}
        write_shard(folder, i, build_table(ids, camera, splits=splits or {}), **options)
    return folder


def remove_shard(folder: Path, index: int) -> None:
    """Delete a shard and its sidecar."""
    path = shard_path(folder, index)
    path.unlink()
    sum_path(path).unlink()
