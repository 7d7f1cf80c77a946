"""ROS messages as arrays, pictures and cameras; sizes are checked before anything is made of them.

Formats: REP 118 (depth images: uint16 millimetres or float32 metres), sensor_msgs/Image and
CompressedImage, compressed_depth_image_transport (a header of 12 bytes before a PNG).
"""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from frames.camera import MAX_IMAGE_SIDE, Camera
from frames.errors import BadInput
from frames.store.pictures import encode_picture, measure_picture

MILLIMETRES: Final = 1000.0
_COMPRESSED_HEADER: Final = 12

_ENCODINGS: Final[dict[str, tuple[str, int]]] = {
    "16uc1": ("u2", 1),
    "mono16": ("u2", 1),
    "z16": ("u2", 1),
    "32fc1": ("f4", 1),
    "64fc1": ("f8", 1),
    "8uc1": ("u1", 1),
    "mono8": ("u1", 1),
    "y8": ("u1", 1),
    "rgb8": ("u1", 3),
    "bgr8": ("u1", 3),
    "8uc3": ("u1", 3),
    "rgba8": ("u1", 4),
    "bgra8": ("u1", 4),
    "yuv422": ("u1", 2),
    "uyvy": ("u1", 2),
    "yuv422_yuy2": ("u1", 2),
    "yuyv": ("u1", 2),
}
"""Encodings to the type of a value and how many a pixel has."""

_TO_RGB: Final = {
    "bgr8": cv2.COLOR_BGR2RGB,
    "8uc3": cv2.COLOR_BGR2RGB,
    "rgba8": cv2.COLOR_RGBA2RGB,
    "bgra8": cv2.COLOR_BGRA2RGB,
    "yuv422": cv2.COLOR_YUV2RGB_UYVY,
    "uyvy": cv2.COLOR_YUV2RGB_UYVY,
    "yuv422_yuy2": cv2.COLOR_YUV2RGB_YUY2,
    "yuyv": cv2.COLOR_YUV2RGB_YUY2,
}

_DISTORTIONS: Final = {
    "plumb_bob": "brown-conrady",
    "rational_polynomial": "brown-conrady",
    "brown conrady": "brown-conrady",
    "modified brown conrady": "brown-conrady",
    "equidistant": "kannala-brandt",
    "fisheye": "kannala-brandt",
    "kannala brandt4": "kannala-brandt",
}


def read_stamp(message: Any) -> int:
    """Nanoseconds of a message's header; 0 if nobody set it."""
    stamp = message.header.stamp
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def measure_image(message: Any, place: str) -> tuple[int, int, Any]:
    """Width, height and dtype of the depth in an Image or CompressedImage. BadInput for none."""
    if not hasattr(message, "encoding"):
        data = _strip_depth(message, place)
        width, height = _measure(data, place)
        return width, height, np.dtype(np.uint16)
    kind, channels = _find_encoding(message, place)
    if channels != 1 or kind == "u1":
        raise BadInput(f"{place} has images of {message.encoding}: depth is 16UC1 or 32FC1")
    _check_image(message, kind, channels, place)
    return int(message.width), int(message.height), np.dtype(kind)


def read_image(message: Any, place: str) -> NDArray[Any]:
    """The depth (H, W) in an Image or CompressedImage. Raises BadInput for what is broken."""
    width, height, _ = measure_image(message, place)
    if hasattr(message, "encoding"):
        return _read_raw(message, place)
    image = cv2.imdecode(np.frombuffer(_strip_depth(message, place), np.uint8), -1)
    if image is None or image.dtype != np.uint16 or image.shape != (height, width):
        raise BadInput(f"{place} has a depth image that is truncated or broken")
    return np.asarray(image)


def read_picture(message: Any, place: str) -> bytes:
    """A colour or infrared image as a JPEG or PNG file. Raises BadInput for what is broken.

    Compressed ones stay as they are; 4:2:2 is converted to RGB.
    """
    if not hasattr(message, "encoding"):
        data = bytes(message.data)
        _measure(data, place)
        return data
    image, encoding = _read_raw(message, place), message.encoding.lower()
    if encoding in _TO_RGB:
        image = np.asarray(cv2.cvtColor(np.ascontiguousarray(image), _TO_RGB[encoding]))
    if image.dtype not in (np.uint8, np.uint16):
        raise BadInput(f"{place} has pictures of {message.encoding}: no colour and no infrared")
    return encode_picture(image)


