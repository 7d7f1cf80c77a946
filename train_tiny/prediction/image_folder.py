"""A folder of depth images: PNG, TIFF and NumPy arrays of 16 bits or of floats in metres, beside a
camera file.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augment.calibrate.capture_files import list_clips, read_file
from augment.calibrate.reading import find_camera
from frames.errors import BadInput
from frames.store.pictures import read_image
from train_tiny.prediction.depth_frame import ALONE, DepthFrame, SourceOptions


class ImageFolder:
    """The depth images of a folder and the folders in it, one camera's."""

    def __init__(self, folder: Path, options: SourceOptions) -> None:
        """Raises BadInput for a folder without depth images, and where nothing tells the camera.

        How the files' names are read: `augment.calibrate.capture_files.list_clips`.
        """
        self._folder, self._fps = folder, options.fps
        self._clips = [clip.depth for clip in list_clips(folder)]
        self._camera, stated = find_camera(folder, options.camera)
        self._scale = options.depth_scale or stated
        counts = [sum(_count_images(path) for path in paths) for paths in self._clips]
        self._count = sum(counts)
        self.name, self.fps = folder.name, options.fps
        self._most = options.frames or self._count

    def __len__(self) -> int:
        return min(self._most, self._count)

    def __iter__(self) -> Iterator[DepthFrame]:
        frame_id = 0
        for sequence, paths in enumerate(self._clips):
            start = frame_id
            for path, name, image in _read_images(self._folder, paths):
                if frame_id == self._most:
                    return
                yield DepthFrame(
                    *(frame_id, name, self._check(path, image), self._find_scale(image)),
                    *(self._camera, sequence if self._fps else ALONE),
                    (frame_id - start) / self._fps if self._fps else None,
                )
                frame_id += 1

    def _find_scale(self, image: NDArray[Any]) -> float | None:
        if image.dtype != np.uint16:
            return None
        if not self._scale:
            raise BadInput(
                f"the depth scale of {self._folder} is unknown: give --depth-scale (steps a metre,"
                " such as 1000 for millimetres) or depth_scale_per_m in the camera file"
            )
        return self._scale

    def _check(self, path: Path, image: NDArray[Any]) -> NDArray[Any]:
        camera = self._camera
        if image.shape != (camera.height, camera.width):
            raise BadInput(
                f"{path} has {image.shape[1]} x {image.shape[0]} pixels, its camera"
                f" {camera.width} x {camera.height}: all images must be the camera's size"
            )
        return image


def _read_images(folder: Path, paths: Sequence[Path]) -> Iterator[tuple[Path, str, NDArray[Any]]]:
    """Every image of some files, with its file and its name."""
    for path in paths:
        name = path.relative_to(folder).as_posix()
        images = _read_metres(path)
        stack: Sequence[NDArray[Any]] = read_file(path) if images is None else images
        for k, image in enumerate(stack):
            yield path, name if len(stack) == 1 else f"{name}[{k}]", image


def _read_metres(path: Path) -> list[NDArray[np.float32]] | None:
    """The images of a file that has floats, metres; None for one that has not."""
    if path.suffix.lower() == ".npy":
        try:
            stack = np.load(path, mmap_mode="r", allow_pickle=False)
        except Exception as error:  # a broken header makes numpy's reader raise almost anything
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise BadInput(f"{path} cannot be read as a numpy array: {reason}") from None
        if stack.dtype not in (np.float32, np.float64) or stack.ndim not in (2, 3):
            return None
        return list(stack[None] if stack.ndim == 2 else stack)
    if path.suffix.lower() in (".tif", ".tiff"):
        image = read_image(path)
        if image.dtype == np.float32 and image.ndim == 2:
            return [image]
    return None


def _count_images(path: Path) -> int:
    if path.suffix.lower() != ".npy":
        return 1
    try:
        shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    except Exception:
        return 1  # told when it is read
    return int(shape[0]) if len(shape) == 3 else 1
