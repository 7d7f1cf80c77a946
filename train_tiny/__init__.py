"""Networks for hand pose from depth: training, evaluation, prediction, export, and weights
(docs/training.md, docs/prediction.md).

    from train_tiny import HandPose
    hands = HandPose.load()(depth, camera)

networks, losses          architectures, and what they are taught
loading                   frames to batches: order, sensors, occluders, geometry, workers
finding                   whole frames to hands
training, prediction      a run; hands of images and files
evaluation, persons       scores and reports; pictures of persons, as COCO has them
search, export            the supernet; files for other runtimes

Names load on first use, so that `import train_tiny` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from train_tiny.prediction.following import Follower
    from train_tiny.prediction.hand import Hand
    from train_tiny.prediction.hand_pose import HandPose

__all__ = ["Follower", "Hand", "HandPose"]

_HOMES = {"Follower": "following", "Hand": "hand", "HandPose": "hand_pose"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'train_tiny' has no attribute {name!r}")
    return getattr(import_module(f"train_tiny.prediction.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
