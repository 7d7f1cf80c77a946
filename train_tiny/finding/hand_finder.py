"""Hands in whole frames, found by a trained finder: boxes for a closer look.

finder = HandFinder.load(Path("finder.safetensors"))
for hand in finder(depth_m):
    print(hand.score, hand.box_px)
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

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
from train_tiny.finding.centre_peaks import read_centres
from train_tiny.finding.found import Finding, Found
from train_tiny.finding.grouping import Instance, group, merge_maps
from train_tiny.losses.full_frames import encode_frame
from train_tiny.models import FRAME_MODELS
from train_tiny.run_folder import hash_file
from train_tiny.weights import load_weights

__all__ = [
    *("Finding", "Found", "HandFinder"),
    *("choose_hands", "find_hands", "find_point", "letterbox", "read_found"),
]

Floats = NDArray[np.float32]

_FOCAL: Final = 0.6
"""Focal length over a frame's width of an ordinary depth camera: for the steepness at which a
surface ends, nothing else, so that any frame can be searched without its camera."""


class HandFinder:
    """A network of whole frames with its letterbox; one frame at a time, on the CPU."""

    def __init__(
        self, net: nn.Module, size_px: tuple[int, int], finding: Finding | None = None
    ) -> None:
        """net: in evaluation mode. size_px: width and height that it takes. finding: None for one
        with the operating point of LitePose."""
        self.net = net.to(memory_format=torch.channels_last)
        self.size_px, self.finding = size_px, finding or Finding()
        self.about: dict[str, Any] = {}
        """Which weights, for summaries."""

    @classmethod
    def load(cls, path: Path, finding: Finding | None = None) -> "HandFinder":
        """From a file of weights. finding: None for the operating point that its own validation
        chose. Raises BadInput for one of another network."""
        deployed = load_weights(path)
        if deployed.name not in FRAME_MODELS:
            raise BadInput(
                f"{path} holds {deployed.name}, which finds no hands: give weights of"
                f" {', '.join(FRAME_MODELS)}"
            )
        if deployed.config.get("joints", KEYPOINTS) != KEYPOINTS:
            raise BadInput(
                f"{path} has {deployed.config['joints']} joints, not a hand's {KEYPOINTS}: it is of"
                " other data"
            )
        width, height = deployed.config["size_px"]
        finding = finding or Finding(least_score=find_point(deployed.provenance))
        finder = cls(deployed.net, (int(width), int(height)), finding)
        finder.about = {"name": deployed.name, "sha256": hash_file(path)}
        return finder

    def lower(self, share: float) -> "HandFinder":
        """The same one, with a share of its operating point: for whoever judges its finds anew."""
        lower = copy.copy(self)
        lower.finding = replace(self.finding, least_score=share * self.finding.least_score)
        return lower

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


def find_point(provenance: Mapping[str, Any]) -> float:
    """The score from which on a find is a hand, as the network's own validation chose it; what
    `Finding` says where it was not validated."""
    chosen = provenance.get("least_score")
    return Finding().least_score if chosen is None else float(chosen)


@torch.no_grad()
def find_hands(net: nn.Module, images: Tensor, finding: Finding) -> list[list[Found]]:
    """The hands in each of images (B, 1, H, W), in their pixels."""
    there = images.contiguous(memory_format=torch.channels_last)
    return read_found(net(there), net(there.flip(-1)) if finding.flip else None, finding)


def read_found(out: Any, mirrored: Any, finding: Finding) -> list[list[Found]]:
    """The hands of B frames in a network's outputs.

    out: of `CentreNet`, a mapping, or of LitePose, a sequence. mirrored: the same of the frames
    with left and right swapped, or None.
    """
    if isinstance(out, Mapping):
        return read_centres(out, mirrored, finding)
    heat, tags = merge_maps(out, mirrored)
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
