"""Hands in whole frames: where to look closer.

finder = HandFinder.load(Path("litepose-xs.safetensors"))
for hand in finder(depth_m):
    print(hand.score, hand.box_px)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from augment.geometry.images import measure_span
from augment.geometry.lens import map_pixels
from augment.geometry.resampling import STEEPEST, resample
from augment.geometry.steps import resize_camera
from frames.camera import Camera
from frames.errors import BadInput
from frames.skeleton import KEYPOINTS
from train_tiny.full_frames import encode_frame
from train_tiny.grouping import Grouping, Instance, group, merge_maps
from train_tiny.models import FRAME_MODELS
from train_tiny.weights import load_weights

Floats = NDArray[np.float32]

_FOCAL: Final = 0.6
"""Focal length over a frame's width of an ordinary depth camera: for the steepness at which a
surface ends, nothing else, so that any frame can be searched without its camera."""


@dataclass(frozen=True)
class Finding:
    """Which instances are hands."""

    least_score: float = 0.2
    """The operating point; 0 for all."""
    hands: int = 4
    """At most."""
    least_joint: float = 0.1
    """Height of the heatmap from which on a joint is part of the box."""
    astray: float = 3.0
    """A joint that is farther from the middle of all than this many times their median distance is
    taken for another hand's: it is not part of the box, and its score is 0. Of a hand's own joints
    2 % are, fingertips of a hand seen end on."""
    apart: float = 0.15
    """Two whose joints are nearer than this, on average and in diagonals of the better one's box,
    are one hand found twice."""
    flip: bool = False
    """Whether the frame is searched in a mirror too: better, in twice the time."""
    grouping: Grouping = Grouping()  # noqa: RUF009


@dataclass(frozen=True, eq=False)
class Found:
    """One hand, in pixels of the frame."""

    score: float
    """0 .. 1."""
    box_px: Floats
    """(4,) x0, y0, x1, y1 around its keypoints."""
    keypoints_px: Floats
    """(21, 2)"""
    scores: Floats
    """(21,) 0 .. 1."""


class HandFinder:
    """A LitePose with its letterbox and its grouping; one frame at a time, on the CPU."""

    def __init__(
        self, net: nn.Module, size_px: tuple[int, int], finding: Finding | None = None
    ) -> None:
        """net: in evaluation mode. size_px: width and height that it takes."""
        self.net = net.to(memory_format=torch.channels_last)
        self.size_px, self.finding = size_px, finding or Finding()

    @classmethod
    def load(cls, path: Path, finding: Finding | None = None) -> "HandFinder":
        """From a file of weights. Raises BadInput for one of another network."""
        deployed = load_weights(path)
        if deployed.name not in FRAME_MODELS:
            raise BadInput(
                f"{path} holds {deployed.name}, which finds no hands: give weights of"
                f" {', '.join(FRAME_MODELS)}"
            )
        if deployed.config["joints"] != KEYPOINTS:
            raise BadInput(
                f"{path} has {deployed.config['joints']} joints, not a hand's {KEYPOINTS}: it is of"
                " other data"
            )
        width, height = deployed.config["size_px"]
        return cls(deployed.net, (int(width), int(height)), finding)

    def __call__(self, depth_m: Floats) -> list[Found]:
        """The hands of a frame, the best first.

        depth_m: (H, W) float32 metres, 0 for no reading. Raises BadInput for what is no image.
        """
        if depth_m.ndim != 2 or not depth_m.size:
            raise BadInput(f"a depth image is (H, W), got an array of shape {depth_m.shape}")
        seen, ratio = letterbox(depth_m.astype(np.float32, copy=False), self.size_px)
        image = torch.from_numpy(encode_frame(seen))[None, None]
        found = find_hands(self.net, image, self.finding)[0]
        return [_enlarge(one, ratio) for one in found]


@torch.no_grad()
def find_hands(net: nn.Module, images: Tensor, finding: Finding) -> list[list[Found]]:
    """The hands in each of images (B, 1, H, W), in their pixels."""
    there = images.contiguous(memory_format=torch.channels_last)
    mirrored = net(there.flip(-1)) if finding.flip else None
    heat, tags = merge_maps(net(there), mirrored)
    return [choose_hands(instances, finding) for instances in group(heat, tags, finding.grouping)]


def choose_hands(instances: Sequence[Instance], finding: Finding) -> list[Found]:
    """Those that are good enough and not found twice, the best first."""
    kept: list[Found] = []
    for one in instances:
        if one.score < finding.least_score or len(kept) == finding.hands:
            break
        sure = one.scores >= finding.least_joint
        if not sure.any():
            continue
        px = one.keypoints_px
        away = np.linalg.norm(px - np.median(px[sure], axis=0), axis=-1)
        near = away <= finding.astray * np.median(away[sure])
        inner = px[sure & near]
        box = np.concatenate([inner.min(0) - 0.5, inner.max(0) + 0.5])
        hand = Found(one.score, box, px, np.where(near, np.minimum(one.scores, 1), 0))
        if not any(_are_same(hand, other, finding) for other in kept):
            kept.append(hand)
    return kept


def letterbox(depth_m: Floats, size_px: tuple[int, int]) -> tuple[Floats, tuple[float, float]]:
    """A frame (H, W) at a network's size, nothing (0) to its right or below; and the factors by
    which it became wider and higher.

    As training frames are: averaged where pixels are many, but never across an edge.
    """
    source = depth_m.shape[1], depth_m.shape[0]
    places, span, limit, inner = _plan_letterbox(source, size_px)
    out = np.zeros(size_px[::-1], np.float32)
    seen = np.empty(inner[::-1], np.float32)
    resample(places, np.ascontiguousarray(depth_m), None, limit, span, 1.0, 0.0, seen)
    out[: inner[1], : inner[0]] = seen
    return out, (inner[0] / source[0], inner[1] / source[1])


@lru_cache(maxsize=8)
def _plan_letterbox(
    source: tuple[int, int], size_px: tuple[int, int]
) -> tuple[NDArray[np.float32], float, float, tuple[int, int]]:
    width, height = source
    ratio = min(size_px[0] / width, size_px[1] / height)
    inner = max(1, round(width * ratio)), max(1, round(height * ratio))
    focal = _FOCAL * width
    camera = Camera("pinhole", width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
    places = map_pixels(resize_camera(camera, *inner))
    span = measure_span(places)
    return places, span if span > 1.05 else 1.0, STEEPEST / focal, inner


def _are_same(one: Found, other: Found, finding: Finding) -> bool:
    both = (one.scores >= finding.least_joint) & (other.scores >= finding.least_joint)
    if not both.any():
        both = np.ones(len(both), bool)
    away = np.linalg.norm(one.keypoints_px[both] - other.keypoints_px[both], axis=-1).mean()
    diagonal = np.linalg.norm(other.box_px[2:] - other.box_px[:2])
    return bool(away < finding.apart * diagonal)


def _enlarge(one: Found, ratio: tuple[float, float]) -> Found:
    factor = np.array([*ratio, *ratio], np.float32)
    half = np.float32(0.5)
    # Edges of a box are measured as pixels' centres are.
    px, box = one.keypoints_px + half, one.box_px + half
    return replace(one, keypoints_px=px / factor[:2] - half, box_px=box / factor - half)
