"""frames: the record every stage reads and writes, and how it is stored.

    import frames
    data = frames.open_dataset("out/demo")
    frame = data[0]
    frame.clean_depth, frame.hands[0].keypoints_px

store       shards, columns and codecs, on disk or in an object store
engines     shards made by many processes
checks      whether a dataset is whole and its labels true
census      what is in it, counted
viewing     pictures, pages, recordings
exports     other formats
report      the HTML of reports

Names load on first use, so that `import frames` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from frames.errors import BadInput

if TYPE_CHECKING:
    from frames.camera import CAMERAS, Camera, load_camera
    from frames.checks.verify import verify_dataset
    from frames.record import Frame, Hand, SceneObject
    from frames.store.dataset import Dataset, open_dataset

__all__ = [
    "CAMERAS",
    "BadInput",
    "Camera",
    "Dataset",
    "Frame",
    "Hand",
    "SceneObject",
    "load_camera",
    "open_dataset",
    "verify_dataset",
]

_HOMES = {
    "CAMERAS": "camera",
    "Camera": "camera",
    "Dataset": "store.dataset",
    "Frame": "record",
    "Hand": "record",
    "SceneObject": "record",
    "load_camera": "camera",
    "open_dataset": "store.dataset",
    "verify_dataset": "checks.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'frames' has no attribute {name!r}")
    return getattr(import_module(f"frames.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
