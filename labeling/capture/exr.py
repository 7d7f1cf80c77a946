"""Depth in OpenEXR files: one channel of floats, or of whole numbers."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import MAX_IMAGE_SIDE
from frames.errors import BadInput
from labeling.capture.extras import foreign_errors, hushed, import_extra

_DEPTHS: Final = ("Z", "depth", "Depth", "depth.Z", "V", "Y")
_MAGIC: Final = b"\x76\x2f\x31\x01"


def measure_exr(path: Path) -> tuple[int, int]:
    """Width and height of a file. Raises BadInput for one that is broken, or too large."""
    library = import_extra("OpenEXR", "EXR files")
    _check_magic(path)
    with hushed(), foreign_errors(str(path)):
        header = library.File(str(path), header_only=True).header()
        low, high = (np.asarray(v, np.int64) for v in header["dataWindow"])
    width, height = (int(n) for n in high - low + 1)
    if not (1 <= width <= MAX_IMAGE_SIDE and 1 <= height <= MAX_IMAGE_SIDE):
        raise BadInput(
            f"{path}: its header says {width} x {height} pixels: sides of 1 to {MAX_IMAGE_SIDE}"
            f" can be"
        )
    return width, height


def read_exr(path: Path) -> NDArray[Any]:
    """The depth (H, W) in a file: its only channel, or the one called Z, depth, V or Y.

    Raises BadInput for a file that is broken, too large, or does not say which channel is depth.
    """
    width, height = measure_exr(path)
    library = import_extra("OpenEXR", "EXR files")
    with hushed(), foreign_errors(str(path)), library.File(str(path), separate_channels=True) as f:
        channels = {name: np.array(c.pixels) for name, c in f.channels().items()}
    name = next((n for n in _DEPTHS if n in channels), next(iter(channels), ""))
    if len(channels) != 1 and name not in _DEPTHS:
        raise BadInput(
            f"{path} has the channels {', '.join(sorted(channels)) or 'none'}: one called Z must"
            f" be the depth"
        )
    if channels[name].shape != (height, width):
        raise BadInput(f"{path} has a channel {name} of another size than the image")
    return channels[name]


def _check_magic(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(4) != _MAGIC:
            raise BadInput(f"{path} is no EXR file")
