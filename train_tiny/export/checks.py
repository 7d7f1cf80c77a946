"""Labelled images to calibrate a packaged network on, and to compare it with what it is from."""

import itertools
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from frames.errors import BadInput
from frames.skeleton import KEYPOINTS
from synth.config import SynthConfig
from synth.engine import generate
from train_tiny.evaluation.frame_scores import MOST, FrameLabels, score_frames
from train_tiny.evaluation.frame_validation import list_labels
from train_tiny.evaluation.metrics import measure_error, measure_mean, measure_palm, measure_pck
from train_tiny.export.interface import SCALES
from train_tiny.finding.hand_finder import Finding, find_point, read_found
from train_tiny.loading.crop_loading import LoaderConfig, open_sources
from train_tiny.loading.eval_loading import make_eval_loader
from train_tiny.loading.frame_loading import FrameLoaderConfig, make_frame_eval_loader
from train_tiny.losses.heatmaps import find_peaks, to_pixels
from train_tiny.models import CROP_MODELS
from train_tiny.specs import list_splits
from train_tiny.weights import Deployed

Floats = NDArray[np.float32]

Outputs = Mapping[str, Floats]
"""A network's outputs by name."""

RENDERED: Final = SynthConfig(
    frames=512,
    seed=5,
    camera="ego",
    identities=16,
    variants=1,
    frames_per_shard=32,
    split="train:0.5,test:0.5",
)
"""Frames for those who have none; a `random` sensor reads them."""

_BATCH: Final = 32


class Checks(Protocol):
    """Images with labels."""

    @property
    def images(self) -> Floats:
        """(N, 1, H, W)"""

    def locate(self, out: Outputs) -> Floats | None:
        """(N, 21, 2) keypoints in pixels of images, where each shows one hand."""

    def score(self, out: Outputs) -> dict[str, float]:
        """How good the outputs for all images are."""


@dataclass(frozen=True, eq=False)
class CropChecks:
    """Crops of one hand."""

    images: Floats
    keypoints_px: Floats
    """(N, 21, 2) labels; NaN for none."""

    def locate(self, out: Outputs) -> Floats:
        """As prediction does, or as the graph itself has done."""
        if "keypoints_px" in out:
            return out["keypoints_px"]
        maps = out["keypoints"]
        cells, _ = find_peaks(torch.from_numpy(maps))
        return np.asarray(to_pixels(cells, self.images.shape[-1] / maps.shape[-1]).numpy())

    def score(self, out: Outputs) -> dict[str, float]:
        """pck: PCK@0.2 palms, of 1; px: the mean error."""
        error = measure_error(self.locate(out), self.keypoints_px)
        palms = error / measure_palm(self.keypoints_px)[:, None]
        return {"pck": float(measure_pck(palms)), "px": measure_mean(error)}


@dataclass(frozen=True, eq=False)
class FrameChecks:
    """Whole frames."""

    images: Floats
    labels: Sequence[FrameLabels]
    least_score: float
    """The network's operating point."""

    def locate(self, out: Outputs) -> None:
        """There may be any number of hands."""

    def score(self, out: Outputs) -> dict[str, float]:
        """AP of keypoints, or of boxes, and recall (`frame_scores`); nothing of bodies."""
        if SCALES[1] in out and out[SCALES[1]].shape[1] != KEYPOINTS:
            return {}
        every = replace(Finding(), least_score=0.0, hands=MOST)
        found = []
        for first in range(0, len(self.images), _BATCH):
            maps = {k: torch.from_numpy(v[first : first + _BATCH]) for k, v in out.items()}
            raw = [maps[name] for name in SCALES] if SCALES[0] in maps else maps
            found += read_found(raw, None, every)
        scores = score_frames(found, self.labels, self.least_score)
        names = ("ap", "ap50", "box_ap", "box_ap50", "recall")
        return {name: scores[name] for name in names if not np.isnan(scores[name])}


