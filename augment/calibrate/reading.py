"""A capture read: a folder of 16-bit depth images, or a handloom dataset."""

import json
import tomllib
from pathlib import Path
from typing import Any, Final

import numpy as np

from augment.calibrate.capture import Capture, Clip
from augment.calibrate.capture_files import ClipFiles, list_clips, read_images, read_masks
from augment.sensed import open_sensed
from frames.camera import CAMERAS, Camera
from frames.camera_file import read_camera
from frames.errors import BadInput
from frames.parts import HAND_STRIDE, MAX_HANDS
from frames.store.folder import META_NAME

CAMERA_NAMES: Final = ("camera.json", "camera.toml")
CLIP_FRAMES: Final = 120
"""Of a clip, the first so many frames are used."""

_MOST_FRAMES: Final = 600
_COLUMNS: Final = (
    *("frame_id", "camera", "depth_scale", "depth", "clean_depth", "parts", "sequence_id"),
    "time_s",
)


def read_capture(
    folder: Path, camera: str = "", depth_scale: float = 0.0, fps: float = 0.0
) -> Capture:
    """The capture in a folder.

    camera: a preset's name or a camera file; "" for camera.json or camera.toml in the folder or the
    one above. depth_scale: steps a metre; 0 for what the camera file says. fps: frames a second;
    0 for unknown. Raises BadInput for a folder without depth images, images that are not 16 bit or
    of several sizes, and where nothing says what camera and scale are.
    """
    if not folder.exists():
        raise BadInput(f"capture {folder} does not exist: it must be a folder of depth images")
    if not folder.is_dir():
        raise BadInput(f"capture {folder} is a file: it must be a folder of depth images")
    if depth_scale < 0 or not np.isfinite(depth_scale):
        raise BadInput(f"depth_scale must be > 0 steps a metre, got {depth_scale}")
    if fps < 0 or not np.isfinite(fps):
        raise BadInput(f"fps must be > 0 frames a second, got {fps}")
    if (folder / META_NAME).is_file():
        if camera or depth_scale:
            raise BadInput(f"{folder} is a dataset: it has its own camera and depth scale")
        return _read_dataset(folder)
    clips = list_clips(folder)
    lens, stated = find_camera(folder, camera)
    scale = depth_scale or stated
    if not scale:
        raise BadInput(
            f"the depth scale of {folder} is unknown: give --depth-scale (steps a metre, such as"
            f" 1000 for millimetres) or depth_scale_per_m in the camera file"
        )
    read = tuple(_read_clip(c, fps) for c in clips)
    for clip in read:
        height, width = clip.depth.shape[1:]
        if (width, height) != (lens.width, lens.height):
            raise BadInput(
                f"the images of {folder / clip.name} have {width} x {height} pixels, the camera has"
                f" {lens.width} x {lens.height}: all images must be the camera's size"
            )
    return Capture(str(folder), lens, scale, read)


def find_camera(folder: Path, camera: str) -> tuple[Camera, float]:
    """The camera of a folder of images, and the depth scale that its file states or 0.

    camera: a preset or a file; "" for camera.json or camera.toml there or above. Raises BadInput
    for none.
    """
    if camera in CAMERAS:
        return CAMERAS[camera], 0.0
    if camera:
        path = Path(camera)
    else:
        places = [p / n for p in (folder, folder.parent) for n in CAMERA_NAMES]
        found = next((p for p in places if p.is_file()), None)
        if found is None:
            raise BadInput(
                f"{folder} has no camera.json: put one there (docs/conventions.md) or give --camera"
            )
        path = found
    lens = read_camera(path)
    text = path.read_text(encoding="utf-8")
    values = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    return lens, float(values.get("depth_scale_per_m") or 0.0)


def _read_clip(files: ClipFiles, fps: float) -> Clip:
    depth = read_images(files.depth, CLIP_FRAMES)
    hand = read_masks(files.hand, CLIP_FRAMES) if files.hand else None
    amplitude = read_images(files.amplitude, CLIP_FRAMES) if files.amplitude else None
    for what, other in (("masks", hand), ("amplitude images", amplitude)):
        if other is not None and other.shape != depth.shape:
            raise BadInput(
                f"clip {files.name} has {_say_shape(depth)} of depth and {_say_shape(other)} of"
                f" {what}: each depth image needs its own, of the same size"
            )
    times = np.arange(len(depth)) / fps if fps else None
    return Clip(files.name, depth, hand, amplitude, None, times)


def _say_shape(stack: np.ndarray) -> str:
    count, height, width = stack.shape
    return f"{count} images {width} x {height}"


def _read_dataset(folder: Path) -> Capture:
    """Frames of a dataset as its sensor reads them, a clip a sequence."""
    data = open_sensed(folder, columns=_COLUMNS, partial=True)
    if not len(data):
        raise BadInput(f"{folder} has no finished shard yet")
    groups: dict[str, list[Any]] = {}
    step = max(1, len(data) // _MOST_FRAMES)
    first = data[0]
    for i in range(len(data)):
        # Sequences are read whole, single frames evenly over the dataset.
        if i % step and first.sequence_id is None:
            continue
        frame = data[i]
        if frame.camera != first.camera or frame.depth_scale != first.depth_scale:
            raise BadInput(f"{folder} has frames of several cameras: a profile is one device's")
        if frame.depth is None:
            raise BadInput(f"frame {frame.frame_id} of {folder} has no depth of a sensor")
        name = "frames" if frame.sequence_id is None else f"sequence {frame.sequence_id}"
        groups.setdefault(name, []).append(frame)
        if sum(map(len, groups.values())) >= _MOST_FRAMES:
            break
    clips = tuple(_build_clip(name, found) for name, found in groups.items())
    return Capture(str(folder), first.camera, first.depth_scale, clips)


def _build_clip(name: str, found: list[Any]) -> Clip:
    depth = np.stack([f.depth for f in found])
    hand = clean = times = None
    if all(f.parts is not None for f in found):
        parts = np.stack([f.parts for f in found])
        hand = (parts > 0) & (parts < HAND_STRIDE * MAX_HANDS)
    if all(f.clean_depth is not None for f in found):
        clean = np.stack([f.clean_depth for f in found])
    if all(f.time_s is not None for f in found):
        times = np.array([f.time_s for f in found])
    return Clip(name, depth, hand, None, clean, times)
