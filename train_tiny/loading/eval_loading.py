"""Batches of crops for evaluation: every hand once, in order, with all that a score needs to know.

    for images, targets, facts in make_eval_loader(mix, LoaderConfig(split="test"), seed=0):
        ...

No occlusion and no random geometry unless the configuration asks for them (`EVALUATION`), and the
sensor's noise is its own seed's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from frames.camera import Camera
from frames.errors import BadInput
from frames.skeleton import FINGERS, WRIST
from train_tiny.loading.crop_loading import LoaderConfig, open_mix, prepare
from train_tiny.loading.mixing import Mix, Sources
from train_tiny.loading.packing import Crops, make_targets
from train_tiny.loading.preparation import Preparation, Prepared, prepare_frames, prepare_hands
from train_tiny.loading.rounds import check_items
from train_tiny.losses.tasks import Targets

EVALUATION: Final = LoaderConfig(split="test", occlusion=None, geometry=None)
"""What evaluation loads if nothing else is asked for."""

MIDDLE_MCP: Final = FINGERS["middle"][0]


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of B crops besides their targets."""

    source: list[str]
    """The dataset."""
    frame_id: NDArray[np.int64]
    """(B,)"""
    hand: NDArray[np.int64]
    """(B,) place among the frame's hands."""
    camera: list[Camera]
    """The crop's."""
    reference_m: NDArray[np.float32]
    """(B,) depth that image and depth targets refer to."""
    depth_m: NDArray[np.float32]
    """(B, S, S) what the sensor read, 0 for nothing."""
    keypoints_cam_m: NDArray[np.float32]
    """(B, 21, 3) in the crop camera's axes; NaN where not known."""
    occlusion: NDArray[np.uint8]
    """(B, 21) cause, `frames.parts.CAUSE_NAMES`."""
    visible_fraction: NDArray[np.float32]
    """(B,) share of the hand's pixels that nothing covers; NaN where not known."""
    palm_px: NDArray[np.float32]
    """(B,) from the wrist to the middle finger's MCP in the crop, in the hand's own plane: palm_m
    at the depth of its middle where that is known, else in the picture; NaN for none."""
    palm_m: NDArray[np.float32]
    """(B,) the same in metres; NaN for none."""
    distance_m: NDArray[np.float32]
    """(B,) of the palm's middle from the camera, else of the reference."""
    sensor: list[str]
    """Name of the device; "" for none that is known, or clean depth."""
    situation: list[str]
    """What hands do, "" for not known."""
    key_pose: list[str]
    """Name, "" for not known."""
    grasp: list[str]
    """Name, "" for none."""
    wearer: NDArray[np.bool_]
    """(B,) whether the hand is the wearer's."""


def make_eval_loader(
    mix: Mix, config: LoaderConfig = EVALUATION, seed: int = 0, workers: int = 0
) -> Iterator[tuple[Tensor, Targets, Facts]]:
    """Images (B, 1, S, S), targets and facts of all hands that take part, source after source.

    B is at most the configuration's batch: hands that their sensor does not read are left out.
    seed: of the noise where the configuration names a sensor. Raises BadInput as `feed_crops`
    does.
    """
    sources = open_mix(mix, config)
    chunks = _Chunks(sources, config, prepare(config, seed, fresh=False))
    loader: Any = DataLoader(
        chunks, batch_size=None, num_workers=workers, prefetch_factor=2 if workers else None
    )
    for item in check_items(loader):
        packed, facts = item
        if len(facts.camera):
            yield packed["image"][:, None], make_targets(packed), facts


class _Chunks(Dataset[Any]):
    def __init__(self, sources: Sources, config: LoaderConfig, how: Preparation) -> None:
        self._sources, self._how = sources.sources, how
        size = config.batch
        self._spans = [
            (k, first, min(first + size, source.crops))
            for k, source in enumerate(self._sources)
            for first in range(0, source.crops, size)
        ]

    def __len__(self) -> int:
        return len(self._spans)

    def __getitem__(self, index: int) -> Any:
        try:
            k, first, stop = self._spans[index]
            source, how = self._sources[k], self._how
            made: list[Prepared] = []
            taken = list(source.take_in_order(first, stop))
            for one, frame in zip(taken, prepare_frames(taken, source, how), strict=True):
                made += prepare_hands(frame, one.hands, one.epoch, how)
        except BadInput as error:
            return error
        kind = Crops(how)
        packed = kind.allocate(len(made), shared=False)
        arrays = {name: tensor.numpy() for name, tensor in packed.items()}
        for i, crop in enumerate(made):
            kind.put(arrays, i, crop)
        return packed, _tell_facts(source.name, made, how.geometry.size)


def _tell_facts(name: str, made: Sequence[Prepared], size: tuple[int, int]) -> Facts:
    hands = [one.frame.hands[one.hand] for one in made]
    cam = _stack([one.sample.hands.keypoints_cam_m[one.hand] for one in made], 21, 3)
    px = _stack([one.crop.keypoints_px for one in made], 21, 2)
    middle = (cam[:, WRIST] + cam[:, MIDDLE_MCP]) / 2
    palm_m = np.linalg.norm(cam[:, WRIST] - cam[:, MIDDLE_MCP], axis=-1)
    focal = np.array([one.sample.camera.fx for one in made], np.float32)
    flat = np.linalg.norm(px[:, WRIST] - px[:, MIDDLE_MCP], axis=-1)
    reference = np.array([one.crop.reference_m for one in made], np.float32)
    distance = np.linalg.norm(middle, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        palm_px = np.where(middle[:, 2] > 0, palm_m * focal / middle[:, 2], flat)
    return Facts(
        source=[name] * len(made),
        frame_id=np.array([one.frame.frame_id for one in made], np.int64),
        hand=np.array([one.hand for one in made], np.int64),
        camera=[one.sample.camera for one in made],
        reference_m=reference,
        depth_m=_stack([_find_depth(one) for one in made], *size),
        keypoints_cam_m=cam,
        occlusion=np.array(
            [one.sample.hands.occlusion[one.hand] for one in made], np.uint8
        ).reshape(-1, 21),
        visible_fraction=np.array(
            [one.sample.hands.visible_fraction[one.hand] for one in made], np.float32
        ),
        palm_px=palm_px.astype(np.float32),
        palm_m=palm_m.astype(np.float32),
        distance_m=np.where(np.isfinite(distance), distance, reference).astype(np.float32),
        sensor=[_name_sensor(one) for one in made],
        situation=[one.frame.situation or "" for one in made],
        key_pose=[hand.key_pose or "" for hand in hands],
        grasp=[hand.grasp or "" for hand in hands],
        wearer=np.array([hand.wearer for hand in hands], bool),
    )


def _find_depth(one: Prepared) -> NDArray[np.float32]:
    assert one.sample.images.depth is not None
    return one.sample.images.depth.astype(np.float32) / np.float32(one.sample.depth_scale)


def _name_sensor(one: Prepared) -> str:
    return (one.frame.sensor or "") if one.frame.depth is not None else ""


def _stack(values: list[NDArray[np.float32]], *shape: int) -> NDArray[np.float32]:
    return np.array(values, np.float32).reshape(-1, *shape)


def evaluate_with(config: LoaderConfig, split: str | None) -> LoaderConfig:
    """A training configuration without what is random about it, for another split."""
    return replace(config, split=split, occlusion=None, geometry=None)
