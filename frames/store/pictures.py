"""Colour and infrared pictures: files in memory, JPEG or PNG, as captures keep them."""

import struct
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from frames.camera import MAX_IMAGE_SIDE
from frames.errors import BadInput

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_TIFF: Final = {b"II": "<", b"MM": ">"}
_TIFF_NUMBERS: Final = {1: "B", 3: "H", 4: "I", 16: "Q"}


def encode_picture(image: NDArray[Any]) -> bytes:
    """A PNG file of (H, W) or (H, W, 3) uint8, red first, or (H, W) uint16."""
    # Fast and lossless: a capture waits for this more than for its disk.
    turned = np.ascontiguousarray(image[..., ::-1] if image.ndim == 3 else image)
    done, data = cv2.imencode(".png", turned, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    return data.tobytes()


def decode_picture(data: bytes | memoryview) -> NDArray[Any]:
    """The image in a JPEG or PNG file: (H, W) uint8 or uint16, or (H, W, 3) uint8, red first.

    Raises BadInput for a file that is broken, or larger than images may be.
    """
    measure_picture(data)
    _check_chunks(data)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise BadInput(f"picture of {len(data)} bytes is truncated or broken")
    return np.ascontiguousarray(image[..., 2::-1]) if image.ndim == 3 else np.asarray(image)


def read_image(path: Path) -> NDArray[Any]:
    """The image in a PNG, JPEG or TIFF file as OpenCV has it: (H, W) or (H, W, channels).

    Raises BadInput, naming the file, for one that is missing, broken, or larger than images may be.
    """
    try:
        data = path.read_bytes()
        measure_picture(data)
        _check_chunks(data)
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    except (BadInput, cv2.error, MemoryError) as error:
        raise BadInput(
            f"{path} cannot be read as a picture: {str(error).splitlines()[0]}"
        ) from None
    if image is None:
        raise BadInput(f"{path} cannot be read as a picture: the file is damaged")
    return np.asarray(image)


def to_display(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of a picture: infrared of 16 bits is brightened by its own 99th percentile,
    its square root taken, for light falls off with the square of the distance.
    """
    image = picture
    if image.dtype != np.uint8:
        top = max(1.0, float(np.percentile(image, 99)))
        image = (255 * np.sqrt(np.clip(image / top, 0, 1))).astype(np.uint8)
    return np.asarray(image if image.ndim == 3 else np.repeat(image[..., None], 3, -1), np.uint8)


def fit_picture(panel: NDArray[np.uint8], picture: NDArray[np.uint8]) -> None:
    """Draw a picture (h, w, 3) into the middle of a panel (H, W, 3), as large as fits."""
    height, width = panel.shape[:2]
    scale = min(height / picture.shape[0], width / picture.shape[1])
    size = max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    panel[top : top + size[1], left : left + size[0]] = small


def is_measurable(begin: bytes) -> bool:
    """Whether a file that begins so is of a kind that `measure_picture` knows."""
    return begin.startswith((_PNG, _JPEG)) or begin[:2] in _TIFF


def measure_picture(data: bytes | memoryview) -> tuple[int, int]:
    """Width and height of a PNG, JPEG or TIFF file by its header, before anything is made room for.

    data: the file, or its beginning (a TIFF's must be whole). Raises BadInput for another kind of
    file, a header that is cut off, and sizes that no image of ours has.
    """
    data = bytes(data)
    try:
        if data.startswith(_PNG):
            size = struct.unpack_from(">II", data, 16)
        elif data.startswith(_JPEG):
            size = _measure_jpeg(data)
        elif data[:2] in _TIFF:
            size = _measure_tiff(data, _TIFF[data[:2]])
        else:
            raise BadInput("it is neither PNG nor JPEG nor TIFF")
    except (struct.error, IndexError):
        raise BadInput("its header is cut off: the file is truncated") from None
    width, height = size
    if not (1 <= width <= MAX_IMAGE_SIDE and 1 <= height <= MAX_IMAGE_SIDE):
        raise BadInput(
            f"its header says {width} x {height} pixels: sides of 1 to {MAX_IMAGE_SIDE} can be"
        )
    return width, height


def _check_chunks(data: bytes | memoryview) -> None:
    """Raises BadInput for a PNG file with a chunk that would reach beyond its end: the decoder
    makes room for what a chunk claims, a gigabyte if need be, before it reads it.
    """
    at, size = 8, len(data)
    while data[:8] == _PNG and at + 8 <= size:
        at += 12 + struct.unpack_from(">I", data, at)[0]
        if at > size:
            raise BadInput("a piece of it reaches beyond its end: the file is truncated or damaged")


def _measure_jpeg(data: bytes) -> tuple[int, int]:
    """The size in the frame header, found by walking from marker to marker."""
    at = 2
    while True:
        if data[at] != 0xFF:
            raise BadInput("it is a broken JPEG file")
        marker = data[at + 1]
        if marker == 0xFF:  # fill bytes
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + max(2, struct.unpack_from(">H", data, at + 2)[0])


def _measure_tiff(data: bytes, order: str) -> tuple[int, int]:
    """The sizes among the entries of the first directory (tags 256 and 257)."""
    version = struct.unpack_from(order + "H", data, 2)[0]
    if version not in (42, 43):
        raise BadInput("it is a broken TIFF file")
    large = version == 43
    start = struct.unpack_from(order + ("Q" if large else "I"), data, 8 if large else 4)[0]
    count = struct.unpack_from(order + ("Q" if large else "H"), data, start)[0]
    first, step, value = start + (8 if large else 2), 20 if large else 12, 12 if large else 8
    found = {}
    for k in range(min(count, 4096)):
        at = first + k * step
        tag, kind = struct.unpack_from(order + "HH", data, at)
        if tag in (256, 257) and kind in _TIFF_NUMBERS:
            found[tag] = struct.unpack_from(order + _TIFF_NUMBERS[kind], data, at + value)[0]
    if len(found) < 2:
        raise BadInput("it is a TIFF file without an image")
    return found[256], found[257]
