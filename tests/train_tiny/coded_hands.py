"""Hands whose keypoints any crop tells: beads at ranges of their own before a wall, and a real
network that reads them.

Everything lies on spheres about the camera, for a crop's camera turns about its centre: there the
depth of a bead is its range times the cosine of a few degrees at most, so its number can be read
from its brightness, and the truth is known in pixels and metres.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from frames.camera import Camera
from train_tiny.finding.found import Found
from train_tiny.loading.crops import HALF_RANGE_M

CAMERA = Camera("pinhole", 480, 320, 400.0, 400.0, 239.5, 159.5)

WALL_M = 0.64
"""Range of the wall, which a crop's depth refers to: beads cover less than a quarter of it."""
NEAREST_M, STEP_M = 0.5, 0.0055
BEAD_PX = 2.6

_PALM = np.array([(0.0, 0.052)], np.float64)
_FINGERS = [
    (x, -0.002 + dy - 0.0135 * k)
    for x, dy in ((-0.044, 0.03), (-0.022, 0.006), (0.0, 0.0), (0.022, 0.006), (0.044, 0.014))
    for k in range(4)
]
SHAPE = np.concatenate([_PALM, np.array(_FINGERS)]) * (1.0, 0.95)
"""(21, 2) metres, a right hand's: its thumb is left of its pinky."""


def place_hand(
    middle: tuple[float, float], left: bool = False, roll: float = 0.0
) -> NDArray[np.float64]:
    """(21, 3) keypoints of a hand whose middle is seen at a pixel of `CAMERA`."""
    shape = SHAPE * (-1.0 if left else 1.0, 1.0)
    turned = shape @ np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    rays = CAMERA.unproject(np.array(middle)) + np.concatenate(
        [turned / 0.55, np.zeros((21, 1))], 1
    )
    ranges = NEAREST_M + STEP_M * np.arange(21)
    return rays / np.linalg.norm(rays, axis=1, keepdims=True) * ranges[:, None]


def draw_hands(*hands: NDArray[np.float64], camera: Camera = CAMERA) -> NDArray[np.uint16]:
    """(H, W) uint16, 0.1 mm a step: the wall, and the hands' beads before it."""
    v, u = np.mgrid[: camera.height, : camera.width]
    rays = camera.unproject(np.stack([u, v], -1).astype(float))
    away = np.full(u.shape, WALL_M)
    for points in hands:
        for point in points[::-1]:
            x, y = camera.project(point)
            near = (u - x) ** 2 + (v - y) ** 2 <= BEAD_PX**2
            away[near] = np.linalg.norm(point)
    return np.rint(1e4 * away / np.linalg.norm(rays, axis=-1)).astype(np.uint16)


class CodedNet(nn.Module):
    """Reads the beads: heatmaps of crops (B, 1, S, S) at a quarter of their size, seen, side, and
    depth on the surface itself."""

    def __init__(self) -> None:
        super().__init__()
        depth = NEAREST_M + STEP_M * torch.arange(21) - WALL_M
        self.register_buffer("levels", 0.5 - depth / (2 * HALF_RANGE_M))
        behind = depth / HALF_RANGE_M
        self.register_buffer("offsets", torch.stack([torch.zeros(21), behind], -1))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        width = 0.4 * STEP_M / (2 * HALF_RANGE_M)
        match = torch.exp(-(((x - self.levels[:, None, None]) / width) ** 2))
        maps = 40 * nn.functional.avg_pool2d(match, 4)
        column = torch.arange(maps.shape[-1], dtype=maps.dtype)
        middle = (maps.flatten(2).softmax(-1).view_as(maps).sum(2) * column).sum(-1)
        return {
            "keypoints": maps,
            "visibility": torch.full(maps.shape[:2], 5.0),
            "side": (middle[:, 17:].sum(1) - middle[:, 1:5].sum(1)),
            "depth": self.offsets.expand(len(x), 21, 2),
        }


class CodedFinder:
    """Finds boxes of heaps of beads; counts how often it was asked."""

    def __init__(self, slack_px: float = 4.0) -> None:
        self.asked, self._slack = 0, slack_px

    def __call__(self, depth_m: NDArray[np.float32]) -> list[Found]:
        self.asked += 1
        rays = CAMERA.ray_table()
        away = depth_m * np.sqrt(1 + (rays**2).sum(-1))
        near = ((depth_m > 0) & (away < WALL_M - STEP_M / 3)).astype(np.uint8)
        joined = cv2.dilate(near, np.ones((25, 25), np.uint8))
        count, marks = cv2.connectedComponents(joined)
        found = []
        for mark in range(1, count):
            v, u = np.nonzero(near & (marks == mark))
            if len(u) < 100:
                continue
            low, high = np.array([u.min(), v.min()]), np.array([u.max(), v.max()])
            box = np.concatenate([low - self._slack, high + self._slack]).astype(float)
            found.append(Found(0.9, box.astype(np.float32)))
        return found


def bound(points: NDArray[np.float64]) -> list[float]:
    """The box around a hand's beads."""
    px = CAMERA.project(points)
    return [*(px.min(0) - 4).tolist(), *(px.max(0) + 4).tolist()]
