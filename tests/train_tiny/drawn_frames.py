"""Whole frames with drawn stick hands, and maps that a perfect network would make of them."""

import cv2
import numpy as np
import torch
from drawn_hands import _place_joints
from torch import Tensor

from frames.skeleton import BONES
from train_tiny.losses.full_frames import FrameTargets, draw_heatmaps

Points = list[np.ndarray]


def draw_frames(
    count: int, width: int = 96, height: int = 64, seed: int = 0
) -> tuple[Tensor, FrameTargets]:
    """Images (N, 1, H, W) with a hand in each half, one in every third frame alone."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, height, width), np.float32)
    hands = []
    for n in range(count):
        mine = []
        for k in range(2):
            if k == 1 and n % 3 == 2:
                continue
            px = _place_joints(rng) * (height * 0.8) + (k * width * 0.48, height * 0.1)
            for bone, (a, b) in enumerate(BONES):
                ends = [tuple(int(16 * v) for v in px[j]) for j in (a, b)]
                near = 0.35 + 0.6 * (bone // 4) / 5
                cv2.line(images[n], *ends, near, 2, cv2.LINE_8, 4)
            mine.append(px)
        hands.append(mine)
    return torch.from_numpy(images)[:, None], make_frame_targets(hands)


def make_frame_targets(frames: list[Points], most: int = 4) -> FrameTargets:
    """Targets of frames with hands (J, 2) each; NaN for joints that are not there."""
    joints = next((len(hand) for hands in frames for hand in hands), 21)
    px = np.full((len(frames), most, joints, 2), np.nan, np.float32)
    right = np.full((len(frames), most), np.nan, np.float32)
    for n, hands in enumerate(frames):
        for k, hand in enumerate(hands):
            px[n, k], right[n, k] = hand, 1
    points = torch.from_numpy(px)
    visible = torch.where(torch.isfinite(points).all(-1), 1.0, torch.nan)
    box = torch.full((len(frames), most, 4), torch.nan)
    return FrameTargets(points, visible, torch.from_numpy(right), box)


def make_maps(
    hands: Points, tags: list[float], width: int, height: int, spread: float = 0.0, seed: int = 0
) -> list[Tensor]:
    """What LitePose would put out for one frame: both scales' heatmaps, and tags that are each
    hand's number within four cells of its joints, nearest first, 0 elsewhere.

    spread: of the tags about their hand's number.
    """
    rng = np.random.default_rng(seed)
    targets = make_frame_targets([hands])
    fine = draw_heatmaps(targets, height, width, 2)
    coarse = draw_heatmaps(targets, height, width, 4)
    maps = torch.zeros_like(coarse)
    y, x = np.mgrid[: height // 4, : width // 4]
    for joint in range(len(hands[0])):
        nearest = np.full(x.shape, 16.0)
        for hand, tag in zip(hands, tags, strict=True):
            u, v = (hand[joint] + 0.5) / 4 - 0.5
            away = (x - u) ** 2 + (y - v) ** 2
            mine = away < nearest  # never, if the joint is not there
            nearest[mine] = away[mine]
            maps[0, joint][torch.from_numpy(mine)] = tag + spread * float(rng.normal())
    return [torch.cat([coarse, maps], 1), fine]