@dataclass(frozen=True)
class Wanted:
    """Which images."""

    data: str = ""
    """Dataset folder; "" for frames rendered on the spot."""
    split: str = "auto"
    """To compare on: a split's, "" for all, auto for test where there is one, else all. Calibration
    has the others: those of split train, or of all, what the comparison leaves."""
    sensor: str = ""
    """As in `train_tiny.loading.crop_loading.LoaderConfig`."""
    compared: int = 512
    """Images to compare on."""
    calibrated: int = 256
    """Images to calibrate on."""
    seed: int = 0
    """Of the sensor's noise."""


def load_checks(deployed: Deployed, wanted: Wanted) -> tuple[Checks, Floats]:
    """Labelled images to compare on, and others, (N, 1, H, W), to calibrate on.

    Raises BadInput for data that cannot be read or have no hand.
    """
    with _find_data(wanted) as asked:
        splits = list_splits(asked.data)
        split: str | None = asked.split
        if split == "auto":
            split = "test" if "test" in splits else ""
        other = "train" if "train" in splits and split not in ("", "train") else split
        # Of one split, the first are compared on and what follows is calibrated on.
        skipped = asked.compared if other == split else 0
        checks = _collect(deployed, asked, split or None, 0, asked.compared)
        rest = _collect(deployed, asked, other or None, skipped, asked.calibrated).images
    if not len(checks.images):
        raise BadInput(f"there is no hand to compare on in {wanted.data}")
    # What was compared on is better to calibrate on than nothing.
    return checks, rest if len(rest) else checks.images[: asked.calibrated]


@contextmanager
def _find_data(wanted: Wanted) -> Iterator[Wanted]:
    if wanted.data:
        yield wanted
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "rendered"
        generate(place, RENDERED, 1)
        yield replace(wanted, data=str(place), sensor=wanted.sensor or "random")


def _collect(
    deployed: Deployed, wanted: Wanted, split: str | None, skipped: int, most: int
) -> "CropChecks | FrameChecks":
    """Some images in the order of the dataset, the first ones left out."""
    mix, first, stop = open_sources([wanted.data]), skipped, skipped + most
    if deployed.name in CROP_MODELS:
        config = LoaderConfig(
            batch=_BATCH,
            size_px=int(deployed.config.get("input_px", 128)),
            split=split,
            sensor=wanted.sensor,
            occlusion=None,
            geometry=None,
        )
        crops = make_eval_loader(mix, config, wanted.seed)
        kept = list(_take(((i, t.keypoints_px.numpy()) for i, t, _ in crops), stop))
        side = config.size_px
        images = _join([i.numpy() for i, _ in kept], (1, side, side))[first:stop]
        labels = _join([points for _, points in kept], (KEYPOINTS, 2))[first:stop]
        return CropChecks(images, labels)
    width, height = (int(n) for n in deployed.config["size_px"])
    plain = FrameLoaderConfig(
        batch=_BATCH,
        size_px=(width, height),
        split=split,
        sensor=wanted.sensor,
        occlusion=None,
        geometry=None,
    )
    whole = make_frame_eval_loader(mix, plain, wanted.seed)
    kept_ = list(_take(((i, list(list_labels(t))) for i, t, _ in whole), stop))
    images = _join([i.numpy() for i, _ in kept_], (1, height, width))[first:stop]
    labelled = [one for _, part in kept_ for one in part][first:stop]
    return FrameChecks(images, labelled, find_point(deployed.provenance))


def _take(batches: Iterable[tuple[Tensor, Any]], most: int) -> Iterator[tuple[Tensor, Any]]:
    count = 0
    for batch in batches:
        yield batch
        count += len(batch[0])
        if count >= most:
            break


def _join(parts: list[Any], shape: tuple[int, ...]) -> Floats:
    return np.concatenate([np.zeros((0, *shape), np.float32), *parts])


def run_in_parts(run: Any, images: Floats, names: Sequence[str]) -> dict[str, Floats]:
    """A `train_tiny.export.runners.Runner`'s outputs for all images, by name."""
    parts = [run(images[k : k + _BATCH]) for k in range(0, len(images), _BATCH)]
    joined = (np.concatenate(rows) for rows in zip(*parts, strict=True))
    return dict(itertools.zip_longest(names, joined))
