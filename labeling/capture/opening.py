"""Which reader opens a recording."""

from importlib import import_module
from pathlib import Path
from typing import Any, Final

from frames.errors import BadInput
from frames.store.folder import META_NAME
from labeling.capture.recording import Recording, Request

READERS: Final = {
    ".bag": ("ros", "RosRecording"),
    ".db3": ("ros", "RosRecording"),
    ".mcap": ("ros", "RosRecording"),
    ".mkv": ("kinect", "KinectRecording"),
    ".npy": ("arrays", "ArrayRecording"),
    ".npz": ("arrays", "ArrayRecording"),
}
"""Readers of files by suffix: module here, and class."""

_ROS_FOLDER: Final = "metadata.yaml"


def open_recording(request: Request) -> Recording:
    """Open a recording and look through it. Raises BadInput, in one line, for what cannot be."""
    path = Path(request.source)
    if not path.exists():
        raise BadInput(f"recording {path} does not exist: it must be a file or a folder")
    for name in ("depth_scale", "fps"):
        value = getattr(request, name)
        if not 0 <= value < float("inf"):
            raise BadInput(f"{name} must be > 0, got {value}")
    if path.is_file():
        if path.suffix.lower() not in READERS:
            raise BadInput(
                f"recording {path} must be one of {', '.join(READERS)}, or a folder of pictures"
            )
        return _open(*READERS[path.suffix.lower()], request)
    if (path / META_NAME).is_file():
        raise BadInput(f"{path} is a dataset already")
    if (path / _ROS_FOLDER).is_file():
        return _open("ros", "RosRecording", request)
    inside = sorted(p.name for p in path.iterdir() if p.suffix.lower() in (".bag", ".db3", ".mcap"))
    if inside:
        raise BadInput(f"{path} holds recordings: name one, such as {path / inside[0]}")
    return _open("folder", "FolderRecording", request)


def _open(module: str, name: str, request: Request) -> Recording:
    kind: Any = getattr(import_module(f"labeling.capture.{module}"), name)
    recording: Recording = kind(request)
    return recording
