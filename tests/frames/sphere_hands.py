"""Frames made up for tests of viewing and counting: hands of spheres, drawn by ray casting."""

import itertools

import numpy as np

from frames.camera import Camera
from frames.record import Frame, Hand, SceneObject

FINGER_ROOTS_M = np.array(
    [
        [-0.035, -0.02, -0.005],
        [-0.028, -0.09, 0],
        [-0.008, -0.095, 0],
        [0.012, -0.09, 0],
        [0.03, -0.08, 0],
    ]
)
FINGER_AIMS = np.array(
    [[-0.8, -0.6, -0.1], [-0.15, -1, 0], [0.0, -1, 0], [0.12, -1, 0], [0.28, -1, 0]]
)
SEGMENTS_M = np.array([0.036, 0.026, 0.022])


def fabricate_hand_points(center_m, curl_rad: float, mirror: bool) -> np.ndarray:
    """Return 21 camera-frame points (21, 3) of a palm that faces away and whose fingers curl."""
    points = np.zeros((21, 3))
    points[0] = (0, 0.005, 0)
    for finger in range(5):
        place = FINGER_ROOTS_M[finger].copy()
        aim = FINGER_AIMS[finger] / np.linalg.norm(FINGER_AIMS[finger])
        points[1 + 4 * finger] = place
        for segment in range(3):
            bend = curl_rad * (segment + 1) * (0.5 if finger == 0 else 1.0)
            step = aim * np.cos(bend) + np.array([0, 0, 1.0]) * np.sin(bend)
            place = place + SEGMENTS_M[segment] * step
            points[2 + 4 * finger + segment] = place
    if mirror:
        points[:, 0] *= -1
    return points + np.asarray(center_m)


def _spheres(points: np.ndarray, base: int) -> list[tuple[np.ndarray, float, int]]:
    """Return (centre, radius, part code) of a hand of spheres."""
    spheres = []
    for finger in range(5):
        for segment in range(3):
            a, b = points[1 + 4 * finger + segment], points[2 + 4 * finger + segment]
            radius = 0.0095 - 0.001 * segment
            code = base + 2 + 3 * finger + segment
            spheres += [(a + (b - a) * t, radius, code) for t in np.linspace(0, 1, 6)]
    for finger in range(1, 5):
        spheres += [
            (points[0] + (points[1 + 4 * finger] - points[0]) * t, 0.014, base + 1)
            for t in np.linspace(0.1, 0.95, 8)
        ]
    down = np.array([0.0, 1.0, 0.25]) / np.linalg.norm([0, 1, 0.25])
    spheres += [
        (points[0] + down * t, 0.024 + 0.06 * t, base + 17) for t in np.linspace(0.02, 0.25, 24)
    ]
    return spheres


