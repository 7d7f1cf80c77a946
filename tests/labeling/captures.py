"""A small capture to label: rendered hands as a depth camera would give them."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from frames.camera import CAMERAS
from frames.parts import PROVENANCE_HUMAN
from frames.record import Frame, Hand
from frames.skeleton import FINGERS
from frames.store.dataset import Dataset, create_dataset, open_dataset
from frames.store.frame_table import build_frame_table
from frames.store.shard import write_shard

CAMERA = CAMERAS["ego-small"]


@cache
def _hand_points(side: str) -> np.ndarray:
    """(21, 3) metres: an open hand, 18 cm long, slightly tilted."""
    points = np.zeros((21, 3))
    for f, chain in enumerate(FINGERS.values()):
        angle = np.radians((-50, -15, 0, 12, 25)[f])
        reach = (
            np.array((0.035, 0.065, 0.09, 0.11)) if f == 0 else np.array((0.09, 0.13, 0.155, 0.178))
        )
        points[list(chain), 0] = np.sin(angle) * reach
        points[list(chain), 1] = -np.cos(angle) * reach
        points[list(chain), 2] = 0.1 * reach
    if side == "left":
        points[:, 0] *= -1
    return points


def make_frame(number: int, sides: tuple[str, ...] = ("left", "right")) -> Frame:
    """A frame with hands as discs of skin along their bones before a wall."""
    rng = np.random.default_rng(number)
    v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
    depth = np.full((CAMERA.height, CAMERA.width), 0.9) + 0.001 * u
    hands = []
    for k, side in enumerate(sides):
        where = np.array([-0.11 if side == "left" else 0.11, 0.09, 0.45]) + rng.normal(0, 0.01, 3)
        cam = _hand_points(side) + where
        px = CAMERA.project(cam)
        for a in range(1, 21):
            b = 0 if a % 4 == 1 else a - 1
            for s in np.linspace(0, 1, 12):
                at = px[a] * s + px[b] * (1 - s)
                z = cam[a, 2] * s + cam[b, 2] * (1 - s) - 0.009
                reach = 84.25 * 0.009 / z
                rows = slice(max(0, int(at[1] - reach)), max(0, int(at[1] + reach) + 2))
                columns = slice(max(0, int(at[0] - reach)), max(0, int(at[0] + reach) + 2))
                disc = np.hypot(u[rows, columns] - at[0], v[rows, columns] - at[1]) < reach
                depth[rows, columns][disc] = np.minimum(depth[rows, columns][disc], z)
        hands.append(_record(side, k, cam, px))
    steps = np.rint(depth * 10_000).astype(np.uint16)
    steps[0, :5] = 0
    return Frame(
        frame_id=number,
        source="real",
        camera=CAMERA,
        T_world_from_camera=None,
        depth_scale=10_000.0,
        depth=steps,
        clean_depth=None,
        parts=None,
        invalid=None,
        sensor=None,
        sensor_seed=None,
        hands=tuple(hands),
        objects=(),
        sequence_id=number // 5,
        time_s=(number % 5) / 30,
    )


def _record(side: str, place: int, cam: np.ndarray, px: np.ndarray) -> Hand:
    inside = CAMERA.contains(px)
    nothing = np.full(4, np.nan, np.float32)
    return Hand(
        side=side,
        wearer=True,
        part_base=32 * place,
        keypoints_px=px.astype(np.float32),
        keypoints_cam_m=cam.astype(np.float32),
        surface_depth_m=np.full(21, np.nan, np.float32),
        visibility=np.where(inside, 2, 0).astype(np.uint8),
        occlusion=np.where(inside, 0, 4).astype(np.uint8),
        visible_fraction=float("nan"),
        box_px=nothing,
        box_amodal_px=nothing,
        key_pose=None,
        joint_angles_rad=None,
        shape=None,
        identity=None,
        T_camera_from_wrist=None,
        provenance=np.full(21, PROVENANCE_HUMAN, np.uint8),
    )


def write_capture(folder: Path, count: int, per_shard: int = 64) -> Dataset:
    """A dataset of `count` such frames, every seventh with one hand only."""
    meta = {"frames": count, "frames_per_shard": per_shard, "title": "test", "license": "CC0-1.0"}
    create_dataset(folder, meta)
    for index, first in enumerate(range(0, count, per_shard)):
        some = range(first, min(first + per_shard, count))
        made = [make_frame(i, ("right",) if i % 7 == 3 else ("left", "right")) for i in some]
        write_shard(
            folder, index, build_frame_table([replace(f, frame_id=f.frame_id) for f in made])
        )
    return open_dataset(folder)