def read_camera_info(message: Any, place: str) -> Camera:
    """The camera that a CameraInfo describes. Raises BadInput for a lens that we do not know."""
    values = {name: getattr(message, name, None) for name in ("K", "D", "k", "d")}
    K = np.asarray(values["k"] if values["K"] is None else values["K"], np.float64)
    D = np.asarray(values["d"] if values["D"] is None else values["D"], np.float64)
    lens = str(message.distortion_model).lower().replace("_", " ").strip()
    model = {k.replace("_", " "): v for k, v in _DISTORTIONS.items()}.get(lens)
    coefficients = tuple(float(v) for v in D)
    if not any(coefficients) and model != "kannala-brandt":
        model, coefficients = "pinhole", ()
    elif model is None:
        raise BadInput(
            f"{place} has the lens model {message.distortion_model!r} with coefficients, which is"
            f" unknown here: give the camera with --camera"
        )
    while model == "brown-conrady" and len(coefficients) > 8 and not any(coefficients[8:]):
        coefficients = coefficients[:8]
    try:
        fx, fy, cx, cy = (float(K.ravel()[i]) for i in (0, 4, 2, 5))
        size = int(message.width), int(message.height)
        return Camera(model, *size, fx, fy, cx, cy, coefficients)
    except BadInput as error:
        raise BadInput(f"{error} (in {place}): give it with --camera") from None


def _strip_depth(message: Any, place: str) -> bytes:
    """The PNG file in a compressed depth image."""
    data, kind = bytes(message.data), str(message.format).lower()
    if "compresseddepth" in kind and not data.startswith(b"\x89PNG"):
        if "rvl" in kind:
            raise BadInput(f"{place} is compressed by RVL: republish it as PNG or raw")
        # An enumeration and the two parameters of inverse depth, which PNG of 16 bits has not.
        data = data[_COMPRESSED_HEADER:]
        if "32fc1" in kind:
            raise BadInput(
                f"{place} has quantised inverse depth (32FC1 compressedDepth): record it raw"
            )
    if not data.startswith(b"\x89PNG"):
        raise BadInput(f"{place} has pictures of {kind!r}: depth is PNG of 16 bits")
    if len(data) > 25 and data[24:26] != b"\x10\x00":
        raise BadInput(
            f"{place} must have PNG pictures of 16 bits and one channel, got {data[24]} bits"
        )
    return data


def _measure(data: bytes, place: str) -> tuple[int, int]:
    try:
        return measure_picture(data)
    except BadInput as error:
        raise BadInput(f"a picture of {place} cannot be read: {error}") from None


def _find_encoding(message: Any, place: str) -> tuple[str, int]:
    found = _ENCODINGS.get(str(message.encoding).lower())
    if found is None:
        raise BadInput(f"{place} has images of the unknown encoding {message.encoding!r}")
    return found


def _check_image(message: Any, kind: str, channels: int, place: str) -> None:
    """Raises BadInput for sizes that do not fit the bytes."""
    width, height, step = int(message.width), int(message.height), int(message.step)
    if not (1 <= width <= MAX_IMAGE_SIDE and 1 <= height <= MAX_IMAGE_SIDE):
        raise BadInput(
            f"{place} says {width} x {height} pixels: sides of 1 to {MAX_IMAGE_SIDE} can be"
        )
    row = width * channels * np.dtype(kind).itemsize
    if step < row or len(message.data) < step * (height - 1) + row:
        raise BadInput(
            f"{place} says {width} x {height} pixels in rows of {step} bytes, and has"
            f" {len(message.data):,} bytes"
        )


def _read_raw(message: Any, place: str) -> NDArray[Any]:
    kind, channels = _find_encoding(message, place)
    _check_image(message, kind, channels, place)
    width, height, step = int(message.width), int(message.height), int(message.step)
    dtype = np.dtype(kind).newbyteorder(">" if message.is_bigendian else "<")
    data = np.ascontiguousarray(message.data).view(np.uint8)
    padded = np.zeros(step * height, np.uint8)
    padded[: min(len(data), len(padded))] = data[: len(padded)]
    rows = padded.reshape(height, step)[:, : width * channels * dtype.itemsize]
    image = np.ascontiguousarray(rows).view(dtype).astype(dtype.newbyteorder("="), copy=False)
    return image.reshape((height, width) if channels == 1 else (height, width, channels))