def _cast(camera: Camera, spheres: list, room_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return depth (H, W) metres and part codes (H, W) of spheres before a sloping wall."""
    v, u = np.mgrid[: camera.height, : camera.width].astype(np.float64)
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    depth = room_m + 0.25 * x - 0.3 * y
    parts = np.zeros(depth.shape, np.uint8)
    squared = x * x + y * y + 1.0
    for center, radius, code in spheres:
        along = (x * center[0] + y * center[1] + center[2]) / squared
        gap = center @ center - along * along * squared
        hit = gap < radius * radius
        z = along - np.sqrt(np.maximum(radius * radius - gap, 0) / squared)
        nearer = hit & (z < depth) & (z > 0.02)
        depth[nearer], parts[nearer] = z[nearer], code
    return depth, parts


def _box(mask: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return np.full(4, np.nan, np.float32)
    corners = (columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5)
    return np.array(corners, np.float32)


def fabricate_frame(
    frame_id: int = 0,
    width: int = 160,
    hands: int = 2,
    noisy: bool = False,
    sideways_m: float = 0.0,
) -> Frame:
    """Return a plausible synthetic frame with 0..2 hands; sideways_m pushes them out of view."""
    rng = np.random.default_rng(frame_id)
    height = width * 3 // 4
    focal = 0.72 * width
    camera = Camera("pinhole", width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
    spheres, all_points = [], []
    for k in range(hands):
        center = ((-0.09, 0.09)[k] + sideways_m + rng.uniform(-0.03, 0.03), 0.08, 0.42 + 0.05 * k)
        points = fabricate_hand_points(center, rng.uniform(0.05, 0.75), mirror=k == 0)
        all_points.append(points)
        spheres.append(_spheres(points, 32 * k))
    ball = [(np.array([0.02 + sideways_m, 0.11, 0.36]), 0.035, 224)]
    depth, parts = _cast(camera, [*itertools.chain(*spheres), *ball], 1.4)
    records = []
    for k, points in enumerate(all_points):
        own_depth, own = _cast(camera, spheres[k], 9.0)
        records.append(_fabricate_hand(camera, k, points, depth, parts, own_depth, own, rng))
    clean = np.clip(np.rint(depth * 10000), 0, 65535).astype(np.uint16)
    reading = invalid = None
    if noisy:
        lost = rng.random(clean.shape) < 0.02
        lost[:, : width // 20] = True
        reading, invalid = np.where(lost, 0, clean).astype(np.uint16), lost.astype(np.uint8)
    ball_pose = np.eye(4, dtype=np.float32)
    ball_pose[:3, 3] = ball[0][0]
    return Frame(
        frame_id=frame_id,
        source="synthetic",
        camera=camera,
        T_world_from_camera=np.eye(4, dtype=np.float32),
        depth_scale=10000.0,
        depth=reading,
        clean_depth=clean,
        parts=parts,
        invalid=invalid,
        sensor="made-up" if noisy else None,
        sensor_seed=1 if noisy else None,
        hands=tuple(records),
        objects=(SceneObject("ball", 224, ball_pose, np.full(3, 0.07, np.float32)),),
    )


def _fabricate_hand(camera, k, points, depth, parts, own_depth, own, rng) -> Hand:
    px = np.stack(
        [
            camera.fx * points[:, 0] / points[:, 2] + camera.cx,
            camera.fy * points[:, 1] / points[:, 2] + camera.cy,
        ],
        -1,
    )
    at = np.rint(px).astype(int)
    inside = (
        (at[:, 0] >= 0) & (at[:, 0] < camera.width) & (at[:, 1] >= 0) & (at[:, 1] < camera.height)
    )
    clipped = np.clip(at, 0, (camera.width - 1, camera.height - 1))
    surface = np.where(inside, depth[clipped[:, 1], clipped[:, 0]], np.nan)
    hit = parts[clipped[:, 1], clipped[:, 0]]
    covered = surface < points[:, 2] - 0.02
    cause = np.zeros(21, np.uint8)
    cause[covered] = np.where(hit[covered] >= 224, 3, np.where(hit[covered] // 32 == k, 1, 2))
    cause[~inside] = 4
    visibility = np.where(~inside, 0, np.where(covered, 1, 2)).astype(np.uint8)
    of_hand = (parts // 32 == k) & (parts % 32 >= 1) & (parts % 32 <= 16)
    amodal = (own // 32 == k) & (own % 32 >= 1) & (own % 32 <= 16)
    pose = np.eye(4, dtype=np.float32)
    pose[:3, :3] = np.diag([-1.0, 1.0, -1.0])
    pose[:3, 3] = points[0]
    return Hand(
        side="left" if k == 0 else "right",
        wearer=True,
        part_base=32 * k,
        keypoints_px=px.astype(np.float32),
        keypoints_cam_m=points.astype(np.float32),
        surface_depth_m=surface.astype(np.float32),
        visibility=visibility,
        occlusion=cause,
        visible_fraction=np.float32(of_hand.sum() / max(1, amodal.sum())),
        box_px=_box(of_hand),
        box_amodal_px=_box(amodal),
        key_pose=("fist", "pinch", "open", None)[int(rng.integers(4))],
        joint_angles_rad=rng.uniform(-0.3, 1.4, 26).astype(np.float32),
        shape=rng.normal(size=10).astype(np.float32),
        identity=int(rng.integers(100)),
        T_camera_from_wrist=pose,
        provenance=np.zeros(21, np.uint8),
    )
