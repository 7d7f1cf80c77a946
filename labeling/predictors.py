"""Who proposes hands: networks, a dataset's own labels, or nobody."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from frames.errors import BadInput
from frames.record import Frame
from labeling.proposals import Proposal, add_spares, check_proposals, propose_found, propose_labels

NONE: Final = "none"
SHIPPED: Final = "shipped"
LABELS: Final = "labels"


@dataclass(frozen=True)
class Predictor:
    """Something that proposes hands for a frame."""

    name: str
    """What its predictions are called on the server; another one is another model."""

    find: Callable[[Frame], tuple[Proposal, ...]]
    """The hands it finds."""

    def propose(self, frame: Frame) -> tuple[Proposal, ...]:
        """A left and a right hand, spare where none was found. Raises BadInput for hands that
        cannot be.
        """
        found = self.find(frame)
        check_proposals(found, f"predictor {self.name}, frame {frame.frame_id}")
        return add_spares(found, frame.camera)


def open_predictor(name: str, finder: str | None = None) -> Predictor:
    """`none`: spare hands only; `labels`: the dataset's own labels; `shipped`: the networks that
    come along; anything else is a file of weights or a run's folder.

    finder: the network that finds hands for it; None for the one that comes along. Raises BadInput
    for what cannot be opened, and where nothing finds hands.
    """
    if name == NONE:
        return Predictor("none", lambda _: ())
    if name == LABELS:
        return Predictor("labels", propose_labels)
    try:
        from train_tiny import HandPose
        from train_tiny.shipped import FINDER_FILE, HAND_FILE, find_weights
    except ImportError:
        raise BadInput(
            f"the predictor {name} needs torch: pip install 'handloom[train]', or --predictor none"
        ) from None
    pose: Any = HandPose.load(name, finder)
    if pose.finder is None:
        raise BadInput(
            f"the predictor {name} needs a network that says where hands are, and none comes along"
            " with this handloom: name one with --finder, or push with --predictor none (spare"
            " hands that annotators drag into place)"
        )
    used = [find_weights(name, HAND_FILE), find_weights(finder or SHIPPED, FINDER_FILE)]
    stem = SHIPPED if name == SHIPPED else Path(name).resolve().stem[:40]
    return wrap_pose(pose, f"{stem}-{hash_files(used)}")


def wrap_pose(pose: Callable[..., Any], name: str) -> Predictor:
    """A predictor of any callable like `train_tiny.HandPose`: (depth in metres (H, W) float32,
    camera) -> hands with right, score, keypoints_px, visible and confidence.
    """

    def find(frame: Frame) -> tuple[Proposal, ...]:
        depth = frame.reading
        if depth is None:
            raise BadInput(f"frame {frame.frame_id} has no depth image: nothing to see")
        depth_m = depth.astype(np.float32) / np.float32(frame.depth_scale)
        return propose_found(pose(depth_m, frame.camera))

    return Predictor(name, find)


def hash_files(paths: list[Path]) -> str:
    """Ten hex digits that tell these files from others. Raises BadInput for one that cannot be
    read.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            raise BadInput(f"cannot read {path}: {error.strerror}") from None
    return digest.hexdigest()[:10]
