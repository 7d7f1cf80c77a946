"""Inputs and outputs of a packaged network, described for programs without handloom.

The same text goes into the ONNX file (`metadata_props["handloom"]`) and into a JSON file beside it.
"""

from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from frames.errors import BadInput
from frames.skeleton import KEYPOINT_NAMES
from train_tiny.finding.hand_finder import find_point
from train_tiny.loading.crops import HALF_RANGE_M, NEARER
from train_tiny.loading.preparation import STILL
from train_tiny.losses.full_frames import FAR_M, NEAR_M
from train_tiny.losses.heatmaps import WINDOW, find_peaks, to_pixels
from train_tiny.models import CROP_MODELS
from train_tiny.weights import Deployed

FORMAT: Final = "handloom package 1"

INPUT: Final = "image"
"""Name of the input."""

SCALES: Final = ("coarse", "fine")
"""Names of LitePose's outputs."""

_HEATS: Final = (
    "log heatmaps; a cell's probability is the softmax over its map; cell i is centred on pixel"
    " {stride} (i + 0.5) - 0.5"
)

_OUTPUTS: Final = {
    "visibility": "logits of each keypoint being seen, not hidden: sigmoid",
    "side": "logit of a right hand: sigmoid",
    "depth": (
        "units of half_range_m; [..., 0]: the joint's depth less what the sensor reads at its pixel"
        " (for keypoints that are seen and read); [..., 1]: the joint's depth less the reference"
    ),
    "centre": (
        "logits of the middle of a hand's box; a cell that is the highest of its 3 x 3 neighbours"
        " is a hand; cell i is centred on pixel 4 (i + 0.5) - 0.5"
    ),
    "box": (
        "natural logarithms of the distances from a cell's middle to the left, upper, right and"
        " lower edge of the hand's box, in cells of 4 pixels"
    ),
    "mask": "logits of the hand's visible pixels, in cells as keypoints",
    "key_pose": "logits of classes: softmax",
    "keypoints_px": "x, y in pixels of the image; integers are pixel centres",
    "confidence": f"probability within {WINDOW} cells of each heatmap's peak, 0 .. 1",
    "coarse": (
        "J heatmaps, then J tags of associative embedding, at a quarter of the image's size; cell"
        " i is centred on pixel 4 (i + 0.5) - 0.5"
    ),
    "fine": "J heatmaps at half of the image's size; cell i is centred on pixel 2 (i + 0.5) - 0.5",
}


class Graph(nn.Module):
    """A deployed network as a graph: image (B, 1, H, W) -> a tuple of tensors."""

    def __init__(self, net: nn.Module, side_px: int = 0) -> None:
        """side_px: of the crop, where heatmaps are to be decoded to pixels; 0 for not."""
        super().__init__()
        self.net, self._side = net.eval(), side_px

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.name_outputs(image).values())

    def name_outputs(self, image: Tensor) -> dict[str, Tensor]:
        """The same by name."""
        out = self.net(image)
        if not isinstance(out, dict):
            return dict(zip(SCALES, out, strict=True))
        if not self._side:
            return out
        maps = out["keypoints"]
        cells, mass = find_peaks(maps)
        found = {"keypoints_px": to_pixels(cells, self._side / maps.shape[-1]), "confidence": mass}
        return found | {k: v for k, v in out.items() if k != "keypoints"}


@dataclass(frozen=True, eq=False)
class Interface:
    """A graph, the shape of its input, and what to say of both."""

    graph: Graph
    shape: tuple[int, int, int, int]
    """Of the input with one image."""
    outputs: tuple[str, ...]
    """Names, in order."""
    text: dict[str, Any]
    """Plain JSON values."""

    @property
    def example(self) -> Tensor:
        """An input of one image."""
        return torch.zeros(self.shape)


def describe_network(deployed: Deployed, decode: bool = False) -> Interface:
    """decode: whether the graph goes on to keypoints in pixels, in the place of heatmaps.

    Raises BadInput where a network's heatmaps cannot be decoded one by one.
    """
    crops = deployed.name in CROP_MODELS
    if decode and not crops:
        raise BadInput(
            f"{deployed.name} finds any number of hands: its maps are read after it, by"
            " train_tiny.finding.hand_finder.read_found; leave --decode out"
        )
    if crops:
        width = height = int(deployed.config.get("input_px", 128))
    else:
        width, height = (int(n) for n in deployed.config["size_px"])
    graph = Graph(deployed.net, width if decode else 0)
    shape = (1, 1, height, width)
    with torch.no_grad():
        out = graph.name_outputs(torch.zeros(shape))
    text: dict[str, Any] = {
        "format": FORMAT,
        "model": deployed.name,
        "input": _describe_input(crops, shape),
        "outputs": [_describe_output(k, tuple(v.shape), width) for k, v in out.items()],
        "keypoints": _name_keypoints(out),
        "provenance": deployed.provenance,
    }
    if not crops:
        text["least_score"] = find_point(deployed.provenance)
    return Interface(graph, shape, tuple(out), text)


def _name_keypoints(out: dict[str, Tensor]) -> list[str]:
    known = ("keypoints", "keypoints_px", "fine")
    joints = next((v.shape[1] for k, v in out.items() if k in known), 0)
    return list(KEYPOINT_NAMES) if joints == len(KEYPOINT_NAMES) else []


def _describe_output(name: str, shape: tuple[int, ...], width: int) -> dict[str, Any]:
    meaning = _OUTPUTS.get(name, name)
    if name == "keypoints":
        meaning = _HEATS.format(stride=width // shape[-1])
    return {"name": name, "shape": ["batch", *shape[1:]], "type": "float32", "meaning": meaning}


def _describe_input(crops: bool, shape: tuple[int, ...]) -> dict[str, Any]:
    text: dict[str, Any] = {"name": INPUT, "shape": ["batch", *shape[1:]], "type": "float32"}
    if crops:
        return text | {
            "what": "a square crop of the depth image about one hand, rows from top to bottom",
            "times_hand": STILL.margin,
            "half_range_m": HALF_RANGE_M,
            "reference": (
                f"the {NEARER} quantile of the readings z > 0 in the middle half of the crop's"
                " rows and columns (sorted z, at floor(quantile (n - 1))); of all, where none is"
                " there"
            ),
            "encoding": (
                "clip((reference + half_range_m - z) / (2 half_range_m), 0, 1) with z in metres; 0"
                " where nothing is read (z = 0) and beyond the image's border"
            ),
        }
    return text | {
        "what": (
            "the whole depth image, resized to fit with its proportions kept; zeros to its right"
            " or below"
        ),
        "near_m": NEAR_M,
        "far_m": FAR_M,
        "encoding": (
            "clip((far_m - z) / (far_m - near_m), 0, 1) with z in metres; 0 where nothing is read"
            " (z = 0)"
        ),
    }
