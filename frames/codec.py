"""Lossless image codecs of the dataset: depth (uint16) and part codes (uint8), as zstd blobs.

Depth: second differences (pixel - left - upper + upper left, modulo 2^16), zigzag, low bytes then
high bytes, zstd level 1. A plane's depth image is nearly affine, so the differences are a few
steps; planes of bytes let zstd skip the high half. Parts: zstd level 1 of the raw bytes. Chosen by
measurement: docs/dataset.md, bench/codec.py. Reading needs no code of ours: two cumulative sums
undo the differences.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from frames.errors import BadInput

DepthImage = NDArray[np.uint16]
ByteImage = NDArray[np.uint8]


def encode_depth(image: DepthImage) -> bytes:
    """A depth image (H, W) uint16 -> blob. Raises BadInput for another type or number of axes."""
    _check(image, np.uint16)
    planes = np.empty(2 * image.size, np.uint8)
    _split(np.ascontiguousarray(image), planes)
    return _compress(planes)


def decode_depth(
    blob: bytes | pa.Buffer, height: int, width: int, out: DepthImage | None = None
) -> DepthImage:
    """The image (height, width) uint16 of a blob by `encode_depth`.

    out: a C-contiguous (height, width) uint16 array to fill in place of a new one. Raises BadInput
    for a blob that is broken or of another size.
    """
    planes = np.frombuffer(_decompress(blob, 2 * height * width), np.uint8)
    image = np.empty((height, width), np.uint16) if out is None else out
    _join(planes, image)
    return image


def encode_parts(image: ByteImage) -> bytes:
    """An image of codes (H, W) uint8 -> blob. Raises BadInput for another type or shape."""
    _check(image, np.uint8)
    return _compress(np.ascontiguousarray(image))


def decode_parts(
    blob: bytes | pa.Buffer, height: int, width: int, out: ByteImage | None = None
) -> ByteImage:
    """The image (height, width) uint8 of a blob by `encode_parts`; `out`, errors as there."""
    raw = np.frombuffer(_decompress(blob, height * width), np.uint8).reshape(height, width)
    if out is None:
        return raw.copy()
    out[...] = raw
    return out


@lru_cache(maxsize=1)
def _codec() -> Any:
    return pa.Codec("zstd", compression_level=1)


def _compress(raw: NDArray[np.uint8]) -> bytes:
    # zstd has no frame for nothing at all; an empty blob is one.
    return bytes(_codec().compress(raw, asbytes=True)) if raw.size else b""


def _decompress(blob: bytes | pa.Buffer, size: int) -> Any:
    held = len(blob) if isinstance(blob, bytes) else blob.size
    if size == 0 or held == 0:
        if size == 0 and held == 0:
            return b""
        raise BadInput(f"image blob of {held} bytes does not hold an image of {size} bytes")
    try:
        return _codec().decompress(blob, decompressed_size=size)
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(
            f"image blob of {held} bytes does not decode to {size} bytes: broken data or a wrong "
            f"image size ({reason})"
        ) from None


def _check(image: NDArray[Any], dtype: Any) -> None:
    if image.ndim != 2 or image.dtype != dtype:
        wanted = np.dtype(dtype).name
        raise BadInput(f"image must be (H, W) {wanted}, got {image.shape} {image.dtype}")


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _split(image, planes):  # type: ignore[no-untyped-def]
    height, width = image.shape
    n = height * width
    low = planes[:n]
    high = planes[n:]
    # The line above, with zeros above the first: one vectorisable body for every row.
    above = np.zeros(width, np.uint16)
    for r in range(height):
        row = image[r]
        low_row = low[r * width : (r + 1) * width]
        high_row = high[r * width : (r + 1) * width]
        for c in range(width):
            left = np.uint16(0) if c == 0 else np.uint16(row[c - 1] - above[c - 1])
            d = np.int16(np.uint16(row[c] - above[c] - left))
            z = np.uint16(np.int16(d << 1) ^ np.int16(d >> 15))
            low_row[c] = np.uint8(z)
            high_row[c] = np.uint8(z >> 8)
        above = row


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _join(planes, image):  # type: ignore[no-untyped-def]
    height, width = image.shape
    n = height * width
    low = planes[:n]
    high = planes[n:]
    # Column sums first (a vectorised pass), then the row's sum, which no compiler vectorises.
    columns = np.zeros(width, np.uint16)
    for r in range(height):
        row = image[r]
        low_row = low[r * width : (r + 1) * width]
        high_row = high[r * width : (r + 1) * width]
        for c in range(width):
            z = np.uint16(np.uint16(low_row[c]) | np.uint16(np.uint16(high_row[c]) << 8))
            step = np.uint16(np.uint16(z >> 1) ^ np.uint16(-np.int16(z & 1)))
            columns[c] = np.uint16(columns[c] + step)
        total = np.uint16(0)
        for c in range(width):
            total = np.uint16(total + columns[c])
            row[c] = total
