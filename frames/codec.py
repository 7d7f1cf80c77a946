"""Lossless image codecs of the dataset: depth (uint16) and part codes (uint8), as zstd blobs.

Depth: second differences (pixel - left - upper + upper left, modulo 2^16), zigzag, then planes of
bits: of the low byte four planes of two bits each, four rows to a byte, and the high bytes, all
through zstd level 1. A plane's depth is nearly affine in the image, so most differences fit the
first two bits and zstd runs through the rest. Parts: zstd level 1 of the raw bytes. Chosen by
measurement (bench/codec.py); docs/dataset.md has the figures and reads both with numpy alone.
"""

import threading
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import zstandard
from numba import njit
from numpy.typing import NDArray

from frames.errors import BadInput

DepthImage = NDArray[np.uint16]
ByteImage = NDArray[np.uint8]


def encode_depth(image: DepthImage) -> bytes:
    """A depth image (H, W) uint16 -> blob. Raises BadInput for another type or number of axes."""
    _check(image, np.uint16)
    height, width = image.shape
    planes = np.empty(_count_bytes(height, width), np.uint8)
    _split(np.ascontiguousarray(image), planes)
    return _compress(planes)


def decode_depth(
    blob: bytes | pa.Buffer, height: int, width: int, out: DepthImage | None = None
) -> DepthImage:
    """The image (height, width) uint16 of a blob by `encode_depth`.

    out: a C-contiguous (height, width) uint16 array to fill in place of a new one. Raises BadInput
    for a blob that is broken or of another size.
    """
    planes = np.frombuffer(_decompress(blob, _count_bytes(height, width)), np.uint8)
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


class _Encoder(threading.local):
    """A compressor a thread. zstandard keeps its tables between images, which pyarrow sets up anew
    for each: 8 us of the 20-100 that an image takes.
    """

    def __init__(self) -> None:
        # Level 1 with a smaller table and longer matches: an eighth quicker for a hundredth more.
        tuned = zstandard.ZstdCompressionParameters.from_level(1, hash_log=10, min_match=7)
        self.compress = zstandard.ZstdCompressor(compression_params=tuned).compress


_encoder = _Encoder()


def _compress(raw: NDArray[np.uint8]) -> bytes:
    # zstd has no frame for nothing at all; an empty blob is one.
    return _encoder.compress(raw.data) if raw.size else b""


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


def _count_bytes(height: int, width: int) -> int:
    """Four two-bit planes of rows in fours, the last four filled up, and the high bytes."""
    return (4 * -(-height // 4) + height) * width


def _check(image: NDArray[Any], dtype: Any) -> None:
    if image.ndim != 2 or image.dtype != dtype:
        wanted = np.dtype(dtype).name
        raise BadInput(f"image must be (H, W) {wanted}, got {image.shape} {image.dtype}")


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _split(image, planes):  # type: ignore[no-untyped-def]
    height, width = image.shape
    fours = (height + 3) // 4
    plane = fours * width
    high = planes[4 * plane :]
    above = np.zeros(width, np.uint16)
    low = np.zeros((4, width), np.uint8)
    for q in range(fours):
        for j in range(4):
            r = 4 * q + j
            bits = low[j]
            if r >= height:
                bits[:] = 0
                continue
            row = image[r]
            top = high[r * width : (r + 1) * width]
            for c in range(width):
                left = np.uint16(0) if c == 0 else np.uint16(row[c - 1] - above[c - 1])
                d = np.int16(np.uint16(row[c] - above[c] - left))
                z = np.uint16(np.int16(d << 1) ^ np.int16(d >> 15))
                bits[c] = np.uint8(z)
                top[c] = np.uint8(z >> 8)
            above = row
        for k in range(4):
            out = planes[k * plane + q * width : k * plane + (q + 1) * width]
            shift = np.uint8(2 * k)
            for c in range(width):
                a = (low[0, c] >> shift) & np.uint8(3)
                b = (low[1, c] >> shift) & np.uint8(3)
                d = (low[2, c] >> shift) & np.uint8(3)
                e = (low[3, c] >> shift) & np.uint8(3)
                out[c] = np.uint8(a | (b << 2) | (d << 4) | (e << 6))


@njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")
def _join(planes, image):  # type: ignore[no-untyped-def]
    height, width = image.shape
    plane = (height + 3) // 4 * width
    high = planes[4 * plane :]
    # Column sums first (a vectorised pass), then the row's sum, which no compiler vectorises.
    columns = np.zeros(width, np.uint16)
    for r in range(height):
        row = image[r]
        top = high[r * width : (r + 1) * width]
        first = r // 4 * width
        one = planes[first : first + width]
        two = planes[first + plane : first + plane + width]
        three = planes[first + 2 * plane : first + 2 * plane + width]
        four = planes[first + 3 * plane : first + 3 * plane + width]
        shift = np.uint8(2 * (r % 4))
        for c in range(width):
            low = (one[c] >> shift) & np.uint8(3)
            low |= ((two[c] >> shift) & np.uint8(3)) << np.uint8(2)
            low |= ((three[c] >> shift) & np.uint8(3)) << np.uint8(4)
            low |= ((four[c] >> shift) & np.uint8(3)) << np.uint8(6)
            z = np.uint16(np.uint16(np.uint8(low)) | np.uint16(np.uint16(top[c]) << 8))
            step = np.uint16(np.uint16(z >> 1) ^ np.uint16(-np.int16(z & 1)))
            columns[c] = np.uint16(columns[c] + step)
        total = np.uint16(0)
        for c in range(width):
            total = np.uint16(total + columns[c])
            row[c] = total
